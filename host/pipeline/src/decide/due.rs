//! Causes that concern the object as a whole, and when to look again.

use api::external_secret::{CreationPolicy, RefreshPolicy};
use jiff::Timestamp;

use super::{Cause, Inputs};
use crate::meta::{Meta, generation_of};
use crate::ports::Found;
use crate::rotation::{Record, RecordEntry};
use crate::schedule;
use crate::spec::{CheckedSpec, Refresh};

/// Why the object as a whole is due, generated values aside.
pub(super) fn object_cause(inputs: &Inputs<'_>) -> Option<Cause> {
    let Some((refreshed, version)) = inputs.status.synced() else {
        let generated = matches!(inputs.record, Found::Found(record) if !record.is_empty());
        return Some(if generated { Cause::StatusLost } else { Cause::FirstSync });
    };
    let causes: [&dyn Fn() -> Option<Cause>; 6] = [
        &|| changed(inputs.meta, version).filter(|_| !once(inputs)),
        &|| target_cause(inputs),
        &|| inputs.nudge.filter(|_| !once(inputs)).map(|_| Cause::Nudged),
        &|| {
            (inputs.spec.refresh.period().is_some() && schedule::is_future(refreshed, inputs.now))
                .then_some(Cause::ClockMoved)
        },
        &|| {
            let slot = store_slot(inputs.spec, inputs.meta, refreshed);
            slot.filter(|slot| passed(&inputs.spec.refresh, *slot, inputs.now)).map(|_| Cause::SlotDue)
        },
        &|| (inputs.status.failed && !once(inputs)).then_some(Cause::Failed),
    ];
    causes.iter().find_map(|cause| cause())
}

/// Whether a slot is over and a refresh may run now.
pub(crate) fn passed(refresh: &Refresh, slot: Timestamp, now: Timestamp) -> bool {
    slot <= now && refresh.windows.as_ref().is_none_or(|windows| windows.permit(now))
}

pub(super) fn once(inputs: &Inputs<'_>) -> bool {
    inputs.spec.refresh.policy == RefreshPolicy::CreatedOnce
}

/// Whether nothing that rotates could ever be published: the target is immutable, as was asked for.
pub(super) fn frozen(inputs: &Inputs<'_>) -> bool {
    inputs.spec.target.immutable && matches!(inputs.target, Found::Found(view) if view.immutable)
}

/// Whether the object is not the one that was carried out.
pub(crate) fn changed(meta: &Meta, version: &str) -> Option<Cause> {
    let same_spec = generation_of(version) == Some(meta.generation);
    (version != meta.version()).then_some(if same_spec { Cause::MetadataChanged } else { Cause::SpecChanged })
}

pub(super) fn target_cause(inputs: &Inputs<'_>) -> Option<Cause> {
    match (inputs.spec.target.creation, inputs.target) {
        (CreationPolicy::None, _) => None,
        (CreationPolicy::Owner | CreationPolicy::CreateOrMerge, Found::Missing) => {
            (!inputs.status.target_deleted).then_some(Cause::TargetMissing)
        }
        // Made again at the next refresh.
        (CreationPolicy::Orphan, Found::Missing) => None,
        // Waits for whoever makes it, and says so once.
        (CreationPolicy::Merge, Found::Missing) => {
            let said = inputs.status.target_missing || inputs.status.target_deleted;
            (!said).then_some(Cause::TargetMissing)
        }
        (creation, Found::Found(view)) => {
            let valid = creation == CreationPolicy::Orphan || (view.is_managed() && view.is_unchanged());
            if valid { unpublished(inputs) } else { Some(Cause::TargetEdited) }
        }
    }
}

/// Whether the target carries another rotation than the record: the writer died between the two.
fn unpublished(inputs: &Inputs<'_>) -> Option<Cause> {
    let (Found::Found(record), Found::Found(view)) = (inputs.record, inputs.target) else {
        return None;
    };
    if frozen(inputs) {
        return None;
    }
    let held = record.entries().all(|(_, entry)| entry.holds_values());
    let id = record.rotation_id().filter(|_| held)?;
    (view.rotation_of(inputs.meta) != Some(id.as_str())).then_some(Cause::Unpublished)
}

/// The next slot of an object whose values all come from stores. One that also generates refreshes when it rotates, which is
/// just as often.
fn store_slot(spec: &CheckedSpec, meta: &Meta, refreshed: Timestamp) -> Option<Timestamp> {
    let period = spec.refresh.period().filter(|_| spec.generators().next().is_none())?;
    Some(schedule::slot_after(refreshed, period, &meta.uid))
}

/// When a generated value is due by its age. A rotation that lies in the future counts from the last refresh.
pub(crate) fn rotation_slot(
    refresh: &Refresh,
    entry: &RecordEntry,
    refreshed: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let trusted =
        if schedule::is_future(entry.rotated_at, now) { refreshed.unwrap_or(now) } else { entry.rotated_at };
    Some(schedule::rotation_after(trusted, refresh.period()?))
}

/// When a generated value is due because it expires.
pub(crate) fn expiry(refresh: &Refresh, entry: &RecordEntry) -> Option<Timestamp> {
    let expires_at = entry.expires_at.filter(|_| refresh.policy != RefreshPolicy::CreatedOnce)?;
    Some(schedule::before_expiry(entry.rotated_at, expires_at))
}

/// When the first of these entries is due.
pub(crate) fn next_rotation<'a>(
    refresh: &Refresh,
    entries: impl Iterator<Item = &'a RecordEntry>,
    refreshed: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    let due = |entry| {
        let slot =
            rotation_slot(refresh, entry, Some(refreshed), now).and_then(|slot| opening(refresh, slot, now));
        slot.into_iter().chain(expiry(refresh, entry)).min()
    };
    entries.filter_map(due).min()
}

/// When a refresh that is due at `slot` may run.
fn opening(refresh: &Refresh, slot: Timestamp, now: Timestamp) -> Option<Timestamp> {
    match &refresh.windows {
        Some(windows) => windows.next_opening(slot.max(now)),
        None => Some(slot),
    }
}

/// When to look again at an object that was refreshed at `refreshed` and has this record. `frozen`: its target cannot change any more.
#[must_use]
pub fn next_look(
    spec: &CheckedSpec,
    meta: &Meta,
    record: &Found<Record>,
    frozen: bool,
    refreshed: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    let slot = store_slot(spec, meta, refreshed).and_then(|slot| opening(&spec.refresh, slot, now));
    let rotation = match record {
        Found::Found(record) if !frozen => {
            let entries = spec.generators().filter_map(|generator| record.get(&generator.key));
            next_rotation(&spec.refresh, entries, refreshed, now)
        }
        Found::Found(_) | Found::Missing => None,
    };
    slot.into_iter().chain(rotation).min()
}

pub(super) fn next(inputs: &Inputs<'_>) -> Option<Timestamp> {
    let refreshed = inputs.status.refresh_time.unwrap_or(inputs.now);
    next_look(inputs.spec, inputs.meta, inputs.record, frozen(inputs), refreshed, inputs.now)
}
