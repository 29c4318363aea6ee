//! In which rotation a template draws where no generator's rotation says so: that of its first rendering, until somebody asks for another.
//!
//! Nobody knows before it is rendered whether a template draws, so this is what is recorded if it does. The record holds no value: the
//! operator's key and the id make the same bytes again, and the time is what the template sees as the present.

use api::external_secret::{CreationPolicy, RefreshPolicy};

use super::{Cause, Inputs, Refresh, due};
use crate::ports::{Found, Generated, Occasion};
use crate::rotation::{EntryKey, Held, RecordEntry, RotationId, Trigger};

/// The rotation that a template draws in.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    pub(crate) key: EntryKey,
    /// As the record has it, or is to have it.
    pub(crate) entry: RecordEntry,
    /// Whether it is a new one.
    pub(crate) rotates: bool,
}

impl Drawing {
    /// The occasion, where somebody asked for a new rotation.
    pub(crate) fn forced(&self) -> Option<(&EntryKey, Occasion)> {
        let occasion = self.entry.occasion;
        (self.rotates && occasion == Occasion::Forced).then_some((&self.key, occasion))
    }
}

/// The refresh, with the rotation that the template draws in.
pub(super) fn with_drawing(inputs: &Inputs<'_>, refresh: Refresh) -> Refresh {
    let drawing = drawing(inputs);
    let forced = drawing.as_ref().is_some_and(|drawing| drawing.forced().is_some());
    let cause = if forced && refresh.cause == Cause::MetadataChanged { Cause::Forced } else { refresh.cause };
    Refresh { cause, drawing: drawing.map(Box::new), ..refresh }
}

fn drawing(inputs: &Inputs<'_>) -> Option<Drawing> {
    let target = &inputs.spec.target;
    let publishes = target.template.is_some() && target.creation != CreationPolicy::None;
    if !publishes || inputs.spec.generators().next().is_some() {
        return None;
    }
    let key = EntryKey::template();
    let recorded = match inputs.record {
        Found::Found(record) => record.get(&key),
        Found::Missing => None,
    };
    let (entry, rotates) = match recorded {
        Some(entry) => known(inputs, &key, entry),
        None => unknown(inputs, &key),
    };
    Some(Drawing { key, entry, rotates })
}

/// An annotation that was removed may ask again with the same value.
fn known(inputs: &Inputs<'_>, key: &EntryKey, entry: &RecordEntry) -> (RecordEntry, bool) {
    let fixed = inputs.spec.refresh.policy == RefreshPolicy::CreatedOnce || due::frozen(inputs);
    let asked = inputs.meta.force_sync().filter(|asked| entry.force_sync.as_deref() != Some(*asked));
    match asked.filter(|_| !fixed) {
        Some(asked) => {
            let id = derive(inputs, key, &Trigger::Forced(Some(&entry.id), asked));
            let made = made(inputs, id, Occasion::Forced);
            (RecordEntry { previous: Some(entry.id.clone()), ..made }, true)
        }
        None => {
            let force_sync = inputs.meta.force_sync().map(str::to_owned);
            (RecordEntry { force_sync, ..entry.clone() }, false)
        }
    }
}

/// What the record does not know is new, or its record was lost: then the target tells the id, unless another may have been asked for since.
fn unknown(inputs: &Inputs<'_>, key: &EntryKey) -> (RecordEntry, bool) {
    let published = match inputs.target {
        Found::Found(view) => view.rotation_of(inputs.meta).and_then(RotationId::parse),
        Found::Missing => None,
    };
    let Some((refreshed, version)) = inputs.status.synced() else {
        let first = || derive(inputs, key, &Trigger::Initial(None, inputs.meta.generation));
        let rotates = published.is_none();
        return (made(inputs, published.unwrap_or_else(first), Occasion::Initial), rotates);
    };
    let asked = inputs.meta.force_sync().filter(|_| version != inputs.meta.version());
    match (published, asked) {
        (Some(id), None) => (made(inputs, id, Occasion::Initial), false),
        (Some(id), Some(asked)) => {
            let forced = derive(inputs, key, &Trigger::Forced(Some(&id), asked));
            (RecordEntry { previous: Some(id), ..made(inputs, forced, Occasion::Forced) }, true)
        }
        (None, _) => {
            let known = ["not-drawn".to_owned(), refreshed.as_second().to_string()];
            (made(inputs, derive(inputs, key, &Trigger::Lost(&known)), Occasion::Initial), true)
        }
    }
}

fn derive(inputs: &Inputs<'_>, key: &EntryKey, trigger: &Trigger<'_>) -> RotationId {
    RotationId::derive(&inputs.meta.uid, key, trigger)
}

fn made(inputs: &Inputs<'_>, id: RotationId, occasion: Occasion) -> RecordEntry {
    RecordEntry {
        id,
        previous: None,
        held: Held::Values(Generated::default()),
        config_digest: String::new(),
        occasion,
        rotated_at: inputs.now,
        expires_at: None,
        force_sync: inputs.meta.force_sync().map(str::to_owned),
    }
}
