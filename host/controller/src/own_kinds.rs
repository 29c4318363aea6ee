//! The kinds of keymill.dev: each object is checked when it changes, and its status says what came of it.
//!
//! One loop for all of these kinds, since there are few objects of them and a check rarely waits for anybody. What a sync needs of them
//! it reads from the caches and asks the component itself: nobody waits for a status. A check judges no value and publishes none.

mod component;
mod generator;
mod grant;
mod policy;
mod watch;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use api::component::ConfiguredStatus;
use api::names::reason;
use api::{
    ClusterComponent, ClusterPolicy, Component, ConditionStatus, ConditionType, Generator, Grant, Policy,
};
use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use kube::{Api, Resource};
use pipeline::{BoxFailure, Event, Next, ObjectRef, Ready, Reason};
use runtime::{Capability, World};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use tokio_util::sync::CancellationToken;

use crate::cache::{Cached, Caches};
use crate::context::Context;
use crate::failure::SyncError;
use crate::looks::Looks;
use crate::pulse::BEAT;
use crate::queue::{Again, Queue};
use crate::references::Role;
use crate::wiring::{Chosen, check_config, check_want};
use crate::{report, unreadable};

pub(crate) use watch::watch;

/// The name of the loop, as a kind of its own.
pub(crate) const LOOP: &str = "keymill.dev";
/// A failing check is repeated this often at least.
const RECHECK_MAX: Duration = Duration::from_secs(60);

const ACCEPTED: &str = "the component is there and accepts it";

/// Whether a kind is one of these.
pub(crate) fn is_own(kind: &str) -> bool {
    matches!(kind, "Generator" | "Grant" | "Policy" | "ClusterPolicy" | "Component" | "ClusterComponent")
}

/// One of these kinds.
trait OwnKind: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static {
    /// Where the watch keeps its objects.
    fn cached(caches: &Caches) -> &Cached<Self>;

    /// Where its status is written to.
    fn objects(&self, context: &Context) -> Api<Self>;

    /// What its status says now.
    fn status(&self) -> ConfiguredStatus;

    /// Its component, and what it wants of it.
    fn configured(&self) -> Configured;
}

/// A component that is named, and what for.
struct Configured {
    component: Chosen,
    used: Use,
}

/// What an object wants of its component.
enum Use {
    /// To work with a config, which may hold a secret.
    Config { world: World, config: Json },
    /// To use what is granted under a label.
    Label { label: String, capability: Capability },
}

/// The config of an object that was accepted; none of any other.
fn config_in_use(object: &ObjectRef, context: &Context) -> Option<(World, Json)> {
    match object.kind.as_str() {
        "Generator" => accepted::<Generator>(object, context),
        "Policy" => accepted::<Policy>(object, context),
        "ClusterPolicy" => accepted::<ClusterPolicy>(object, context),
        _ => None,
    }
}

/// Also of one whose component was there when it was accepted, and is not now.
fn accepted<K: OwnKind>(object: &ObjectRef, context: &Context) -> Option<(World, Json)> {
    let seen = K::cached(&context.caches).seen(object)?;
    let readable = seen.0.as_ref().ok()?;
    let status = readable.status();
    let ready = status.conditions.iter().find(|one| one.type_ == ConditionType::Ready)?;
    let waits = status.component_digest.is_some()
        && ready.reason.as_deref() == Some(Reason::ComponentNotFound.as_str());
    match readable.configured().used {
        Use::Config { world, config } if ready.status == ConditionStatus::True || waits => {
            Some((world, config))
        }
        Use::Config { .. } | Use::Label { .. } => None,
    }
}

/// Those that failed may be let through now.
fn wake_failing(context: &Context) {
    for object in context.references.referrers() {
        if context.backoff.is_failing(&object) {
            context.wake.wake(context, &object);
        }
    }
}

/// Checks whatever is woken until `shutdown`, and ends when the checks under way have ended.
pub(crate) async fn check_all(
    mut woken: UnboundedReceiver<ObjectRef>,
    context: &Arc<Context>,
    shutdown: &CancellationToken,
) {
    context.engines.served().begin();
    let pulse = context.pulse(LOOP, "loop");
    pulse.listed();
    let mut queue = Queue::new(context.metrics.queue(LOOP), context.events.calm().line());
    let mut checks = Looks::default();
    let mut beats = tokio::time::interval(BEAT);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(object) = woken.next() => queue.add(object),
            object = queue.due() => queue.add(object),
            // One that panicked, which is a bug, is repeated.
            Some((object, again)) = checks.next() => queue.done(&object, again.unwrap_or(Again::After(RECHECK_MAX))),
            _ = beats.tick() => queue.tell(),
        }
        pulse.beat();
        while checks.len() < context.settings.concurrency.into() {
            let Some(object) = queue.next() else { break };
            let (context, checked) = (Arc::clone(context), object.clone());
            checks.begin(object, async move { look(&checked, &context).await });
        }
    }
    while checks.next().await.is_some() {
        pulse.beat();
    }
}

