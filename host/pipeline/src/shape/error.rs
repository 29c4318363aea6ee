//! Why a value could not be shaped.

use thiserror::Error;

use crate::failure::{Blame, BoxFailure, Failure, ObjectRef, Reason, Retry};
use crate::ports::Violation;

/// Why a value could not be shaped.
#[derive(Debug, Error)]
pub enum ShapeError {
    /// A value is no JSON object.
    #[error("read the value as a JSON object: it is not one")]
    NotAnObject,
    /// A property does not exist.
    #[error("find property {property}: there is no such property")]
    PropertyMissing {
        /// The path.
        property: String,
    },
    /// A property path uses what is not supported.
    #[error("find property {property}: `{part}` is not supported in a path")]
    PropertyUnsupported {
        /// The path.
        property: String,
        /// The part of it.
        part: String,
    },
    /// A value does not decode.
    #[error("decode the value of {key} as {strategy}: it is not valid {strategy}")]
    Decode {
        /// Its key.
        key: String,
        /// The strategy.
        strategy: &'static str,
    },
    /// A value has a null byte and the nullBytePolicy is Fail.
    #[error("accept the value of {key}: it has a null byte and nullBytePolicy is Fail")]
    NullByte {
        /// Its key.
        key: String,
    },
    /// Two keys become the same one.
    #[error("convert the keys {first} and {second}: both become {key}")]
    Collision {
        /// One key.
        first: String,
        /// The other.
        second: String,
        /// What both become.
        key: String,
    },
    /// A key is not one that a Secret can have.
    #[error("use the key `{key}`: a key has 1 to 253 letters, digits, `-`, `_` and `.`")]
    InvalidKey {
        /// The key.
        key: String,
    },
    /// Merge found a property in two values.
    #[error("merge: property {property} is in both {first} and {second}, and conflictPolicy is Error")]
    MergeConflict {
        /// The property.
        property: String,
        /// The key of one value.
        first: String,
        /// The key of the other.
        second: String,
    },
    /// Merge needs a value to be a JSON object.
    #[error("merge: the value of {key} is not a JSON object")]
    MergeNotAnObject {
        /// Its key.
        key: String,
    },
    /// A key that has priority does not exist.
    #[error("merge: {key} has priority, does not exist, and priorityPolicy is Strict")]
    MergePriority {
        /// The key.
        key: String,
    },
    /// Merge into one key, but none is named.
    #[error("merge: strategy JSON needs a key in `into`")]
    MergeInto,
    /// A key could not be rendered.
    #[error("render the new name of the key {key}")]
    Transform {
        /// The key.
        key: String,
        /// Why.
        #[source]
        source: BoxFailure,
    },
    /// A ConfigMap or Secret that holds templates could not be read.
    #[error("read the template in {object}")]
    ReadTemplate {
        /// Which one.
        object: ObjectRef,
        /// Why.
        #[source]
        source: BoxFailure,
    },
    /// A ConfigMap or Secret that holds templates does not exist.
    #[error("read the template in {object}: it does not exist")]
    TemplateMissing {
        /// Which one.
        object: ObjectRef,
    },
    /// It exists and lacks the key.
    #[error("read the template in {object}: it has no key {key}")]
    TemplateKeyMissing {
        /// Which one.
        object: ObjectRef,
        /// The key.
        key: String,
    },
    /// The template targets what a Secret does not have.
    #[error("render templateFrom into {target}: a Secret has Data, Labels and Annotations")]
    TemplateTarget {
        /// The target that it names.
        target: String,
    },
    /// The templates could not be rendered.
    #[error("render the template")]
    Render {
        /// Where and why.
        #[source]
        source: BoxFailure,
    },
    /// The engine answered with other templates than it was asked for.
    #[error("render the template: the engine's answer does not fit the question")]
    RenderedElse,
    /// A label or annotation is not text.
    #[error("render {what} {key}: the result is not UTF-8 text")]
    NotText {
        /// Label or annotation.
        what: &'static str,
        /// Its key.
        key: String,
    },
    /// The template would make a Secret that the cluster trusts.
    #[error("make a Secret of type {secret_type}: keymill does not make such Secrets")]
    TypeDenied {
        /// The type.
        secret_type: String,
    },
    /// It is not known which policies apply.
    #[error("find the policies that apply")]
    Policies {
        /// Why.
        #[source]
        source: BoxFailure,
    },
    /// A policy gave no verdict.
    #[error("evaluate the policies that apply")]
    Judge {
        /// Why.
        #[source]
        source: BoxFailure,
    },
    /// A policy does not accept a value.
    #[error("accept the values: {}", list(.violations))]
    Violated {
        /// All of them.
        violations: Vec<Violation>,
    },
}

