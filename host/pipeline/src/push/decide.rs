//! Is a push due, and why?

use std::collections::BTreeMap;

use api::push_secret::SyncedPushSecrets;
use jiff::{SignedDuration, Timestamp};

use super::error::PushError;
use super::spec::{CheckedPush, SourceName, SourceSecret};
use crate::decide::{Cause, Judging, Nudge, Refresh, changed, next_rotation};
use crate::failure::ObjectRef;
use crate::meta::{Meta, Status, generation_of};
use crate::ports::{Found, Occasion};
use crate::rotation::{EntryKey, Held, Record, RecordEntry, RotationId, Trigger};
use crate::schedule;
use crate::spec::GeneratorEntry;

/// So far the API server's clock and ours may be apart before a change that was missed waits for its slot.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(1);

/// Everything that a decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct PushInputs<'a> {
    /// What is wanted.
    pub spec: &'a CheckedPush,
    /// Of which object.
    pub meta: &'a Meta,
    /// What was carried out last.
    pub status: &'a Status,
    /// What the status says is in the stores.
    pub synced: &'a SyncedPushSecrets,
    /// The source Secrets that exist, by name; none when a generator is the source.
    pub sources: &'a [SourceSecret],
    /// What was generated.
    pub record: &'a Found<Record>,
    /// Digests of the generators' configs, as far as they are known.
    pub config_digests: &'a BTreeMap<EntryKey, String>,
    /// `PushInputs::source_version` at the last push of this process; none after a start.
    pub last_pushed: Option<&'a str>,
    /// What the watches told, if they woke us.
    pub nudge: Option<Nudge>,
    /// The time.
    pub now: Timestamp,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum PushDecision {
    /// Nothing, before `next`.
    Wait {
        /// When to look again.
        next: Option<Timestamp>,
    },
    /// Only the stores have the generated values: write this record and the status, and leave the stores alone.
    Adopt(Record),
    /// Gather, shape, deliver.
    Push(Refresh),
    /// The source is gone: delete from the stores all that was pushed.
    Withdraw,
}

impl PushInputs<'_> {
    /// Which versions of the sources these are, or which rotation.
    #[must_use]
    pub fn source_version(&self) -> String {
        match (&self.spec.source, self.record) {
            (SourceName::Generator(_), Found::Found(record)) => {
                record.rotation_id().map(|id| id.to_string()).unwrap_or_default()
            }
            (SourceName::Generator(_), Found::Missing) => String::new(),
            (SourceName::Secret(_) | SourceName::Secrets(_), _) => {
                let versions =
                    self.sources.iter().map(|source| format!("{}@{}", source.name, source.resource_version));
                versions.collect::<Vec<_>>().join(",")
            }
        }
    }

    fn changed_at(&self) -> Option<Timestamp> {
        match (&self.spec.source, self.record) {
            (SourceName::Generator(_), Found::Found(record)) => record
                .entries()
                .filter(|(_, entry)| entry.holds_values())
                .map(|(_, entry)| entry.rotated_at)
                .max(),
            (SourceName::Generator(_), Found::Missing) => None,
            (SourceName::Secret(_) | SourceName::Secrets(_), _) => {
                // One that does not tell counts as changed.
                let times = self.sources.iter().map(|source| source.changed_at.unwrap_or(Timestamp::MAX));
                times.max()
            }
        }
    }
}

/// Decides.
///
/// # Errors
/// When the source does not exist and nothing is to be withdrawn for it.
pub fn decide_push(inputs: &PushInputs<'_>) -> Result<PushDecision, PushError> {
    if let Some(absent) = absent_source(inputs) {
        return match inputs.spec.source {
            _ if !inputs.synced.is_empty() && inputs.spec.deletes() => Ok(PushDecision::Withdraw),
            _ if inputs.status.source_deleted && inputs.spec.deletes() => {
                Ok(PushDecision::Wait { next: None })
            }
            _ => Err(PushError::SourceMissing { source_secret: absent }),
        };
    }
    let generators: Vec<&GeneratorEntry> = inputs.spec.generator().into_iter().collect();
    if let Some(record) = adoption(inputs, &generators) {
        return Ok(PushDecision::Adopt(record));
    }
    let judging = judging(inputs, &generators);
    let verdicts = judging.judge();
    let cause = object_cause(inputs).or_else(|| verdicts.cause());
    let needed = cause == Some(Cause::SpecChanged) && inputs.spec.refresh.period().is_some();
    let refresh = cause.and_then(|cause| verdicts.settle(&judging, cause, needed));
    Ok(match (refresh, cause, inputs.record) {
        (Some(refresh), _, _) => PushDecision::Push(refresh),
        (None, Some(Cause::StatusLost | Cause::ClockMoved | Cause::Failed), Found::Found(record)) => {
            PushDecision::Adopt(record.clone())
        }
        (None, _, _) => {
            let refreshed = inputs.status.refresh_time.unwrap_or(inputs.now);
            PushDecision::Wait {
                next: next_push(inputs.spec, inputs.meta, inputs.record, refreshed, inputs.now),
            }
        }
    })
}

