//! The Secrets of a namespace, in this cluster or another one, as a store.
//!
//! A key is the name of a Secret, a property one of its data keys. Writes carry the resourceVersion that was read, so they
//! never overwrite what somebody else wrote in between. As with ESO every Secret counts as managed: who may write what is
//! decided by the rights of the credential. Our own rotation records are never shown and never touched. Marks are kept in
//! annotations.

mod metadata;
mod open;
mod refusal;
mod secret;
mod session;

use std::sync::Arc;

use async_trait::async_trait;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec, SelfSubjectRulesReview,
    SelfSubjectRulesReviewSpec,
};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, ListParams, PostParams, Preconditions};
use pipeline::{
    Blame, BoxFailure, Capabilities, Document, Failure, Found, ListQuery, Listed, ObjectRef, ReadOptions,
    Reason, Remote, Retry, Revision, SecretStore, Validity, Write,
};

pub use metadata::MetadataError;
pub use open::OpenError;
pub(crate) use open::open;
pub use refusal::Refusal;
pub use secret::ContentError;
pub(crate) use session::KubeSession;

use metadata::PushMetadata;

/// Secrets per page of a list. They can be large.
const PAGE: u32 = 100;
/// Who writes, in the managed fields.
const FIELD_MANAGER: &str = "keymill";

/// The Secrets of one namespace.
pub(crate) struct KubernetesStore {
    session: Arc<KubeSession>,
    namespace: String,
}

#[async_trait]
impl SecretStore for KubernetesStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::ReadWrite
    }

    async fn validate(&self) -> Result<Validity, BoxFailure> {
        match self.may_read().await {
            Ok(true) => Ok(Validity::Valid),
            Ok(false) => Err(self.check(Cause::NoRight { verb: "get" }).into()),
            Err(cause) => Err(self.check(cause).into()),
        }
    }

    async fn read(&self, key: &str, options: &ReadOptions) -> Result<Found<Document>, BoxFailure> {
        let found = self.get(key).await.map_err(|source| self.reading(key, source))?;
        let shown = found.filter(|found| !secret::is_record(found));
        Ok(match shown {
            Some(found) if options.metadata => Found::Found(secret::metadata(&found)),
            Some(found) => Found::Found(secret::document(found)),
            None => Found::Missing,
        })
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Listed>, BoxFailure> {
        let all = self
            .list_all(query)
            .await
            .map_err(|source| KubernetesError::List { namespace: self.namespace.clone(), source })?;
        let mut listed: Vec<_> = all.into_iter().filter_map(|found| listed(found, query)).collect();
        listed.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(listed)
    }

    async fn inspect(&self, key: &str) -> Result<Remote, BoxFailure> {
        let found = self.get_ours(key).await.map_err(|source| self.reading(key, source))?;
        Ok(secret::remote(found))
    }

    async fn write(&self, write: Write<'_>) -> Result<Revision, BoxFailure> {
        Ok(self
            .put(&write)
            .await
            .map_err(|source| KubernetesError::Write { object: self.object(write.key), source })?)
    }

    async fn delete(&self, key: &str, expected: &Revision) -> Result<(), BoxFailure> {
        let removed = self.remove(key, expected).await;
        Ok(removed.map_err(|source| KubernetesError::Delete { object: self.object(key), source })?)
    }
}

impl KubernetesStore {
    /// First by the list of all rights, as ESO asks; where an authorizer cannot list them, by the one question.
    async fn may_read(&self) -> Result<bool, Cause> {
        let namespace = Some(self.namespace.clone());
        let review = SelfSubjectRulesReview {
            spec: SelfSubjectRulesReviewSpec { namespace: namespace.clone() },
            ..SelfSubjectRulesReview::default()
        };
        let rules = self.session.call(|client| {
            let review = review.clone();
            async move { Api::all(client).create(&PostParams::default(), &review).await }
        });
        if rules.await.is_ok_and(|review: SelfSubjectRulesReview| secret::may_get(&review)) {
            return Ok(true);
        }
        let question = ResourceAttributes {
            namespace,
            resource: Some("secrets".to_owned()),
            verb: Some("get".to_owned()),
            ..ResourceAttributes::default()
        };
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(question),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let answer = self.session.call(|client| {
            let review = review.clone();
            async move { Api::all(client).create(&PostParams::default(), &review).await }
        });
        let answer: SelfSubjectAccessReview = answer.await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }

