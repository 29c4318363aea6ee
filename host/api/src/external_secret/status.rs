//! What the controller reports about an ExternalSecret.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::condition::{self, Condition, ConditionType};
use crate::schema;

/// The last refresh and its outcome.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExternalSecretStatus {
    /// When values were last read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::time")]
    pub refresh_time: Option<Time>,
    /// The version of this object that was last carried out: its generation and a hash of its labels and annotations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synced_resource_version: Option<String>,
    /// Whether the target is up to date, and why not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = list_condition_types)]
    pub conditions: Vec<Condition>,
    /// The target, for tools that follow the Service Binding specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
}

/// ESO lists the types of conditions for this kind only.
fn list_condition_types(schema: &mut Schema) {
    if let Some(type_) = schema.pointer_mut("/items/properties/type").and_then(|type_| type_.as_object_mut())
    {
        type_.insert("enum".to_owned(), json!(["Ready", "Deleted"]));
    }
}

/// A reference to the target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct Binding {
    /// Name of the Secret.
    #[serde(default)]
    pub name: String,
}

impl ExternalSecretStatus {
    /// The Ready condition, when it has been reported.
    #[must_use]
    pub fn ready(&self) -> Option<&Condition> {
        condition::find(&self.conditions, &ConditionType::Ready)
    }
}
