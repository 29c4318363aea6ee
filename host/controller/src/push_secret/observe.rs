//! Observe: reads what a decision about a PushSecret depends on, and tells the index what the object refers to.

use std::collections::BTreeMap;

use api::push_secret::SyncedPushSecrets;
use api::{PushSecret, StoreKind};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::ListParams;
use kube::core::Selector;
use pipeline::{
    CheckedPush, EntryKey, Found, Meta, ObjectRef, Precondition, Record, SourceName, SourceSecret, Status,
    StoreName, StoreView, record_name,
};

use crate::cluster::{Answer, ClusterError};
use crate::context::Context;
use crate::external_secret::scoped;
use crate::failure::SyncError;
use crate::references::{Referents, Role, any_secret};
use crate::secrets::{Age, Reading};

/// Everything that was read.
pub(crate) struct Observed {
    pub(crate) spec: CheckedPush,
    pub(crate) meta: Meta,
    pub(crate) status: Status,
    pub(crate) synced: SyncedPushSecrets,
    pub(crate) sources: Vec<SourceSecret>,
    pub(crate) record: Found<Record>,
    /// Where the record is written to: the version that was read.
    pub(crate) record_version: Option<Precondition>,
    pub(crate) config_digests: BTreeMap<EntryKey, String>,
    /// The stores that exist for it.
    pub(crate) stores: Vec<StoreView>,
}

impl Observed {
    /// The source in words, for a message.
    pub(crate) fn source_name(&self) -> String {
        match self.spec.source() {
            SourceName::Secret(name) => name.clone(),
            SourceName::Secrets(_) => "(by labels)".to_owned(),
            SourceName::Generator(generator) => generator.name.clone(),
        }
    }
}

/// Reads; nothing when no store of this controller class is left.
pub(crate) async fn observe(
    object: &PushSecret,
    reference: &ObjectRef,
    context: &Context,
) -> Result<Option<Observed>, SyncError> {
    let meta = Meta::from(&object.metadata);
    let spec = CheckedPush::parse(object)?;
    let selects = spec.store_refs().iter().any(|refers| refers.name.is_none());
    if selects && !context.stores_seen().await {
        // What labels select is not known yet, and what is not selected any more is withdrawn.
        return Err(ClusterError::Read {
            object: ObjectRef::namespaced("SecretStore", &meta.namespace, "(by labels)"),
            answer: Answer::Silent,
        }
        .into());
    }
    let stores = context.store_views(&meta.namespace);
    let mut refers_to = referents(&spec, &meta, &stores);
    context.references.set(reference, refers_to.clone());
    match selector(&spec) {
        Some(selector) => context.selectors.set(reference, selector),
        None => context.selectors.forget(reference),
    }
    if !spec.store_refs().is_empty() && all_foreign(&spec, &meta, context).await? {
        return Ok(None);
    }
    let reading = Reading::new(context, reference, Age::Now);
    let sources = read_sources(&spec, &meta, context, &reading).await?;
    if matches!(spec.source(), SourceName::Secrets(_)) {
        // What is chosen now wakes it also when it is not chosen any more.
        for source in &sources {
            let chosen = ObjectRef::namespaced("Secret", &meta.namespace, &source.name);
            refers_to.insert(chosen, Role::PushSource);
        }
        context.references.set(reference, refers_to);
    }
    let (record, record_version) = match spec.generator() {
        Some(_) => reading.record(&meta).await?,
        None => (Found::Missing, None),
    };
    let config_digests = context.config_digests(&meta, spec.generator().into_iter()).await;
    let status = Status::of_push(object.status.as_ref());
    let synced = object.status.as_ref().map(|status| status.synced_push_secrets.clone()).unwrap_or_default();
    Ok(Some(Observed { spec, meta, status, synced, sources, record, record_version, config_digests, stores }))
}

/// By which labels it chooses its sources; none where it does not, or by none that there can be.
fn selector(spec: &CheckedPush) -> Option<Selector> {
    match spec.source() {
        SourceName::Secrets(labels) => Selector::try_from(labels.clone()).ok(),
        SourceName::Secret(_) | SourceName::Generator(_) => None,
    }
}

fn referents(spec: &CheckedPush, meta: &Meta, stores: &[StoreView]) -> Referents {
    let namespace = meta.namespace.as_str();
    let mut referents = Referents::new();
    match spec.source() {
        SourceName::Secret(name) => {
            referents.insert(ObjectRef::namespaced("Secret", namespace, name), Role::PushSource);
        }
        SourceName::Secrets(_) => {
            referents.insert(any_secret(namespace), Role::PushSource);
        }
        SourceName::Generator(generator) => {
            referents.insert(scoped(&generator.kind, namespace, &generator.name), Role::Generator);
            let record = record_name("PushSecret", &meta.name);
            referents.insert(ObjectRef::namespaced("Secret", namespace, &record), Role::Target);
        }
    }
    for refers in spec.store_refs() {
        match &refers.name {
            Some(name) => {
                referents.insert(scoped(refers.kind.as_str(), namespace, name), Role::PushStore);
            }
            None => {
                let places = stores.iter().map(|store| place(&store.name, namespace));
                referents.extend(places.map(|place| (place, Role::PushStore)));
            }
        }
    }
    referents
        .extend(spec.template_sources(namespace).into_iter().map(|source| (source, Role::TemplateSource)));
    referents
}

fn place(store: &StoreName, namespace: &str) -> ObjectRef {
    scoped(&store.kind, namespace, &store.name)
}

async fn all_foreign(spec: &CheckedPush, meta: &Meta, context: &Context) -> Result<bool, SyncError> {
    for refers in spec.store_refs() {
        let Some(name) = &refers.name else {
            return Ok(false);
        };
        let kind = match refers.kind {
            StoreKind::SecretStore => "SecretStore",
            StoreKind::ClusterSecretStore => "ClusterSecretStore",
        };
        let class = context.store_opener.class(&meta.namespace, kind, name).await?;
        if context.is_own_class(class.as_deref()) {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn read_sources(
    spec: &CheckedPush,
    meta: &Meta,
    context: &Context,
    reading: &Reading<'_>,
) -> Result<Vec<SourceSecret>, SyncError> {
    match spec.source() {
        SourceName::Generator(_) => Ok(Vec::new()),
        SourceName::Secret(name) => {
            let found = reading.secret(name).await?;
            Ok(found.iter().map(|kept| SourceSecret::of(kept.secret())).collect())
        }
        SourceName::Secrets(selector) => {
            let object = || ObjectRef::namespaced("Secret", &meta.namespace, "(by labels)");
            let selector = Selector::try_from(selector.clone()).map_err(|_| ClusterError::Read {
                object: object(),
                answer: crate::cluster::Answer::Garbled,
            })?;
            let secrets: Api<Secret> = context.within(&meta.namespace);
            let found = secrets.list(&ListParams::default().labels_from(&selector)).await;
            let found =
                found.map_err(|error| ClusterError::Read { object: object(), answer: error.into() })?;
            // A rotation record is nobody's source.
            let ours = |secret: &&Secret| secret.type_.as_deref() == Some(api::names::secret_type::ROTATION);
            Ok(found.items.iter().filter(|secret| !ours(secret)).map(SourceSecret::of).collect())
        }
    }
}