    async fn get(&self, key: &str) -> Result<Option<Secret>, Cause> {
        secret::check_name(key)?;
        let found = self.session.call(|client| {
            let (api, key) = (self.api(client), key.to_owned());
            async move { api.get_opt(&key).await }
        });
        found.await.map_err(|refusal| self.denied(refusal, "get"))
    }

    /// The Secret, unless it is one that no store may write.
    async fn get_ours(&self, key: &str) -> Result<Option<Secret>, Cause> {
        match self.get(key).await? {
            Some(found) if secret::is_record(&found) => Err(Cause::Record),
            found => Ok(found),
        }
    }

    async fn list_all(&self, query: &ListQuery) -> Result<Vec<Secret>, Cause> {
        let Some(selector) = secret::selector(&query.tags) else {
            return Ok(Vec::new());
        };
        let mut params = ListParams::default().limit(PAGE);
        params.label_selector = selector;
        let mut all = Vec::new();
        loop {
            let page = self.session.call(|client| {
                let (api, params) = (self.api(client), params.clone());
                async move { api.list(&params).await }
            });
            let page = page.await.map_err(|refusal| self.denied(refusal, "list"))?;
            all.extend(page.items);
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params.continue_token = Some(token),
                None => return Ok(all),
            }
        }
    }

    async fn put(&self, write: &Write<'_>) -> Result<Revision, Cause> {
        let metadata = PushMetadata::parse(write.metadata)?;
        let data = secret::data(write.document)?;
        let before = self.get_ours(write.key).await?;
        let there = before.as_ref().and_then(|found| found.metadata.resource_version.as_deref());
        if !still(write.expected, before.as_ref().map(|_| there.unwrap_or_default())) {
            return Err(Refusal::Conflict.into());
        }
        let exists = before.is_some();
        let mut next = before.unwrap_or_else(|| secret::empty(write.key, &self.namespace));
        metadata.apply(&mut next.metadata, exists);
        let annotations = next.metadata.annotations.get_or_insert_default();
        annotations.extend(write.marks.iter().map(|(name, value)| (name.clone(), value.clone())));
        next.data = Some(data);
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let written = self.session.call(|client| {
            let (api, params, next, name) =
                (self.api(client), params.clone(), next.clone(), write.key.to_owned());
            async move {
                if exists {
                    api.replace(&name, &params, &next).await
                } else {
                    api.create(&params, &next).await
                }
            }
        });
        let verb = if exists { "update" } else { "create" };
        let written = written.await.map_err(|refusal| self.denied(refusal, verb))?;
        Ok(Revision::At(written.metadata.resource_version.unwrap_or_default()))
    }

    async fn remove(&self, key: &str, expected: &Revision) -> Result<(), Cause> {
        let Some(found) = self.get_ours(key).await? else {
            return Ok(());
        };
        let version = found.metadata.resource_version.unwrap_or_default();
        if !still(expected, Some(&version)) {
            return Err(Refusal::Conflict.into());
        }
        let params = DeleteParams {
            preconditions: Some(Preconditions { resource_version: Some(version), uid: found.metadata.uid }),
            ..DeleteParams::default()
        };
        let removed = self.session.call(|client| {
            let (api, params, key) = (self.api(client), params.clone(), key.to_owned());
            async move { api.delete(&key, &params).await.map(|_| ()) }
        });
        match removed.await {
            Ok(()) | Err(Refusal::Missing) => Ok(()),
            Err(refusal) => Err(self.denied(refusal, "delete")),
        }
    }

    fn api(&self, client: kube::Client) -> Api<Secret> {
        Api::namespaced(client, &self.namespace)
    }

    fn object(&self, key: &str) -> ObjectRef {
        ObjectRef::namespaced("Secret", &self.namespace, key)
    }

    fn reading(&self, key: &str, source: Cause) -> KubernetesError {
        KubernetesError::Read { object: self.object(key), source }
    }

    fn check(&self, source: Cause) -> KubernetesError {
        KubernetesError::Check { namespace: self.namespace.clone(), source }
    }

    /// A right that is missing is named.
    fn denied(&self, refusal: Refusal, verb: &'static str) -> Cause {
        match refusal {
            Refusal::Forbidden => Cause::NoRight { verb },
            refusal => refusal.into(),
        }
    }
}

