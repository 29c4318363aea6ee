//! Grant: what a component may use that is not its own.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::component::{ComponentRef, ConfiguredStatus};
use crate::schema;

/// A component, one of the labels that it wants, and what stands behind it.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "keymill.dev",
    version = "v1alpha1",
    kind = "Grant",
    plural = "grants",
    singular = "grant",
    namespaced,
    category = "keymill",
    status = "ConfiguredStatus",
    derive = "PartialEq",
    doc = "A Grant lets a component use one thing of its namespace when it makes values for an object of that namespace. Without one, whatever a component asks for is denied.",
    printcolumn = r#"{"name": "Component", "type": "string", "jsonPath": ".spec.componentRef.name"}"#,
    printcolumn = r#"{"name": "Label", "type": "string", "jsonPath": ".spec.label"}"#,
    printcolumn = r#"{"name": "Expires", "type": "date", "jsonPath": ".spec.expires"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Reason", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.secret), has(self.configMap), has(self.serviceAccountToken), has(self.previous)].exists_one(one, one)",
    "message": "grant exactly one of secret, configMap, serviceAccountToken and previous",
}]))]
pub struct GrantSpec {
    /// The component.
    pub component_ref: ComponentRef,
    /// The label that the component says when it asks; `keymill component inspect` shows those that it wants.
    #[schemars(schema_with = "schema::label")]
    pub label: String,
    /// All data of a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<GrantedObject>,
    /// All data of a ConfigMap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map: Option<GrantedObject>,
    /// Tokens of a ServiceAccount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_token: Option<GrantedToken>,
    /// The values that were made last for the same object, and what the component kept with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<GrantedPrevious>,
    /// How often it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<GrantQuota>,
    /// From then on it grants nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::time")]
    pub expires: Option<Time>,
}

/// An object of the Grant's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrantedObject {
    /// Its name.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
}

/// A ServiceAccount of the Grant's namespace, and for whom its tokens are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrantedToken {
    /// Its name.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
    /// Who accepts the tokens.
    #[schemars(schema_with = "schema::audiences")]
    pub audiences: Vec<String>,
    /// How long a token lasts, in seconds.
    #[serde(default = "ten_minutes")]
    #[schemars(schema_with = "schema::token_seconds")]
    pub expiration_seconds: u32,
}

/// The least that the API server gives.
const fn ten_minutes() -> u32 {
    600
}

/// Nothing more is to be said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GrantedPrevious {}

/// How often something granted may be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrantQuota {
    /// While one value is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::count")]
    pub per_call: Option<u32>,
    /// In an hour, by all objects together; each process of the operator counts for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::count")]
    pub per_hour: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_reads_as_it_is_written() {
        let text = "{componentRef: {kind: Component, name: a}, label: seed, secret: {name: s}, quota: {perHour: 3}, expires: 2030-01-01T00:00:00Z}";
        let spec: GrantSpec = serde_saphyr::from_str(text).unwrap();
        assert_eq!(spec.quota, Some(GrantQuota { per_call: None, per_hour: Some(3) }));
        assert_eq!(serde_json::from_value::<GrantSpec>(serde_json::to_value(&spec).unwrap()).unwrap(), spec);
        let token: GrantedToken = serde_saphyr::from_str("{name: sa, audiences: [vault]}").unwrap();
        assert_eq!(token.expiration_seconds, 600);
        assert_eq!(serde_saphyr::from_str::<GrantedPrevious>("{}").unwrap(), GrantedPrevious {});
    }
}
