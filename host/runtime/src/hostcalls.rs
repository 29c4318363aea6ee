//! The host's side of the contract's imports. Free ones (entropy, clock, log) are counted; granted ones (kube, vault) are checked
//! against what the component declared and what the label was bound to, counted, and run outside the guest's time. Whatever a call
//! answers here may be secret, so from then on its diagnostics are dropped.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;

use crate::bindings::{clock, entropy, kube, log, types, vault};
use crate::call::LogLevel;
use crate::draw::key;
use crate::grants::{Capability, Entry, Grant, KubeCapability, Lease, Refusal, VaultCapability, VaultReply};
use crate::random::Random;
use crate::reason::Reason;
use crate::state::{Randomness, State};

const LINE_CHARS: usize = 512;
const PATH_BYTES: usize = 1024;
const QUERY_PAIRS: usize = 16;
const QUERY_BYTES: usize = 2048;
const LEASE_BYTES: usize = 512;

impl types::Host for State {}

impl entropy::Host for State {
    fn bytes(&mut self, stream: String, len: u32) -> wasmtime::Result<Vec<u8>> {
        let drawn = self.usage.random_bytes.saturating_add(len);
        if drawn > self.limits.random_bytes {
            return Err(self.stop(Reason::HostDenied));
        }
        self.usage.random_bytes = drawn;
        let mut bytes = vec![0; len as usize];
        self.random(&stream, |source| source.fill(&mut bytes))?;
        Ok(bytes)
    }

    fn key(&mut self, stream: String, spec: types::KeySpec) -> wasmtime::Result<Vec<u8>> {
        self.usage.keys += 1;
        if self.usage.keys > self.limits.keys || key::check(&spec).is_err() {
            return Err(self.stop(Reason::HostDenied));
        }
        let made = self.outside(|state| {
            let mut made = None;
            state.random(&stream, |source| {
                made = Some(match source {
                    Bytes::Source(random) => key::make(&spec, random),
                    Bytes::Stream(stream) => key::make(&spec, stream),
                });
                Ok(())
            })?;
            Ok::<_, wasmtime::Error>(made)
        })?;
        match made {
            Some(Ok(pair)) => Ok(pair.der().to_vec()),
            _ => {
                self.random_failed = true;
                Err(self.stop(Reason::HostDenied))
            }
        }
    }
}

/// Where the bytes of one draw come from.
enum Bytes<'a, 'b> {
    Source(&'a mut Random<'b>),
    Stream(&'a mut chacha20::ChaCha20Rng),
}

impl Bytes<'_, '_> {
    fn fill(self, bytes: &mut [u8]) -> Result<(), crate::error::RandomError> {
        match self {
            Self::Source(random) => random.fill(bytes),
            Self::Stream(stream) => {
                rand_core::Rng::fill_bytes(stream, bytes);
                Ok(())
            }
        }
    }
}

impl clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.now)
    }
}

impl log::Host for State {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let wanted = self.log.sink.is_some() && !self.log.tainted;
        if wanted && self.log.lines.len() < self.limits.log_lines as usize {
            let level = match level {
                log::Level::Debug => LogLevel::Debug,
                log::Level::Info => LogLevel::Info,
                log::Level::Warn => LogLevel::Warn,
            };
            self.log.lines.push((level, line(&message)));
        }
        Ok(())
    }
}

impl kube::Host for State {
    fn read(&mut self, label: String) -> wasmtime::Result<Result<Vec<types::Entry>, types::Refusal>> {
        let entries = self.kube(&label, |object, timeout| object.read(timeout))?;
        let sorted = |mut entries: Vec<Entry>| {
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            entries.iter().map(contract_entry).collect()
        };
        Ok(entries.map(sorted).map_err(Into::into))
    }

    fn token(&mut self, label: String) -> wasmtime::Result<Result<Vec<u8>, types::Refusal>> {
        let token = self.kube(&label, |object, timeout| object.token(timeout))?;
        Ok(token.map(|token| token.expose_secret().to_vec()).map_err(Into::into))
    }
}

impl vault::Host for State {
    fn read(
        &mut self,
        label: String,
        path: String,
        query: Vec<(String, String)>,
    ) -> wasmtime::Result<Result<vault::Reply, types::Refusal>> {
        let reply = self.vault(&label, |vault, timeout| {
            relative(&path)?;
            bounded_query(&query)?;
            vault.read(&path, &query, timeout)
        })?;
        Ok(reply.map(contract_reply).map_err(Into::into))
    }

    fn write(
        &mut self,
        label: String,
        path: String,
        body: Vec<u8>,
    ) -> wasmtime::Result<Result<vault::Reply, types::Refusal>> {
        let reply = self.vault(&label, |vault, timeout| {
            relative(&path)?;
            vault.write(&path, body.into(), timeout)
        })?;
        Ok(reply.map(contract_reply).map_err(Into::into))
    }

    fn keys(&mut self, label: String, path: String) -> wasmtime::Result<Result<Vec<String>, types::Refusal>> {
        let keys = self.vault(&label, |vault, timeout| {
            relative(&path)?;
            vault.keys(&path, timeout)
        })?;
        Ok(keys.map_err(Into::into))
    }

    fn delete(&mut self, label: String, path: String) -> wasmtime::Result<Result<(), types::Refusal>> {
        let deleted = self.vault(&label, |vault, timeout| {
            relative(&path)?;
            vault.delete(&path, timeout)
        })?;
        Ok(deleted.map_err(Into::into))
    }

