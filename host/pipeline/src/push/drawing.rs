//! In which rotation the template of a PushSecret draws when its source is a Secret: that of its first rendering, until the source has
//! another rotation or somebody asks for one. One for each source, so that what else is chosen changes nothing.
//!
//! As for an ExternalSecret, it is recorded only once it is known that the template draws, and holds no value: the operator's key and the
//! id make the same bytes again, and the time is what the template sees as the present.

use jiff::Timestamp;

use super::spec::SourceSecret;
use crate::gather::Rotated;
use crate::meta::{Meta, Status};
use crate::ports::{Found, Generated, Occasion};
use crate::rotation::{EntryKey, Held, Record, RecordEntry, RotationId, Trigger};

/// The rotation that the template draws in for one source.
#[derive(Debug, Clone, PartialEq)]
pub struct PushDrawing {
    key: EntryKey,
    /// As the record has it, or is to have it.
    entry: RecordEntry,
    /// Whether it is a new one.
    rotates: bool,
    /// Whether the record knows it.
    known: bool,
}

impl PushDrawing {
    /// For one source of an object with this record.
    #[must_use]
    pub fn of(
        meta: &Meta,
        status: &Status,
        source: &SourceSecret,
        record: &Found<Record>,
        now: Timestamp,
    ) -> Self {
        let key = EntryKey::template_of(&source.name);
        let recorded = match record {
            Found::Found(record) => record.get(&key),
            Found::Missing => None,
        };
        let made = |trigger: &Trigger<'_>, occasion| RecordEntry {
            id: RotationId::derive(&meta.uid, &key, trigger),
            previous: None,
            held: Held::Values(Generated::default()),
            // What stands for its config is which rotation its source has.
            config_digest: source.rotation.clone().unwrap_or_default(),
            occasion,
            rotated_at: now,
            expires_at: None,
            force_sync: meta.force_sync().map(str::to_owned),
        };
        let Some(entry) = recorded else {
            let entry = match status.refresh_time {
                None => made(&Trigger::Initial(None, meta.generation), Occasion::Initial),
                Some(refreshed) => {
                    let lost = ["not-drawn".to_owned(), refreshed.as_second().to_string()];
                    made(&Trigger::Lost(&lost), Occasion::Initial)
                }
            };
            return Self { key, entry, rotates: true, known: false };
        };
        let rotation = source.rotation.as_deref().unwrap_or_default();
        let asked = meta.force_sync().filter(|asked| entry.force_sync.as_deref() != Some(*asked));
        let next = match asked {
            Some(asked) => Some(made(&Trigger::Forced(Some(&entry.id), asked), Occasion::Forced)),
            None if entry.config_digest != rotation => {
                Some(made(&Trigger::Config(&entry.id, rotation), Occasion::ConfigChanged))
            }
            None => None,
        };
        let rotates = next.is_some();
        let entry = match next {
            Some(next) => RecordEntry { previous: Some(entry.id.clone()), ..next },
            // An annotation that was removed may ask again with the same value.
            None => RecordEntry { force_sync: meta.force_sync().map(str::to_owned), ..entry.clone() },
        };
        Self { key, entry, rotates, known: true }
    }

    /// The rotation's id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.entry.id.as_str()
    }

    /// The present, as the template sees it.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.entry.rotated_at
    }
}

