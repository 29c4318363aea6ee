//! The end of an ExternalSecret: its target goes with it where the deletionPolicy says so.
//!
//! Kubernetes deletes what the object owns. Every object that was carried out has ESO's finalizer, which ESO's users and their tools see and
//! wait for; it is needed only for deletionPolicy Delete, where the target is gone before the object is, with or without a garbage
//! collector. There it is set before the target is made, elsewhere before Ready, or later when others wait. Nothing but the API server is asked for it, so a
//! store that is gone keeps nobody from going.

use api::ExternalSecret;
use api::external_secret::DeletionPolicy;
use api::names::finalizer::EXTERNAL_SECRET;
use kube::ResourceExt;
use pipeline::{CheckedSpec, Meta, ObjectRef, Precondition, TargetView};
use tokio_util::sync::CancellationToken;

use super::apply;
use crate::context::Context;
use crate::failure::SyncError;
use crate::finalizers;
use crate::secrets::{Age, Reading};

/// Adds the finalizer where the end of the object depends on it.
pub(super) async fn ensure(object: &ExternalSecret, context: &Context) -> Result<(), SyncError> {
    if is_needed(object) {
        finalizers::set(object, EXTERNAL_SECRET, true, context).await?;
    }
    Ok(())
}

/// Adds it where nothing depends on it, if nobody waits. Whether there is nothing left to do: what goes wrong is tried again later.
pub(super) async fn ensure_if_calm(object: &ExternalSecret, context: &Context) -> bool {
    is_needed(object)
        || finalizers::has(object, EXTERNAL_SECRET)
        || (context.events.calm().is_now()
            && finalizers::set(object, EXTERNAL_SECRET, true, context).await.is_ok())
}

/// Leaves it for later where nothing depends on it. `version` is the object's by now.
pub(super) fn ensure_later(
    object: &ExternalSecret,
    reference: &ObjectRef,
    version: Option<String>,
    context: &Context,
) {
    if !is_needed(object) && !finalizers::has(object, EXTERNAL_SECRET) {
        context.finalizers.leave(reference, version, object.finalizers());
    }
}

/// Adds what was left for later, until `shutdown`.
pub(crate) async fn add_later(context: &Context, shutdown: &CancellationToken) {
    context.finalizers.add::<ExternalSecret>(EXTERNAL_SECRET, context, shutdown).await;
}

fn is_needed(object: &ExternalSecret) -> bool {
    object.spec.target.deletion_policy == DeletionPolicy::Delete
}

/// Deletes the target if it is this object's, then lets the object go. One of another controller class is that controller's.
pub(super) async fn finalize(
    object: &ExternalSecret,
    reference: &ObjectRef,
    context: &Context,
) -> Result<(), SyncError> {
    if finalizers::has(object, EXTERNAL_SECRET) && !is_foreign(object, context).await? {
        if is_needed(object) {
            delete_target(object, reference, context).await?;
        }
        finalizers::set(object, EXTERNAL_SECRET, false, context).await?;
    }
    Ok(())
}

/// An object whose spec makes no sense is ours: nobody else would let it go.
async fn is_foreign(object: &ExternalSecret, context: &Context) -> Result<bool, SyncError> {
    match CheckedSpec::parse(object) {
        Ok(spec) => Ok(context.is_foreign(&spec, &Meta::from(&object.metadata).namespace).await?),
        Err(_) => Ok(false),
    }
}

async fn delete_target(
    object: &ExternalSecret,
    reference: &ObjectRef,
    context: &Context,
) -> Result<(), SyncError> {
    let meta = Meta::from(&object.metadata);
    let Some(kept) = Reading::new(context, reference, Age::Now).secret(object.target_name()).await? else {
        return Ok(());
    };
    let view = TargetView::of(kept.secret(), &meta);
    if view.controller().is_none_or(|owner| owner.uid != meta.uid) {
        return Ok(());
    }
    let expected = Precondition { uid: view.uid.clone(), resource_version: view.resource_version.clone() };
    apply::delete(context, &meta.namespace, object.target_name(), &expected).await
}