fn listed(found: Secret, query: &ListQuery) -> Option<Listed> {
    let key = found.metadata.name.clone()?;
    let named = query.name.as_ref().is_none_or(|name| name.is_match(&key));
    (named && !secret::is_record(&found)).then(|| Listed { key, document: secret::document(found) })
}

fn still(expected: &Revision, now: Option<&str>) -> bool {
    match (expected, now) {
        (Revision::Unsupported, _) | (Revision::Absent, None) => true,
        (Revision::At(version), Some(now)) => version == now,
        (Revision::Absent, Some(_)) | (Revision::At(_), None) => false,
    }
}

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The API server did not do it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The credential lacks a right.
    #[error("the store's credential may not {verb} secrets there")]
    NoRight {
        /// Which one.
        verb: &'static str,
    },
    /// The name or the value makes no Secret.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The PushSecret's metadata is wrong.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// It is a rotation record of keymill's.
    #[error("it is a rotation record of keymill's")]
    Record,
}

/// What a kubernetes store could not do.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    /// Check the credential.
    #[error("check the rights of the store's credential in namespace {namespace}")]
    Check {
        /// The remote namespace.
        namespace: String,
        /// Why not.
        source: Cause,
    },
    /// Read a Secret.
    #[error("read {object} of the store")]
    Read {
        /// Which one.
        object: ObjectRef,
        /// Why not.
        source: Cause,
    },
    /// List Secrets.
    #[error("list the Secrets of the store in namespace {namespace}")]
    List {
        /// The remote namespace.
        namespace: String,
        /// Why not.
        source: Cause,
    },
    /// Write a Secret.
    #[error("write {object} of the store")]
    Write {
        /// Which one.
        object: ObjectRef,
        /// Why not.
        source: Cause,
    },
    /// Delete a Secret.
    #[error("delete {object} of the store")]
    Delete {
        /// Which one.
        object: ObjectRef,
        /// Why not.
        source: Cause,
    },
}

impl KubernetesError {
    fn cause(&self) -> &Cause {
        match self {
            Self::Check { source, .. }
            | Self::Read { source, .. }
            | Self::List { source, .. }
            | Self::Write { source, .. }
            | Self::Delete { source, .. } => source,
        }
    }
}

impl Failure for KubernetesError {
    fn reason(&self) -> Reason {
        match self.cause() {
            Cause::Refused(refusal) => refusal.verdict().reason,
            Cause::NoRight { .. } => Reason::StoreDenied,
            Cause::Content(_) => Reason::InvalidValue,
            Cause::Metadata(_) => Reason::InvalidSpec,
            Cause::Record => Reason::RemoteNotManaged,
        }
    }

    fn blame(&self) -> Blame {
        match self.cause() {
            Cause::Refused(refusal) => refusal.verdict().blame,
            Cause::NoRight { .. } => Blame::Store,
            Cause::Content(_) | Cause::Metadata(_) | Cause::Record => Blame::User,
        }
    }

    fn retry(&self) -> Retry {
        match self.cause() {
            Cause::Refused(refusal) => refusal.verdict().retry,
            // Rights in another cluster change without any event that we could see.
            Cause::NoRight { .. } => Retry::Backoff,
            Cause::Content(_) | Cause::Metadata(_) | Cause::Record => Retry::WhenChanged,
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        match self {
            Self::Check { .. } | Self::List { .. } => None,
            Self::Read { object, .. } | Self::Write { object, .. } | Self::Delete { object, .. } => {
                Some(object.clone())
            }
        }
    }

    fn advice(&self) -> &'static str {
        match self.cause() {
            Cause::Refused(refusal) => refusal.verdict().advice,
            Cause::NoRight { .. } => "grant it that right on secrets in the remote namespace",
            Cause::Content(_) => "name a property, or push a JSON object",
            Cause::Metadata(_) => "correct the PushSecret's metadata",
            Cause::Record => "choose another remote key",
        }
    }
}

#[cfg(test)]
mod tests;
