//! Asks stores and generators through the ports.
//!
//! Each store is opened once, reads run side by side within a bound, and results come in the order of the manifest. A remote secret
//! that is missing is skipped or fails the whole, as the deletionPolicy says; doubt always fails the whole. Generated values come
//! from the record, except where the decision says rotate. Nothing is written here: the new record is a result.

use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;

use crate::decide::{Drawing, Refresh};
use crate::failure::{Blame, BoxFailure, Failure, ObjectRef, Reason, Retry};
use crate::field::Fields;
use crate::meta::Meta;
use crate::ports::{Found, GeneratedField, Generators, Occasion, Stores, TemplateEngine};
use crate::rotation::{EntryKey, Record, RotationId};
use crate::shape::ShapeError;
use crate::spec::{CheckedSpec, StoreName};

mod generated;
mod remote;
pub(crate) mod renaming;
#[cfg(test)]
mod tests;

pub(crate) use generated::{Rotating, raw_fields};

/// What gathering asks.
#[derive(Clone)]
pub struct Sources {
    /// Opens stores.
    pub stores: Arc<dyn Stores>,
    /// Opens generators.
    pub generators: Arc<dyn Generators>,
    /// Renders keys (rewrite transform).
    pub engine: Arc<dyn TemplateEngine>,
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sources")
    }
}

/// What was gathered.
#[derive(Debug, Clone, PartialEq)]
pub struct Gathered {
    /// All values by key; later entries have overwritten earlier ones.
    pub fields: Fields,
    /// The generated ones among the values, for the entropy that the host vouches for.
    pub generated: Vec<GeneratedField>,
    /// The record as it is to be from now on.
    pub record: Record,
    /// Whether it differs from the one that there is: then it is written before anything else.
    pub record_changed: bool,
    /// What rotated.
    pub rotated: Vec<Rotated>,
    /// What the stores do not have and the deletionPolicy goes on without.
    pub missing: Vec<MissingRemote>,
    /// The time that templates see: that of the last rotation, or of this refresh when nothing is generated or drawn.
    pub time: Timestamp,
    /// The rotation that the template draws in, if it does.
    pub(crate) drawing: Option<Box<Drawing>>,
}

impl Gathered {
    /// Values that no generator made, at that time.
    #[must_use]
    pub fn given(fields: Fields, time: Timestamp) -> Self {
        Self {
            fields,
            generated: Vec::new(),
            record: Record::default(),
            record_changed: false,
            rotated: Vec::new(),
            missing: Vec::new(),
            time,
            drawing: None,
        }
    }

    /// The rotation that keys the template's streams.
    pub(crate) fn drawing_id(&self) -> Option<RotationId> {
        match &self.drawing {
            Some(drawing) => Some(drawing.entry.id.clone()),
            None => self.rotation_id(),
        }
    }

    /// Once it is known whether the template drew: then its rotation belongs into the record, which is now `before`. The rotation of a
    /// template that has ceased to draw stays, in case that it draws again.
    pub fn settle_drawing(&mut self, before: &Found<Record>, drew: bool) {
        let Some(drawing) = self.drawing.take().filter(|_| drew) else {
            return;
        };
        let Drawing { key, entry, rotates } = *drawing;
        if rotates {
            self.rotated.push(Rotated { key: key.clone(), id: entry.id.clone(), occasion: entry.occasion });
        }
        self.record = Record::of(key, entry);
        self.record_changed = !matches!(before, Found::Found(before) if *before == self.record);
    }

    /// The rotation id of the whole.
    #[must_use]
    pub fn rotation_id(&self) -> Option<RotationId> {
        self.record.rotation_id()
    }
}

/// One rotation that took place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// Which entry.
    pub key: EntryKey,
    /// The rotation's name.
    pub id: RotationId,
    /// Why.
    pub occasion: Occasion,
}

/// A remote secret that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingRemote {
    /// The store.
    pub store: StoreName,
    /// The remote key.
    pub key: String,
}

