//! The checked ExternalSecret: what a manifest says once it is known to make sense.
//!
//! Parsed once, at the border; the fields are private to the crate, so inside nobody asks again whether a regular expression
//! compiles or an entry names a store. What this milestone cannot do yet is refused here, with its path.

use std::time::Duration;

use api::external_secret::{
    ConversionStrategy, CreationPolicy, DecodingStrategy, DeletionPolicy, NullBytePolicy, RefreshPolicy,
    RewriteMerge,
};
use api::{Problem, Template};
use thiserror::Error;

use crate::failure::{Blame, Failure, ObjectRef, Reason, Retry};
use crate::ports::{ListQuery, ReadOptions};
use crate::rotation::EntryKey;
use crate::schedule::Windows;
use crate::shape::Pattern;

mod parse;
#[cfg(test)]
mod tests;

/// An ExternalSecret's spec, checked.
#[derive(Debug, Clone)]
pub struct CheckedSpec {
    pub(crate) refresh: Refresh,
    /// `dataFrom` in order, then `data` in order: later wins.
    pub(crate) sources: Vec<Source>,
    pub(crate) target: Target,
}

impl CheckedSpec {
    /// The name of the target.
    #[must_use]
    pub fn target_name(&self) -> &str {
        &self.target.name
    }

    /// Who creates the target and whose it is.
    #[must_use]
    pub fn creation_policy(&self) -> CreationPolicy {
        self.target.creation
    }

    /// Whether the target cannot change once it is there.
    #[must_use]
    pub fn is_written_once(&self) -> bool {
        self.target.immutable && self.target.creation != CreationPolicy::None
    }

    /// What becomes of the target when there is no value any more.
    #[must_use]
    pub fn deletion_policy(&self) -> DeletionPolicy {
        self.target.deletion
    }

    /// The generators that it names, in the order of their entries.
    pub fn generators(&self) -> impl Iterator<Item = &GeneratorEntry> {
        self.sources.iter().filter_map(|source| match source {
            Source::Generator { entry, .. } => Some(entry),
            Source::Data { .. } | Source::Extract { .. } | Source::Find { .. } => None,
        })
    }

    /// The stores that it names, in order; one may occur more than once.
    pub fn stores(&self) -> impl Iterator<Item = &StoreName> {
        self.sources.iter().filter_map(|source| match source {
            Source::Data { store, .. } | Source::Extract { store, .. } | Source::Find { store, .. } => {
                Some(store)
            }
            Source::Generator { .. } => None,
        })
    }

    /// The ConfigMaps and Secrets that its template is read from.
    #[must_use]
    pub fn template_sources(&self, namespace: &str) -> Vec<ObjectRef> {
        self.target
            .template
            .as_ref()
            .map(|template| template_sources(template, namespace))
            .unwrap_or_default()
    }
}

pub(crate) fn template_sources(template: &Template, namespace: &str) -> Vec<ObjectRef> {
    use api::template::TemplateSource;
    let sources = template.template_from.iter().flat_map(|from| from.sources());
    let object = |source| match source {
        TemplateSource::ConfigMap(map) => Some(ObjectRef::namespaced("ConfigMap", namespace, &map.name)),
        TemplateSource::Secret(secret) => Some(ObjectRef::namespaced("Secret", namespace, &secret.name)),
        TemplateSource::Literal(_) => None,
    };
    sources.filter_map(object).collect()
}

/// When values are read again.
#[derive(Debug, Clone)]
pub(crate) struct Refresh {
    pub(crate) policy: RefreshPolicy,
    pub(crate) interval: Duration,
    pub(crate) windows: Option<Windows>,
}

impl Refresh {
    /// The time between two slots; none when there are no slots.
    pub(crate) fn period(&self) -> Option<Duration> {
        (self.policy == RefreshPolicy::Periodic && !self.interval.is_zero()).then_some(self.interval)
    }
}

/// A store by kind and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreName {
    /// `SecretStore` or `ClusterSecretStore`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for StoreName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// One entry that names a generator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratorEntry {
    /// Which entry it is, however the others are ordered.
    pub key: EntryKey,
    /// The generator's apiVersion.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// Where values come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// One value under a key.
    Data { key: String, store: StoreName, remote: Remote },
    /// All entries of one remote secret.
    Extract { store: StoreName, remote: Remote, rewrite: Vec<Rewrite> },
    /// All remote secrets that match.
    Find { store: StoreName, query: ListQuery, reading: Reading, rewrite: Vec<Rewrite> },
    /// What a generator makes.
    Generator { entry: GeneratorEntry, rewrite: Vec<Rewrite> },
}

/// A value in a store.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    pub(crate) key: String,
    pub(crate) property: Option<String>,
    pub(crate) options: ReadOptions,
    pub(crate) reading: Reading,
}

/// What happens to keys and values on their way in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) conversion: ConversionStrategy,
    pub(crate) decoding: DecodingStrategy,
    pub(crate) null_bytes: NullBytePolicy,
}

/// One step of renaming keys.
#[derive(Debug, Clone)]
pub(crate) enum Rewrite {
    Regexp { pattern: Pattern, target: String },
    Transform { template: String },
    Merge(RewriteMerge),
}

/// The target that is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) creation: CreationPolicy,
    pub(crate) deletion: DeletionPolicy,
    pub(crate) immutable: bool,
    pub(crate) template: Option<Template>,
}

/// Why a spec was refused.
#[derive(Debug, Error)]
pub enum SpecError {
    /// One or more fields make no sense.
    #[error("read the spec of {object}: {}", list(.problems))]
    Invalid {
        /// The object.
        object: ObjectRef,
        /// All of them, in the order of the fields.
        problems: Vec<Problem>,
    },
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ")
}

impl Failure for SpecError {
    fn reason(&self) -> Reason {
        match self {
            SpecError::Invalid { .. } => Reason::InvalidSpec,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            SpecError::Invalid { .. } => Blame::User,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            SpecError::Invalid { .. } => Retry::WhenChanged,
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        match self {
            SpecError::Invalid { object, .. } => Some(object.clone()),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            SpecError::Invalid { .. } => "correct these fields and apply the manifest again",
        }
    }
}
