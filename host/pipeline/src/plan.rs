//! What is to be written: one `Plan`, exact to the key.
//!
//! Creation, deletion and ownership policy are decided here and nowhere else. `apply` carries a plan out under the uid and
//! resourceVersion that it names and decides nothing. What is already so is `Keep`: no write at all.

use std::collections::BTreeMap;

use api::external_secret::{CreationPolicy, DeletionPolicy};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use thiserror::Error;

use crate::failure::{Blame, Failure, ObjectRef, Reason, Retry};
use crate::field::{Fields, Value};
use crate::meta::Meta;
use crate::ports::Found;
use crate::rotation::RotationId;
use crate::shape::Shaped;
use crate::spec::CheckedSpec;
use crate::target::TargetView;

mod desired;
#[cfg(test)]
mod tests;

use desired::Making;

/// All parts of the Secret as they are to be.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Desired {
    /// Its name.
    pub name: String,
    /// Its type; cannot change once it exists.
    pub secret_type: String,
    /// All its data, other people's keys included.
    pub data: Fields,
    /// All its labels.
    pub labels: BTreeMap<String, String>,
    /// All its annotations.
    pub annotations: BTreeMap<String, String>,
    /// All its finalizers.
    pub finalizers: Vec<String>,
    /// Whether its data can never change again.
    pub immutable: bool,
    /// All its owners.
    pub owners: Vec<OwnerReference>,
}

/// What a write must find as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition {
    /// The object's uid.
    pub uid: String,
    /// Its resourceVersion.
    pub resource_version: String,
}

/// One change of the keys of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes<V> {
    /// Keys to add or to give another value.
    pub set: BTreeMap<String, V>,
    /// Keys to remove.
    pub remove: Vec<String>,
}

/// A change of a Secret: what it becomes, and how that differs from what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    /// Where it applies.
    pub expected: Precondition,
    /// The whole of what it becomes.
    pub result: Desired,
    /// Of the data.
    pub data: Changes<Value>,
    /// Of the labels.
    pub labels: Changes<String>,
    /// Of the annotations.
    pub annotations: Changes<String>,
    /// Whether `immutable` changes.
    pub immutable_changes: bool,
    /// Whether the owners change.
    pub owners_change: bool,
    /// Whether the finalizers change.
    pub finalizers_change: bool,
}

/// What is to be done with the target.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// Create it; it must not exist.
    Create(Box<Desired>),
    /// Change it.
    Patch(Box<Patch>),
    /// Delete it.
    Delete(Precondition),
    /// Write nothing.
    Keep(Kept),
}

/// Why nothing is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Everything is as it is to be.
    Same,
    /// creationPolicy None.
    NoTarget,
    /// creationPolicy Merge, and there is no target.
    TargetMissing,
    /// No value is left, and deletionPolicy is Retain.
    Retained,
    /// No value is left, deletionPolicy is Delete, and the target is gone already.
    DeletedBefore,
}

/// Why nothing may be written.
#[derive(Debug, Error)]
pub enum PlanError {
    /// Another object controls the target.
    #[error("write {target}: it is owned by another {owner_kind}, {owner_name}")]
    OwnedByAnother {
        /// The target.
        target: ObjectRef,
        /// Whose it is: kind.
        owner_kind: String,
        /// Whose it is: name.
        owner_name: String,
    },
    /// The target's data would have to change and cannot.
    #[error("write {target}: it is immutable and its data would change")]
    Immutable {
        /// The target.
        target: ObjectRef,
    },
    /// The type of a Secret cannot change.
    #[error("write {target}: its type is {existing} and the template asks for {wanted}")]
    TypeDiffers {
        /// The target.
        target: ObjectRef,
        /// Its type.
        existing: String,
        /// The template's type.
        wanted: String,
    },
    /// Nobody may write Secrets of this type through keymill.
    #[error("write {target}: Secrets of type {secret_type} are not written")]
    TypeRefused {
        /// The target.
        target: ObjectRef,
        /// Its type.
        secret_type: String,
    },
}

