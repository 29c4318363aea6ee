//! The seven verbs for one PushSecret.
//!
//! What is generated is recorded first, as for an ExternalSecret. What was pushed by this process is remembered by version of the
//! source, so that a look that finds it unchanged asks no store.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use api::PushSecret;
use api::push_secret::SyncedPushSecrets;
use jiff::Timestamp;
use kube::ResourceExt;
use pipeline::{
    Delivery, Failure, Found, GatheredPush, Marks, Meta, Monitored, ObjectRef, Origin, Outcome, Precondition,
    PushDecision, PushDrawing, PushEntry, PushInputs, Reason, Record, Refresh, Rotated, StoreView,
    announcement, decide_push, deliver, entries, gather_push, next_push, selected_stores,
    settle_push_drawings, shape_push,
};

use crate::context::Context;
use crate::external_secret::write_record;
use crate::failure::SyncError;
use crate::fresh;
use crate::queue::Again;
use crate::report;
use crate::secret_store;
use crate::secrets::{Age, Reading};

mod finalize;
mod guard;
mod observe;

use guard::Guard;
use observe::Observed;

/// Looks at one object and does what is due.
pub(crate) async fn reconcile(object: Arc<PushSecret>, context: Arc<Context>) -> Result<Again, SyncError> {
    let reference = crate::reference::<PushSecret>(&object.metadata);
    let began = context.clock.now();
    let objects = context.within(&object.namespace().unwrap_or_default());
    let Some(object) = fresh::present(&context, &reference, objects, object).await else {
        return Ok(report::leave(&context, &reference));
    };
    if object.metadata.deletion_timestamp.is_some() {
        return match finalize::finalize(&object, &reference, &context, began).await {
            Ok(again) => Ok(again),
            Err(error) => failed(&object, &reference, &context, began, &error).await,
        };
    }
    let heard = context.references.nudge(&reference);
    let done = match sync(&object, &reference, &context, heard.map(|heard| heard.nudge)).await {
        Ok(Some(done)) => done,
        Ok(None) => return Ok(report::leave(&context, &reference)),
        Err(error) => return failed(&object, &reference, &context, began, &error).await,
    };
    match done {
        Done::Late => Ok(report::late(&context, &reference)),
        Done::Overtaken => Ok(report::again(&context, &reference)),
        Done::Nothing(next) => {
            context.references.answered(&reference, heard);
            let conditions = object.status.as_ref().map(|status| status.conditions.as_slice());
            Ok(report::wait(&context, &reference, conditions.unwrap_or_default(), next))
        }
        Done::Reported(outcome, in_stores) => {
            let in_stores = in_stores.as_ref();
            let again = report::push_secret(&object, &reference, &context, began, outcome, in_stores).await?;
            context.references.answered(&reference, heard);
            Ok(again)
        }
    }
}

async fn failed(
    object: &PushSecret,
    reference: &ObjectRef,
    context: &Context,
    began: Timestamp,
    error: &SyncError,
) -> Result<Again, SyncError> {
    match report::conflict(context, reference, error) {
        Some(again) => Ok(again),
        None => {
            report::push_secret(object, reference, context, began, Outcome::push_failed(error), None).await
        }
    }
}

/// What a look led to.
enum Done {
    /// Nothing is due.
    Nothing(Option<Timestamp>),
    /// The object has changed since it was seen; the watch is about to say so.
    Late,
    /// The source has changed since it was read.
    Overtaken,
    /// Something was done; what the stores have now, when that is known.
    Reported(Outcome, Option<InStores>),
}

/// What is in the stores, as the status tells it.
pub(crate) struct InStores {
    /// What it says now.
    pub(crate) said: SyncedPushSecrets,
    /// What it is to say.
    pub(crate) found: SyncedPushSecrets,
}

/// Nothing when the object belongs to another controller class.
async fn sync(
    object: &PushSecret,
    reference: &ObjectRef,
    context: &Context,
    nudge: Option<pipeline::Nudge>,
) -> Result<Option<Done>, SyncError> {
    let Some(observed) = observe::observe(object, reference, context).await? else {
        return Ok(None);
    };
    finalize::ensure(object, context).await?;
    let last_pushed = context.pushed.version(&observed.meta.uid);
    let inputs = observed.inputs(last_pushed.as_deref(), nudge, context.clock.now());
    let done = match decide_push(&inputs)? {
        PushDecision::Wait { next } => Done::Nothing(next),
        PushDecision::Adopt(record) => {
            write_record(
                context,
                "PushSecret",
                &observed.meta,
                object,
                observed.record_version.as_ref(),
                &record,
            )
            .await?;
            let next = look(&observed, context, &record);
            Done::Reported(Outcome::pushed(0, 0, &[], next), None)
        }
        PushDecision::Push(refresh) => {
            if !fresh::may_rotate(context, object, &observed.record, &refresh).await? {
                return Ok(Some(Done::Late));
            }
            push(object, reference, context, &observed, &refresh, &inputs.source_version()).await?
        }
        PushDecision::Withdraw => withdraw(context, &observed).await,
    };
    Ok(Some(done))
}

