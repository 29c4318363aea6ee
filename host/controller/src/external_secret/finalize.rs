//! The end of an ExternalSecret: its target goes with it where the deletionPolicy says so.
//!
//! Kubernetes deletes what the object owns. The finalizer is there only for deletionPolicy Delete, so that the target is gone
//! before the object is, with or without a garbage collector; ESO's finalizer on an object that was taken over is removed alike.

use std::sync::Arc;

use api::ExternalSecret;
use api::external_secret::DeletionPolicy;
use api::names::finalizer::EXTERNAL_SECRET;
use kube::runtime::controller::Action;
use pipeline::{Meta, ObjectRef, Precondition, TargetView};

use super::apply;
use crate::context::Context;
use crate::failure::SyncError;
use crate::finalizers;
use crate::report;
use crate::secrets::{Age, Reading};

/// Adds the finalizer where it is wanted, and takes it away where it is not any more.
pub(super) async fn ensure(object: &ExternalSecret, context: &Context) -> Result<(), SyncError> {
    let wanted = object.spec.target.deletion_policy == DeletionPolicy::Delete;
    finalizers::set(object, EXTERNAL_SECRET, wanted, context).await
}

/// Deletes the target if it is this object's, then lets the object go.
pub(super) async fn finalize(
    object: &Arc<ExternalSecret>,
    reference: &ObjectRef,
    context: &Context,
) -> Result<Action, SyncError> {
    if finalizers::has(object.as_ref(), EXTERNAL_SECRET) {
        if object.spec.target.deletion_policy == DeletionPolicy::Delete {
            delete_target(object, context).await?;
        }
        finalizers::set(object.as_ref(), EXTERNAL_SECRET, false, context).await?;
    }
    Ok(report::leave(context, reference))
}

async fn delete_target(object: &ExternalSecret, context: &Context) -> Result<(), SyncError> {
    let meta = Meta::from(&object.metadata);
    let reference = crate::reference::<ExternalSecret>(&object.metadata);
    let Some(kept) = Reading::new(context, &reference, Age::Now).secret(object.target_name()).await? else {
        return Ok(());
    };
    let view = TargetView::of(kept.secret(), &meta);
    if view.controller().is_none_or(|owner| owner.uid != meta.uid) {
        return Ok(());
    }
    let expected = Precondition { uid: view.uid.clone(), resource_version: view.resource_version.clone() };
    apply::delete(context, &meta.namespace, object.target_name(), &expected).await
}