fn list(violations: &[Violation]) -> String {
    violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl ShapeError {
    fn inner(&self) -> Option<&BoxFailure> {
        match self {
            ShapeError::Transform { source, .. }
            | ShapeError::ReadTemplate { source, .. }
            | ShapeError::Render { source }
            | ShapeError::Policies { source }
            | ShapeError::Judge { source } => Some(source),
            ShapeError::NotAnObject
            | ShapeError::PropertyMissing { .. }
            | ShapeError::PropertyUnsupported { .. }
            | ShapeError::Decode { .. }
            | ShapeError::NullByte { .. }
            | ShapeError::Collision { .. }
            | ShapeError::InvalidKey { .. }
            | ShapeError::MergeConflict { .. }
            | ShapeError::MergeNotAnObject { .. }
            | ShapeError::MergePriority { .. }
            | ShapeError::MergeInto
            | ShapeError::TemplateMissing { .. }
            | ShapeError::TemplateKeyMissing { .. }
            | ShapeError::TemplateTarget { .. }
            | ShapeError::RenderedElse
            | ShapeError::NotText { .. }
            | ShapeError::TypeDenied { .. }
            | ShapeError::Violated { .. } => None,
        }
    }
}

impl Failure for ShapeError {
    fn reason(&self) -> Reason {
        match self {
            ShapeError::Transform { source, .. }
            | ShapeError::ReadTemplate { source, .. }
            | ShapeError::Render { source }
            | ShapeError::Policies { source }
            | ShapeError::Judge { source } => source.reason(),
            ShapeError::PropertyMissing { .. } => Reason::RemoteMissing,
            ShapeError::NotAnObject
            | ShapeError::Decode { .. }
            | ShapeError::NullByte { .. }
            | ShapeError::Collision { .. }
            | ShapeError::InvalidKey { .. }
            | ShapeError::MergeConflict { .. }
            | ShapeError::MergeNotAnObject { .. }
            | ShapeError::MergePriority { .. }
            | ShapeError::NotText { .. } => Reason::InvalidValue,
            ShapeError::PropertyUnsupported { .. }
            | ShapeError::MergeInto
            | ShapeError::TemplateTarget { .. } => Reason::InvalidSpec,
            ShapeError::TemplateMissing { .. } | ShapeError::TemplateKeyMissing { .. } => {
                Reason::ReferenceMissing
            }
            ShapeError::RenderedElse => Reason::ComponentFailed,
            ShapeError::TypeDenied { .. } => Reason::TargetRefused,
            ShapeError::Violated { .. } => Reason::PolicyViolated,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            ShapeError::RenderedElse => Blame::Guest,
            other => other.inner().map_or(Blame::User, |source| source.blame()),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            // These can only change with the object or with something that is watched.
            ShapeError::PropertyUnsupported { .. }
            | ShapeError::MergeInto
            | ShapeError::TemplateTarget { .. }
            | ShapeError::TypeDenied { .. } => Retry::WhenChanged,
            other => other.inner().map_or(Retry::Backoff, |source| source.retry()),
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        match self {
            ShapeError::ReadTemplate { object, .. }
            | ShapeError::TemplateMissing { object }
            | ShapeError::TemplateKeyMissing { object, .. } => Some(object.clone()),
            other => other.inner().and_then(|source| source.about()),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            ShapeError::Collision { .. } => "name a conversionStrategy or a rewrite that keeps them apart",
            ShapeError::InvalidKey { .. } => "name a rewrite that gives it a valid name",
            ShapeError::PropertyUnsupported { .. } => {
                "use keys, array indexes and `#`, with dots between them"
            }
            ShapeError::TypeDenied { .. } => "name another type in target.template.type",
            ShapeError::NotAnObject => "name a property in a data entry, or store a JSON object",
            other => other.inner().map_or("", |source| source.advice()),
        }
    }
}
