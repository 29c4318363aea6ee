//! Values from generators: kept from the record, or made anew.

use jiff::Timestamp;

use super::remote::FromStores;
use super::renaming::rename;
use super::{GatherError, Gathered, Rotated, Sources};
use crate::decide::{Action, EntryDecision, Refresh};
use crate::field::Fields;
use crate::meta::Meta;
use crate::ports::{Found, Generate, Generated, GeneratedField, Generators, Occasion};
use crate::rotation::{EntryKey, Held, Record, RecordEntry, RotationId, identity};
use crate::schedule;
use crate::shape;
use crate::spec::{CheckedSpec, GeneratorEntry, Source};

/// Brings what stores and generators gave together, in the order of the manifest.
pub(super) async fn combine(
    sources: &Sources,
    spec: &CheckedSpec,
    meta: &Meta,
    record: &Found<Record>,
    refresh: &Refresh,
    now: Timestamp,
    from_stores: FromStores,
) -> Result<Gathered, GatherError> {
    let rotating = Rotating { generators: sources.generators.as_ref(), meta, record, now };
    let settled = rotating.settle(spec.generators(), &refresh.entries).await?;
    let mut fields = Fields::new();
    let mut generated = Vec::new();
    for (source, from_store) in spec.sources.iter().zip(from_stores.fields) {
        let Source::Generator { entry, rewrite } = source else {
            fields.extend(from_store);
            continue;
        };
        let values = settled.values(&entry.key)?;
        generated.extend(values.fields.values().cloned());
        let raw = raw_fields(&values.fields);
        let renamed =
            rename(sources.engine.as_ref(), meta, now, raw, rewrite).await.and_then(shape::check_keys);
        let failed = |source| GatherError::Shape { what: format!("what {} generated", entry.key), source };
        fields.extend(renamed.map_err(failed)?);
    }
    let drawing = refresh.drawing.clone();
    let generates = spec.generators().next().is_some();
    // What an object without generators has recorded is what its template drew.
    let record = if generates { settled.record } else { drawn(record) };
    let drawn_at = drawing.as_ref().map(|drawing| drawing.entry.rotated_at);
    let time = record.entries().map(|(_, entry)| entry.rotated_at).max();
    Ok(Gathered {
        fields,
        generated,
        record_changed: generates && settled.changed,
        record,
        rotated: settled.rotated,
        missing: from_stores.missing,
        time: drawn_at.or(time).unwrap_or(now),
        drawing,
    })
}

/// Of a record only what a template drew.
fn drawn(record: &Found<Record>) -> Record {
    let key = EntryKey::template();
    match record {
        Found::Found(record) => {
            record.get(&key).map_or_else(Record::default, |entry| Record::of(key.clone(), entry.clone()))
        }
        Found::Missing => Record::default(),
    }
}

/// What rotating takes.
pub(crate) struct Rotating<'a> {
    pub(crate) generators: &'a dyn Generators,
    pub(crate) meta: &'a Meta,
    pub(crate) record: &'a Found<Record>,
    pub(crate) now: Timestamp,
}

/// The record after a decision was carried out, and what rotated.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) record: Record,
    pub(crate) changed: bool,
    pub(crate) rotated: Vec<Rotated>,
}

impl Settled {
    pub(crate) fn values(&self, key: &EntryKey) -> Result<&Generated, GatherError> {
        let values = self.record.get(key).and_then(RecordEntry::values);
        values.ok_or_else(|| GatherError::NotRecorded { entry: key.clone() })
    }
}

impl Rotating<'_> {
    /// Keeps or makes the values of each entry, one after the other.
    pub(crate) async fn settle(
        &self,
        entries: impl Iterator<Item = &GeneratorEntry>,
        decisions: &[EntryDecision],
    ) -> Result<Settled, GatherError> {
        let mut settled = Settled::default();
        for entry in entries {
            let decision = decisions.iter().find(|decision| decision.key == entry.key);
            let previous = match self.record {
                Found::Found(record) => record.get(&entry.key),
                Found::Missing => None,
            };
            let next = match decision.map(|decision| &decision.action) {
                Some(Action::Rotate { id, occasion }) => {
                    match self.rotate(entry, id, *occasion, previous).await? {
                        Some(made) => {
                            let (key, id) = (entry.key.clone(), id.clone());
                            settled.rotated.push(Rotated { key, id, occasion: *occasion });
                            made
                        }
                        None => self.keep(entry, previous)?,
                    }
                }
                Some(Action::Keep) | None => self.keep(entry, previous)?,
            };
            settled.record.set(entry.key.clone(), next);
        }
        settled.changed = match self.record {
            Found::Found(record) => *record != settled.record,
            Found::Missing => !settled.record.is_empty(),
        };
        Ok(settled)
    }

    /// The entry as it is. An annotation that was removed may ask again with the same value.
    fn keep(
        &self,
        entry: &GeneratorEntry,
        previous: Option<&RecordEntry>,
    ) -> Result<RecordEntry, GatherError> {
        let held = previous.filter(|previous| previous.holds_values());
        let held = held.ok_or_else(|| GatherError::NotRecorded { entry: entry.key.clone() })?;
        Ok(RecordEntry { force_sync: self.meta.force_sync().map(str::to_owned), ..held.clone() })
    }

    /// The new values; none when the config is the one that the present values were made with, so that somebody who decided
    /// on old knowledge rotates nothing.
    async fn rotate(
        &self,
        entry: &GeneratorEntry,
        id: &RotationId,
        occasion: Occasion,
        previous: Option<&RecordEntry>,
    ) -> Result<Option<RecordEntry>, GatherError> {
        let generator = identity(&entry.api_version, &entry.kind, &entry.name);
        let opened =
            self.generators.open(&self.meta.namespace, &entry.api_version, &entry.kind, &entry.name).await;
        let handle =
            opened.map_err(|source| GatherError::OpenGenerator { generator: generator.clone(), source })?;
        let same = previous.is_some_and(|previous| previous.config_digest == handle.config_digest);
        if occasion == Occasion::ConfigChanged && same {
            return Ok(None);
        }
        let owner = self.meta.owner();
        let request = Generate {
            occasion,
            owner: &owner,
            now: self.now,
            previous: previous.and_then(RecordEntry::values),
        };
        let made = handle.generator.generate(request).await;
        let made = made.map_err(|source| GatherError::Generate { generator, source })?;
        Ok(Some(RecordEntry {
            id: id.clone(),
            previous: previous.map(|previous| previous.id.clone()),
            config_digest: handle.config_digest,
            occasion,
            rotated_at: self.now,
            expires_at: made.expires_in.map(|life| schedule::later(self.now, life)),
            force_sync: self.meta.force_sync().map(str::to_owned),
            held: Held::Values(made),
        }))
    }
}

/// The raw values as fields.
pub(crate) fn raw_fields(generated: &std::collections::BTreeMap<String, GeneratedField>) -> Fields {
    generated.iter().map(|(key, field)| (key.clone(), field.value.clone())).collect()
}
