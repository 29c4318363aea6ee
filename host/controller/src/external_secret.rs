//! The seven verbs for one ExternalSecret.
//!
//! The rotation record is written between plan and apply: it is the commit point, and whoever finds it adopts it. Nothing is
//! decided here; each verb is a function of its own.

use std::sync::Arc;

use api::ExternalSecret;
use futures::future;
use jiff::Timestamp;
use kube::ResourceExt;
use pipeline::{
    Decision, Found, Gathered, Inputs, Monitored, Nudge, ObjectRef, Outcome, Plan, Record, Refresh, Status,
    Synced, decide, gather, next_look, plan, shape,
};

use crate::context::Context;
use crate::failure::SyncError;
use crate::fresh;
use crate::queue::Again;
use crate::report;
use crate::secrets::Age;

mod apply;
mod finalize;
mod observe;

pub(crate) use apply::write_record;
pub(crate) use finalize::add_later as add_finalizers;
pub(crate) use observe::scoped;
use observe::{DrawnRecord, Observed};

/// Looks at one object and does what is due.
pub(crate) async fn reconcile(
    object: Arc<ExternalSecret>,
    context: Arc<Context>,
) -> Result<Again, SyncError> {
    let reference = crate::reference::<ExternalSecret>(&object.metadata);
    let objects = context.within(&object.namespace().unwrap_or_default());
    let Some(object) = fresh::present(&context, &reference, objects, object).await else {
        return Ok(report::leave(&context, &reference));
    };
    if object.metadata.deletion_timestamp.is_some() {
        return match finalize::finalize(&object, &reference, &context).await {
            Ok(()) => Ok(report::leave(&context, &reference)),
            Err(error) => failed(&object, &reference, &context, &error).await,
        };
    }
    let heard = context.references.nudge(&reference);
    let outcome = match sync(&object, &reference, &context, heard.map(|heard| heard.nudge)).await {
        Ok(Done::Nothing(next)) => {
            let conditions = object.status.as_ref().map(|status| status.conditions.as_slice());
            context.references.answered(&reference, heard);
            finalize::ensure_later(&object, &reference, object.resource_version(), &context);
            return Ok(report::wait(&context, &reference, conditions.unwrap_or_default(), next));
        }
        Ok(Done::Late) => return Ok(report::late(&context, &reference)),
        Ok(Done::Foreign) => return Ok(report::leave(&context, &reference)),
        Ok(Done::Synced(outcome)) => outcome,
        Err(error) => return failed(&object, &reference, &context, &error).await,
    };
    let has_finalizer = finalize::ensure_if_calm(&object, &context).await;
    let reported = report::external_secret(&object, &reference, &context, outcome).await?;
    context.references.answered(&reference, heard);
    if !has_finalizer {
        let version = reported.version.or_else(|| object.resource_version());
        finalize::ensure_later(&object, &reference, version, &context);
    }
    Ok(reported.again)
}

async fn failed(
    object: &ExternalSecret,
    reference: &ObjectRef,
    context: &Context,
    error: &SyncError,
) -> Result<Again, SyncError> {
    match report::conflict(context, reference, error) {
        Some(again) => Ok(again),
        None => report::external_secret(object, reference, context, Outcome::failed(error))
            .await
            .map(|reported| reported.again),
    }
}

/// What a look led to.
enum Done {
    /// Nothing is due.
    Nothing(Option<Timestamp>),
    /// The object has changed since it was seen; the watch is about to say so.
    Late,
    /// It belongs to another controller class.
    Foreign,
    /// Something was done.
    Synced(Outcome),
}

async fn sync(
    object: &ExternalSecret,
    reference: &ObjectRef,
    context: &Context,
    nudge: Option<Nudge>,
) -> Result<Done, SyncError> {
    if let Some(next) = still(object, reference, context, nudge).await? {
        return Ok(Done::Nothing(next));
    }
    if let Some(done) = look_at(object, reference, context, nudge, DrawnRecord::IfPublished).await? {
        return Ok(done);
    }
    // Only the record of an object whose template is known to draw is asked for.
    let done = look_at(object, reference, context, nudge, DrawnRecord::Read).await?;
    Ok(done.unwrap_or(Done::Late))
}

/// Nothing, if the template drew and the record must be read first.
async fn look_at(
    object: &ExternalSecret,
    reference: &ObjectRef,
    context: &Context,
    nudge: Option<Nudge>,
    drawn: DrawnRecord,
) -> Result<Option<Done>, SyncError> {
    let Some(observed) = observe::observe(object, reference, context, Age::Now, drawn).await? else {
        return Ok(Some(Done::Foreign));
    };
    Ok(Some(match decide(&observed.inputs(nudge, context.clock.now()))? {
        Decision::Wait { next } => Done::Nothing(next),
        Decision::Report { next } => Done::Synced(Outcome::unchanged(next)),
        Decision::Adopt(adopted) => {
            record(&observed, object, context, &adopted).await?;
            let next = look(&observed, context, &adopted);
            Done::Synced(Outcome::adopted(observed.spec.target_name(), next))
        }
        Decision::Refresh(refresh) => {
            if !fresh::may_rotate(context, object, &observed.record, &refresh).await? {
                return Ok(Some(Done::Late));
            }
            return Ok(carry_out(object, context, observed, &refresh).await?.map(Done::Synced));
        }
    }))
}

