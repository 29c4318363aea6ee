//! Report: condition, events, metric, log and next refresh, all from one `Outcome`, here and nowhere else.
//!
//! A status is written only when it changes. A conflict is not reported, unless it comes back again and again: the object is read anew.

use std::time::Duration;

use api::push_secret::SyncedPushSecrets;
use api::{Condition, ConditionStatus, ConditionType, ExternalSecret, PushSecret};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::Patch;
use kube::{Api, Resource, ResourceExt};
use pipeline::{Event, Meta, Next, ObjectRef, Outcome, Plan, Ready, Reason};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};

use crate::backoff;
use crate::cluster::ClusterError;
use crate::context::Context;
use crate::doubts;
use crate::events::Note;
use crate::failure::SyncError;
use crate::fresh::LATE;
use crate::metadata;
use crate::outage::Outage;
use crate::push_secret::InStores;
use crate::queue::Again;

/// Of an object of which nothing was due the next look is not sooner than this.
const SOONEST: Duration = Duration::from_millis(100);
/// Nobody is tried again more often than this.
const FASTEST: Duration = Duration::from_secs(1);
/// What only a change can mend is looked at again this much later.
const NOW_AND_THEN: Duration = Duration::from_secs(300);

/// Nothing was due: what an earlier look reported still holds, also if that was another process.
pub(crate) fn wait(
    context: &Context,
    object: &ObjectRef,
    conditions: &[Condition],
    next: Option<Timestamp>,
) -> Again {
    if let Some(ready) = conditions.iter().find(|one| one.type_ == ConditionType::Ready) {
        context.metrics.condition(object, ready.status == ConditionStatus::True);
    }
    passed(context, object);
    context.backoff.succeeded(object);
    context.schedule.set(object, next);
    // What was not due now is not due at once.
    next.map_or(Again::WhenWoken, |next| Again::After(until(context, next).max(SOONEST)))
}

/// What was seen of the object is old.
pub(crate) fn late(context: &Context, object: &ObjectRef) -> Again {
    let now = context.clock.now();
    context.schedule.set(object, now.checked_add(LATE).ok());
    Again::After(LATE)
}

/// The object is none of ours, or gone.
pub(crate) fn leave(context: &Context, object: &ObjectRef) -> Again {
    context.references.remove(object);
    context.selectors.forget(object);
    context.outage.forget(object);
    context.remarks.forget(object);
    context.written.forget(object);
    context.finalizers.forget(object);
    context.backoff.succeeded(object);
    context.schedule.set(object, None);
    Again::WhenWoken
}

/// Somebody else wrote first: the object is asked for, and looked at again, soon at first.
pub(crate) fn again(context: &Context, object: &ObjectRef) -> Again {
    context.written.unsure(object);
    Again::After(context.backoff.conflicted(object))
}

/// The same for an error that is a conflict. One that comes back again and again is a failure like any other.
pub(crate) fn conflict(context: &Context, object: &ObjectRef, error: &SyncError) -> Option<Again> {
    let passing = error.is_conflict() && !context.backoff.is_in_conflict(object);
    passing.then(|| again(context, object))
}

/// One word for the log.
pub(crate) const fn plan_word(plan: &Plan) -> &'static str {
    match plan {
        Plan::Create(_) => "create",
        Plan::Patch(_) => "patch",
        Plan::Delete(_) => "delete",
        Plan::Keep(_) => "keep",
    }
}

/// What a report came to.
pub(crate) struct Reported {
    /// When to look again.
    pub(crate) again: Again,
    /// The resourceVersion that it made; none when there was nothing to write.
    pub(crate) version: Option<String>,
}

/// Reports a sync of an ExternalSecret.
pub(crate) async fn external_secret(
    object: &ExternalSecret,
    reference: &ObjectRef,
    context: &Context,
    outcome: Outcome,
) -> Result<Reported, SyncError> {
    let status = object.status.clone().unwrap_or_default();
    let now = context.clock.now();
    let mut patch = base(&outcome, &status.conditions, &Meta::from(&object.metadata), now, now);
    if outcome.refreshed {
        let name = outcome.binding.as_deref().unwrap_or_default();
        patch.insert("binding".to_owned(), json!({"name": name}));
    }
    let report =
        Report { kind: "ExternalSecret", reference, outcome, patch, pace: object.spec.refresh_interval };
    report.write(object, context).await
}

/// Reports a sync of a PushSecret that began at `began`. `in_stores` is what the stores have now; none when that is not known.
pub(crate) async fn push_secret(
    object: &PushSecret,
    reference: &ObjectRef,
    context: &Context,
    began: Timestamp,
    outcome: Outcome,
    in_stores: Option<&InStores>,
) -> Result<Again, SyncError> {
    let status = object.status.clone().unwrap_or_default();
    // Its source may have changed since: a process that begins after this one compares the times.
    let mut patch =
        base(&outcome, &status.conditions, &Meta::from(&object.metadata), began, context.clock.now());
    if let Some(InStores { said, found }) = in_stores {
        patch.extend(synced(said, found));
    }
    let report = Report { kind: "PushSecret", reference, outcome, patch, pace: object.spec.refresh_interval };
    report.write(object, context).await.map(|reported| reported.again)
}

