//! The end of a PushSecret: with deletionPolicy Delete, what it pushed goes with it.
//!
//! A store that is gone keeps nobody from going: there is nothing left to ask. A store that is down does, for what was pushed is
//! still in it.

use std::sync::Arc;

use api::PushSecret;
use api::names::finalizer::PUSH_SECRET;
use api::push_secret::PushDeletionPolicy;
use kube::api::{Patch, PatchParams};
use kube::runtime::controller::Action;
use kube::{Api, ResourceExt};
use pipeline::{Failure, ObjectRef, Outcome, PushError, Reason, withdraw_all};
use serde_json::json;

use super::meta;
use crate::cluster::ClusterError;
use crate::context::Context;
use crate::failure::SyncError;
use crate::report;

/// Adds the finalizer where it is wanted, and takes it away where it is not any more.
pub(super) async fn ensure(object: &PushSecret, context: &Context) -> Result<(), SyncError> {
    let wanted = object.spec.deletion_policy == PushDeletionPolicy::Delete;
    let present = object.finalizers().iter().any(|one| one == PUSH_SECRET);
    if wanted == present { Ok(()) } else { set(object, context, wanted).await }
}

/// Withdraws what was pushed, then lets the object go.
pub(super) async fn finalize(
    object: &Arc<PushSecret>,
    reference: &ObjectRef,
    context: &Context,
) -> Result<Action, SyncError> {
    if !object.finalizers().iter().any(|one| one == PUSH_SECRET) {
        return Ok(report::leave(context, reference));
    }
    let synced = object.status.as_ref().map(|status| status.synced_push_secrets.clone()).unwrap_or_default();
    if object.spec.deletion_policy == PushDeletionPolicy::Delete && !synced.is_empty() {
        let delivered = withdraw_all(context.ports.push_stores.as_ref(), &meta(object), &synced).await;
        if let Some(failure) = delivered.failures.iter().find(|failure| !is_store_gone(failure)) {
            let pushed = serde_json::to_value(&delivered.synced).ok();
            let outcome = Outcome::push_failed(failure);
            return report::push_secret(object, reference, context, outcome, pushed).await;
        }
    }
    set(object, context, false).await?;
    context.pushed.forget(&meta(object).uid);
    Ok(report::leave(context, reference))
}

fn is_store_gone(failure: &PushError) -> bool {
    failure.reason() == Reason::StoreNotFound
}

async fn set(object: &PushSecret, context: &Context, wanted: bool) -> Result<(), SyncError> {
    let mut finalizers: Vec<&str> = object.finalizers().iter().map(String::as_str).collect();
    finalizers.retain(|one| *one != PUSH_SECRET);
    if wanted {
        finalizers.push(PUSH_SECRET);
    }
    let patch = json!({"metadata": {"resourceVersion": object.resource_version(), "finalizers": finalizers}});
    let objects: Api<PushSecret> = context.within(&object.namespace().unwrap_or_default());
    let written =
        objects.patch_metadata(&object.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await;
    match written {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => {
            let object = crate::reference::<PushSecret>(&object.metadata);
            Err(ClusterError::Write { object, answer: error.into() }.into())
        }
    }
}
