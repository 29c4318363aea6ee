//! One controller: its own watch, the wakes, a queue with a bound.
//!
//! What is kept about an object in this process (news, references, metrics) goes when the object does, also when that was missed: a
//! watch that lists again says by its list who is gone.

use std::collections::HashSet;
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;

use futures::channel::mpsc::UnboundedReceiver;
use futures::{StreamExt, TryStreamExt, future};
use kube::core::DeserializeGuard;
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::reflector::{ObjectRef as Key, Store, store};
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource};
use pipeline::{Failure, ObjectRef, Retry};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::failure::SyncError;
use crate::news::News;
use crate::{backoff, reference, report, secret_store, unreadable, watch};

/// Runs one until `shutdown`, and ends when its looks under way have ended.
pub(crate) async fn control<K, F, R>(
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
    let kind = K::kind(&());
    let pulse = context.loops.begin(format!("{kind} loop"));
    context.metrics.concurrency(&kind, context.settings.concurrency);
    let (reader, writer) = store();
    let news = Arc::new(News::default());
    let heeding = pulse.clone();
    let changes = watcher(objects, watch::listing())
        .backoff(backoff::of_watch())
        .filter_map(move |event| future::ready(heeding.heed(event).map(Ok)))
        .modify(|object| object.meta_mut().managed_fields = None)
        .reflect(writer)
        .inspect_ok({
            let (context, news, reader) = (Arc::clone(context), Arc::clone(&news), reader.clone());
            move |event| match event {
                Event::Delete(object) => {
                    news.forget(object.meta());
                    secret_store::forget(object.meta(), &context);
                    context.pushed.forget(object.meta().uid.as_deref().unwrap_or_default());
                    forget(&context, &reference::<K>(object.meta()));
                }
                Event::InitDone => forget_gone(&context, &news, &reader),
                Event::Init | Event::InitApply(_) | Event::Apply(_) => {}
            }
        })
        .applied_objects()
        .try_filter(move |object| {
            // Of one that cannot be read it is not known what its status says.
            let reported = object.0.as_ref().is_ok_and(is_reported);
            future::ready(news.is_news(object.meta(), reported))
        });
    let runs = Controller::for_stream(changes, reader.clone())
        .reconcile_on(woken)
        .with_config(Config::default().concurrency(context.settings.concurrency))
        .graceful_shutdown_on(shutdown.clone().cancelled_owned())
        .run(
            move |object: Arc<DeserializeGuard<K>>, context: Arc<Context>| {
                look(object, context, reader.clone(), reconcile.clone())
            },
            |object, error: &SyncError, context| failed::<K>(&object, error, &context),
            Arc::clone(context),
        );
    pulse.follow(runs, |_| {}).await;
}

/// One look at one object.
async fn look<K, F, R>(
    object: Arc<DeserializeGuard<K>>,
    context: Arc<Context>,
    reader: Store<DeserializeGuard<K>>,
    reconcile: F,
) -> Result<Action, SyncError>
where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
    F: Fn(Arc<K>, Arc<Context>) -> R + Send,
    R: Future<Output = Result<Action, SyncError>> + Send,
{
    let look = context.activity.begin();
    context.metrics.looking(&K::kind(&()));
    let done = match &object.0 {
        Ok(readable) => reconcile(Arc::new(readable.clone()), Arc::clone(&context)).await,
        Err(object) => unreadable::report::<K>(object, &context).await,
    };
    let seen = reference::<K>(object.meta());
    let failed = context.activity.take_failed(&seen) || done.is_err();
    context.metrics.looked(&seen, look.elapsed(), failed);
    if done.is_ok() {
        look.done(seen.clone(), object.meta().generation.unwrap_or_default());
    }
    if reader.get(&Key::from_obj(object.as_ref())).is_none() {
        // It went while it was looked at.
        forget(&context, &seen);
    }
    done
}

fn forget(context: &Context, object: &ObjectRef) {
    report::leave(context, object);
    context.activity.forget(object);
    context.metrics.forget(object);
}

/// A list has come: what it does not name is gone.
fn forget_gone<K>(context: &Context, news: &News, reader: &Store<DeserializeGuard<K>>)
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let there = reader.state();
    news.keep(&there.iter().filter_map(|object| object.meta().uid.as_deref()).collect());
    let there: HashSet<ObjectRef> = there.iter().map(|object| reference::<K>(object.meta())).collect();
    let gone = context.activity.looked_at(&K::kind(&())).into_iter().filter(|object| !there.contains(object));
    gone.for_each(|object| forget(context, &object));
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
    let wait = context.backoff.failed(&reference).min(backoff::CLUSTER_MAX);
    Action::requeue(match error.retry() {
        Retry::After(least) => least.max(wait),
        Retry::Backoff | Retry::WhenChanged => wait,
    })
}