/// Why gathering failed. No value was kept and nothing was written.
#[derive(Debug, Error)]
pub enum GatherError {
    /// A store could not be opened.
    #[error("open {store}")]
    Open {
        /// The store.
        store: StoreName,
        /// Why.
        #[source]
        source: BoxFailure,
    },
    /// A remote secret could not be read.
    #[error("read key {key} in {store}")]
    Read {
        /// The store.
        store: StoreName,
        /// The remote key.
        key: String,
        /// Why.
        #[source]
        source: BoxFailure,
    },
    /// Remote secrets could not be listed.
    #[error("list secrets in {store}")]
    List {
        /// The store.
        store: StoreName,
        /// Why.
        #[source]
        source: BoxFailure,
    },
    /// A remote secret does not exist and the deletionPolicy is Retain.
    #[error("read key {key} in {store}: there is no such secret")]
    Missing {
        /// The store.
        store: StoreName,
        /// The remote key.
        key: String,
    },
    /// What a store answered could not be shaped.
    #[error("shape {what}")]
    Shape {
        /// The entry.
        what: String,
        /// Why.
        #[source]
        source: ShapeError,
    },
    /// A generator could not be opened.
    #[error("open generator {generator}")]
    OpenGenerator {
        /// Its identity.
        generator: String,
        /// Why.
        #[source]
        source: BoxFailure,
    },
    /// A generator did not generate.
    #[error("generate with {generator}")]
    Generate {
        /// Its identity.
        generator: String,
        /// Why.
        #[source]
        source: BoxFailure,
    },
    /// The record does not have the values that the decision counted on.
    #[error("take the values of {entry} from the rotation record: it does not have them")]
    NotRecorded {
        /// The entry.
        entry: EntryKey,
    },
}

impl Failure for GatherError {
    fn reason(&self) -> Reason {
        match self {
            GatherError::Open { source, .. }
            | GatherError::Read { source, .. }
            | GatherError::List { source, .. }
            | GatherError::OpenGenerator { source, .. }
            | GatherError::Generate { source, .. } => source.reason(),
            GatherError::Shape { source, .. } => source.reason(),
            GatherError::Missing { .. } => Reason::RemoteMissing,
            GatherError::NotRecorded { .. } => Reason::Internal,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            GatherError::Open { source, .. }
            | GatherError::Read { source, .. }
            | GatherError::List { source, .. }
            | GatherError::OpenGenerator { source, .. }
            | GatherError::Generate { source, .. } => source.blame(),
            GatherError::Shape { source, .. } => source.blame(),
            GatherError::Missing { .. } => Blame::User,
            GatherError::NotRecorded { .. } => Blame::Host,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            GatherError::Open { source, .. }
            | GatherError::Read { source, .. }
            | GatherError::List { source, .. }
            | GatherError::OpenGenerator { source, .. }
            | GatherError::Generate { source, .. } => source.retry(),
            // A store does not say when its values change.
            GatherError::Shape { .. } | GatherError::Missing { .. } | GatherError::NotRecorded { .. } => {
                Retry::Backoff
            }
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        match self {
            GatherError::Open { source, .. }
            | GatherError::Read { source, .. }
            | GatherError::List { source, .. }
            | GatherError::OpenGenerator { source, .. }
            | GatherError::Generate { source, .. } => source.about(),
            GatherError::Shape { source, .. } => source.about(),
            GatherError::Missing { .. } | GatherError::NotRecorded { .. } => None,
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            GatherError::Open { source, .. }
            | GatherError::Read { source, .. }
            | GatherError::List { source, .. }
            | GatherError::OpenGenerator { source, .. }
            | GatherError::Generate { source, .. } => source.advice(),
            GatherError::Shape { source, .. } => source.advice(),
            GatherError::Missing { .. } => {
                "create it, or set target.deletionPolicy to Delete or Merge to go on without it"
            }
            GatherError::NotRecorded { .. } => "",
        }
    }
}

/// Gathers the values of a refresh.
///
/// # Errors
/// When any of them could not be had; there is no partial result.
pub async fn gather(
    sources: &Sources,
    spec: &CheckedSpec,
    meta: &Meta,
    record: &Found<Record>,
    refresh: &Refresh,
    now: Timestamp,
) -> Result<Gathered, GatherError> {
    let remote = remote::read(sources, spec, meta, now).await?;
    generated::combine(sources, spec, meta, record, refresh, now, remote).await
}
