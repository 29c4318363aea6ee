//! One prefix of one Vault behind a label.

use std::sync::Arc;
use std::time::Duration;

use pipeline::Found;
use runtime::{Lease, Refusal, SecretBytes, VaultCapability, VaultReply};
use stores::vault::prefix::{self, Class, Prefix, PrefixError};

use super::Bridge;

/// One prefix of one Vault, with the leases that it handed out.
#[derive(Debug)]
pub struct VaultPrefix {
    prefix: Arc<Prefix>,
    bridge: Bridge,
}

impl VaultPrefix {
    /// Everything below `prefix`.
    #[must_use]
    pub fn new(prefix: Prefix, bridge: Bridge) -> Self {
        Self { prefix: Arc::new(prefix), bridge }
    }

    fn ask<T, F>(&self, timeout: Duration, request: impl FnOnce(Arc<Prefix>) -> F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, PrefixError>> + Send + 'static,
    {
        let answer = self.bridge.wait(timeout, request(Arc::clone(&self.prefix)))?;
        answer.map_err(|error| {
            self.bridge.tell(&error);
            refusal(error.class())
        })
    }
}

impl VaultCapability for VaultPrefix {
    fn read(&self, path: &str, query: &[(String, String)], timeout: Duration) -> Result<VaultReply, Refusal> {
        let (path, query) = (path.to_owned(), query.to_vec());
        let read = |prefix: Arc<Prefix>| async move { prefix.read(&path, &query, timeout).await };
        existing(self.ask(timeout, read)?).map(reply)
    }

    fn write(&self, path: &str, body: SecretBytes, timeout: Duration) -> Result<VaultReply, Refusal> {
        let path = path.to_owned();
        let write = |prefix: Arc<Prefix>| async move { prefix.write(&path, &body, timeout).await };
        self.ask(timeout, write).map(reply)
    }

    fn keys(&self, path: &str, timeout: Duration) -> Result<Vec<String>, Refusal> {
        let path = path.to_owned();
        let list = |prefix: Arc<Prefix>| async move { prefix.keys(&path, timeout).await };
        existing(self.ask(timeout, list)?)
    }

    fn delete(&self, path: &str, timeout: Duration) -> Result<(), Refusal> {
        let path = path.to_owned();
        self.ask(timeout, |prefix| async move { prefix.delete(&path, timeout).await })
    }

    fn renew(&self, id: &str, seconds: u64, timeout: Duration) -> Result<Lease, Refusal> {
        let id = id.to_owned();
        let renew = |prefix: Arc<Prefix>| async move { prefix.renew(&id, seconds, timeout).await };
        self.ask(timeout, renew).map(lease)
    }

    fn revoke(&self, id: &str, timeout: Duration) -> Result<(), Refusal> {
        let id = id.to_owned();
        self.ask(timeout, |prefix| async move { prefix.revoke(&id, timeout).await })
    }
}

fn existing<T>(found: Found<T>) -> Result<T, Refusal> {
    found.ok().ok_or(Refusal::Missing)
}

fn reply(answered: prefix::Answered) -> VaultReply {
    VaultReply { body: answered.body, lease: answered.lease.map(lease) }
}

fn lease(lease: prefix::Lease) -> Lease {
    Lease { id: lease.id, seconds: lease.seconds, renewable: lease.renewable }
}

/// A server that asks for fewer requests is unavailable: the quota is the grant's own, and the runtime's business.
const fn refusal(class: Class) -> Refusal {
    match class {
        Class::Denied => Refusal::Denied,
        Class::Missing => Refusal::Missing,
        Class::Invalid => Refusal::Invalid,
        Class::Conflict => Refusal::Conflict,
        Class::Unavailable => Refusal::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_learns_the_class_and_no_more() {
        for (class, expected) in [
            (Class::Denied, Refusal::Denied),
            (Class::Missing, Refusal::Missing),
            (Class::Invalid, Refusal::Invalid),
            (Class::Conflict, Refusal::Conflict),
            (Class::Unavailable, Refusal::Unavailable),
        ] {
            assert_eq!(refusal(class), expected);
        }
        assert_eq!(existing(Found::<()>::Missing), Err(Refusal::Missing));
    }
}
