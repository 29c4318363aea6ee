//! The entries of a PushSecret: which keys go where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::PushSecretStoreRef;
use crate::external_secret::{RewriteRegexp, RewriteTransform};
use crate::schema;

/// One key of the Secret and where it goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PushSecretData {
    /// The key and the remote secret.
    #[serde(rename = "match")]
    pub match_: PushSecretMatch,
    /// What the store's provider wants to know besides, in a shape of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any")]
    pub metadata: Option<Value>,
    /// How keys are renamed on their way.
    #[serde(default)]
    pub conversion_strategy: PushConversionStrategy,
}

/// A key and a remote secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PushSecretMatch {
    /// The key in the Secret; all of it, as a JSON object, when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<String>,
    /// Where the value goes.
    pub remote_ref: PushSecretRemoteRef,
}

impl PushSecretMatch {
    /// The key in the Secret; `None` for all of it. An empty key means the same, as upstream.
    #[must_use]
    pub fn secret_key(&self) -> Option<&str> {
        self.secret_key.as_deref().filter(|key| !key.is_empty())
    }
}

/// A remote secret, or a property of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PushSecretRemoteRef {
    /// Name or path of the remote secret, as the store spells it.
    pub remote_key: String,
    /// A property of the remote secret; the whole of it when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
}

/// How keys are renamed on their way to a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum PushConversionStrategy {
    /// Not at all.
    #[default]
    None,
    /// Code points, as _U0021_, become their characters again.
    ReverseUnicode,
}

/// Many keys of the Secret, each to a remote secret of its own or all to one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "has(self.storeRef) && (has(self.storeRef.name) || has(self.storeRef.labelSelector))",
        "message": "storeRef must name a store or select stores by labels",
    },
    {
        "rule": "!has(self.remoteKey) || !has(self.rewrite) || size(self.rewrite) == 0",
        "message": "remoteKey and rewrite exclude each other",
    },
]))]
pub struct PushSecretDataTo {
    /// The stores that are written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_ref: Option<PushSecretStoreRef>,
    /// One remote secret that gets all keys as a JSON object; one for each key when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_key: Option<String>,
    /// Which keys are meant; all when left out.
    #[serde(rename = "match", default, skip_serializing_if = "Option::is_none")]
    pub match_: Option<PushSecretDataToMatch>,
    /// How the keys are renamed, step by step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewrite: Vec<PushSecretRewrite>,
    /// What the store's provider wants to know besides, in a shape of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any")]
    pub metadata: Option<Value>,
    /// How keys are renamed on their way.
    #[serde(default)]
    pub conversion_strategy: PushConversionStrategy,
}

/// Which keys are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PushSecretDataToMatch {
    /// A regular expression that some part of the key matches; all keys when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regexp: Option<String>,
}

/// One step: exactly one of regexp and transform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "(has(self.regexp) && !has(self.transform)) || (!has(self.regexp) && has(self.transform))",
    "message": "a rewrite is exactly one of regexp and transform",
}]))]
pub struct PushSecretRewrite {
    /// What matches in a key is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regexp: Option<RewriteRegexp>,
    /// The key is rendered anew by a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<RewriteTransform>,
}

/// The rule of a [`PushSecretRewrite`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushSecretRewriteRule<'a> {
    /// What matches in a key is replaced.
    Regexp(&'a RewriteRegexp),
    /// The key is rendered anew by a template.
    Transform(&'a RewriteTransform),
}

impl PushSecretRewrite {
    /// The one rule that is given; `None` when there is none or both, which validation reports.
    #[must_use]
    pub fn rule(&self) -> Option<PushSecretRewriteRule<'_>> {
        match (&self.regexp, &self.transform) {
            (Some(regexp), None) => Some(PushSecretRewriteRule::Regexp(regexp)),
            (None, Some(transform)) => Some(PushSecretRewriteRule::Transform(transform)),
            _ => None,
        }
    }
}
