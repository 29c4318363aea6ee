//! How the keys of a dataFrom entry are renamed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One step: exactly one of regexp, transform and merge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct Rewrite {
    /// Values that are JSON objects are merged into one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<RewriteMerge>,
    /// What matches in a key is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regexp: Option<RewriteRegexp>,
    /// The key is rendered anew by a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<RewriteTransform>,
}

/// The rule of a [`Rewrite`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RewriteRule<'a> {
    /// Values that are JSON objects are merged into one.
    Merge(&'a RewriteMerge),
    /// What matches in a key is replaced.
    Regexp(&'a RewriteRegexp),
    /// The key is rendered anew by a template.
    Transform(&'a RewriteTransform),
}

impl Rewrite {
    /// The one rule that is given; `None` when there is none or more than one, which validation reports.
    #[must_use]
    pub fn rule(&self) -> Option<RewriteRule<'_>> {
        match (&self.merge, &self.regexp, &self.transform) {
            (Some(merge), None, None) => Some(RewriteRule::Merge(merge)),
            (None, Some(regexp), None) => Some(RewriteRule::Regexp(regexp)),
            (None, None, Some(transform)) => Some(RewriteRule::Transform(transform)),
            _ => None,
        }
    }
}

/// How values that are JSON objects are merged into one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RewriteMerge {
    /// With strategy JSON, the key that gets the merged object.
    #[serde(default)]
    pub into: String,
    /// Keys that are merged after all others, in this order: the last one wins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub priority: Vec<String>,
    /// What a key in priority that does not exist does.
    #[serde(default)]
    pub priority_policy: MergePriorityPolicy,
    /// What a key that occurs more than once does.
    #[serde(default)]
    pub conflict_policy: MergeConflictPolicy,
    /// What the merged object becomes.
    #[serde(default)]
    pub strategy: MergeStrategy,
}

/// What a key in priority that does not exist does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum MergePriorityPolicy {
    /// Nothing.
    IgnoreNotFound,
    /// The refresh fails.
    #[default]
    Strict,
}

/// What a key that occurs more than once does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum MergeConflictPolicy {
    /// The value that comes last wins.
    Ignore,
    /// The refresh fails.
    #[default]
    Error,
}

/// What the merged object becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum MergeStrategy {
    /// Its keys become keys of the target, instead of all others.
    #[default]
    Extract,
    /// It becomes the value of the key into, beside the others.
    #[serde(rename = "JSON")]
    Json,
}

/// What is replaced in a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RewriteRegexp {
    /// A regular expression; every match of it in the key is replaced.
    pub source: String,
    /// What replaces the match; $1 or ${name} is a group of it.
    pub target: String,
}

/// A template for the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RewriteTransform {
    /// The template; {{ .value }} is the key.
    pub template: String,
}
