//! The end of a PushSecret: with deletionPolicy Delete, what it pushed goes with it.
//!
//! What it pushed is what its status says now: what a watch said of it may be older than the last push. A store that is gone keeps
//! nobody from going: there is nothing left to ask. A store that is down does, for what was pushed is still in it.

use std::sync::Arc;

use api::PushSecret;
use api::names::finalizer::PUSH_SECRET;
use api::push_secret::PushDeletionPolicy;
use jiff::Timestamp;
use kube::Api;
use pipeline::{Failure, ObjectRef, Outcome, PushError, Reason, withdraw_all};

use super::{InStores, meta};
use crate::cluster::ClusterError;
use crate::context::Context;
use crate::failure::SyncError;
use crate::finalizers;
use crate::queue::Again;
use crate::report;

/// Adds the finalizer where it is wanted, and takes it away where it is not any more.
pub(super) async fn ensure(object: &PushSecret, context: &Context) -> Result<(), SyncError> {
    let wanted = object.spec.deletion_policy == PushDeletionPolicy::Delete;
    finalizers::set(object, PUSH_SECRET, wanted, context).await
}

/// Withdraws what was pushed, then lets the object go.
pub(super) async fn finalize(
    object: &Arc<PushSecret>,
    reference: &ObjectRef,
    context: &Context,
    began: Timestamp,
) -> Result<Again, SyncError> {
    if !finalizers::has(object.as_ref(), PUSH_SECRET) {
        return Ok(report::leave(context, reference));
    }
    let Some(object) = now(object, reference, context).await? else {
        return Ok(report::leave(context, reference));
    };
    let said = object.status.as_ref().map(|status| status.synced_push_secrets.clone()).unwrap_or_default();
    if object.spec.deletion_policy == PushDeletionPolicy::Delete && !said.is_empty() {
        let delivered = withdraw_all(context.ports.push_stores.as_ref(), &meta(&object), &said).await;
        if let Some(failure) = delivered.failures.iter().find(|failure| !is_store_gone(failure)) {
            let outcome = Outcome::push_failed(failure);
            let in_stores = InStores { said, found: delivered.synced };
            return report::push_secret(&object, reference, context, began, outcome, Some(&in_stores)).await;
        }
    }
    finalizers::set(&object, PUSH_SECRET, false, context).await?;
    context.pushed.forget(&meta(&object).uid);
    // They may have waited for it.
    for store in context.references.stores_of(reference) {
        context.wake.wake(context, &store);
    }
    Ok(report::leave(context, reference))
}

/// The object as the API server has it; none when it is gone, or another one has its name.
async fn now(
    seen: &PushSecret,
    reference: &ObjectRef,
    context: &Context,
) -> Result<Option<PushSecret>, SyncError> {
    let objects: Api<PushSecret> = context.within(&meta(seen).namespace);
    let found = objects.get_opt(&reference.name).await;
    let found =
        found.map_err(|error| ClusterError::Read { object: reference.clone(), answer: error.into() })?;
    Ok(found.filter(|found| found.metadata.uid == seen.metadata.uid))
}

fn is_store_gone(failure: &PushError) -> bool {
    failure.reason() == Reason::StoreNotFound
}
