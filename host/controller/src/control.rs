//! One controller: its own watch, the wakes, a queue with a bound.
//!
//! What is kept about an object in this process (news, references, metrics) goes when the object does, also when that was missed: a
//! watch that lists again says by its list who is gone.

use std::collections::HashSet;
use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::{ObjectRef as Key, Store, store};
use kube::runtime::watcher::Event;
use kube::{Api, Resource};
use pipeline::{Failure, ObjectRef};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::failure::SyncError;
use crate::looks::Looks;
use crate::news::News;
use crate::pulse::BEAT;
use crate::queue::{Again, Queue};
use crate::{reconnect, reference, report, secret_store, unreadable, written};

/// Runs one until `shutdown`, and ends when its looks under way have ended.
pub(crate) async fn control<K, F, R>(
    objects: Api<DeserializeGuard<K>>,
    mut woken: UnboundedReceiver<Key<DeserializeGuard<K>>>,
    context: &Arc<Context>,
    shutdown: &CancellationToken,
    refreshed: fn(&K) -> Option<Timestamp>,
    reconcile: F,
) where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    F: Fn(Arc<K>, Arc<Context>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Again, SyncError>> + Send + 'static,
{
    let kind = K::kind(&());
    let pulse = context.pulse(&kind, "loop");
    context.metrics.concurrency(&kind, context.settings.concurrency);
    let (reader, writer) = store();
    let mut seen =
        Seen { context, reader, refreshed, news: News::default(), listed: Vec::new(), before: Vec::new() };
    let mut changes = pin!(
        reconnect::watch(objects).modify(|object| object.meta_mut().managed_fields = None).reflect(writer)
    );
    let mut queue = Queue::new(context.metrics.queue(&kind), context.events.calm().line());
    let mut looks = Looks::default();
    let mut beats = tokio::time::interval(BEAT);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(event) = changes.next() => seen.take(pulse.heed(event), &mut queue),
            Some(object) = woken.next() => queue.add(object),
            object = queue.due() => queue.add(object),
            Some((object, again)) = looks.next() => {
                let again = again.unwrap_or_else(|| panicked::<K>(&object, context));
                queue.done(&object, again);
            }
            _ = beats.tick() => queue.tell(),
        }
        pulse.beat();
        while looks.len() < context.settings.concurrency.into() {
            let Some(object) = queue.next() else { break };
            match seen.reader.get(&object) {
                Some(present) if is_on_its_way::<K>(context, present.meta()) => {
                    queue.put_off(&object, written::PAUSE);
                }
                Some(present) => {
                    let look = look(present, Arc::clone(context), seen.reader.clone(), reconcile.clone());
                    looks.begin(object, look);
                }
                None => queue.done(&object, Again::WhenWoken),
            }
        }
    }
    while looks.next().await.is_some() {
        pulse.beat();
    }
}

/// Whether the watch is about to show what was reported of an object.
fn is_on_its_way<K: Resource<DynamicType = ()>>(context: &Context, meta: &ObjectMeta) -> bool {
    context.written.is_on_its_way(&reference::<K>(meta), meta.resource_version.as_deref())
}

/// What the watch of one kind has said.
struct Seen<'a, K: Resource<DynamicType = ()> + Clone + 'static> {
    context: &'a Context,
    reader: Store<DeserializeGuard<K>>,
    /// When an object was last carried out, as its status says.
    refreshed: fn(&K) -> Option<Timestamp>,
    news: News,
    /// Of a list that is still coming in, what is news, and when it was last carried out: the reader knows it when all of it is there.
    listed: Vec<(Option<Timestamp>, Key<DeserializeGuard<K>>)>,
    /// What there was when it began.
    before: Vec<Arc<DeserializeGuard<K>>>,
}

