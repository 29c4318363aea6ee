//! Objects that the schema let through and that cannot be read all the same: a duration that is none, for one.
//!
//! One such object must not keep the others out, so the watches take it as it is; here it is told what is wrong with it.

use api::names::reason;
use kube::Resource;
use kube::api::{Api, DynamicObject};
use kube::core::ApiResource;
use kube::core::error_boundary::InvalidObject;
use pipeline::{Event, Ready};
use serde_json::{Map, Value as Json, json};

use crate::context::Context;
use crate::failure::SyncError;
use crate::queue::Again;
use crate::report;

/// Says in the status and in an event that the object cannot be read.
pub(crate) async fn report<K: Resource<DynamicType = ()>>(
    object: &InvalidObject,
    context: &Context,
) -> Result<Again, SyncError> {
    let reference = crate::reference::<K>(&object.metadata);
    let message = format!("failed to read {reference}: {}; see `kubectl explain`", what::<K>(object));
    let reason = reason_of(&reference.kind);
    let resource = ApiResource::erase::<K>(&());
    let objects: Api<DynamicObject> = match &reference.namespace {
        Some(namespace) => Api::namespaced_with(context.client.clone(), namespace, &resource),
        None => Api::all_with(context.client.clone(), &resource),
    };
    let ready = Ready { status: false, reason, message: message.clone() };
    let mut patch: Map<String, Json> = Map::new();
    let conditions = report::conditions(&[], &ready, context.clock.now());
    patch.insert("conditions".to_owned(), json!(conditions));
    report::write_status(&objects, &reference, patch).await?;
    let mut about = DynamicObject::new(&reference.name, &resource);
    about.metadata = object.metadata.clone();
    report::record(context, about.object_ref(&resource), &[Event { warning: true, reason, message }]);
    context.metrics.condition(&reference, false);
    context.activity.failed(&reference);
    Ok(report::leave(context, &reference))
}

/// The decoder's words, except where they could quote a value: a fake store and a fake generator hold some in their spec.
fn what<K: Resource<DynamicType = ()>>(object: &InvalidObject) -> String {
    match K::kind(&()).as_ref() {
        "ExternalSecret" | "PushSecret" => object.error.clone(),
        _ => "a field has a value that is none".to_owned(),
    }
}

fn reason_of(kind: &str) -> &'static str {
    match kind {
        "ExternalSecret" => reason::SECRET_SYNCED_ERROR,
        "PushSecret" => reason::ERRORED,
        _ => reason::INVALID_PROVIDER_CONFIG,
    }
}
