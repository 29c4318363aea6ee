//! Is a refresh due, why, and which values rotate?
//!
//! A function of what was observed; it reads nothing and knows no clock but `now`. Deciding again on what a decision led to
//! decides nothing. Generated values rotate for the causes that the table in the tests lists and for no other: everything
//! else is rendered again or repaired from the record, and where the record has no value the target is left as it is for
//! as long as it can be.

use std::collections::BTreeMap;

use api::external_secret::CreationPolicy;
use jiff::Timestamp;

use crate::meta::{Meta, Status};
use crate::plan::{PlanError, admit};
use crate::ports::{Found, Occasion};
use crate::rotation::{EntryKey, Record, RotationId};
use crate::spec::{CheckedSpec, GeneratorEntry};
use crate::target::TargetView;

mod adopt;
mod drawing;
mod due;
mod entry;
#[cfg(test)]
mod tests;

pub use drawing::Drawing;
pub use due::next_look;
pub(crate) use due::{changed, next_rotation};
pub(crate) use entry::Judging;

/// Everything that a decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// What is wanted.
    pub spec: &'a CheckedSpec,
    /// Of which object.
    pub meta: &'a Meta,
    /// What was carried out last.
    pub status: &'a Status,
    /// What was generated.
    pub record: &'a Found<Record>,
    /// The target as it is.
    pub target: &'a Found<TargetView>,
    /// Digests of the generators' configs, as far as they are known without asking a generator.
    pub config_digests: &'a BTreeMap<EntryKey, String>,
    /// What the watches told, if they woke us.
    pub nudge: Option<Nudge>,
    /// The time.
    pub now: Timestamp,
}

/// A change of something that the target was made with. Renders again, never rotates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nudge {
    /// A ConfigMap or Secret with templates.
    TemplateSource,
    /// The component of a template engine.
    Component,
    /// A store that is pushed to: its spec.
    Store,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Nothing, before `next`.
    Wait {
        /// When to look again; only a change can make a refresh due when absent.
        next: Option<Timestamp>,
    },
    /// Nothing is due, and the status still says that the last look failed: write the status, and nothing else.
    Report {
        /// When to look again, as above.
        next: Option<Timestamp>,
    },
    /// The target has values that the record does not have: write this record and the status, and leave the target alone.
    Adopt(Record),
    /// Gather, shape, plan, apply.
    Refresh(Refresh),
}

/// A refresh that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Refresh {
    /// Why.
    pub cause: Cause,
    /// What becomes of each generated value, in the order of the entries.
    pub entries: Vec<EntryDecision>,
    /// In which rotation the template draws, if it does and no entry's rotation says so.
    pub drawing: Option<Box<Drawing>>,
}

impl Refresh {
    /// The occasions of what rotates. Whether a template draws for the first time is not known yet.
    pub fn rotations(&self) -> impl Iterator<Item = (&EntryKey, Occasion)> {
        let entries = self.entries.iter().filter_map(|entry| match &entry.action {
            Action::Keep => None,
            Action::Rotate { occasion, .. } => Some((&entry.key, *occasion)),
        });
        entries.chain(self.drawing.iter().filter_map(|drawing| drawing.forced()))
    }
}

/// What becomes of one entry's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDecision {
    /// Which entry.
    pub key: EntryKey,
    /// What becomes of it.
    pub action: Action,
}

/// Keep or rotate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The record has the values.
    Keep,
    /// New values.
    Rotate {
        /// The rotation's name.
        id: RotationId,
        /// Why.
        occasion: Occasion,
    },
}

macro_rules! causes {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal,)*) => {
        /// Why a refresh is due.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Cause { $($(#[doc = $doc])* $name,)* }

        impl Cause {
            /// The kebab-case word, for logs and metrics.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Cause::$name => $word,)* }
            }
        }
    };
}