/// The first look at an object that an earlier process has synced: when to look again, if what was there at the start shows that nothing
/// is due.
async fn still(
    object: &ExternalSecret,
    reference: &ObjectRef,
    context: &Context,
    nudge: Option<Nudge>,
) -> Result<Option<Option<Timestamp>>, SyncError> {
    let namespace = reference.namespace.as_deref().unwrap_or_default();
    let was_synced = Status::of(object.status.as_ref()).refresh_time.is_some();
    if !was_synced || !context.snapshot.holds(namespace, object.target_name()).await {
        return Ok(None);
    }
    let observed = observe::observe(object, reference, context, Age::Start, DrawnRecord::IfPublished).await?;
    Ok(observed.and_then(|observed| match decide(&observed.inputs(nudge, context.clock.now())) {
        Ok(Decision::Wait { next }) => Some(next),
        Ok(Decision::Report { .. } | Decision::Adopt(_) | Decision::Refresh(_)) | Err(_) => None,
    }))
}

/// Prepares the target, and meanwhile sets the finalizer that has to be there before the target is; then the target. Nothing, if the template
/// drew and the record must be read first.
async fn carry_out(
    object: &ExternalSecret,
    context: &Context,
    observed: Observed,
    refresh: &Refresh,
) -> Result<Option<Outcome>, SyncError> {
    let (spec, meta) = (&observed.spec, &observed.meta);
    // Both come to their end: neither is left half way because of the other.
    let (finalizer, prepared) =
        future::join(finalize::ensure(object, context), prepare(object, context, &observed, refresh)).await;
    finalizer?;
    let Some(Prepared { gathered, plan, monitored }) = prepared? else {
        return Ok(None);
    };
    let id = gathered.rotation_id();
    apply::target(&observed, context, &plan).await?;
    let bound = object.status.as_ref().and_then(|status| status.binding.as_ref());
    apply::leftovers(&observed, context, &plan, bound.map(|bound| bound.name.as_str())).await?;
    tracing::info!(
        namespace = meta.namespace,
        name = meta.name,
        cause = refresh.cause.as_str(),
        rotation = id.as_ref().map(|id| id.as_str()),
        plan = report::plan_word(&plan),
        "synced"
    );
    Ok(Some(
        Outcome::synced(&Synced {
            target: spec.target_name(),
            plan: &plan,
            rotated: &gathered.rotated,
            missing: &gathered.missing,
            next: look(&observed, context, &gathered.record),
        })
        .monitored(&monitored),
    ))
}

/// All that is known before anything is written.
struct Prepared {
    gathered: Gathered,
    plan: Plan,
    monitored: Monitored,
}

/// Gather, shape, plan; then the record, so that no value that could not be published is ever recorded, and none is published
/// that is not recorded.
async fn prepare(
    object: &ExternalSecret,
    context: &Context,
    observed: &Observed,
    refresh: &Refresh,
) -> Result<Option<Prepared>, SyncError> {
    let (spec, meta, now) = (&observed.spec, &observed.meta, context.clock.now());
    let mut gathered = gather(&context.sources(), spec, meta, &observed.record, refresh, now).await?;
    let shaped = shape(&context.shapers(), spec, meta, &gathered).await?;
    if shaped.drew && !observed.knows_record {
        return Ok(None);
    }
    gathered.settle_drawing(&observed.record, shaped.drew);
    let plan = plan(spec, meta, &observed.target, &shaped, gathered.rotation_id().as_ref())?;
    if gathered.record_changed {
        record(observed, object, context, &gathered.record).await?;
        context.metrics.rotated("ExternalSecret", refresh.cause.as_str(), gathered.rotated.len());
    }
    Ok(Some(Prepared { gathered, plan, monitored: shaped.monitored }))
}

async fn record(
    observed: &Observed,
    object: &ExternalSecret,
    context: &Context,
    record: &Record,
) -> Result<(), SyncError> {
    write_record(context, "ExternalSecret", &observed.meta, object, observed.record_version.as_ref(), record)
        .await
}

fn look(observed: &Observed, context: &Context, record: &Record) -> Option<Timestamp> {
    let now = context.clock.now();
    let frozen = observed.spec.is_written_once();
    next_look(&observed.spec, &observed.meta, &Found::Found(record.clone()), frozen, now, now)
}

impl Observed {
    fn inputs(&self, nudge: Option<Nudge>, now: Timestamp) -> Inputs<'_> {
        Inputs {
            spec: &self.spec,
            meta: &self.meta,
            status: &self.status,
            record: &self.record,
            target: &self.target,
            config_digests: &self.config_digests,
            nudge,
            now,
        }
    }
}
