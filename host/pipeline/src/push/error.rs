//! Why a push failed.

use thiserror::Error;

use crate::failure::{Blame, BoxFailure, Failure, ObjectRef, Reason, Retry};
use crate::gather::GatherError;
use crate::shape::ShapeError;
use crate::spec::StoreName;

/// Why a push failed. Other remote secrets may have been written.
#[derive(Debug, Error)]
pub enum PushError {
    /// The source does not exist.
    #[error("read the source {source_secret}: it does not exist")]
    SourceMissing {
        /// Which Secret, or which labels.
        source_secret: ObjectRef,
    },
    /// The source lacks a key.
    #[error("push key {key}: the source has no such key")]
    KeyMissing {
        /// The key.
        key: String,
    },
    /// Two entries go to one remote secret.
    #[error("push {first} and {second}: both go to the remote secret {remote_key}")]
    Duplicate {
        /// One key of the source.
        first: String,
        /// The other.
        second: String,
        /// Where both go.
        remote_key: String,
    },
    /// A dataTo entry names a store that the object does not push to.
    #[error("push to {store}: it is not among spec.secretStoreRefs")]
    StoreNotListed {
        /// The store, or its labels.
        store: String,
    },
    /// No store has the labels.
    #[error("push: no store matches spec.secretStoreRefs")]
    NoStore,
    /// Values could not be had from a generator.
    #[error("gather what is to be pushed")]
    Gather {
        /// Why.
        #[source]
        source: GatherError,
    },
    /// The values could not be shaped.
    #[error("shape what is to be pushed")]
    Shape {
        /// Why.
        #[source]
        source: ShapeError,
    },
    /// A store could not be opened.
    #[error("open {store}")]
    Open {
        /// The store.
        store: StoreName,
        /// Why.
        #[source]
        source: BoxFailure,
    },
    /// It is not known what is at a remote key.
    #[error("read key {key} in {store}")]
    Inspect {
        /// The store.
        store: StoreName,
        /// The remote key.
        key: String,
        /// Why.
        #[source]
        source: BoxFailure,
    },
    /// A remote secret could not be written.
    #[error("write key {key} in {store}")]
    Write {
        /// The store.
        store: StoreName,
        /// The remote key.
        key: String,
        /// Why.
        #[source]
        source: BoxFailure,
    },
    /// A remote secret could not be deleted.
    #[error("delete key {key} in {store}")]
    Delete {
        /// The store.
        store: StoreName,
        /// The remote key.
        key: String,
        /// Why.
        #[source]
        source: BoxFailure,
    },
    /// It is not known whether the source is still what was read, or the status could not be written.
    #[error("prepare the write of key {key} in {store}")]
    Guard {
        /// The store.
        store: StoreName,
        /// The remote key.
        key: String,
        /// Why.
        #[source]
        source: BoxFailure,
    },
    /// The source changed since it was read; the newer values are pushed instead.
    #[error("write key {key} in {store}: the source has changed since it was read")]
    SourceChanged {
        /// The store.
        store: StoreName,
        /// The remote key.
        key: String,
    },
    /// Somebody else's remote secret is there.
    #[error("write key {key} in {store}: a secret is there that is not marked managed-by: external-secrets")]
    NotManaged {
        /// The store.
        store: StoreName,
        /// The remote key.
        key: String,
    },
    /// What is there cannot have properties.
    #[error("set property {property} of key {key} in {store}: what is there is not a JSON object")]
    NotAnObject {
        /// The store.
        store: StoreName,
        /// The remote key.
        key: String,
        /// The property.
        property: String,
    },
    /// A property in a JSON document is text.
    #[error("set property {property} of key {key} in {store}: the value is not UTF-8 text")]
    NotText {
        /// The store.
        store: StoreName,
        /// The remote key.
        key: String,
        /// The property.
        property: String,
    },
}

impl PushError {
    fn inner(&self) -> Option<&dyn Failure> {
        match self {
            PushError::Open { source, .. }
            | PushError::Inspect { source, .. }
            | PushError::Write { source, .. }
            | PushError::Guard { source, .. }
            | PushError::Delete { source, .. } => Some(source.as_ref()),
            PushError::Gather { source } => Some(source),
            PushError::Shape { source } => Some(source),
            PushError::SourceMissing { .. }
            | PushError::KeyMissing { .. }
            | PushError::Duplicate { .. }
            | PushError::StoreNotListed { .. }
            | PushError::NoStore
            | PushError::SourceChanged { .. }
            | PushError::NotManaged { .. }
            | PushError::NotAnObject { .. }
            | PushError::NotText { .. } => None,
        }
    }
}

impl Failure for PushError {
    fn reason(&self) -> Reason {
        match self {
            PushError::SourceMissing { .. } => Reason::SourceMissing,
            PushError::KeyMissing { .. } => Reason::ReferenceMissing,
            PushError::Duplicate { .. } | PushError::StoreNotListed { .. } => Reason::InvalidSpec,
            PushError::NoStore => Reason::StoreNotFound,
            PushError::SourceChanged { .. } => Reason::ClusterConflict,
            PushError::NotManaged { .. } => Reason::RemoteNotManaged,
            PushError::NotAnObject { .. } | PushError::NotText { .. } => Reason::InvalidValue,
            PushError::Gather { source } => source.reason(),
            PushError::Shape { source } => source.reason(),
            PushError::Open { source, .. }
            | PushError::Inspect { source, .. }
            | PushError::Write { source, .. }
            | PushError::Guard { source, .. }
            | PushError::Delete { source, .. } => source.reason(),
        }
    }

    fn blame(&self) -> Blame {
        self.inner().map_or(Blame::User, Failure::blame)
    }

    fn retry(&self) -> Retry {
        match self {
            // A change of the object or of its source wakes it.
            PushError::KeyMissing { .. } | PushError::Duplicate { .. } | PushError::StoreNotListed { .. } => {
                Retry::WhenChanged
            }
            other => other.inner().map_or(Retry::Backoff, Failure::retry),
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        match self {
            PushError::SourceMissing { source_secret } => Some(source_secret.clone()),
            other => other.inner().and_then(Failure::about),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            PushError::SourceMissing { .. } => "create it; the push follows within a second",
            PushError::KeyMissing { .. } => "add the key to the source, or name another in match.secretKey",
            PushError::Duplicate { .. } => "name a rewrite that gives each key a remote secret of its own",
            PushError::StoreNotListed { .. } => "add the store to spec.secretStoreRefs",
            PushError::NoStore => "create a store with the labels, or name one",
            PushError::NotManaged { .. } => {
                "push to another remoteKey, or mark the secret in the store with managed-by: external-secrets to hand it over"
            }
            PushError::NotAnObject { .. } => "push to another remoteKey, or push without a property",
            PushError::NotText { .. } => "encode the value in the source's template",
            other => other.inner().map_or("", Failure::advice),
        }
    }
}
