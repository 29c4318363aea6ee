//! Taking over values that only the target has: those that ESO generated, and those whose record was lost.

use api::external_secret::CreationPolicy;

use super::Inputs;
use crate::meta::generation_of;
use crate::ports::{Found, Occasion};
use crate::rotation::{EntryKey, Held, Record, RecordEntry, RotationId, Trigger};
use crate::schedule;
use crate::target::TargetView;

/// The record that says so; none when there is nothing to take over or the target is not intact.
pub(super) fn adoption(inputs: &Inputs<'_>) -> Option<Record> {
    let Found::Found(view) = inputs.target else {
        return None;
    };
    let unrecorded = !matches!(inputs.record, Found::Found(record) if !record.is_empty());
    let generates =
        inputs.spec.generators().next().is_some() && inputs.spec.target.creation != CreationPolicy::None;
    if !(unrecorded && generates && is_intact(inputs, view) && is_carried_out(inputs, view)) {
        return None;
    }
    let mut record = Record::default();
    for generator in inputs.spec.generators() {
        record.set(generator.key.clone(), entry(inputs, view, &generator.key));
    }
    Some(record)
}

/// Whether the values that were written are still there.
fn is_intact(inputs: &Inputs<'_>, view: &TargetView) -> bool {
    let ours = view.is_unchanged() || (inputs.shares_target() && !view.own.data.is_empty());
    view.is_managed() && ours && view.bears_traces_of(inputs.meta)
}

/// Whether the target was made from the spec that the object has now, as far as that can be seen.
fn is_carried_out(inputs: &Inputs<'_>, view: &TargetView) -> bool {
    match inputs.status.synced() {
        Some((_, version)) => {
            generation_of(version) == Some(inputs.meta.generation) || inputs.spec.refresh.period().is_none()
        }
        // Lost status, or an object that was created again. Its template tells keys that must be there.
        None => {
            let template = inputs.spec.target.template.as_ref();
            template.is_none_or(|template| template.data.keys().all(|key| view.data.contains_key(key)))
        }
    }
}

fn entry(inputs: &Inputs<'_>, view: &TargetView, key: &EntryKey) -> RecordEntry {
    let published = view.rotation_of(inputs.meta).filter(|_| inputs.spec.generators().count() == 1);
    let known = [
        "on-target".to_owned(),
        view.rotation_of(inputs.meta).unwrap_or_default().to_owned(),
        inputs.status.refresh_time.map(|time| time.as_second().to_string()).unwrap_or_default(),
    ];
    let derived = || RotationId::derive(&inputs.meta.uid, key, &Trigger::Lost(&known));
    let refreshed = inputs.status.refresh_time.filter(|time| !schedule::is_future(*time, inputs.now));
    RecordEntry {
        id: published.and_then(RotationId::parse).unwrap_or_else(derived),
        previous: None,
        held: Held::OnTarget,
        config_digest: String::new(),
        occasion: Occasion::Initial,
        rotated_at: refreshed.unwrap_or(inputs.now),
        expires_at: None,
        force_sync: honoured(inputs, view),
    }
}

/// The force-sync annotation that the target was made for. A target without a template carries a copy of it; otherwise the
/// present one counts as honoured.
fn honoured(inputs: &Inputs<'_>, view: &TargetView) -> Option<String> {
    let copied = view.annotations.get(api::names::annotation::FORCE_SYNC).cloned();
    let changed = inputs.status.synced().is_some_and(|(_, version)| version != inputs.meta.version());
    if changed && inputs.spec.target.template.is_none() {
        return copied;
    }
    inputs.meta.force_sync().map(str::to_owned)
}