async fn look(object: &ObjectRef, context: &Context) -> Again {
    let look = context.activity.begin();
    let looked = match object.kind.as_str() {
        "Generator" => look_at::<Generator>(object, context).await,
        "Grant" => look_at::<Grant>(object, context).await,
        "Policy" => look_at::<Policy>(object, context).await,
        "ClusterPolicy" => look_at::<ClusterPolicy>(object, context).await,
        "Component" => component::look_at::<Component>(object, context).await,
        "ClusterComponent" => component::look_at::<ClusterComponent>(object, context).await,
        _ => Ok(Again::WhenWoken),
    };
    context.metrics.own_looked(look.elapsed(), looked.is_err());
    looked.unwrap_or_else(|error| {
        tracing::warn!(%object, "{}", pipeline::message(&error));
        Again::After(context.backoff.failed(object).min(RECHECK_MAX))
    })
}

async fn look_at<K: OwnKind>(reference: &ObjectRef, context: &Context) -> Result<Again, SyncError> {
    let Some(seen) = K::cached(&context.caches).seen(reference) else {
        context.metrics.forget_judge(reference);
        return Ok(report::leave(context, reference));
    };
    match &seen.0 {
        Err(invalid) => unreadable::report::<K>(invalid, context).await,
        Ok(object) if object.meta().deletion_timestamp.is_some() => Ok(report::leave(context, reference)),
        Ok(object) => {
            let Configured { component, used } = object.configured();
            let referent = component.referent().map(|component| (component.clone(), Role::Component));
            context.references.set(reference, referent.into_iter().collect());
            let checked = match used {
                Use::Config { world, config } => {
                    check_config(&context.engines, world, component, config).await
                }
                Use::Label { label, capability } => {
                    check_want(&context.engines, component, label, capability).await
                }
            };
            say(object, reference, context, checked).await
        }
    }
}

async fn say<K: OwnKind>(
    object: &K,
    reference: &ObjectRef,
    context: &Context,
    checked: Result<String, BoxFailure>,
) -> Result<Again, SyncError> {
    let (ready, next, digest) = match checked {
        Ok(digest) => {
            let message = ACCEPTED.to_owned();
            let ready = Ready { status: true, reason: reason::ACCEPTED, message };
            (ready, Next::WhenChanged, Some(digest))
        }
        Err(failure) => {
            let message = pipeline::message(failure.as_ref());
            let ready = Ready { status: false, reason: failure.reason().as_str(), message };
            (ready, failure.retry().into(), None)
        }
    };
    write(object, context, &ready, digest).await?;
    Ok(report::schedule_within(context, reference, next, RECHECK_MAX))
}

/// Writes the status where it says anything else, and an event when the condition does.
async fn write<K: OwnKind>(
    object: &K,
    context: &Context,
    ready: &Ready,
    digest: Option<String>,
) -> Result<(), SyncError> {
    let before = object.status();
    let conditions = report::conditions(&before.conditions, ready, context.clock.now());
    let component_digest = digest.or_else(|| before.component_digest.clone());
    let news = conditions != before.conditions;
    let now =
        ConfiguredStatus { observed_generation: object.meta().generation, conditions, component_digest };
    if now == before {
        return Ok(());
    }
    // A status of ours is text, numbers and lists of them.
    let Ok(Json::Object(patch)) = serde_json::to_value(&now) else { return Ok(()) };
    publish(&object.objects(context), object, context, patch, news.then_some(ready)).await
}

/// Writes a status, and an event where there is news.
async fn publish<K>(
    objects: &Api<K>,
    object: &K,
    context: &Context,
    patch: Map<String, Json>,
    news: Option<&Ready>,
) -> Result<(), SyncError>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    report::write_status(context, objects, &crate::reference::<K>(object.meta()), patch).await?;
    if let Some(ready) = news {
        let event = Event { warning: !ready.status, reason: ready.reason, message: ready.message.clone() };
        report::record(context, object.object_ref(&()), &[event]);
    }
    Ok(())
}
