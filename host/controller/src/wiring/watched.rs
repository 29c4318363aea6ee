//! A store that is counted, and that is written to only by a leader.
//!
//! Calls are counted as ESO's `externalsecret_provider_api_calls_count` names them. One call here is one question to the store, which
//! may be more than one request; logins are the session's own and not counted. A fake store asks nobody.

use std::sync::Arc;

use api::store::{ProviderKind, StoreProvider};
use async_trait::async_trait;
use pipeline::{
    BoxFailure, Capabilities, Document, Found, ListQuery, Listed, ReadOptions, Remote, Revision, SecretStore,
    Validity, Write,
};

use crate::leadership::{Leadership, NotLeading};
use crate::metrics::Metrics;

/// What stands between a sync and its stores.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub(crate) metrics: Metrics,
    pub(crate) leadership: Leadership,
}

impl Watched {
    /// The same store, watched.
    pub(crate) fn over(&self, store: Arc<dyn SecretStore>, provider: &StoreProvider) -> Arc<dyn SecretStore> {
        let words = match provider.kind() {
            Some(ProviderKind::Vault(_)) => Some(&VAULT),
            Some(ProviderKind::Kubernetes(_)) => Some(&KUBERNETES),
            Some(ProviderKind::Fake(_) | ProviderKind::Unsupported(_)) | None => None,
        };
        Arc::new(WatchedStore { store, words, watched: self.clone() })
    }
}

/// ESO's words for a provider and what it is asked.
#[derive(Debug)]
struct Words {
    provider: &'static str,
    validate: &'static str,
    read: &'static str,
    list: &'static str,
    create: &'static str,
    update: &'static str,
    delete: &'static str,
}

const VAULT: Words = Words {
    provider: "HashiCorp/Vault",
    validate: "LookupSelf",
    read: "ReadSecretData",
    list: "ListSecrets",
    create: "WriteSecretData",
    update: "WriteSecretData",
    delete: "DeleteSecret",
};

const KUBERNETES: Words = Words {
    provider: "Kubernetes",
    validate: "CreateSelfSubjectRulesReview",
    read: "GetSecret",
    list: "ListSecrets",
    create: "CreateSecret",
    update: "UpdateSecret",
    delete: "DeleteSecret",
};

struct WatchedStore {
    store: Arc<dyn SecretStore>,
    words: Option<&'static Words>,
    watched: Watched,
}

impl WatchedStore {
    fn counted<T>(
        &self,
        word: fn(&Words) -> &'static str,
        answer: Result<T, BoxFailure>,
    ) -> Result<T, BoxFailure> {
        if let Some(words) = self.words {
            self.watched.metrics.asked(words.provider, word(words), answer.is_err());
        }
        answer
    }

    fn check_leads(&self) -> Result<(), BoxFailure> {
        if self.watched.leadership.may_write() { Ok(()) } else { Err(NotLeading.into()) }
    }
}

#[async_trait]
impl SecretStore for WatchedStore {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    async fn validate(&self) -> Result<Validity, BoxFailure> {
        let answer = self.store.validate().await;
        self.counted(|words| words.validate, answer)
    }

    async fn read(&self, key: &str, options: &ReadOptions) -> Result<Found<Document>, BoxFailure> {
        let answer = self.store.read(key, options).await;
        self.counted(|words| words.read, answer)
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Listed>, BoxFailure> {
        let answer = self.store.list(query).await;
        self.counted(|words| words.list, answer)
    }

    async fn inspect(&self, key: &str) -> Result<Remote, BoxFailure> {
        let answer = self.store.inspect(key).await;
        self.counted(|words| words.read, answer)
    }

    async fn write(&self, write: Write<'_>) -> Result<Revision, BoxFailure> {
        self.check_leads()?;
        let creates = matches!(write.expected, Revision::Absent);
        let answer = self.store.write(write).await;
        self.counted(if creates { |words| words.create } else { |words| words.update }, answer)
    }

    async fn delete(&self, key: &str, expected: &Revision) -> Result<(), BoxFailure> {
        self.check_leads()?;
        let answer = self.store.delete(key, expected).await;
        self.counted(|words| words.delete, answer)
    }
}