impl Failure for PlanError {
    fn reason(&self) -> Reason {
        match self {
            PlanError::OwnedByAnother { .. } => Reason::TargetNotOwned,
            PlanError::Immutable { .. } => Reason::TargetImmutable,
            PlanError::TypeDiffers { .. } | PlanError::TypeRefused { .. } => Reason::TargetRefused,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            PlanError::OwnedByAnother { .. }
            | PlanError::Immutable { .. }
            | PlanError::TypeDiffers { .. }
            | PlanError::TypeRefused { .. } => Blame::User,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            PlanError::OwnedByAnother { .. }
            | PlanError::Immutable { .. }
            | PlanError::TypeDiffers { .. }
            | PlanError::TypeRefused { .. } => Retry::WhenChanged,
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        match self {
            PlanError::OwnedByAnother { target, .. }
            | PlanError::Immutable { target }
            | PlanError::TypeDiffers { target, .. }
            | PlanError::TypeRefused { target, .. } => Some(target.clone()),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            PlanError::OwnedByAnother { .. } => "give one of the two another target.name",
            PlanError::Immutable { .. } => {
                "delete the Secret to have it made anew, or set target.immutable to false and delete it"
            }
            PlanError::TypeDiffers { .. } => "delete the Secret to have it made with the new type",
            PlanError::TypeRefused { .. } => "give the ExternalSecret another target.name",
        }
    }
}

/// What to do with the target, now that its values are known.
///
/// `target` is the Secret of that name as it was read; `rotation` is the id that it is to carry.
///
/// # Errors
/// When policy or ownership forbids it; then nothing is written.
pub fn plan(
    spec: &CheckedSpec,
    meta: &Meta,
    target: &Found<TargetView>,
    shaped: &Shaped,
    rotation: Option<&RotationId>,
) -> Result<Plan, PlanError> {
    let making = Making { spec, meta, shaped, rotation };
    match (spec.target.creation, target) {
        (CreationPolicy::None, _) => Ok(Plan::Keep(Kept::NoTarget)),
        (_, target) if shaped.nothing_left => Ok(without_values(spec, meta, target)),
        (CreationPolicy::Merge, Found::Missing) => Ok(Plan::Keep(Kept::TargetMissing)),
        (CreationPolicy::Owner | CreationPolicy::Orphan | CreationPolicy::CreateOrMerge, Found::Missing) => {
            Ok(Plan::Create(Box::new(making.new_target())))
        }
        (_, Found::Found(view)) => {
            desired::admit(spec, meta, view)?;
            let patch = making.change(view)?;
            Ok(patch.map_or(Plan::Keep(Kept::Same), |patch| Plan::Patch(Box::new(patch))))
        }
    }
}

/// What to do when no value is left at all. Only a Secret that the object controls is deleted.
fn without_values(spec: &CheckedSpec, meta: &Meta, target: &Found<TargetView>) -> Plan {
    match (spec.target.deletion, target) {
        (DeletionPolicy::Delete, Found::Missing) => Plan::Keep(Kept::DeletedBefore),
        (DeletionPolicy::Delete, Found::Found(view))
            if spec.target.creation == CreationPolicy::Owner && view.is_controlled_by(meta) =>
        {
            Plan::Delete(Precondition::of(view))
        }
        (DeletionPolicy::Delete | DeletionPolicy::Merge | DeletionPolicy::Retain, _) => {
            Plan::Keep(Kept::Retained)
        }
    }
}

/// Refuses a target that could not be written whatever the values are; asked before anything is generated for it.
///
/// # Errors
/// When it belongs to somebody else or is of a type that is not written.
pub fn admit(spec: &CheckedSpec, meta: &Meta, target: &Found<TargetView>) -> Result<(), PlanError> {
    match (spec.target.creation, target) {
        (CreationPolicy::None, _) | (_, Found::Missing) => Ok(()),
        (_, Found::Found(view)) => desired::admit(spec, meta, view),
    }
}

/// Secrets that an earlier `target.name` left behind, to be deleted once the target exists. `candidates` are the Secrets of the namespace
/// that carry our `created-by` label, by name; only those that the object controls are deleted.
#[must_use]
pub fn leftovers<'a>(
    spec: &CheckedSpec,
    meta: &Meta,
    candidates: &'a [(String, TargetView)],
) -> Vec<(&'a str, Precondition)> {
    let owner = spec.target.creation == CreationPolicy::Owner;
    let left = candidates
        .iter()
        .filter(|(name, view)| owner && *name != spec.target.name && view.is_controlled_by(meta));
    left.map(|(name, view)| (name.as_str(), Precondition::of(view))).collect()
}