causes! {
    /// The object was never carried out.
    FirstSync = "first-sync",
    /// The status does not say what was carried out.
    StatusLost = "status-lost",
    /// The spec changed.
    SpecChanged = "spec-changed",
    /// Labels or annotations changed.
    MetadataChanged = "metadata-changed",
    /// The force-sync annotation changed.
    Forced = "forced",
    /// An entry names a generator that it did not name before.
    GeneratorChanged = "generator-changed",
    /// A generator's config changed and the object asks to rotate then.
    ConfigChanged = "config-changed",
    /// A value is about to expire.
    Expired = "expired",
    /// A value is neither in the record nor on the target.
    ValueLost = "value-lost",
    /// The interval is over.
    SlotDue = "slot-due",
    /// The last refresh lies in the future: the clock was set back.
    ClockMoved = "clock-moved",
    /// The target does not exist.
    TargetMissing = "target-missing",
    /// The target is not what was written.
    TargetEdited = "target-edited",
    /// The last look failed, and nothing else is due: the condition still says so.
    Failed = "failed-before",
    /// The record is ahead of the target: a rotation was not carried to its end.
    Unpublished = "unpublished",
    /// A template source, a component or a store changed.
    Nudged = "nudged",
    /// The source of a PushSecret changed.
    SourceChanged = "source-changed",
}

/// Decides.
///
/// # Errors
/// When the target belongs to somebody else: then nothing is read and nothing generated for it.
pub fn decide(inputs: &Inputs<'_>) -> Result<Decision, PlanError> {
    admit(inputs.spec, inputs.meta, inputs.target)?;
    if let Some(record) = adopt::adoption(inputs) {
        return Ok(Decision::Adopt(record));
    }
    let generators: Vec<_> = inputs.spec.generators().collect();
    let judging = inputs.judging(&generators);
    let verdicts = judging.judge();
    let cause = due::object_cause(inputs).or_else(|| verdicts.cause());
    let refresh = cause.and_then(|cause| verdicts.settle(&judging, cause, needed(inputs, cause)));
    let refresh = refresh.map(|refresh| drawing::with_drawing(inputs, refresh));
    Ok(match (refresh, cause) {
        (Some(refresh), _) => Decision::Refresh(refresh),
        // The status is written anew; the values stay where they are.
        (None, Some(Cause::StatusLost | Cause::ClockMoved | Cause::Failed)) => match inputs.record {
            Found::Found(record) => Decision::Adopt(record.clone()),
            Found::Missing => Decision::Wait { next: None },
        },
        (None, _) if inputs.status.failed => Decision::Report { next: due::next(inputs) },
        (None, _) => Decision::Wait { next: due::next(inputs) },
    })
}

/// Whether generated values are needed now although only the target has them: for the cause, or for what happened to the target, which
/// the cause may hide.
fn needed(inputs: &Inputs<'_>, cause: Cause) -> bool {
    needs_values(inputs, cause) || due::target_cause(inputs).is_some_and(|cause| needs_values(inputs, cause))
}

fn needs_values(inputs: &Inputs<'_>, cause: Cause) -> bool {
    match cause {
        // An edit of somebody else's key in a shared target leaves ours where they are.
        Cause::TargetEdited => {
            let ours = matches!(inputs.target, Found::Found(view) if !view.own.data.is_empty());
            !(inputs.shares_target() && ours)
        }
        Cause::TargetMissing => true,
        // ESO ignores a new spec when there is no interval; a value that was taken over from it stays as safe as it was.
        Cause::SpecChanged => inputs.spec.refresh.period().is_some(),
        Cause::FirstSync
        | Cause::StatusLost
        | Cause::MetadataChanged
        | Cause::Forced
        | Cause::GeneratorChanged
        | Cause::ConfigChanged
        | Cause::Expired
        | Cause::ValueLost
        | Cause::SlotDue
        | Cause::ClockMoved
        | Cause::Failed
        | Cause::Unpublished
        | Cause::Nudged
        | Cause::SourceChanged => false,
    }
}

impl<'a> Inputs<'a> {
    fn judging<'b>(&self, generators: &'b [&'b GeneratorEntry]) -> Judging<'b>
    where
        'a: 'b,
    {
        let published = match self.target {
            Found::Found(view) => view.rotation_of(self.meta),
            Found::Missing => None,
        };
        Judging {
            generators,
            refresh: &self.spec.refresh,
            meta: self.meta,
            status: self.status,
            record: self.record,
            published,
            frozen: due::frozen(self),
            config_digests: self.config_digests,
            now: self.now,
        }
    }

    /// Whether others have keys in the target too.
    fn shares_target(&self) -> bool {
        matches!(self.spec.target.creation, CreationPolicy::Merge | CreationPolicy::CreateOrMerge)
    }
}
