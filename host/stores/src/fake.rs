//! The fake provider: secrets that stand in the store's own spec, and what was pushed to it.
//!
//! What the spec says is read from the spec at each use, so a changed spec counts at once. What is pushed is kept in memory
//! by the store object itself (its UID), so two stores of one name never see each other's data; it does not outlive the
//! process. The secrets of the spec are its author's: a push to their key is refused.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::store::FakeProvider;
use async_trait::async_trait;
use pipeline::{
    Blame, BoxFailure, Capabilities, Document, Failure, Found, ListQuery, Listed, Marks, ReadOptions, Reason,
    Remote, Retry, Revision, SecretStore, Validity, Value, Write,
};

/// `validationResult`, in ESO's numbers.
const VALID: i64 = 0;
const UNKNOWN: i64 = 1;

/// What was pushed to one store.
pub(crate) struct Pushed(Mutex<BTreeMap<String, Secret>>);

struct Secret {
    document: Document,
    marks: Marks,
    version: u64,
}

impl Pushed {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::default()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Secret>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fake store.
pub(crate) struct FakeStore {
    spec: FakeProvider,
    pushed: Arc<Pushed>,
}

impl FakeStore {
    pub(crate) fn new(spec: &FakeProvider, pushed: Arc<Pushed>) -> Self {
        Self { spec: spec.clone(), pushed }
    }

    /// The version asked for; without one the entry that has none, as ESO does it.
    fn declared(&self, key: &str, version: Option<&str>) -> Option<Value> {
        let version = version.unwrap_or_default();
        let matches = |entry: &&api::store::FakeProviderData| {
            entry.key == key && entry.version.as_deref().unwrap_or_default() == version
        };
        // The last entry of a key counts.
        self.spec.data.iter().rev().find(matches).map(|entry| Value::from(entry.value.expose()))
    }

    fn declares(&self, key: &str) -> bool {
        self.spec.data.iter().any(|entry| entry.key == key)
    }

    /// The value of the highest version of each key, compared as text.
    fn latest(&self) -> BTreeMap<&str, Value> {
        let mut latest: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
        for entry in &self.spec.data {
            let version = entry.version.as_deref().unwrap_or_default();
            let known = latest.entry(&entry.key).or_insert((version, entry.value.expose()));
            if known.0 <= version {
                *known = (version, entry.value.expose());
            }
        }
        latest.into_iter().map(|(key, (_, value))| (key, Value::from(value))).collect()
    }
}

#[async_trait]
impl SecretStore for FakeStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::ReadWrite
    }

    async fn validate(&self) -> Result<Validity, BoxFailure> {
        match self.spec.validation_result.unwrap_or(VALID) {
            VALID => Ok(Validity::Valid),
            UNKNOWN => Ok(Validity::Unknown),
            result => Err(FakeError::Invalid { result }.into()),
        }
    }

    async fn read(&self, key: &str, options: &ReadOptions) -> Result<Found<Document>, BoxFailure> {
        if options.metadata {
            return Err(FakeError::NoMetadata { key: key.to_owned() }.into());
        }
        if let Some(value) = self.declared(key, options.version.as_deref()) {
            return Ok(Found::Found(Document::Bytes(value)));
        }
        match self.pushed.lock().get(key) {
            Some(secret) if options.version.is_none() => Ok(Found::Found(secret.document.clone())),
            Some(_) | None => Ok(Found::Missing),
        }
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Listed>, BoxFailure> {
        if !query.tags.is_empty() {
            return Err(FakeError::NoTags.into());
        }
        let path = query.path.as_deref().unwrap_or_default();
        let pushed = self.pushed.lock();
        let pushed = pushed.iter().map(|(key, secret)| (key.as_str(), secret.document.clone()));
        let declared = self.latest().into_iter().map(|(key, value)| (key, Document::Bytes(value)));
        let all: BTreeMap<&str, Document> = pushed.chain(declared).collect();
        let matches =
            |key: &str| key.starts_with(path) && query.name.as_ref().is_none_or(|name| name.is_match(key));
        let listed = all.into_iter().filter(|(key, _)| matches(key));
        Ok(listed.map(|(key, document)| Listed { key: key.to_owned(), document }).collect())
    }

    async fn inspect(&self, key: &str) -> Result<Remote, BoxFailure> {
        if let Some(value) = self.declared(key, None) {
            let document = Found::Found(Document::Bytes(value));
            return Ok(Remote {
                document,
                managed: false,
                marks: Marks::new(),
                revision: Revision::Unsupported,
            });
        }
        Ok(match self.pushed.lock().get(key) {
            None => Remote {
                document: Found::Missing,
                managed: false,
                marks: Marks::new(),
                revision: Revision::Absent,
            },
            Some(secret) => Remote {
                document: Found::Found(secret.document.clone()),
                managed: true,
                marks: secret.marks.clone(),
                revision: Revision::At(secret.version.to_string()),
            },
        })
    }

    async fn write(&self, write: Write<'_>) -> Result<Revision, BoxFailure> {
        let key = || write.key.to_owned();
        if self.declares(write.key) {
            return Err(FakeError::Declared { key: key() }.into());
        }
        let mut pushed = self.pushed.lock();
        let before = pushed.get(write.key);
        if !still(write.expected, before) {
            return Err(FakeError::Conflict { key: key() }.into());
        }
        let version = before.map_or(0, |secret| secret.version) + 1;
        let mut marks = before.map(|secret| secret.marks.clone()).unwrap_or_default();
        marks.extend(write.marks.iter().map(|(name, value)| (name.clone(), value.clone())));
        pushed.insert(key(), Secret { document: write.document.clone(), marks, version });
        Ok(Revision::At(version.to_string()))
    }

    async fn delete(&self, key: &str, expected: &Revision) -> Result<(), BoxFailure> {
        let mut pushed = self.pushed.lock();
        let Some(secret) = pushed.get(key) else {
            return Ok(());
        };
        if !still(expected, Some(secret)) {
            return Err(FakeError::Conflict { key: key.to_owned() }.into());
        }
        pushed.remove(key);
        Ok(())
    }
}

