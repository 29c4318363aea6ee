//! The target of an ExternalSecret.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;
use crate::template::Template;

/// What is written, and what happens to it over its life.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Name of the target; the name of the ExternalSecret when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub name: Option<String>,
    /// Who creates the target and whose it is.
    #[serde(default)]
    pub creation_policy: CreationPolicy,
    /// What becomes of the target when the store has no value any more.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// How the target is made from the values; without it they go in as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// An object of another kind as target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<ManifestRef>,
    /// Makes the Secret immutable: written once, never changed.
    #[serde(default, skip_serializing_if = "schema::is_false")]
    pub immutable: bool,
}

/// Who creates the target and whose it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum CreationPolicy {
    /// Created, owned alone, and deleted with the ExternalSecret.
    #[default]
    Owner,
    /// Created, and kept when the ExternalSecret is deleted.
    Orphan,
    /// Only its own keys in a Secret that somebody else creates.
    Merge,
    /// Nothing is written.
    None,
    /// Created when it is missing, only its own keys when it is not; kept when the ExternalSecret is deleted.
    CreateOrMerge,
}

/// What becomes of the target when the store has no value any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// The target is deleted when no value is left.
    Delete,
    /// The keys without a value are removed.
    Merge,
    /// The target stays as it is.
    #[default]
    Retain,
}

/// A kind of object other than Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManifestRef {
    /// Group and version of the object, such as v1 or argoproj.io/v1alpha1.
    #[schemars(length(min = 1))]
    pub api_version: String,
    /// Kind of the object, such as ConfigMap.
    #[schemars(length(min = 1))]
    pub kind: String,
}