/// Says what is about to be pushed, and nothing else.
pub(crate) async fn announce(
    reference: &ObjectRef,
    context: &Context,
    said: &SyncedPushSecrets,
    announced: &SyncedPushSecrets,
) -> Result<(), SyncError> {
    let objects: Api<PushSecret> = context.within(reference.namespace.as_deref().unwrap_or_default());
    write_status(context, &objects, reference, synced(said, announced).into_iter().collect()).await?;
    Ok(())
}

/// The part of the patch that says what is in the stores; none when it is said already.
fn synced(said: &SyncedPushSecrets, found: &SyncedPushSecrets) -> Option<(String, Json)> {
    // Maps of strings and JSON can always be written as JSON.
    let json = |synced: &SyncedPushSecrets| serde_json::to_value(synced).unwrap_or(Json::Null);
    (said != found).then(|| ("syncedPushSecrets".to_owned(), replacing(&json(said), json(found))))
}

/// A merge patch that makes a two-level map exactly `wanted`: what is not wanted any more is set to null.
fn replacing(before: &Json, wanted: Json) -> Json {
    let mut patch = wanted;
    if let (Json::Object(before), Json::Object(patch)) = (before, &mut patch) {
        for (store, entries) in before {
            match patch.get_mut(store) {
                None => {
                    patch.insert(store.clone(), Json::Null);
                }
                Some(Json::Object(kept)) => {
                    for key in entries.as_object().into_iter().flat_map(Map::keys) {
                        kept.entry(key.clone()).or_insert(Json::Null);
                    }
                }
                Some(_) => {}
            }
        }
    }
    patch
}

/// The part of a status that all kinds have. What it says is as of `refreshed`.
fn base(
    outcome: &Outcome,
    before: &[Condition],
    meta: &Meta,
    refreshed: Timestamp,
    now: Timestamp,
) -> Map<String, Json> {
    let mut patch = Map::new();
    if outcome.refreshed {
        patch.insert("refreshTime".to_owned(), json!(Time(refreshed)));
        patch.insert("syncedResourceVersion".to_owned(), json!(meta.version()));
    }
    let conditions = conditions(before, &outcome.ready, now);
    if conditions != before {
        patch.insert("conditions".to_owned(), json!(conditions));
    }
    patch
}

/// The conditions with this Ready; its time changes only when its status does.
pub(crate) fn conditions(before: &[Condition], ready: &Ready, now: Timestamp) -> Vec<Condition> {
    let status = if ready.status { ConditionStatus::True } else { ConditionStatus::False };
    let old = before.iter().find(|one| one.type_ == ConditionType::Ready);
    let since = old.filter(|old| old.status == status).and_then(|old| old.last_transition_time.clone());
    let new = Condition {
        type_: ConditionType::Ready,
        status,
        reason: Some(ready.reason.to_owned()),
        message: Some(ready.message.clone()),
        last_transition_time: Some(since.unwrap_or(Time(now))),
    };
    let others = before.iter().filter(|one| one.type_ != ConditionType::Ready).cloned();
    std::iter::once(new).chain(others).collect()
}

/// What is reported of one sync.
struct Report<'a> {
    kind: &'static str,
    reference: &'a ObjectRef,
    outcome: Outcome,
    /// Of the status.
    patch: Map<String, Json>,
    /// How often the object asks to be refreshed: so often it may be tried again, too.
    pace: api::Duration,
}

impl Report<'_> {
    async fn write<K>(self, object: &K, context: &Context) -> Result<Reported, SyncError>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + Serialize
            + std::fmt::Debug,
    {
        let Self { kind, reference, outcome, patch, pace } = self;
        context.metrics.synced(reference, &outcome.ready, context.clock.now());
        if let Some(failed) = outcome.failure {
            let (reason, blame) = (failed.reason.as_str(), failed.blame.as_str());
            context.metrics.failed(kind, reason, blame);
            context.activity.failed(reference);
            // The same failure again is no news.
            if patch.contains_key("conditions") {
                tracing::warn!(object = %reference, reason, blame, "{}", outcome.ready.message);
            } else {
                tracing::debug!(object = %reference, reason, blame, "{}", outcome.ready.message);
            }
        }
        let version = if patch.is_empty() {
            None
        } else {
            let objects: Api<K> = context.within(&object.namespace().unwrap_or_default());
            write_status(context, &objects, reference, patch).await?
        };
        let events = context.remarks.news(reference, outcome.events);
        record(context, object.object_ref(&()), &events);
        let again = match outcome.failure {
            Some(failed) => retry(context, reference, failed.reason, outcome.next, pace_of(pace)),
            None => {
                passed(context, reference);
                schedule_within(context, reference, outcome.next, Duration::MAX)
            }
        };
        Ok(Reported { again, version })
    }
}

