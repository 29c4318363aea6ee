//! What stands behind a granted label: one object of the cluster, or one prefix of one Vault.
//!
//! Whoever binds a grant makes one of these for it; the runtime calls it on the thread of the guest, which waits, and never
//! longer than its timeout. A guest learns a [`Refusal`] and nothing more; the cause goes in words to whoever bound the
//! grant. Which grants there are is decided elsewhere.

mod bridge;
mod vault;

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pipeline::{BoxFailure, Failure, Fields, Found, MintToken, ReadSecret, Reason, TokenRequest, Value};
use runtime::{Entry, KubeCapability, Refusal, SecretBytes};

use crate::cluster::ClusterError;

pub use bridge::{Bridge, Late};
pub use vault::VaultPrefix;

/// One object of the cluster: a Secret or ConfigMap to read, or a ServiceAccount to mint a token of.
pub struct ClusterObject {
    bound: Bound,
    bridge: Bridge,
}

enum Bound {
    Secret(Arc<dyn ReadSecret>, Name),
    ConfigMap(Arc<dyn ReadSecret>, Name),
    ServiceAccount(Arc<dyn MintToken>, TokenRequest),
}

#[derive(Debug, Clone)]
struct Name {
    namespace: String,
    name: String,
}

impl ClusterObject {
    /// A Secret, of which all data may be read.
    #[must_use]
    pub fn secret(reader: Arc<dyn ReadSecret>, namespace: &str, name: &str, bridge: Bridge) -> Self {
        let bound = Bound::Secret(reader, Name::new(namespace, name));
        Self { bound, bridge }
    }

    /// A ConfigMap, of which all data may be read.
    #[must_use]
    pub fn config_map(reader: Arc<dyn ReadSecret>, namespace: &str, name: &str, bridge: Bridge) -> Self {
        let bound = Bound::ConfigMap(reader, Name::new(namespace, name));
        Self { bound, bridge }
    }

    /// A ServiceAccount, of which tokens as that request says may be minted.
    #[must_use]
    pub fn service_account(minter: Arc<dyn MintToken>, request: TokenRequest, bridge: Bridge) -> Self {
        let bound = Bound::ServiceAccount(minter, request);
        Self { bound, bridge }
    }

    fn answered<T>(&self, answer: Result<T, BoxFailure>) -> Result<T, Refusal> {
        answer.map_err(|failure| {
            self.bridge.tell(&*failure);
            refusal(&*failure)
        })
    }
}

impl Name {
    fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl fmt::Debug for ClusterObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, namespace, name) = match &self.bound {
            Bound::Secret(_, at) => ("Secret", &at.namespace, &at.name),
            Bound::ConfigMap(_, at) => ("ConfigMap", &at.namespace, &at.name),
            Bound::ServiceAccount(_, request) => {
                ("ServiceAccount", &request.namespace, &request.service_account)
            }
        };
        write!(f, "ClusterObject({kind} {namespace}/{name})")
    }
}

impl KubeCapability for ClusterObject {
    fn read(&self, timeout: Duration) -> Result<Vec<Entry>, Refusal> {
        let found = match &self.bound {
            Bound::Secret(reader, at) => {
                let (reader, at) = (Arc::clone(reader), at.clone());
                let read = async move { reader.secret(&at.namespace, &at.name).await };
                self.bridge.wait(timeout, read)?
            }
            Bound::ConfigMap(reader, at) => {
                let (reader, at) = (Arc::clone(reader), at.clone());
                let read = async move { reader.config_map(&at.namespace, &at.name).await };
                self.bridge.wait(timeout, read)?
            }
            Bound::ServiceAccount(..) => return Err(Refusal::Denied),
        };
        match self.answered(found)? {
            Found::Found(fields) => Ok(entries(&fields)),
            Found::Missing => Err(Refusal::Missing),
        }
    }

    fn token(&self, timeout: Duration) -> Result<SecretBytes, Refusal> {
        let Bound::ServiceAccount(minter, request) = &self.bound else {
            return Err(Refusal::Denied);
        };
        let (minter, request) = (Arc::clone(minter), request.clone());
        let mint = async move { minter.mint(&request).await };
        let token: Value = self.answered(self.bridge.wait(timeout, mint)?)?;
        Ok(SecretBytes::from(token.expose().to_vec()))
    }
}

fn entries(fields: &Fields) -> Vec<Entry> {
    fields.iter().map(|(key, value)| Entry::new(key.clone(), value.expose())).collect()
}

/// What a guest learns of a failure. A ServiceAccount that does not exist is a failure of the port, and missing here.
fn refusal(failure: &dyn Failure) -> Refusal {
    let error: &(dyn Error + 'static) = failure;
    let code = error.downcast_ref::<ClusterError>().and_then(|error| error.answer().code());
    let reason = failure.reason();
    if code == Some(404) {
        Refusal::Missing
    } else if reason == Reason::ClusterDenied {
        Refusal::Denied
    } else if reason == Reason::ClusterConflict {
        Refusal::Conflict
    } else if reason == Reason::TargetRefused {
        Refusal::Invalid
    } else {
        Refusal::Unavailable
    }
}

#[cfg(test)]
mod tests;
