//! Observe: reads what a decision about an ExternalSecret depends on, and tells the index what the object refers to.

use std::collections::BTreeMap;

use api::ExternalSecret;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use pipeline::{
    CheckedSpec, EntryKey, Found, Meta, ObjectRef, Precondition, Record, Status, TargetView, record_name,
};

use crate::cluster::ClusterError;
use crate::context::Context;
use crate::failure::SyncError;
use crate::reader::secret_fields;
use crate::references::{Referents, Role};

/// Everything that was read.
pub(crate) struct Observed {
    pub(crate) spec: CheckedSpec,
    pub(crate) meta: Meta,
    pub(crate) status: Status,
    pub(crate) record: Found<Record>,
    /// Where the record is written to: the version that was read.
    pub(crate) record_version: Option<Precondition>,
    pub(crate) target: Found<TargetView>,
    pub(crate) config_digests: BTreeMap<EntryKey, String>,
}

/// Reads; nothing when the object belongs to another controller class.
pub(crate) async fn observe(
    object: &ExternalSecret,
    reference: &ObjectRef,
    context: &Context,
) -> Result<Option<Observed>, SyncError> {
    let meta = Meta::from(&object.metadata);
    let spec = CheckedSpec::parse(object)?;
    context.references.set(reference, referents(&spec, &meta));
    if context.is_foreign(&spec, &meta.namespace).await? {
        return Ok(None);
    }
    let secrets: Api<Secret> = context.within(&meta.namespace);
    // One after the other: a record that is read after the target is at least as new, so no older value is put over a newer one.
    let target = read(&secrets, &meta.namespace, spec.target_name()).await?;
    let (record, record_version) = read_record(&spec, &meta, &secrets).await?;
    let config_digests = context.config_digests(&meta, spec.generators()).await;
    let target = target.map_or(Found::Missing, |secret| Found::Found(TargetView::of(&secret, &meta)));
    let status = Status::of(object.status.as_ref());
    Ok(Some(Observed { spec, meta, status, record, record_version, target, config_digests }))
}

fn referents(spec: &CheckedSpec, meta: &Meta) -> Referents {
    let namespace = meta.namespace.as_str();
    let mut referents = Referents::new();
    for store in spec.stores() {
        referents.insert(scoped(&store.kind, namespace, &store.name), Role::Store);
    }
    for generator in spec.generators() {
        referents.insert(scoped(&generator.kind, namespace, &generator.name), Role::Generator);
    }
    referents
        .extend(spec.template_sources(namespace).into_iter().map(|source| (source, Role::TemplateSource)));
    referents.insert(ObjectRef::namespaced("Secret", namespace, spec.target_name()), Role::Target);
    if spec.generators().next().is_some() {
        let name = record_name("ExternalSecret", &meta.name);
        referents.insert(ObjectRef::namespaced("Secret", namespace, &name), Role::Target);
    }
    referents
}

/// Kinds whose name begins with `Cluster` live outside namespaces.
pub(crate) fn scoped(kind: &str, namespace: &str, name: &str) -> ObjectRef {
    if kind.starts_with("Cluster") {
        ObjectRef::cluster(kind, name)
    } else {
        ObjectRef::namespaced(kind, namespace, name)
    }
}

pub(crate) async fn read(
    secrets: &Api<Secret>,
    namespace: &str,
    name: &str,
) -> Result<Option<Secret>, SyncError> {
    secrets.get_opt(name).await.map_err(|error| {
        ClusterError::Read { object: ObjectRef::namespaced("Secret", namespace, name), answer: error.into() }
            .into()
    })
}

async fn read_record(
    spec: &CheckedSpec,
    meta: &Meta,
    secrets: &Api<Secret>,
) -> Result<(Found<Record>, Option<Precondition>), SyncError> {
    if spec.generators().next().is_none() {
        return Ok((Found::Missing, None));
    }
    record_of("ExternalSecret", meta, secrets).await
}

/// The rotation record of an object of `kind`.
pub(crate) async fn record_of(
    kind: &str,
    meta: &Meta,
    secrets: &Api<Secret>,
) -> Result<(Found<Record>, Option<Precondition>), SyncError> {
    let name = record_name(kind, &meta.name);
    let Some(secret) = read(secrets, &meta.namespace, &name).await? else {
        return Ok((Found::Missing, None));
    };
    let version = Precondition {
        uid: secret.metadata.uid.clone().unwrap_or_default(),
        resource_version: secret.metadata.resource_version.clone().unwrap_or_default(),
    };
    let owned = secret.metadata.owner_references.iter().flatten().any(|owner| owner.uid == meta.uid);
    if !owned {
        // An earlier object of the same name left it, or somebody else made it: its values are not this object's.
        return Ok((Found::Missing, Some(version)));
    }
    let record = Record::decode(&secret_fields(secret.data.unwrap_or_default()))?;
    Ok((Found::Found(record), Some(version)))
}
