//! From a store's spec to a store that can be used.
//!
//! The only way in. What a spec refers to is resolved here, for one consumer, under the rules of `credential`. A cluster
//! store whose references depend on the consumer cannot be opened without one: it is answered by a store that says just
//! that when it is checked, and refuses all else.

use std::sync::Arc;

use api::store::{ProviderKind, StoreProvider};
use async_trait::async_trait;
use pipeline::{
    Blame, BoxFailure, Capabilities, Document, Failure, Found, ListQuery, Listed, ObjectRef, ReadOptions,
    Reason, Remote, Retry, Revision, SecretStore, Validity, Write,
};

use crate::credential::{Ports, ReferenceError, References};
use crate::fake::FakeStore;
use crate::vault::LoginError;
use crate::{Clients, kubernetes, vault};

/// Which store object it is. Two stores never share a login or data, even if their specs are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StoreId {
    /// Its namespace; none for a ClusterSecretStore.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its UID: a store that was deleted and made again is another one.
    pub uid: String,
}

/// Opens a store for a consumer in that namespace, or without one to check the store itself.
///
/// Cheap when the store was opened before: connections, logins and tokens are kept in `clients`. Reads the Secrets that the
/// spec refers to, through the ports, each time, so a new credential counts at once. Sends nothing to the store.
///
/// # Errors
/// The provider is not supported, the spec is wrong, or what it refers to is missing or may not be used.
pub async fn connect(
    spec: &StoreProvider,
    store: &StoreId,
    consumer: Option<&str>,
    ports: &Ports,
    clients: &Clients,
) -> Result<Arc<dyn SecretStore>, ConnectError> {
    let refs = References { store, consumer, ports };
    let opened: Result<Arc<dyn SecretStore>, ConnectError> = match spec.kind() {
        None => Err(ConnectError::NotOne),
        Some(ProviderKind::Unsupported(key)) => Err(ConnectError::Unsupported { key: key.to_owned() }),
        Some(ProviderKind::Fake(spec)) => Ok(Arc::new(FakeStore::new(spec, clients.pushed(store)))),
        Some(ProviderKind::Vault(spec)) => match vault::open(spec, &refs, clients).await {
            Ok(store) => Ok(Arc::new(store)),
            Err(error) => Err(error.into()),
        },
        Some(ProviderKind::Kubernetes(spec)) => match kubernetes::open(spec, &refs, clients).await {
            Ok(store) => Ok(Arc::new(store)),
            Err(error) => Err(error.into()),
        },
    };
    match opened {
        Err(error) if error.needs_consumer() => Ok(Arc::new(Referent)),
        opened => opened,
    }
}

/// A store whose credential is its consumer's, without a consumer.
struct Referent;

#[async_trait]
impl SecretStore for Referent {
    fn capabilities(&self) -> Capabilities {
        Capabilities::ReadWrite
    }

    async fn validate(&self) -> Result<Validity, BoxFailure> {
        Ok(Validity::Unknown)
    }

    async fn read(&self, _: &str, _: &ReadOptions) -> Result<Found<Document>, BoxFailure> {
        Err(ReferenceError::NoConsumer.into())
    }

    async fn list(&self, _: &ListQuery) -> Result<Vec<Listed>, BoxFailure> {
        Err(ReferenceError::NoConsumer.into())
    }

    async fn inspect(&self, _: &str) -> Result<Remote, BoxFailure> {
        Err(ReferenceError::NoConsumer.into())
    }

    async fn write(&self, _: Write<'_>) -> Result<Revision, BoxFailure> {
        Err(ReferenceError::NoConsumer.into())
    }

    async fn delete(&self, _: &str, _: &Revision) -> Result<(), BoxFailure> {
        Err(ReferenceError::NoConsumer.into())
    }
}

/// Stores that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// None, or more than one.
    #[error("open a store that does not name exactly one provider")]
    NotOne,
    /// A provider that keymill does not have.
    #[error("open a store of provider {key}: keymill has {}", ProviderKind::SUPPORTED)]
    Unsupported {
        /// Its key in the spec.
        key: String,
    },
    /// A Vault store.
    #[error(transparent)]
    Vault(#[from] vault::OpenError),
    /// A kubernetes store.
    #[error(transparent)]
    Kubernetes(#[from] kubernetes::OpenError),
}

impl ConnectError {
    fn needs_consumer(&self) -> bool {
        match self {
            Self::NotOne | Self::Unsupported { .. } => false,
            Self::Vault(
                vault::OpenError::Reference(source) | vault::OpenError::Login(LoginError::Reference(source)),
            )
            | Self::Kubernetes(kubernetes::OpenError::Reference(source)) => {
                matches!(source, ReferenceError::NoConsumer)
            }
            Self::Vault(_) | Self::Kubernetes(_) => false,
        }
    }
}

impl Failure for ConnectError {
    fn reason(&self) -> Reason {
        match self {
            Self::NotOne | Self::Unsupported { .. } => Reason::StoreNotReady,
            Self::Vault(source) => source.reason(),
            Self::Kubernetes(source) => source.reason(),
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::NotOne | Self::Unsupported { .. } => Blame::User,
            Self::Vault(source) => source.blame(),
            Self::Kubernetes(source) => source.blame(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NotOne | Self::Unsupported { .. } => Retry::WhenChanged,
            Self::Vault(source) => source.retry(),
            Self::Kubernetes(source) => source.retry(),
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        match self {
            Self::NotOne | Self::Unsupported { .. } => None,
            Self::Vault(source) => source.about(),
            Self::Kubernetes(source) => source.about(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::NotOne => "name one in the store's spec",
            Self::Unsupported { .. } => "use one of these, or keep this store on External Secrets Operator",
            Self::Vault(source) => source.advice(),
            Self::Kubernetes(source) => source.advice(),
        }
    }
}

#[cfg(test)]
mod tests;