fn absent_source(inputs: &PushInputs<'_>) -> Option<ObjectRef> {
    let namespace = &inputs.meta.namespace;
    match &inputs.spec.source {
        SourceName::Generator(_) => None,
        _ if !inputs.sources.is_empty() => None,
        SourceName::Secret(name) => Some(ObjectRef::namespaced("Secret", namespace, name)),
        SourceName::Secrets(_) => Some(ObjectRef::namespaced("Secret", namespace, "(by labels)")),
    }
}

fn judging<'a>(inputs: &PushInputs<'a>, generators: &'a [&'a GeneratorEntry]) -> Judging<'a> {
    Judging {
        generators,
        refresh: &inputs.spec.refresh,
        meta: inputs.meta,
        status: inputs.status,
        record: inputs.record,
        published: None,
        frozen: false,
        config_digests: inputs.config_digests,
        now: inputs.now,
    }
}

fn object_cause(inputs: &PushInputs<'_>) -> Option<Cause> {
    let Some((refreshed, version)) = inputs.status.synced() else {
        let generated = matches!(inputs.record, Found::Found(record) if !record.is_empty());
        return Some(if generated { Cause::StatusLost } else { Cause::FirstSync });
    };
    let period = inputs.spec.refresh.period();
    let slot = period
        .filter(|_| inputs.spec.generator().is_none())
        .map(|period| schedule::slot_after(refreshed, period, &inputs.meta.uid));
    changed(inputs.meta, version)
        .or_else(|| source_changed(inputs, refreshed).then_some(Cause::SourceChanged))
        .or_else(|| inputs.nudge.map(|_| Cause::Nudged))
        .or_else(|| {
            (period.is_some() && schedule::is_future(refreshed, inputs.now)).then_some(Cause::ClockMoved)
        })
        .or_else(|| slot.filter(|slot| *slot <= inputs.now).map(|_| Cause::SlotDue))
        .or_else(|| inputs.status.failed.then_some(Cause::Failed))
}

/// After a start it is not known what was pushed: the time of the last write decides. It is the API server's time, to the second, and that
/// of the push is ours; where it decides wrongly the comparison with the store finds no difference.
fn source_changed(inputs: &PushInputs<'_>, refreshed: Timestamp) -> bool {
    match inputs.last_pushed {
        Some(pushed) => pushed != inputs.source_version(),
        None => inputs.changed_at().is_some_and(|changed| {
            changed.saturating_add(CLOCKS_APART).is_ok_and(|latest| latest >= refreshed)
        }),
    }
}

/// Values that ESO generated and pushed, or whose record was lost: they stay in the stores until the next slot.
fn adoption(inputs: &PushInputs<'_>, generators: &[&GeneratorEntry]) -> Option<Record> {
    let unrecorded = !matches!(inputs.record, Found::Found(record) if !record.is_empty());
    let (refreshed, version) = inputs.status.synced().filter(|_| unrecorded && !inputs.synced.is_empty())?;
    let same = generation_of(version) == Some(inputs.meta.generation);
    let generator = generators.first().filter(|_| same || inputs.spec.refresh.period().is_none())?;
    let known = ["on-target".to_owned(), refreshed.as_second().to_string()];
    let mut record = Record::default();
    let entry = RecordEntry {
        id: RotationId::derive(&inputs.meta.uid, &generator.key, &Trigger::Lost(&known)),
        previous: None,
        held: Held::OnTarget,
        config_digest: String::new(),
        occasion: Occasion::Initial,
        rotated_at: refreshed.min(inputs.now),
        expires_at: None,
        force_sync: inputs.meta.force_sync().map(str::to_owned),
    };
    record.set(generator.key.clone(), entry);
    Some(record)
}

/// When to look again at a PushSecret that was pushed at `refreshed` and has this record.
#[must_use]
pub fn next_push(
    spec: &CheckedPush,
    meta: &Meta,
    record: &Found<Record>,
    refreshed: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    match (spec.generator(), record) {
        (None, _) => Some(schedule::slot_after(refreshed, spec.refresh.period()?, &meta.uid)),
        (Some(generator), Found::Found(record)) => {
            next_rotation(&spec.refresh, record.get(&generator.key).into_iter(), refreshed, now)
        }
        (Some(_), Found::Missing) => None,
    }
}
