//! PushSecret: a Secret, or what a generator makes, written to stores.

mod data;
mod validate;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use data::{
    PushConversionStrategy, PushSecretData, PushSecretDataTo, PushSecretDataToMatch, PushSecretMatch,
    PushSecretRemoteRef, PushSecretRewrite, PushSecretRewriteRule,
};

use crate::condition::{self, ConditionType};
use crate::template::Template;
use crate::{Condition, Duration, GeneratorRef, StoreKind, schema};

/// The interval between pushes when a manifest names none.
const REFRESH_INTERVAL: Duration = Duration::from_secs(3600);

/// What is pushed, to which stores, and how often.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "external-secrets.io",
    version = "v1alpha1",
    kind = "PushSecret",
    plural = "pushsecrets",
    singular = "pushsecret",
    namespaced,
    shortname = "ps",
    category = "external-secrets",
    status = "PushSecretStatus",
    derive = "PartialEq",
    doc = "A PushSecret writes a Secret, or what a generator makes, to secret stores, and keeps it up to date there.",
    printcolumn = r#"{"name": "AGE", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name": "Last Sync", "type": "date", "jsonPath": ".status.refreshTime"}"#
)]
pub struct PushSecretSpec {
    /// Time between two pushes, as 15m or 24h. A change of the Secret is pushed at once in any case.
    #[serde(default = "refresh_interval")]
    pub refresh_interval: Duration,
    /// The stores that are written to.
    pub secret_store_refs: Vec<PushSecretStoreRef>,
    /// What becomes of a value that is in the store already.
    #[serde(default)]
    pub update_policy: UpdatePolicy,
    /// What becomes of the pushed values when this object is deleted.
    #[serde(default)]
    pub deletion_policy: PushDeletionPolicy,
    /// What is pushed: a Secret, or what a generator makes.
    pub selector: PushSecretSelector,
    /// Keys of the Secret, and where each goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<PushSecretData>,
    /// Many keys of the Secret at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_to: Vec<PushSecretDataTo>,
    /// How the values are made from the Secret before they are pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
}

fn refresh_interval() -> Duration {
    REFRESH_INTERVAL
}

impl PushSecretSpec {
    /// A spec with the defaults of the schema.
    #[must_use]
    pub fn new(secret_store_refs: Vec<PushSecretStoreRef>, selector: PushSecretSelector) -> Self {
        Self {
            refresh_interval: REFRESH_INTERVAL,
            secret_store_refs,
            update_policy: UpdatePolicy::default(),
            deletion_policy: PushDeletionPolicy::default(),
            selector,
            data: Vec::new(),
            data_to: Vec::new(),
            template: None,
        }
    }
}

/// Stores, by name or by labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PushSecretStoreRef {
    /// Name of the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub name: Option<String>,
    /// Labels of the stores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::label_selector")]
    pub label_selector: Option<LabelSelector>,
    /// Kind of the store.
    #[serde(default)]
    pub kind: StoreKind,
}

/// What becomes of a value that is in the store already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum UpdatePolicy {
    /// It is replaced.
    #[default]
    Replace,
    /// It stays.
    IfNotExists,
}

/// What becomes of the pushed values when a PushSecret is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum PushDeletionPolicy {
    /// They are deleted from the stores.
    Delete,
    /// They stay.
    #[default]
    None,
}

/// What is pushed: exactly one of secret and generatorRef.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct PushSecretSelector {
    /// A Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<PushSecretSecret>,
    /// A generator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator_ref: Option<GeneratorRef>,
}

/// Secrets, by name or by labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PushSecretSecret {
    /// Name of the Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub name: Option<String>,
    /// Labels of the Secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::label_selector")]
    pub selector: Option<LabelSelector>,
}

/// What a PushSecret pushes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PushSource<'a> {
    /// A Secret by name.
    Secret(&'a str),
    /// All Secrets with these labels.
    Secrets(&'a LabelSelector),
    /// What a generator makes.
    Generator(&'a GeneratorRef),
}

impl PushSecretSelector {
    /// The one source that is given; `None` when there is none or both, which validation reports.
    #[must_use]
    pub fn source(&self) -> Option<PushSource<'_>> {
        match (&self.secret, &self.generator_ref) {
            // As upstream, a name wins over labels.
            (Some(secret), None) => match (secret.name.as_deref(), &secret.selector) {
                (Some(name), _) => Some(PushSource::Secret(name)),
                (None, labels) => labels.as_ref().map(PushSource::Secrets),
            },
            (None, Some(generator)) => Some(PushSource::Generator(generator)),
            _ => None,
        }
    }
}

/// By `<Kind>/<Name>` of a store, then by `<remoteKey>` or `<remoteKey>/<property>`: what was pushed there.
pub type SyncedPushSecrets = BTreeMap<String, BTreeMap<String, PushSecretData>>;

/// The last push and its outcome.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PushSecretStatus {
    /// When values were last pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::time")]
    pub refresh_time: Option<Time>,
    /// The version of this object that was last carried out: its generation and a hash of its labels and annotations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synced_resource_version: Option<String>,
    /// What was pushed, by store and remote key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub synced_push_secrets: SyncedPushSecrets,
    /// Whether the stores are up to date, and why not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

impl PushSecretStatus {
    /// The Ready condition, when it has been reported.
    #[must_use]
    pub fn ready(&self) -> Option<&Condition> {
        condition::find(&self.conditions, &ConditionType::Ready)
    }
}
