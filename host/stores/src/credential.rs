//! What a store refers to in the cluster: credentials, certificates, ServiceAccounts.
//!
//! The one place that decides from which namespace a reference is read. A store of a namespace reads its own namespace and
//! no other; a cluster store reads the namespace that the reference names or, where it names none, that of the consumer
//! (referent authentication). Nothing here caches: the ports behind it may.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use api::{CaProvider, CaProviderKind, SecretKeySelector, ServiceAccountSelector};
use pipeline::{
    Blame, BoxFailure, Failure, Fields, Found, MintToken, ObjectRef, ReadSecret, Reason, Retry, TokenRequest,
    Value,
};
use secrecy::SecretString;

use crate::StoreId;

/// What connecting asks of the cluster. The stores keep the token port, to mint again when a token has expired.
#[derive(Clone)]
pub struct Ports {
    /// Reads Secrets and ConfigMaps.
    pub secrets: Arc<dyn ReadSecret>,
    /// Mints ServiceAccount tokens.
    pub tokens: Arc<dyn MintToken>,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ports")
    }
}

/// The references of one store, resolved for one consumer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct References<'a> {
    pub(crate) store: &'a StoreId,
    /// The namespace of the object that uses the store; none when the store itself is checked.
    pub(crate) consumer: Option<&'a str>,
    pub(crate) ports: &'a Ports,
}

impl References<'_> {
    /// The bytes under one key of a Secret.
    pub(crate) async fn bytes(
        &self,
        at: &SecretKeySelector,
        default_key: Option<&str>,
    ) -> Result<Value, ReferenceError> {
        Ok(self.lookup(at, default_key).await?.1)
    }

    /// A password: the text exactly as it is.
    pub(crate) async fn password(&self, at: &SecretKeySelector) -> Result<SecretString, ReferenceError> {
        self.text(at, None, |text| text).await
    }

    /// A token or an id: no white space belongs to it, but editors and `echo` like to leave a line end behind.
    pub(crate) async fn token(
        &self,
        at: &SecretKeySelector,
        default_key: Option<&str>,
    ) -> Result<SecretString, ReferenceError> {
        self.text(at, default_key, str::trim).await
    }

    /// A certificate authority. A cluster store has to say the namespace: who serves it does not depend on the consumer.
    pub(crate) async fn authority(&self, at: &CaProvider) -> Result<Value, ReferenceError> {
        let kind = match at.kind {
            CaProviderKind::Secret => "Secret",
            CaProviderKind::ConfigMap => "ConfigMap",
        };
        if self.store.namespace.is_none() && at.namespace.is_none() {
            return Err(ReferenceError::NoNamespace { kind, name: at.name.clone() });
        }
        let object = self.object(kind, Some(&at.name), at.namespace.as_deref())?;
        let Some(key) = at.key.as_deref() else {
            return Err(ReferenceError::NoKey { object });
        };
        let found = match at.kind {
            CaProviderKind::Secret => self.ports.secrets.secret(namespace_of(&object), &object.name).await,
            CaProviderKind::ConfigMap => {
                self.ports.secrets.config_map(namespace_of(&object), &object.name).await
            }
        };
        pick(found, object, key)
    }

    /// A ServiceAccount that can be asked for tokens, as often as they expire.
    pub(crate) fn service_account(
        &self,
        at: &ServiceAccountSelector,
        audiences: Vec<String>,
        lifetime: Duration,
    ) -> Result<ServiceAccount, ReferenceError> {
        let object = self.object("ServiceAccount", Some(&at.name), at.namespace.as_deref())?;
        let request = TokenRequest {
            namespace: namespace_of(&object).to_owned(),
            service_account: object.name,
            audiences,
            lifetime,
        };
        Ok(ServiceAccount { request, tokens: Arc::clone(&self.ports.tokens) })
    }

    async fn text(
        &self,
        at: &SecretKeySelector,
        default_key: Option<&str>,
        shape: fn(&str) -> &str,
    ) -> Result<SecretString, ReferenceError> {
        let (object, value) = self.lookup(at, default_key).await?;
        match std::str::from_utf8(value.expose()).map(shape) {
            Err(_) => Err(ReferenceError::NotText { object }),
            Ok("") => Err(ReferenceError::Empty { object }),
            Ok(text) => Ok(SecretString::from(text)),
        }
    }

    async fn lookup(
        &self,
        at: &SecretKeySelector,
        default_key: Option<&str>,
    ) -> Result<(ObjectRef, Value), ReferenceError> {
        let object = self.object("Secret", at.name.as_deref(), at.namespace.as_deref())?;
        let key = at.key.as_deref().or(default_key).filter(|key| !key.is_empty());
        let Some(key) = key else {
            return Err(ReferenceError::NoKey { object });
        };
        let found = self.ports.secrets.secret(namespace_of(&object), &object.name).await;
        let value = pick(found, object.clone(), key)?;
        Ok((object, value))
    }

    fn object(
        &self,
        kind: &'static str,
        name: Option<&str>,
        wanted: Option<&str>,
    ) -> Result<ObjectRef, ReferenceError> {
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Err(ReferenceError::NoName { kind });
        };
        let namespace = match (self.store.namespace.as_deref(), wanted, self.consumer) {
            (Some(own), Some(wanted), _) if own != wanted => {
                let object = ObjectRef::namespaced(kind, wanted, name);
                return Err(ReferenceError::ForeignNamespace { object, own: own.to_owned() });
            }
            (Some(own), _, _) => own,
            (None, Some(wanted), _) => wanted,
            (None, None, Some(consumer)) => consumer,
            (None, None, None) => return Err(ReferenceError::NoConsumer),
        };
        Ok(ObjectRef::namespaced(kind, namespace, name))
    }
}