/// Gather and shape; then the record, as for an ExternalSecret; then the stores.
async fn push(
    object: &PushSecret,
    reference: &ObjectRef,
    context: &Context,
    observed: &Observed,
    refresh: &Refresh,
    version: &str,
) -> Result<Done, SyncError> {
    let (spec, meta, now) = (&observed.spec, &observed.meta, context.clock.now());
    let generators = &context.ports.generators;
    let mut gathered = gather_push(generators, spec, meta, &observed.record, refresh, now).await?;
    let drawings = Drawings::of(observed, reference, context, now).await?;
    let shaped = entries_by_store(context, observed, &gathered, &drawings, now).await?;
    let ShapedPush { wanted, monitored, drew } = shaped;
    if gathered.record_changed {
        let expected = observed.record_version.as_ref();
        write_record(context, "PushSecret", meta, object, expected, &gathered.record).await?;
        context.metrics.rotated("PushSecret", refresh.cause.as_str(), gathered.rotated.len());
    }
    if let Some((record, rotated)) = drawings.settle(&drew) {
        write_record(context, "PushSecret", meta, object, drawings.version.as_ref(), &record).await?;
        context.metrics.rotated("PushSecret", refresh.cause.as_str(), rotated.len());
        gathered.rotated = rotated;
    }
    if spec.deletes() {
        secret_store::hold(wanted.iter().map(|(store, _)| &store.name), &meta.namespace, context).await;
    }
    let announcement = announcement(spec, &observed.synced, &wanted);
    let announced = AtomicBool::new(false);
    let guard = Guard { context, reference, observed, record: &gathered.record, announcement, announced };
    let delivery = Delivery { meta, spec, before: &observed.synced, wanted: &wanted, guard: &guard };
    let mut delivered = deliver(context.ports.push_stores.as_ref(), &delivery).await;
    let in_stores = InStores { said: guard.said(), found: std::mem::take(&mut delivered.synced) };
    for failure in delivered.failures.iter().skip(1) {
        tracing::warn!(object = meta.name, reason = %failure.reason(), "{}", pipeline::message(failure));
    }
    if let Some(failure) = delivered.failures.first() {
        // No version of a source: the next look pushes again, whatever it was that this push was for.
        context.pushed.remember(&meta.uid, String::new());
        let overtaken = delivered.failures.iter().any(|failure| failure.reason() == Reason::ClusterConflict);
        return Ok(match overtaken {
            true => Done::Overtaken,
            false => Done::Reported(Outcome::push_failed(failure), Some(in_stores)),
        });
    }
    let rotation = gathered.record.rotation_id();
    context.pushed.remember(&meta.uid, rotation.map_or_else(|| version.to_owned(), |id| id.to_string()));
    tracing::info!(
        namespace = meta.namespace,
        name = meta.name,
        cause = refresh.cause.as_str(),
        written = delivered.written,
        unchanged = delivered.unchanged,
        "pushed"
    );
    let next = look(observed, context, &gathered.record);
    let outcome = Outcome::pushed(delivered.written, delivered.unchanged, &gathered.rotated, next);
    let outcome = outcome.monitored(&monitored);
    Ok(Done::Reported(outcome, Some(in_stores)))
}

/// Shapes every source; all entries of all stores at once, so that nothing is withdrawn for one source that another wants.
async fn entries_by_store(
    context: &Context,
    observed: &Observed,
    gathered: &GatheredPush,
    drawings: &Drawings,
    now: Timestamp,
) -> Result<ShapedPush, SyncError> {
    let (spec, meta) = (&observed.spec, &observed.meta);
    let selected = selected_stores(spec, &observed.stores)?;
    let mut monitored = Monitored::default();
    let mut wanted: Vec<Wanted> = selected.iter().map(|store| (store.clone(), Vec::new())).collect();
    let mut drew = Vec::new();
    for (origin, fields) in observed.origins(gathered, drawings, now) {
        let generated = if origin.version.is_none() { gathered.generated.as_slice() } else { &[] };
        let shaped = shape_push(&context.shapers(), spec, meta, origin, (&fields, generated)).await?;
        drew.push(shaped.drew);
        monitored.extend(shaped.monitored.clone());
        for (store, list) in &mut wanted {
            for entry in entries(spec, &shaped, store, &selected)? {
                list.push((entry, shaped.marks.clone()));
            }
        }
    }
    Ok(ShapedPush { wanted, monitored, drew })
}

