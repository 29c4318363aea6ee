//! The loops: observe, apply, report.
//!
//! The only crate that writes our objects and their targets. A reconcile is the seven verbs in order; what they mean is
//! `pipeline`'s, how a store speaks is `stores`', what a component may do is `runtime`'s: `wiring` brings them together. Time comes
//! from the [`Clock`], nothing is read from the environment, and no secret is kept between two looks at an object.
#![deny(missing_docs)]

mod backoff;
mod cache;
mod clock;
mod cluster;
mod context;
mod events;
mod external_secret;
mod failure;
mod metrics;
mod push_secret;
mod reader;
mod references;
mod report;
mod secret_store;
mod unreadable;
mod watch;
mod wiring;

use std::fmt::Debug;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use api::{ClusterSecretStore, SecretStore};
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::{StreamExt, TryStreamExt, future};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DeserializeGuard;
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::reflector::{ObjectRef as Key, store};
use kube::runtime::watcher::Event;
use kube::runtime::{PredicateConfig, WatchStreamExt, watcher};
use kube::{Api, Resource, ResourceExt};
use pipeline::{Failure, ObjectRef};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

pub use clock::{Clock, SystemClock};
pub use cluster::{Answer, ClusterError};
pub use context::{Context, Parts, Settings};
pub use events::{Events, Note};
pub use failure::SyncError;
pub use metrics::{FailureLabels, KindLabels, Metrics, ObjectLabels};
pub use reader::ClusterReader;
pub use wiring::{Bridge, ClusterObject, Engines, Late, OperatorKey, VaultPrefix};

use cache::Writers;
use watch::Wake;

/// Runs all controllers until `shutdown`, and ends when the reconciles in flight have ended.
pub async fn run(context: Arc<Context>, writers: CacheWriters, shutdown: CancellationToken) {
    let (external_secrets, woken_external_secrets) = unbounded();
    let (push_secrets, woken_push_secrets) = unbounded();
    let (secret_stores, woken_secret_stores) = unbounded();
    let (cluster_secret_stores, woken_cluster_secret_stores) = unbounded();
    let wake = Wake {
        external_secrets,
        push_secrets,
        secret_stores,
        cluster_secret_stores,
    };
    watch::start(&context, &wake, writers.0, &shutdown);
    let cluster_stores = async {
        if context.settings.namespace.is_none() {
            let objects = context.cluster::<DeserializeGuard<ClusterSecretStore>>();
            control(
                objects,
                woken_cluster_secret_stores,
                &context,
                &shutdown,
                secret_store::reconcile,
            )
            .await;
        }
    };
    future::join4(
        control(
            context.namespaced(),
            woken_secret_stores,
            &context,
            &shutdown,
            secret_store::reconcile::<SecretStore>,
        ),
        cluster_stores,
        control(
            context.namespaced(),
            woken_external_secrets,
            &context,
            &shutdown,
            external_secret::reconcile,
        ),
        control(
            context.namespaced(),
            woken_push_secrets,
            &context,
            &shutdown,
            push_secret::reconcile,
        ),
    )
    .await;
}

/// The filling ends of the context's caches; whoever runs the controllers hands them over.
pub struct CacheWriters(Writers);

impl Debug for CacheWriters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CacheWriters")
    }
}

/// One controller: its own watch, the wakes, a queue with a bound.
async fn control<K, F, R>(
    objects: Api<DeserializeGuard<K>>,
    woken: UnboundedReceiver<Key<DeserializeGuard<K>>>,
    context: &Arc<Context>,
    shutdown: &CancellationToken,
    reconcile: F,
) where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    F: Fn(Arc<K>, Arc<Context>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Action, SyncError>> + Send + 'static,
{
    let (reader, writer) = store();
    let changes = watcher(objects, watcher::Config::default())
        .default_backoff()
        .modify(|object| object.managed_fields_mut().clear())
        .inspect_ok({
            let context = Arc::clone(context);
            move |event| {
                if let Event::Delete(object) = event {
                    report::leave(&context, &reference::<K>(object.meta()));
                }
            }
        })
        .reflect(writer)
        .applied_objects()
        .predicate_filter(said_anew::<K>, PredicateConfig::default());
    let runs = Controller::for_stream(changes, reader)
        .reconcile_on(woken)
        .with_config(Config::default().concurrency(context.settings.concurrency))
        .graceful_shutdown_on(shutdown.clone().cancelled_owned())
        .run(
            move |object, context| {
                let reconcile = reconcile.clone();
                async move {
                    match &object.0 {
                        Ok(readable) => reconcile(Arc::new(readable.clone()), context).await,
                        Err(object) => unreadable::report::<K>(object, &context).await,
                    }
                }
            },
            |object, error: &SyncError, context| failed::<K>(&object, error, &context),
            Arc::clone(context),
        );
    runs.for_each(|_| future::ready(())).await;
}

/// What of an object its user has a say in: a change of its status alone is our own.
fn said_anew<K: Resource<DynamicType = ()>>(object: &DeserializeGuard<K>) -> Option<u64> {
    let meta = object.meta();
    let mut hasher = DefaultHasher::new();
    meta.uid.hash(&mut hasher);
    meta.generation.hash(&mut hasher);
    meta.labels.hash(&mut hasher);
    meta.annotations.hash(&mut hasher);
    meta.finalizers.hash(&mut hasher);
    meta.deletion_timestamp.is_some().hash(&mut hasher);
    Some(hasher.finish())
}

/// A report that could not be written: the look is repeated.
fn failed<K: Resource<DynamicType = ()>>(
    object: &DeserializeGuard<K>,
    error: &SyncError,
    context: &Context,
) -> Action {
    let reference = reference::<K>(object.meta());
    if error.is_conflict() {
        return report::again();
    }
    tracing::warn!(object = %reference, reason = %error.reason(), "{}", pipeline::message(error));
    Action::requeue(context.backoff.failed(&reference).min(Duration::from_secs(10)))
}

/// An object as the index, the back-off and the log know it.
pub(crate) fn reference<K: Resource<DynamicType = ()>>(meta: &ObjectMeta) -> ObjectRef {
    ObjectRef {
        kind: K::kind(&()).into_owned(),
        namespace: meta.namespace.clone(),
        name: meta.name.clone().unwrap_or_default(),
    }
}
