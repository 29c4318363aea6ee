//! The end of a PushSecret: with deletionPolicy Delete, what it pushed goes with it.
//!
//! A store that is gone keeps nobody from going: there is nothing left to ask. A store that is down does, for what was pushed is
//! still in it.

use std::sync::Arc;

use api::PushSecret;
use api::names::finalizer::PUSH_SECRET;
use api::push_secret::PushDeletionPolicy;
use kube::runtime::controller::Action;
use pipeline::{Failure, ObjectRef, Outcome, PushError, Reason, withdraw_all};

use super::meta;
use crate::context::Context;
use crate::failure::SyncError;
use crate::finalizers;
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
) -> Result<Action, SyncError> {
    if !finalizers::has(object.as_ref(), PUSH_SECRET) {
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
    finalizers::set(object.as_ref(), PUSH_SECRET, false, context).await?;
    context.pushed.forget(&meta(object).uid);
    Ok(report::leave(context, reference))
}

fn is_store_gone(failure: &PushError) -> bool {
    failure.reason() == Reason::StoreNotFound
}