/// A ServiceAccount and the right to mint its tokens.
#[derive(Clone)]
pub(crate) struct ServiceAccount {
    pub(crate) request: TokenRequest,
    tokens: Arc<dyn MintToken>,
}

impl ServiceAccount {
    pub(crate) async fn mint(&self) -> Result<SecretString, ReferenceError> {
        let object = || {
            ObjectRef::namespaced("ServiceAccount", &self.request.namespace, &self.request.service_account)
        };
        let minted = self.tokens.mint(&self.request).await;
        let value = minted
            .map_err(|source| ReferenceError::Mint { object: object(), source: PortFailure(source) })?;
        match std::str::from_utf8(value.expose()) {
            Ok(token) => Ok(SecretString::from(token.trim())),
            Err(_) => Err(ReferenceError::NotText { object: object() }),
        }
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceAccount({}/{})", self.request.namespace, self.request.service_account)
    }
}

fn namespace_of(object: &ObjectRef) -> &str {
    object.namespace.as_deref().unwrap_or_default()
}

fn pick(
    found: Result<Found<Fields>, BoxFailure>,
    object: ObjectRef,
    key: &str,
) -> Result<Value, ReferenceError> {
    match found {
        Err(source) => Err(ReferenceError::Read { object, source: PortFailure(source) }),
        Ok(Found::Missing) => Err(ReferenceError::Missing { object }),
        Ok(Found::Found(mut fields)) => match fields.remove(key) {
            Some(value) => Ok(value),
            None => Err(ReferenceError::KeyMissing { object, key: key.to_owned() }),
        },
    }
}

/// A port's failure as the source of ours.
pub struct PortFailure(pub(crate) BoxFailure);