impl<K: Resource<DynamicType = ()> + Clone + 'static> Seen<'_, K> {
    fn take(
        &mut self,
        event: Option<Event<DeserializeGuard<K>>>,
        queue: &mut Queue<Key<DeserializeGuard<K>>>,
    ) {
        match event {
            Some(Event::Apply(object)) => {
                let meta = object.meta();
                self.context.written.shown(&reference::<K>(meta), meta.resource_version.as_deref());
                if self.is_news(&object) {
                    queue.add(Key::from_obj(&object));
                }
            }
            Some(Event::Init) => self.before = self.reader.state(),
            Some(Event::InitApply(object)) if self.is_news(&object) => {
                self.listed.push((self.refreshed(&object), Key::from_obj(&object)));
            }
            Some(Event::Delete(object)) => {
                queue.forget(&Key::from_obj(&object));
                self.forget(object.meta());
            }
            Some(Event::InitDone) => {
                self.forget_gone(queue);
                // A process that is killed again and again gets to everybody all the same.
                self.listed.sort_by_key(|(refreshed, _)| *refreshed);
                self.listed.drain(..).for_each(|(_, object)| queue.add(object));
            }
            Some(Event::InitApply(_)) | None => {}
        }
    }

    fn is_news(&self, object: &DeserializeGuard<K>) -> bool {
        self.news.is_news(object.meta(), self.refreshed(object).is_some())
    }

    /// Of one that cannot be read it is not known what its status says.
    fn refreshed(&self, object: &DeserializeGuard<K>) -> Option<Timestamp> {
        object.0.as_ref().ok().and_then(self.refreshed)
    }

    /// A list has come: what was there before and is not in it is gone.
    fn forget_gone(&mut self, queue: &mut Queue<Key<DeserializeGuard<K>>>) {
        let there = self.reader.state();
        let there: HashSet<&str> = there.iter().filter_map(|object| object.meta().uid.as_deref()).collect();
        for object in std::mem::take(&mut self.before) {
            if !object.meta().uid.as_deref().is_some_and(|uid| there.contains(uid)) {
                queue.forget(&Key::from_obj(object.as_ref()));
                self.forget(object.meta());
            }
        }
    }

    fn forget(&self, meta: &ObjectMeta) {
        self.news.forget(meta);
        secret_store::forget(meta, self.context);
        self.context.pushed.forget(meta.uid.as_deref().unwrap_or_default());
        forget(self.context, &reference::<K>(meta));
    }
}

/// A look ended by a bug of ours: the others go on, and it is tried again. What was said of it is on standard error already.
fn panicked<K: Resource<DynamicType = ()> + Clone + 'static>(
    object: &Key<DeserializeGuard<K>>,
    context: &Context,
) -> Again {
    let object = ObjectRef {
        kind: K::kind(&()).into_owned(),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
    };
    tracing::error!(%object, "a look panicked, which is a bug of keymill");
    context.metrics.looked(&object, Duration::ZERO, true);
    Again::After(context.backoff.failed(&object))
}

/// One look at one object, and when to look again.
async fn look<K, F, R>(
    object: Arc<DeserializeGuard<K>>,
    context: Arc<Context>,
    reader: Store<DeserializeGuard<K>>,
    reconcile: F,
) -> Again
where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
    F: Fn(Arc<K>, Arc<Context>) -> R + Send,
    R: Future<Output = Result<Again, SyncError>> + Send,
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
    match reader.get(&Key::from_obj(object.as_ref())) {
        // What was written may have been shown before its answer was here.
        Some(now) => context.written.shown(&seen, now.meta().resource_version.as_deref()),
        // It went while it was looked at.
        None => forget(&context, &seen),
    }
    done.unwrap_or_else(|error| failed_to_report(&seen, &error, &context))
}

fn forget(context: &Context, object: &ObjectRef) {
    report::leave(context, object);
    context.activity.forget(object);
    context.metrics.forget(object);
}

/// A report that could not be written: the look is repeated.
fn failed_to_report(object: &ObjectRef, error: &SyncError, context: &Context) -> Again {
    if let Some(again) = report::conflict(context, object, error) {
        return again;
    }
    // The same failure again is no news.
    if context.backoff.is_failing(object) {
        tracing::debug!(%object, reason = %error.reason(), "{}", pipeline::message(error));
    } else {
        tracing::warn!(%object, reason = %error.reason(), "{}", pipeline::message(error));
    }
    report::retry(context, object, error.reason(), error.retry().into(), Duration::MAX)
}
