//! What becomes of each generated value. ExternalSecrets and PushSecrets ask alike.

use std::collections::BTreeMap;

use api::external_secret::RefreshPolicy;
use jiff::Timestamp;

use super::{Action, Cause, EntryDecision, Refresh, due};
use crate::meta::{Meta, Status};
use crate::ports::{Found, Occasion};
use crate::rotation::{EntryKey, Record, RecordEntry, RotationId, Trigger};
use crate::spec::{self, GeneratorEntry};

/// What a verdict depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judging<'a> {
    pub(crate) generators: &'a [&'a GeneratorEntry],
    pub(crate) refresh: &'a spec::Refresh,
    pub(crate) meta: &'a Meta,
    pub(crate) status: &'a Status,
    pub(crate) record: &'a Found<Record>,
    /// The rotation id on the target.
    pub(crate) published: Option<&'a str>,
    /// Whether a new value could not be published anyway.
    pub(crate) frozen: bool,
    pub(crate) config_digests: &'a BTreeMap<EntryKey, String>,
    pub(crate) now: Timestamp,
}

/// One verdict per entry, before it is known whether the object is refreshed at all.
#[derive(Debug)]
pub(crate) struct Verdicts(Vec<(EntryKey, Verdict)>);

#[derive(Debug)]
enum Verdict {
    /// The record has the values.
    Keep,
    /// Only the target has them.
    OnTarget,
    /// New values are due.
    Rotate { id: RotationId, occasion: Occasion, cause: Cause },
}

impl<'a> Judging<'a> {
    /// Looks at each entry by itself.
    pub(crate) fn judge(&self) -> Verdicts {
        let verdict = |generator: &GeneratorEntry| match self.entry(&generator.key) {
            None => self.unknown(&generator.key),
            Some(entry) => match self.rotation(generator, entry) {
                Some((trigger, occasion, cause)) => self.rotate(&generator.key, &trigger, occasion, cause),
                None if entry.holds_values() => Verdict::Keep,
                None => Verdict::OnTarget,
            },
        };
        Verdicts(
            self.generators.iter().map(|generator| (generator.key.clone(), verdict(generator))).collect(),
        )
    }

    fn entry(&self, key: &EntryKey) -> Option<&'a RecordEntry> {
        match self.record {
            Found::Found(record) => record.get(key),
            Found::Missing => None,
        }
    }

    fn rotate(&self, key: &EntryKey, trigger: &Trigger<'_>, occasion: Occasion, cause: Cause) -> Verdict {
        Verdict::Rotate { id: RotationId::derive(&self.meta.uid, key, trigger), occasion, cause }
    }

    /// An entry that the record does not know: new, or its record was lost.
    fn unknown(&self, key: &EntryKey) -> Verdict {
        let had_values = self.status.synced().is_some() || self.published.is_some();
        match self.record {
            Found::Found(record) if !record.is_empty() => {
                let others = record.rotation_id();
                let trigger = Trigger::Initial(others.as_ref(), self.meta.generation);
                self.rotate(key, &trigger, Occasion::Initial, Cause::GeneratorChanged)
            }
            _ if had_values => self.lost(key),
            _ => {
                let trigger = Trigger::Initial(None, self.meta.generation);
                self.rotate(key, &trigger, Occasion::Initial, Cause::FirstSync)
            }
        }
    }

    fn lost(&self, key: &EntryKey) -> Verdict {
        let entry = self.entry(key).map(|entry| entry.id.to_string());
        let published = self.published.map(str::to_owned);
        let refreshed = self.status.refresh_time.map(|time| time.as_second().to_string());
        let known = [entry, published, refreshed].map(Option::unwrap_or_default);
        self.rotate(key, &Trigger::Lost(&known), Occasion::ValueLost, Cause::ValueLost)
    }

    /// Whether the values that the entry has are to be replaced.
    fn rotation(
        &self,
        generator: &GeneratorEntry,
        entry: &'a RecordEntry,
    ) -> Option<(Trigger<'a>, Occasion, Cause)> {
        if self.refresh.policy == RefreshPolicy::CreatedOnce || self.frozen {
            return None;
        }
        let is_past = |time: Timestamp| time <= self.now;
        if let Some(asked) =
            self.meta.force_sync().filter(|asked| entry.force_sync.as_deref() != Some(*asked))
        {
            Some((Trigger::Forced(Some(&entry.id), asked), Occasion::Forced, Cause::Forced))
        } else if due::expiry(self.refresh, entry).is_some_and(is_past) {
            Some((Trigger::Expiry(&entry.id), Occasion::Expired, Cause::Expired))
        } else if let Some(digest) = self.new_config(generator, entry) {
            Some((Trigger::Config(&entry.id, digest), Occasion::ConfigChanged, Cause::ConfigChanged))
        } else {
            let slot = due::rotation_slot(self.refresh, entry, self.status.refresh_time, self.now)?;
            let due = due::passed(self.refresh, slot, self.now);
            due.then_some((Trigger::Slot(&entry.id), Occasion::Scheduled, Cause::SlotDue))
        }
    }

    /// The digest of a config that changed, where the object asks to rotate then.
    fn new_config(&self, generator: &GeneratorEntry, entry: &RecordEntry) -> Option<&'a str> {
        let digest =
            self.config_digests.get(&generator.key).filter(|_| self.meta.rotates_on_config_change())?;
        (entry.holds_values() && *digest != entry.config_digest).then_some(digest)
    }
}

impl Verdicts {
    /// Why the object is due because of its generated values.
    pub(crate) fn cause(&self) -> Option<Cause> {
        self.0.iter().find_map(|(_, verdict)| match verdict {
            Verdict::Rotate { cause, .. } => Some(*cause),
            Verdict::Keep | Verdict::OnTarget => None,
        })
    }

    /// The refresh, unless it would need a value that only the target has and that can stay there. `needed`: whether it
    /// cannot, for the sake of the object as a whole.
    pub(crate) fn settle(self, judging: &Judging<'_>, cause: Cause, needed: bool) -> Option<Refresh> {
        let rotation = self.cause();
        let needed = needed || rotation.is_some();
        // A rotation says more than what merely came with it.
        let cause = match (rotation, cause) {
            (
                Some(rotation),
                Cause::MetadataChanged
                | Cause::StatusLost
                | Cause::Failed
                | Cause::Nudged
                | Cause::SpecChanged
                | Cause::SourceChanged,
            ) => rotation,
            (_, cause) => cause,
        };
        let settle = |(key, verdict)| {
            let verdict = match verdict {
                Verdict::OnTarget if needed => judging.lost(&key),
                verdict => verdict,
            };
            let action = match verdict {
                Verdict::Keep => Action::Keep,
                Verdict::Rotate { id, occasion, .. } => Action::Rotate { id, occasion },
                Verdict::OnTarget => return None,
            };
            Some(EntryDecision { key, action })
        };
        let entries = self.0.into_iter().map(settle).collect::<Option<Vec<_>>>()?;
        Some(Refresh { cause, entries, drawing: None })
    }
}