impl fmt::Debug for PortFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for PortFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for PortFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// A reference of a store that leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// The reference has no name.
    #[error("use a reference to a {kind} that has no name")]
    NoName {
        /// The kind that it refers to.
        kind: &'static str,
    },
    /// The reference says no key where none can be guessed.
    #[error("use a reference to {object} that has no key")]
    NoKey {
        /// What it refers to.
        object: ObjectRef,
    },
    /// A cluster store's certificate authority has no namespace.
    #[error("use a reference to {kind} {name} that has no namespace")]
    NoNamespace {
        /// The kind that it refers to.
        kind: &'static str,
        /// The name that it refers to.
        name: String,
    },
    /// A store of a namespace refers to another namespace.
    #[error("use {object} from a SecretStore in namespace {own}")]
    ForeignNamespace {
        /// What it refers to.
        object: ObjectRef,
        /// The store's namespace.
        own: String,
    },
    /// The namespace is the consumer's, and there is no consumer.
    #[error("resolve a reference that depends on the namespace of the store's consumer")]
    NoConsumer,
    /// The port failed.
    #[error("read {object}")]
    Read {
        /// What was read.
        object: ObjectRef,
        /// Why not.
        source: PortFailure,
    },
    /// The object does not exist.
    #[error("find {object}")]
    Missing {
        /// What was looked for.
        object: ObjectRef,
    },
    /// The object has no such key.
    #[error("find key {key:?} in {object}")]
    KeyMissing {
        /// Where it was looked for.
        object: ObjectRef,
        /// The key.
        key: String,
    },
    /// The bytes are no UTF-8 text.
    #[error("read {object} as text")]
    NotText {
        /// Where they are from.
        object: ObjectRef,
    },
    /// Nothing but white space.
    #[error("use an empty credential from {object}")]
    Empty {
        /// Where it is from.
        object: ObjectRef,
    },
    /// The token port failed.
    #[error("mint a token of {object}")]
    Mint {
        /// Whose token.
        object: ObjectRef,
        /// Why not.
        source: PortFailure,
    },
}

impl Failure for ReferenceError {
    fn reason(&self) -> Reason {
        match self {
            Self::NoName { .. } | Self::NoKey { .. } | Self::NoNamespace { .. } | Self::NoConsumer => {
                Reason::StoreNotReady
            }
            Self::ForeignNamespace { .. } => Reason::StoreNotAllowed,
            Self::Read { source, .. } | Self::Mint { source, .. } => source.0.reason(),
            Self::Missing { .. } | Self::KeyMissing { .. } => Reason::ReferenceMissing,
            Self::NotText { .. } | Self::Empty { .. } => Reason::InvalidValue,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Read { source, .. } | Self::Mint { source, .. } => source.0.blame(),
            Self::NoName { .. }
            | Self::NoKey { .. }
            | Self::NoNamespace { .. }
            | Self::NoConsumer
            | Self::ForeignNamespace { .. }
            | Self::Missing { .. }
            | Self::KeyMissing { .. }
            | Self::NotText { .. }
            | Self::Empty { .. } => Blame::User,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Read { source, .. } | Self::Mint { source, .. } => source.0.retry(),
            Self::NoName { .. }
            | Self::NoKey { .. }
            | Self::NoNamespace { .. }
            | Self::NoConsumer
            | Self::ForeignNamespace { .. }
            | Self::Missing { .. }
            | Self::KeyMissing { .. }
            | Self::NotText { .. }
            | Self::Empty { .. } => Retry::WhenChanged,
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        match self {
            Self::NoName { .. } | Self::NoNamespace { .. } | Self::NoConsumer => None,
            Self::NoKey { object }
            | Self::ForeignNamespace { object, .. }
            | Self::Read { object, .. }
            | Self::Missing { object }
            | Self::KeyMissing { object, .. }
            | Self::NotText { object }
            | Self::Empty { object }
            | Self::Mint { object, .. } => Some(object.clone()),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::NoName { .. } => "name the object in the store's spec",
            Self::NoKey { .. } => "add the key to the store's spec",
            Self::NoNamespace { .. } => "add the namespace: a ClusterSecretStore has none of its own",
            Self::ForeignNamespace { .. } => {
                "move the object into the store's namespace, or use a ClusterSecretStore"
            }
            Self::NoConsumer => "add the namespace to the reference to have the store checked by itself",
            Self::Missing { .. } => "create it, or correct the reference in the store's spec",
            Self::KeyMissing { .. } => "add the key, or correct the reference in the store's spec",
            Self::NotText { .. } | Self::Empty { .. } => "put the credential there",
            Self::Read { source, .. } | Self::Mint { source, .. } => source.0.advice(),
        }
    }
}