    fn renew(
        &mut self,
        label: String,
        lease: String,
        seconds: u64,
    ) -> wasmtime::Result<Result<vault::Lease, types::Refusal>> {
        let renewed = self.vault(&label, |vault, timeout| {
            lease_id(&lease)?;
            vault.renew(&lease, seconds, timeout)
        })?;
        Ok(renewed.map(contract_lease).map_err(Into::into))
    }

    fn revoke(&mut self, label: String, lease: String) -> wasmtime::Result<Result<(), types::Refusal>> {
        let revoked = self.vault(&label, |vault, timeout| {
            lease_id(&lease)?;
            vault.revoke(&lease, timeout)
        })?;
        Ok(revoked.map_err(Into::into))
    }
}

impl State {
    /// Draws from whichever randomness this call has, or stops it.
    fn random(
        &mut self,
        stream: &str,
        draw: impl FnOnce(Bytes<'_, '_>) -> Result<(), crate::error::RandomError>,
    ) -> wasmtime::Result<()> {
        self.usage.drew = true;
        self.log.tainted = true;
        let drawn = match &mut self.randomness {
            Randomness::Denied => None,
            Randomness::Source(source) => {
                let source = Arc::clone(source);
                Some(draw(Bytes::Source(&mut Random::new(source.as_ref()))))
            }
            Randomness::Streams(streams) => streams.stream(stream).map(|rng| draw(Bytes::Stream(rng))),
        };
        match drawn {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) => {
                self.random_failed = true;
                Err(self.stop(Reason::HostDenied))
            }
            None => Err(self.stop(Reason::HostDenied)),
        }
    }

    fn kube<T>(
        &mut self,
        label: &str,
        work: impl FnOnce(&dyn KubeCapability, Duration) -> Result<T, Refusal>,
    ) -> wasmtime::Result<Result<T, Refusal>> {
        Ok(match self.permit(label, Capability::Kube)? {
            Ok(Grant::Kube(object)) => {
                let timeout = self.limits.host_call_timeout;
                self.outside(|_| work(object.as_ref(), timeout))
            }
            Ok(Grant::Vault(_) | Grant::Previous) => Err(Refusal::Denied),
            Err(refusal) => Err(refusal),
        })
    }

    fn vault<T>(
        &mut self,
        label: &str,
        work: impl FnOnce(&dyn VaultCapability, Duration) -> Result<T, Refusal>,
    ) -> wasmtime::Result<Result<T, Refusal>> {
        Ok(match self.permit(label, Capability::Vault)? {
            Ok(Grant::Vault(prefix)) => {
                let timeout = self.limits.host_call_timeout;
                self.outside(|_| work(prefix.as_ref(), timeout))
            }
            Ok(Grant::Kube(_) | Grant::Previous) => Err(Refusal::Denied),
            Err(refusal) => Err(refusal),
        })
    }

    /// The grant behind a label, if the component declared the label for this capability and somebody granted it. Asking counts,
    /// whatever the answer, so that a guest cannot probe for long.
    fn permit(&mut self, label: &str, capability: Capability) -> wasmtime::Result<Result<Grant, Refusal>> {
        self.usage.host_calls += 1;
        if self.usage.host_calls > self.limits.host_calls {
            return Err(self.stop(Reason::HostDenied));
        }
        let declared = self.description.as_ref().and_then(|description| description.want(label));
        if declared.is_none_or(|want| want.capability != capability) {
            return Ok(Err(Refusal::Denied));
        }
        let Some(bound) = self.grants.get(label) else {
            return Ok(Err(Refusal::Denied));
        };
        if let Some(quota) = bound.quota {
            let used = self.usage.by_label.entry(label.to_owned()).or_default();
            if *used >= quota {
                return Ok(Err(Refusal::Quota));
            }
            *used += 1;
        }
        self.log.tainted = true;
        Ok(Ok(bound.grant.clone()))
    }
}

/// One line, bounded, with nothing in it that a terminal obeys.
fn line(message: &str) -> String {
    let mut line = String::new();
    for character in message.chars().take(LINE_CHARS) {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// A path that stays below the prefix it is joined to, however the other side reads it.
fn relative(path: &str) -> Result<(), Refusal> {
    let forbidden = |c: char| c.is_control() || matches!(c, '%' | '\\' | '?' | '#');
    let escapes = |segment: &str| matches!(segment, "" | "." | "..");
    if path.len() > PATH_BYTES || path.contains(forbidden) || path.split('/').any(escapes) {
        return Err(Refusal::Invalid);
    }
    Ok(())
}

fn bounded_query(query: &[(String, String)]) -> Result<(), Refusal> {
    let bytes: usize = query.iter().map(|(name, value)| name.len() + value.len()).sum();
    let control = query.iter().any(|(name, value)| (name.chars().chain(value.chars())).any(char::is_control));
    if query.len() > QUERY_PAIRS || bytes > QUERY_BYTES || control {
        return Err(Refusal::Invalid);
    }
    Ok(())
}

fn lease_id(lease: &str) -> Result<(), Refusal> {
    if lease.is_empty() || lease.len() > LEASE_BYTES || lease.contains(char::is_control) {
        return Err(Refusal::Invalid);
    }
    Ok(())
}

fn contract_entry(entry: &Entry) -> types::Entry {
    types::Entry { key: entry.key.clone(), value: entry.value.expose_secret().to_vec() }
}

fn contract_reply(reply: VaultReply) -> vault::Reply {
    vault::Reply { body: reply.body.expose_secret().to_vec(), lease: reply.lease.map(contract_lease) }
}

fn contract_lease(lease: Lease) -> vault::Lease {
    vault::Lease { id: lease.id, seconds: lease.seconds, renewable: lease.renewable }
}

#[cfg(test)]
mod tests;