/// The record as it is to be, once it is known for which sources the template drew, and what rotated; none when it is `before`. The rotation
/// of a template that has ceased to draw stays, in case that it draws again.
#[must_use]
pub fn settle_push_drawings(
    before: &Found<Record>,
    drawings: Vec<(PushDrawing, bool)>,
) -> Option<(Record, Vec<Rotated>)> {
    let (mut record, mut rotated) = (Record::default(), Vec::new());
    for (drawing, drew) in drawings {
        let PushDrawing { key, entry, rotates, known } = drawing;
        if drew && rotates {
            rotated.push(Rotated { key: key.clone(), id: entry.id.clone(), occasion: entry.occasion });
        }
        if drew {
            record.set(key, entry);
        } else if known
            && let Found::Found(before) = before
            && let Some(entry) = before.get(&key)
        {
            record.set(key, entry.clone());
        }
    }
    let changed = match before {
        Found::Found(before) => *before != record,
        Found::Missing => !record.is_empty(),
    };
    changed.then_some((record, rotated))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::at;

    fn meta(force_sync: Option<&str>) -> Meta {
        let asked = force_sync.map(|asked| (api::names::annotation::FORCE_SYNC.to_owned(), asked.to_owned()));
        Meta {
            uid: "uid".to_owned(),
            generation: 1,
            annotations: asked.into_iter().collect(),
            ..Meta::default()
        }
    }

    fn source(name: &str, rotation: Option<&str>) -> SourceSecret {
        SourceSecret {
            name: name.to_owned(),
            resource_version: "1".to_owned(),
            changed_at: None,
            rotation: rotation.map(str::to_owned),
            data: crate::field::Fields::new(),
        }
    }

    /// What is drawn in for a source, and the record then.
    fn drawn(
        meta: &Meta,
        source: &SourceSecret,
        record: &Found<Record>,
        now: i64,
        drew: bool,
    ) -> (PushDrawing, Found<Record>) {
        let drawing = PushDrawing::of(meta, &Status::default(), source, record, at(now));
        let settled = settle_push_drawings(record, vec![(drawing.clone(), drew)]);
        (drawing, settled.map_or_else(|| record.clone(), |(record, _)| Found::Found(record)))
    }

    #[test]
    fn a_drawing_stays_until_somebody_asks_or_the_source_rotates() {
        let (first, record) = drawn(&meta(None), &source("a", Some("r1")), &Found::Missing, 1, true);
        let (again, record) = drawn(&meta(None), &source("a", Some("r1")), &record, 2, true);
        assert_eq!((again.id(), again.time()), (first.id(), at(1)));
        let (rotated, record) = drawn(&meta(None), &source("a", Some("r2")), &record, 3, true);
        assert_ne!(rotated.id(), first.id());
        assert_eq!(rotated.time(), at(3));
        let (forced, record) = drawn(&meta(Some("x")), &source("a", Some("r2")), &record, 4, true);
        assert_ne!(forced.id(), rotated.id());
        let (kept, record) = drawn(&meta(None), &source("a", Some("r2")), &record, 5, true);
        assert_eq!(kept.id(), forced.id(), "an annotation that is gone asks for nothing");
        let (asked, _) = drawn(&meta(Some("x")), &source("a", Some("r2")), &record, 6, true);
        assert_ne!(asked.id(), forced.id(), "and may ask again");
    }

    #[test]
    fn what_does_not_draw_is_not_recorded_and_what_ceases_to_stays() {
        let (_, record) = drawn(&meta(None), &source("a", None), &Found::Missing, 1, false);
        assert_eq!(record, Found::Missing);
        let (first, record) = drawn(&meta(None), &source("a", None), &record, 2, true);
        let (_, record) = drawn(&meta(None), &source("a", None), &record, 3, false);
        let (again, _) = drawn(&meta(None), &source("a", None), &record, 4, true);
        assert_eq!((again.id(), again.time()), (first.id(), at(2)));
    }

    #[test]
    fn each_source_has_its_own() {
        let meta = meta(None);
        let of = |name: &str| {
            PushDrawing::of(&meta, &Status::default(), &source(name, None), &Found::Missing, at(1))
        };
        let (a, b) = (of("a"), of("b"));
        assert_ne!(a.id(), b.id());
        let (record, rotated) =
            settle_push_drawings(&Found::Missing, vec![(a.clone(), true), (b, true)]).unwrap();
        assert_eq!((record.entries().count(), rotated.len()), (2, 2));
        let record = Found::Found(record);
        let kept = PushDrawing::of(&meta, &Status::default(), &source("a", None), &record, at(9));
        let (record, _) = settle_push_drawings(&record, vec![(kept, true)]).unwrap();
        assert_eq!(record.entries().count(), 1, "a source that is not chosen any more is forgotten");
    }
}
