//! The end of a store: it stays until what was pushed to it for a PushSecret with deletionPolicy Delete is taken back.
//!
//! As in ESO, a finalizer keeps it. It is added before the first of them pushes, and taken away when the store is to go and nobody
//! holds it any more. That is asked of the API server: what the watches have shown may be older.

use std::sync::Arc;
use std::time::Duration;

use api::PushSecret;
use api::names::finalizer::{PUSH_SECRET, SECRET_STORE};
use api::push_secret::PushDeletionPolicy;
use kube::Api;
use kube::api::ListParams;
use kube::core::DeserializeGuard;
use pipeline::{Found, ObjectRef, StoreName};

use super::StoreObject;
use crate::cluster::{Answer, ClusterError};
use crate::context::Context;
use crate::failure::SyncError;
use crate::finalizers;
use crate::queue::Again;
use crate::reconnect::PAGE;
use crate::report;

/// The end of a PushSecret wakes the stores that it held; one that another process let go is noticed this much later.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// How often the finalizer is tried to be added while others write to the store.
const ATTEMPTS: usize = 3;

/// Keeps stores from going before what a PushSecret is about to push to them is taken back. One that cannot be kept gets its values all the
/// same: a right that is missing stops no rotation.
pub(crate) async fn hold(stores: impl Iterator<Item = &StoreName>, namespace: &str, context: &Context) {
    for store in stores {
        let caches = &context.caches;
        match store.kind.as_str() {
            "SecretStore" => keep(caches.secret_stores.within(namespace, &store.name).await, context).await,
            "ClusterSecretStore" => {
                keep(caches.cluster_secret_stores.named(&store.name).await, context).await
            }
            _ => {}
        }
    }
}

/// One that is not there, or cannot be read, says so when it is opened.
async fn keep<K: StoreObject>(store: Result<Found<Arc<K>>, ClusterError>, context: &Context) {
    let Ok(Found::Found(store)) = store else { return };
    let reference = crate::reference::<K>(store.meta());
    let (mut store, objects) = (store.as_ref().clone(), store.objects(context));
    for attempt in 1..=ATTEMPTS {
        if store.meta().deletion_timestamp.is_some() {
            return;
        }
        match finalizers::set_in(&objects, &store, SECRET_STORE, true).await {
            Ok(()) => return,
            Err(error) if error.is_conflict() && attempt < ATTEMPTS => {}
            Err(error) => {
                tracing::warn!(store = %reference, "{}; it may go before what was pushed to it is taken back", pipeline::message(&error));
                return;
            }
        }
        match objects.get(&reference.name).await {
            Ok(now) => store = now,
            Err(_) => return,
        }
    }
}

/// Lets a store go that is to go, if nobody holds it.
pub(super) async fn finalize<K: StoreObject>(
    store: &K,
    reference: &ObjectRef,
    context: &Context,
) -> Result<Again, SyncError> {
    if finalizers::has(store, SECRET_STORE) {
        if let Some(holder) = holder(reference, context).await? {
            tracing::info!(store = %reference, %holder, "stays until what was pushed to it is taken back");
            return Ok(Again::After(ASK_AGAIN));
        }
        finalizers::set_in(&store.objects(context), store, SECRET_STORE, false).await?;
    }
    Ok(report::leave(context, reference))
}

/// A PushSecret that has to take something back from the store.
async fn holder(store: &ObjectRef, context: &Context) -> Result<Option<ObjectRef>, SyncError> {
    let pushes: Api<DeserializeGuard<PushSecret>> = match &store.namespace {
        Some(namespace) => context.within(namespace),
        None => context.namespaced(),
    };
    let name = StoreName { kind: store.kind.clone(), name: store.name.clone() }.to_string();
    let mut parameters = ListParams::default().limit(PAGE);
    loop {
        let page = pushes.list(&parameters).await.map_err(|error| unlisted(store, error.into()))?;
        let mut readable = page.items.iter().filter_map(|push| push.0.as_ref().ok());
        if let Some(holder) = readable.find(|push| holds(push, &name)) {
            return Ok(Some(crate::reference::<PushSecret>(&holder.metadata)));
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters.continue_token = Some(token),
            None => return Ok(None),
        }
    }
}

fn unlisted(store: &ObjectRef, answer: Answer) -> ClusterError {
    let all =
        ObjectRef { kind: "PushSecret".to_owned(), namespace: store.namespace.clone(), name: "*".to_owned() };
    ClusterError::Read { object: all, answer }
}

/// One that has done its part and waits for others holds nothing.
fn holds(push: &PushSecret, store: &str) -> bool {
    if push.metadata.deletion_timestamp.is_some() && !finalizers::has(push, PUSH_SECRET) {
        return false;
    }
    let said = push.status.as_ref().and_then(|status| status.synced_push_secrets.get(store));
    push.spec.deletion_policy == PushDeletionPolicy::Delete && said.is_some_and(|entries| !entries.is_empty())
}
