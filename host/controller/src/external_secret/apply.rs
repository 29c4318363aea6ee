//! Apply: carries a plan out under the uid and resourceVersion that it names. Decides nothing.
//!
//! A conflict is an error like any other: the next look reads again and compares, so a write whose reply was lost is found done.

use api::external_secret::CreationPolicy;
use api::names::label;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, ListParams, PostParams, Preconditions};
use kube::{Api, Resource, ResourceExt};
use pipeline::{
    Desired, Fields, Meta, ObjectRef, Plan, Precondition, Record, TargetView, created_by, field_manager,
    record_name,
};
use zeroize::Zeroize;

use super::Observed;
use crate::cluster::ClusterError;
use crate::context::Context;
use crate::failure::SyncError;
use crate::metadata;

/// Who writes rotation records.
const MANAGER: &str = "keymill";

/// Writes the rotation record of an object: created, or replaced if it is still the one that was read.
pub(crate) async fn write_record<K: Resource<DynamicType = ()>>(
    context: &Context,
    kind: &str,
    meta: &Meta,
    object: &K,
    expected: Option<&Precondition>,
    record: &Record,
) -> Result<(), SyncError> {
    let metadata = ObjectMeta {
        name: Some(record_name(kind, &meta.name)),
        namespace: Some(meta.namespace.clone()),
        owner_references: object.controller_owner_ref(&()).map(|owner| vec![owner]),
        ..ObjectMeta::default()
    };
    let secret = Secret {
        metadata,
        type_: Some(api::names::secret_type::ROTATION.to_owned()),
        data: Some(bytes(&record.encode()?)),
        ..Secret::default()
    };
    let writer = crate::reference::<K>(object.meta());
    write(context, &writer, secret, expected, MANAGER).await
}

/// Writes the target.
pub(crate) async fn target(observed: &Observed, context: &Context, plan: &Plan) -> Result<(), SyncError> {
    let namespace = &observed.meta.namespace;
    let manager = field_manager(&observed.meta.name);
    let writer = ObjectRef::namespaced("ExternalSecret", namespace, &observed.meta.name);
    match plan {
        Plan::Create(desired) => write(context, &writer, secret(desired, namespace), None, &manager).await,
        Plan::Patch(patch) => {
            let secret = secret(&patch.result, namespace);
            write(context, &writer, secret, Some(&patch.expected), &manager).await
        }
        Plan::Delete(expected) => delete(context, namespace, observed.spec.target_name(), expected).await,
        Plan::Keep(_) => Ok(()),
    }
}

/// Deletes what an earlier target name left behind, now that the new one exists. `bound` is the target that was reported last: as long as
/// that is another, what is left behind may still be there.
pub(crate) async fn leftovers(
    observed: &Observed,
    context: &Context,
    plan: &Plan,
    bound: Option<&str>,
) -> Result<(), SyncError> {
    let moved = bound.is_some_and(|bound| !bound.is_empty() && bound != observed.spec.target_name());
    let renamed = observed.meta.generation > 1 && (moved || matches!(plan, Plan::Create(_)));
    if !renamed || observed.spec.creation_policy() != CreationPolicy::Owner {
        return Ok(());
    }
    let namespace = &observed.meta.namespace;
    let labels = format!("{}={}", label::CREATED_BY, created_by(namespace, &observed.meta.name));
    let secrets: Api<Secret> = context.within(namespace);
    let found = secrets.list(&ListParams::default().labels(&labels)).await.map_err(|error| {
        let object = ObjectRef::namespaced("Secret", namespace, "*");
        ClusterError::Read { object, answer: error.into() }
    })?;
    let candidates: Vec<(String, TargetView)> = found
        .items
        .iter()
        .map(|secret| (secret.name_any(), TargetView::of(secret, &observed.meta)))
        .collect();
    for (name, expected) in pipeline::leftovers(&observed.spec, &observed.meta, &candidates) {
        delete(context, namespace, name, &expected).await?;
    }
    Ok(())
}

fn secret(desired: &Desired, namespace: &str) -> Secret {
    let some = |map: &std::collections::BTreeMap<String, String>| (!map.is_empty()).then(|| map.clone());
    Secret {
        metadata: ObjectMeta {
            name: Some(desired.name.clone()),
            namespace: Some(namespace.to_owned()),
            labels: some(&desired.labels),
            annotations: some(&desired.annotations),
            finalizers: (!desired.finalizers.is_empty()).then(|| desired.finalizers.clone()),
            owner_references: (!desired.owners.is_empty()).then(|| desired.owners.clone()),
            ..ObjectMeta::default()
        },
        type_: (!desired.secret_type.is_empty()).then(|| desired.secret_type.clone()),
        data: Some(bytes(&desired.data)),
        immutable: desired.immutable.then_some(true),
        ..Secret::default()
    }
}

pub(crate) fn bytes(fields: &Fields) -> std::collections::BTreeMap<String, ByteString> {
    fields.iter().map(|(key, value)| (key.clone(), ByteString(value.expose().to_vec()))).collect()
}

/// Creates the Secret, or replaces the version that was read. The writer is not woken by it, and the copy is zeroed.
pub(crate) async fn write(
    context: &Context,
    writer: &ObjectRef,
    mut secret: Secret,
    expected: Option<&Precondition>,
    manager: &str,
) -> Result<(), SyncError> {
    let namespace = writer.namespace.as_deref().unwrap_or_default();
    let secrets: Api<Secret> = context.within(namespace);
    let name = secret.metadata.name.clone().unwrap_or_default();
    let object = ObjectRef::namespaced("Secret", namespace, &name);
    let parameters = PostParams { field_manager: Some(manager.to_owned()), ..PostParams::default() };
    context.references.writes(writer, &object);
    let written = match expected {
        None => metadata::create(&context.client, &secrets, &parameters, &secret).await,
        Some(expected) => {
            secret.metadata.uid = Some(expected.uid.clone());
            secret.metadata.resource_version = Some(expected.resource_version.clone());
            metadata::replace(&context.client, &secrets, &name, &parameters, &secret).await
        }
    };
    zero(&mut secret);
    let version = written.as_ref().ok().and_then(Option::as_deref);
    if context.references.wrote(writer, &object, version) {
        context.wake.wake(context, writer);
    }
    match written {
        Ok(_) => Ok(()),
        Err(error) => Err(ClusterError::Write { object, answer: error.into() }.into()),
    }
}

fn zero(secret: &mut Secret) {
    secret.data.iter_mut().flat_map(|data| data.values_mut()).for_each(|bytes| bytes.0.zeroize());
}

pub(crate) async fn delete(
    context: &Context,
    namespace: &str,
    name: &str,
    expected: &Precondition,
) -> Result<(), SyncError> {
    let secrets: Api<Secret> = context.within(namespace);
    let preconditions = Preconditions {
        uid: Some(expected.uid.clone()),
        resource_version: Some(expected.resource_version.clone()),
    };
    let parameters = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
    match secrets.delete(name, &parameters).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => {
            let object = ObjectRef::namespaced("Secret", namespace, name);
            Err(ClusterError::Delete { object, answer: error.into() }.into())
        }
    }
}
