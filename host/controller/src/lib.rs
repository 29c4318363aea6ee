//! The loops: observe, apply, report.
//!
//! The only crate that writes our objects and their targets. A reconcile is the seven verbs in order; what they mean is
//! `pipeline`'s, how a store speaks is `stores`', what a component may do is `runtime`'s: `wiring` brings them together. Time comes
//! from the [`Clock`], nothing is read from the environment, and no secret is kept between two looks at an object.
#![deny(missing_docs)]

mod activity;
mod backoff;
mod cache;
mod clock;
mod cluster;
mod context;
mod events;
mod external_secret;
mod failure;
mod finalizers;
mod fresh;
mod metrics;
mod news;
mod push_secret;
mod reader;
mod references;
mod report;
mod secret_store;
mod secrets;
mod snapshot;
mod unreadable;
mod watch;
mod wiring;

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use api::{ClusterSecretStore, ExternalSecret, PushSecret, SecretStore};
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::{StreamExt, TryStreamExt, future};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DeserializeGuard;
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::reflector::{ObjectRef as Key, store};
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource};
use pipeline::{Failure, ObjectRef, Retry, Status};
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
use news::News;
use watch::Wake;

/// Runs all controllers until `shutdown`, and ends when the reconciles in flight have ended.
pub async fn run(context: Arc<Context>, writers: CacheWriters, shutdown: CancellationToken) {
    let (external_secrets, woken_external_secrets) = unbounded();
    let (push_secrets, woken_push_secrets) = unbounded();
    let (secret_stores, woken_secret_stores) = unbounded();
    let (cluster_secret_stores, woken_cluster_secret_stores) = unbounded();
    let wake = Wake { external_secrets, push_secrets, secret_stores, cluster_secret_stores };
    watch::start(&context, &wake, writers.0, &shutdown);
    let cluster_stores = async {
        if context.settings.namespace.is_none() {
            let objects = context.cluster::<DeserializeGuard<ClusterSecretStore>>();
            control(
                objects,
                woken_cluster_secret_stores,
                &context,
                &shutdown,
                |store| store.status.is_some(),
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
            |store| store.status.is_some(),
            secret_store::reconcile::<SecretStore>,
        ),
        cluster_stores,
        control(
            context.namespaced(),
            woken_external_secrets,
            &context,
            &shutdown,
            |object: &ExternalSecret| Status::of(object.status.as_ref()).refresh_time.is_some(),
            external_secret::reconcile,
        ),
        control(
            context.namespaced(),
            woken_push_secrets,
            &context,
            &shutdown,
            |object: &PushSecret| Status::of_push(object.status.as_ref()).refresh_time.is_some(),
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
    is_reported: fn(&K) -> bool,
    reconcile: F,
) where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    F: Fn(Arc<K>, Arc<Context>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Action, SyncError>> + Send + 'static,
{
    let (reader, writer) = store();
    let news = Arc::new(News::default());
    let changes = watcher(objects, watch::listing())
        .default_backoff()
        .modify(|object| object.meta_mut().managed_fields = None)
        .inspect_ok({
            let (context, news) = (Arc::clone(context), Arc::clone(&news));
            move |event| {
                if let Event::Delete(object) = event {
                    news.forget(object.meta());
                    let reference = reference::<K>(object.meta());
                    report::leave(&context, &reference);
                    context.activity.forget(&reference);
                    secret_store::forget(object.meta(), &context);
                }
            }
        })
        .reflect(writer)
        .applied_objects()
        .try_filter(move |object| {
            // Of one that cannot be read it is not known what its status says.
            let reported = object.0.as_ref().is_ok_and(is_reported);
            future::ready(news.is_news(object.meta(), reported))
        });
    let runs = Controller::for_stream(changes, reader)
        .reconcile_on(woken)
        .with_config(Config::default().concurrency(context.settings.concurrency))
        .graceful_shutdown_on(shutdown.clone().cancelled_owned())
        .run(
            move |object: Arc<DeserializeGuard<K>>, context: Arc<Context>| {
                let reconcile = reconcile.clone();
                async move {
                    let look = context.activity.begin();
                    let done = match &object.0 {
                        Ok(readable) => reconcile(Arc::new(readable.clone()), Arc::clone(&context)).await,
                        Err(object) => unreadable::report::<K>(object, &context).await,
                    };
                    if done.is_ok() {
                        let meta = object.meta();
                        look.done(reference::<K>(meta), meta.generation.unwrap_or_default());
                    }
                    context.metrics.looked(&K::kind(&()), look.elapsed());
                    done
                }
            },
            |object, error: &SyncError, context| failed::<K>(&object, error, &context),
            Arc::clone(context),
        );
    runs.for_each(|_| future::ready(())).await;
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
    let wait = context.backoff.failed(&reference).min(Duration::from_secs(10));
    Action::requeue(match error.retry() {
        Retry::After(least) => least.max(wait),
        Retry::Backoff | Retry::WhenChanged => wait,
    })
}

/// An object as the index, the back-off and the log know it.
pub(crate) fn reference<K: Resource<DynamicType = ()>>(meta: &ObjectMeta) -> ObjectRef {
    ObjectRef {
        kind: K::kind(&()).into_owned(),
        namespace: meta.namespace.clone(),
        name: meta.name.clone().unwrap_or_default(),
    }
}
