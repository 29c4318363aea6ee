//! Objects that the schema let through and that cannot be read all the same: a duration that is none, for one.
//!
//! One such object must not keep the others out, so the watches take it as it is; here it is told what is wrong with it.

use api::names::finalizer::{EXTERNAL_SECRET, PUSH_SECRET, SECRET_STORE};
use api::names::reason;
use kube::Resource;
use kube::api::{Api, DynamicObject};
use kube::core::ApiResource;
use kube::core::error_boundary::InvalidObject;
use pipeline::{Event, ObjectRef, Ready, Reason};
use serde_json::{Map, Value as Json, json};

use crate::cluster::ClusterError;
use crate::context::Context;
use crate::failure::SyncError;
use crate::finalizers;
use crate::own_kinds;
use crate::queue::Again;
use crate::report;

/// Says in the status and in an event that the object cannot be read.
pub(crate) async fn report<K: Resource<DynamicType = ()>>(
    object: &InvalidObject,
    context: &Context,
) -> Result<Again, SyncError> {
    let reference = crate::reference::<K>(&object.metadata);
    let message = format!(
        "failed to read {reference}: {}; see `kubectl explain`",
        what(&reference.kind, &object.error)
    );
    let reason = reason_of(&reference.kind);
    let resource = ApiResource::erase::<K>(&());
    let objects: Api<DynamicObject> = match &reference.namespace {
        Some(namespace) => Api::namespaced_with(context.client.clone(), namespace, &resource),
        None => Api::all_with(context.client.clone(), &resource),
    };
    if object.metadata.deletion_timestamp.is_some() {
        return let_go(object, &reference, &objects, context).await;
    }
    let ready = Ready { status: false, reason, message: message.clone() };
    let mut patch: Map<String, Json> = Map::new();
    let conditions = report::conditions(&[], &ready, context.clock.now());
    patch.insert("conditions".to_owned(), json!(conditions));
    report::write_status(context, &objects, &reference, patch).await?;
    let mut about = DynamicObject::new(&reference.name, &resource);
    about.metadata = object.metadata.clone();
    report::record(context, about.object_ref(&resource), &[Event { warning: true, reason, message }]);
    if !own_kinds::is_own(&reference.kind) {
        context.metrics.condition(&reference, false);
    }
    context.activity.failed(&reference);
    Ok(report::leave(context, &reference))
}

/// It is to go, and what there would be to clean up cannot be read: what it wrote or pushed elsewhere stays, which the log says.
async fn let_go(
    object: &InvalidObject,
    reference: &ObjectRef,
    objects: &Api<DynamicObject>,
    context: &Context,
) -> Result<Again, SyncError> {
    let ours = [EXTERNAL_SECRET, PUSH_SECRET, SECRET_STORE];
    let before = object.metadata.finalizers.clone().unwrap_or_default();
    let left: Vec<&str> = before.iter().map(String::as_str).filter(|one| !ours.contains(one)).collect();
    if left.len() == before.len() {
        return Ok(report::leave(context, reference));
    }
    match finalizers::write(objects, reference, object.metadata.resource_version.as_deref(), &left).await {
        Err(ClusterError::Write { answer, .. }) if answer.code() == Some(404) => {}
        written => written?,
    }
    tracing::warn!(object = %reference, "it cannot be read and is let go; what it wrote or pushed elsewhere stays");
    Ok(report::leave(context, reference))
}

/// The decoder's words, except where they could quote a value: a fake store and a fake generator hold some in their spec.
pub(crate) fn what(kind: &str, error: &str) -> String {
    match kind {
        "ExternalSecret" | "PushSecret" => error.to_owned(),
        _ => "a field has a value that is none".to_owned(),
    }
}

fn reason_of(kind: &str) -> &'static str {
    match kind {
        "ExternalSecret" => reason::SECRET_SYNCED_ERROR,
        "PushSecret" => reason::ERRORED,
        kind if own_kinds::is_own(kind) => Reason::InvalidSpec.as_str(),
        _ => reason::INVALID_PROVIDER_CONFIG,
    }
}
