//! A key store that speaks Vault's wire format: KV version 1 and 2 with token authentication, on the
//! standalone database.
//!
//! It answers what Vault 1.13 answers, down to status codes, error texts and the shape of bodies, so that any
//! Vault client works on it: reads, lists, writes with check-and-set, merge patches, soft deletion,
//! destruction, custom metadata, and what clients ask first (`sys/health`, `sys/internal/ui/mounts`,
//! `auth/token/lookup-self`). Each write is one transaction: it is there whole, or not at all. Tokens and
//! mounts are what the caller sets, and may be set again while it serves. Values are never logged, and no
//! error quotes one.
//!
//! What it leaves out on purpose stands in the crate's README; `tests/conformance/stores/vault` compares the rest with Vault itself.

mod custom;
mod duration;
mod error;
mod field;
mod json;
mod printable;
mod reply;
mod request;
mod sensitive;
mod server;
mod sys;
#[cfg(test)]
mod tests;
mod v1;
mod v2;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

pub use error::KvError;
pub use server::KvService;

use crate::clock::Clock;
use crate::database::Database;

/// Which engine a mount is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KvVersion {
    /// One value for each path.
    V1,
    /// Versions with metadata.
    V2,
}

/// A path below which an engine serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Without slashes at the ends: `secret`, `teams/a`.
    pub path: String,
    pub version: KvVersion,
}

impl Mount {
    /// A mount at `path`, with or without slashes at its ends.
    pub fn new(path: &str, version: KvVersion) -> Self {
        Self { path: path.trim_matches('/').to_owned(), version }
    }
}

/// What is served, and to whom.
#[derive(Debug, Clone, Default)]
pub struct KvConfig {
    pub mounts: Vec<Mount>,
    pub tokens: Vec<SecretString>,
}

/// The key store; clones share it.
#[derive(Debug, Clone)]
pub struct Kv {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    database: Database,
    clock: Arc<dyn Clock>,
    /// When it was opened; its tokens are as old.
    since: Timestamp,
    config: RwLock<KvConfig>,
}

impl Kv {
    /// A key store on `database` that serves nothing to nobody yet.
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        let since = clock.now();
        Self { inner: Arc::new(Inner { database, clock, since, config: RwLock::default() }) }
    }

    /// Sets mounts and tokens.
    pub fn configure(&self, config: KvConfig) {
        self.change(|current| *current = config);
    }

    /// Replaces the tokens that are let in. Requests under way go on.
    pub fn set_tokens(&self, tokens: Vec<SecretString>) {
        self.change(|current| current.tokens = tokens);
    }

    /// Replaces the mounts. What was written below a mount stays for when it comes back.
    pub fn set_mounts(&self, mounts: Vec<Mount>) {
        self.change(|current| current.mounts = mounts);
    }

    /// The HTTP service.
    pub fn service(&self) -> KvService {
        KvService::new(self.clone())
    }

    fn change(&self, change: impl FnOnce(&mut KvConfig)) {
        change(&mut self.inner.config.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn config(&self) -> RwLockReadGuard<'_, KvConfig> {
        self.inner.config.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the token is one of ours. Takes as long for a wrong one as for a right one.
    fn lets_in(&self, token: &str) -> bool {
        self.config().tokens.iter().fold(false, |found, known| found | same(known, token))
    }

    fn revoke(&self, token: &str) {
        self.change(|current| current.tokens.retain(|known| !same(known, token)));
    }

    /// The mount that a path is below of, and the rest of the path.
    fn mount(&self, path: &str) -> Option<(Mount, String)> {
        let config = self.config();
        let below = |mount: &Mount| match path.strip_prefix(&mount.path)? {
            "" => Some(String::new()),
            rest => rest.strip_prefix('/').map(str::to_owned),
        };
        let found = config.mounts.iter().filter_map(|mount| Some((mount.clone(), below(mount)?)));
        found.max_by_key(|(mount, _)| mount.path.len())
    }
}

fn same(known: &SecretString, token: &str) -> bool {
    !token.is_empty() && bool::from(known.expose_secret().as_bytes().ct_eq(token.as_bytes()))
}
