//! What stands between the look at a remote secret and the write over it.
//!
//! First the status says what is about to be pushed, once: whatever ends this process in between, the finalizer knows what to
//! withdraw. Then the source is asked for its version: no value is read again, and none is written that is not the newest.

use std::sync::atomic::{AtomicBool, Ordering};

use api::push_secret::SyncedPushSecrets;
use async_trait::async_trait;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{ListParams, PartialObjectMeta};
use kube::core::Selector;
use pipeline::{BoxFailure, Found, ObjectRef, PushGuard, Record, SourceName};

use super::observe::Observed;
use crate::cluster::ClusterError;
use crate::context::Context;
use crate::failure::SyncError;
use crate::report;
use crate::secrets::{Age, Reading};

/// What is pushed, from where.
pub(super) struct Guard<'a> {
    pub(super) context: &'a Context,
    pub(super) reference: &'a ObjectRef,
    pub(super) observed: &'a Observed,
    /// What was generated, as it was recorded last.
    pub(super) record: &'a Record,
    /// What the status is to say first, if that is more than it says.
    pub(super) announcement: Option<SyncedPushSecrets>,
    pub(super) announced: AtomicBool,
}

#[async_trait]
impl PushGuard for Guard<'_> {
    async fn may_write(&self) -> Result<bool, BoxFailure> {
        self.announce().await?;
        self.is_current().await
    }
}

impl Guard<'_> {
    /// What the status says now.
    pub(super) fn said(self) -> SyncedPushSecrets {
        let announced = self.announced.into_inner();
        self.announcement.filter(|_| announced).unwrap_or_else(|| self.observed.synced.clone())
    }

    async fn announce(&self) -> Result<(), SyncError> {
        if let Some(announcement) = &self.announcement
            && !self.announced.load(Ordering::Relaxed)
        {
            report::announce(self.reference, self.context, &self.observed.synced, announcement).await?;
            self.announced.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn is_current(&self) -> Result<bool, BoxFailure> {
        let meta = &self.observed.meta;
        let secrets: Api<Secret> = self.context.within(&meta.namespace);
        match self.observed.spec.source() {
            SourceName::Generator(_) => {
                let reading = Reading::new(self.context, self.reference, Age::Now);
                let (found, _) = reading.record(meta).await?;
                Ok(matches!(found, Found::Found(found) if found == *self.record))
            }
            SourceName::Secret(name) => {
                let found = secrets.get_metadata_opt(name).await.map_err(|error| self.failed(name, error))?;
                Ok(self.is_same(&found.into_iter().collect::<Vec<_>>()))
            }
            SourceName::Secrets(labels) => {
                let Ok(selector) = Selector::try_from(labels.clone()) else {
                    return Ok(false);
                };
                let selected = ListParams::default().labels_from(&selector);
                let found = secrets.list_metadata(&selected).await;
                let found = found.map_err(|error| self.failed("(by labels)", error))?;
                Ok(self.is_same(&found.items))
            }
        }
    }

    /// Every source that was read has its version still. One that came since is pushed by the look that it causes.
    fn is_same(&self, found: &[PartialObjectMeta<Secret>]) -> bool {
        self.observed.sources.iter().all(|source| {
            let now = found.iter().find(|now| now.metadata.name.as_deref() == Some(&source.name));
            now.and_then(|now| now.metadata.resource_version.as_deref()) == Some(&source.resource_version)
        })
    }

    fn failed(&self, name: &str, error: kube::Error) -> BoxFailure {
        let object = ObjectRef::namespaced("Secret", &self.observed.meta.namespace, name);
        ClusterError::Read { object, answer: error.into() }.into()
    }
}