/// All sources, shaped.
struct ShapedPush {
    wanted: Vec<Wanted>,
    monitored: Monitored,
    /// Of each source, whether the template drew.
    drew: Vec<bool>,
}

/// In which rotation the template draws, for each source that is a Secret; none without a template.
struct Drawings {
    of: Vec<PushDrawing>,
    /// The record that was read.
    record: Found<Record>,
    version: Option<Precondition>,
}

impl Drawings {
    async fn of(
        observed: &Observed,
        reference: &ObjectRef,
        context: &Context,
        now: Timestamp,
    ) -> Result<Self, SyncError> {
        let Observed { spec, meta, status, sources, .. } = observed;
        if !spec.has_template() || spec.generator().is_some() {
            return Ok(Self { of: Vec::new(), record: Found::Missing, version: None });
        }
        let (record, version) = Reading::new(context, reference, Age::Now).record(meta).await?;
        let of = sources.iter().map(|source| PushDrawing::of(meta, status, source, &record, now)).collect();
        Ok(Self { of, record, version })
    }

    /// What is to be recorded, if that is news.
    fn settle(&self, drew: &[bool]) -> Option<(Record, Vec<Rotated>)> {
        if self.of.is_empty() {
            return None;
        }
        settle_push_drawings(&self.record, self.of.iter().cloned().zip(drew.iter().copied()).collect())
    }
}

/// What a store is to get.
type Wanted = (StoreView, Vec<(PushEntry, Marks)>);

async fn withdraw(context: &Context, observed: &Observed) -> Done {
    let stores = context.ports.push_stores.as_ref();
    let delivered = pipeline::withdraw_all(stores, &observed.meta, &observed.synced).await;
    context.pushed.forget(&observed.meta.uid);
    let outcome = match delivered.failures.first() {
        Some(failure) => Outcome::push_failed(failure),
        None => Outcome::source_deleted(&observed.source_name()),
    };
    Done::Reported(outcome, Some(InStores { said: observed.synced.clone(), found: delivered.synced }))
}

fn look(observed: &Observed, context: &Context, record: &Record) -> Option<Timestamp> {
    let now = context.clock.now();
    next_push(&observed.spec, &observed.meta, &Found::Found(record.clone()), now, now)
}

impl Observed {
    fn inputs<'a>(
        &'a self,
        last_pushed: Option<&'a str>,
        nudge: Option<pipeline::Nudge>,
        now: Timestamp,
    ) -> PushInputs<'a> {
        PushInputs {
            spec: &self.spec,
            meta: &self.meta,
            status: &self.status,
            synced: &self.synced,
            sources: &self.sources,
            record: &self.record,
            config_digests: &self.config_digests,
            last_pushed,
            nudge,
            now,
        }
    }

    /// Each source with its values.
    fn origins<'a>(
        &'a self,
        gathered: &'a GatheredPush,
        drawings: &'a Drawings,
        now: Timestamp,
    ) -> Vec<(Origin<'a>, pipeline::Fields)> {
        if let Some(generator) = self.spec.generator() {
            let entry = gathered.record.get(&generator.key);
            let rotation = entry.map(|entry| entry.id.as_str());
            let origin = Origin {
                name: &generator.name,
                version: None,
                rotation,
                drawn_in: rotation.unwrap_or_default(),
                time: entry.map_or(now, |entry| entry.rotated_at),
            };
            return vec![(origin, gathered.fields.clone())];
        }
        // Without a template nothing is drawn.
        let drawn = drawings.of.iter().map(Some).chain(std::iter::repeat(None));
        let origin = |(source, drawing): (&'a pipeline::SourceSecret, Option<&'a PushDrawing>)| {
            let origin = Origin {
                name: &source.name,
                version: Some(&source.resource_version),
                rotation: source.rotation.as_deref(),
                drawn_in: drawing.map(PushDrawing::id).unwrap_or_default(),
                time: drawing.map_or(now, PushDrawing::time),
            };
            (origin, source.data.clone())
        };
        self.sources.iter().zip(drawn).map(origin).collect()
    }
}

/// Which version of its source each object has pushed, in this process.
#[derive(Debug, Default)]
pub(crate) struct Pushed {
    versions: Mutex<HashMap<String, String>>,
}

impl Pushed {
    fn version(&self, uid: &str) -> Option<String> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).get(uid).cloned()
    }

    fn remember(&self, uid: &str, version: String) {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).insert(uid.to_owned(), version);
    }

    pub(crate) fn forget(&self, uid: &str) {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }
}

/// For the finalizer: the object's identity.
fn meta(object: &PushSecret) -> Meta {
    Meta::from(&object.metadata)
}