fn still(expected: &Revision, now: Option<&Secret>) -> bool {
    match (expected, now) {
        (Revision::Unsupported, _) | (Revision::Absent, None) => true,
        (Revision::At(version), Some(secret)) => *version == secret.version.to_string(),
        (Revision::Absent, Some(_)) | (Revision::At(_), None) => false,
    }
}

/// What a fake store could not do.
#[derive(Debug, thiserror::Error)]
pub enum FakeError {
    /// The spec says so.
    #[error("check the fake store: its validationResult is {result}")]
    Invalid {
        /// The number.
        result: i64,
    },
    /// A fake secret has no metadata.
    #[error("read the metadata of {key:?} from the fake store: it has none")]
    NoMetadata {
        /// The key.
        key: String,
    },
    /// A fake secret has no tags.
    #[error("list by tags in the fake store: it has none")]
    NoTags,
    /// The key stands in the spec.
    #[error("write {key:?} to the fake store: its own spec declares that key")]
    Declared {
        /// The key.
        key: String,
    },
    /// Somebody else wrote.
    #[error("write {key:?} to the fake store: somebody else has written there in the meantime")]
    Conflict {
        /// The key.
        key: String,
    },
}

impl Failure for FakeError {
    fn reason(&self) -> Reason {
        match self {
            Self::Invalid { .. } => Reason::StoreNotReady,
            Self::NoMetadata { .. } | Self::NoTags => Reason::InvalidSpec,
            Self::Declared { .. } => Reason::RemoteNotManaged,
            Self::Conflict { .. } => Reason::StoreConflict,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Invalid { .. } | Self::NoMetadata { .. } | Self::NoTags | Self::Declared { .. } => {
                Blame::User
            }
            Self::Conflict { .. } => Blame::Store,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Invalid { .. } | Self::NoMetadata { .. } | Self::NoTags | Self::Declared { .. } => {
                Retry::WhenChanged
            }
            Self::Conflict { .. } => Retry::Backoff,
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Declared { .. } => "choose another remote key, or remove it from the store's spec",
            Self::Invalid { .. } | Self::NoMetadata { .. } | Self::NoTags | Self::Conflict { .. } => "",
        }
    }
}

#[cfg(test)]
mod tests;