/// How long back-off may grow at most, of an object that asks to be refreshed that often.
fn pace_of(pace: api::Duration) -> Duration {
    let pace = pace.to_std();
    if pace.is_zero() { Duration::MAX } else { pace.max(FASTEST) }
}

/// When to look again after a failure, where back-off ends at `pace`. What only a change can mend is looked at now and then all the same: not every change is one that we
/// see.
pub(crate) fn retry(
    context: &Context,
    reference: &ObjectRef,
    reason: Reason,
    next: Next,
    pace: Duration,
) -> Again {
    doubts::raise(context, reference, reason);
    if Outage::is_cause(reason) {
        let scout = context.outage.failed(reference, reason);
        let wait_max = if scout { backoff::CLUSTER_MAX } else { Duration::MAX };
        return schedule_within(context, reference, next, wait_max);
    }
    passed(context, reference);
    match schedule_within(context, reference, next, pace) {
        Again::WhenWoken => {
            context.schedule.set(reference, context.clock.now().checked_add(NOW_AND_THEN).ok());
            Again::After(NOW_AND_THEN)
        }
        again @ Again::After(_) => again,
    }
}

/// The API server did what was asked: those that waited for it may ask, too.
pub(crate) fn passed(context: &Context, reference: &ObjectRef) {
    for waiting in context.outage.passed(reference) {
        context.wake.wake(context, &waiting);
    }
}

/// Writes a status: the object's resourceVersion then. An object that is gone by now has none.
pub(crate) async fn write_status<K>(
    context: &Context,
    objects: &Api<K>,
    reference: &ObjectRef,
    patch: Map<String, Json>,
) -> Result<Option<String>, SyncError>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug,
{
    let patch = json!({"status": patch});
    match metadata::patch_status(&context.client, objects, &reference.name, &Patch::Merge(&patch)).await {
        Ok(version) => {
            context.written.wrote(reference, version.as_deref());
            Ok(version)
        }
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => {
            context.written.unsure(reference);
            Err(ClusterError::Write { object: reference.clone(), answer: error.into() }.into())
        }
    }
}

/// Leaves events for later.
pub(crate) fn record(context: &Context, about: ObjectReference, events: &[Event]) {
    for event in events {
        let note = Note {
            about: about.clone(),
            warning: event.warning,
            reason: event.reason,
            text: event.message.clone(),
        };
        context.events.record(note);
    }
}

/// When to look again; back-off ends at `wait_max`.
pub(crate) fn schedule_within(
    context: &Context,
    reference: &ObjectRef,
    next: Next,
    wait_max: Duration,
) -> Again {
    let now = context.clock.now();
    let wait = match next {
        Next::At(time) => {
            context.backoff.succeeded(reference);
            Some(until(context, time))
        }
        Next::Backoff => Some(context.backoff.failed(reference).min(wait_max)),
        Next::After(wait) => {
            // What the other side said is the least.
            Some(wait.max(context.backoff.failed(reference).min(wait_max)))
        }
        Next::WhenChanged => {
            context.backoff.succeeded(reference);
            None
        }
    };
    let due = wait.and_then(|wait| now.checked_add(wait).ok());
    context.schedule.set(reference, due);
    wait.map_or(Again::WhenWoken, Again::After)
}

fn until(context: &Context, time: Timestamp) -> Duration {
    time.duration_since(context.clock.now()).try_into().unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(status: bool) -> Ready {
        Ready { status, reason: "SecretSynced", message: "m".to_owned() }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_time_of_a_condition_changes_with_its_status_only() {
        let first = conditions(&[], &ready(true), at(1));
        let second = conditions(&first, &ready(true), at(2));
        assert_eq!(first, second);
        let third = conditions(&second, &ready(false), at(3));
        assert_eq!(third.first().and_then(|one| one.last_transition_time.clone()), Some(Time(at(3))));
    }

    #[test]
    fn other_conditions_stay() {
        let other = Condition {
            type_: ConditionType::Other("Mine".to_owned()),
            status: ConditionStatus::True,
            reason: None,
            message: None,
            last_transition_time: None,
        };
        let after = conditions(std::slice::from_ref(&other), &ready(true), at(1));
        assert_eq!(after.len(), 2);
        assert!(after.contains(&other));
    }

    #[test]
    fn what_is_not_pushed_any_more_leaves_the_status() {
        let before = json!({"SecretStore/a": {"x": 1, "y": 2}, "SecretStore/b": {"z": 3}});
        let patch = replacing(&before, json!({"SecretStore/a": {"x": 1}}));
        assert_eq!(patch, json!({"SecretStore/a": {"x": 1, "y": null}, "SecretStore/b": null}));
    }
}
