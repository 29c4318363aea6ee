//! Policy and ClusterPolicy: which values are fit to be published.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::component::{ComponentRef, ConfiguredStatus};
use crate::{RawObject, schema};

/// Which component judges, what it judges, and what follows.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "keymill.dev",
    version = "v1alpha1",
    kind = "Policy",
    plural = "policies",
    singular = "policy",
    namespaced,
    category = "keymill",
    status = "ConfiguredStatus",
    derive = "PartialEq",
    doc = "A Policy judges the values of its namespace before they are published: those of Secrets that ExternalSecrets write, and those that PushSecrets push.",
    printcolumn = r#"{"name": "Component", "type": "string", "jsonPath": ".spec.componentRef.name"}"#,
    printcolumn = r#"{"name": "Mode", "type": "string", "jsonPath": ".spec.mode"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Reason", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
pub struct PolicySpec {
    /// The component that judges.
    pub component_ref: ComponentRef,
    /// What configures the component; its own schema says what can stand here, `keymill component inspect` prints it.
    #[serde(default)]
    #[schemars(schema_with = "schema::object")]
    pub config: RawObject,
    /// What follows when it does not accept a value.
    #[serde(default)]
    pub mode: PolicyMode,
    /// Whose values are judged: those of objects that fit all of this; of all objects when left out.
    #[serde(default)]
    pub objects: JudgedObjects,
    /// The keys whose values are judged, those of the target or of what is pushed; all when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::data_keys")]
    pub fields: Vec<String>,
}

/// The same as a Policy's, for the namespaces that it names.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "self.componentRef.kind != 'Component'",
    "message": "a ClusterPolicy is in no namespace: name a ClusterComponent",
}]))]
#[kube(
    group = "keymill.dev",
    version = "v1alpha1",
    kind = "ClusterPolicy",
    plural = "clusterpolicies",
    singular = "clusterpolicy",
    category = "keymill",
    status = "ConfiguredStatus",
    derive = "PartialEq",
    doc = "A ClusterPolicy judges values as a Policy does, in all namespaces or in some. An operator that is bound to single namespaces has no right to see it and does without.",
    printcolumn = r#"{"name": "Component", "type": "string", "jsonPath": ".spec.componentRef.name"}"#,
    printcolumn = r#"{"name": "Mode", "type": "string", "jsonPath": ".spec.mode"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Reason", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
pub struct ClusterPolicySpec {
    /// What a Policy says, too.
    #[serde(flatten)]
    pub policy: PolicySpec,
    /// The namespaces whose objects are judged; all when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::set_of_namespaces")]
    pub namespaces: Vec<String>,
}

/// What follows when a value is not accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum PolicyMode {
    /// Nothing of the object is published, and its condition names the rule and the key. What was published last stays. A policy that
    /// cannot judge accepts nothing.
    #[default]
    Enforce,
    /// It is published all the same; an event and a metric say what would not have been.
    Monitor,
}

/// Whose values are judged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!has(self.selector) || !has(self.selector.matchExpressions) || self.selector.matchExpressions.all(one, one.operator in ['In', 'NotIn', 'Exists', 'DoesNotExist'])",
    "message": "an operator is In, NotIn, Exists or DoesNotExist",
}]))]
pub struct JudgedObjects {
    /// Objects of these kinds; of both when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub kinds: Vec<JudgedKind>,
    /// Objects of these names; of all when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::set_of_object_names")]
    pub names: Vec<String>,
    /// Objects with these labels; all when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::label_selector")]
    pub selector: Option<LabelSelector>,
}

/// A kind of object that publishes values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum JudgedKind {
    /// It writes a Secret.
    ExternalSecret,
    /// It writes to stores.
    PushSecret,
}

impl JudgedKind {
    /// The kind as manifests write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExternalSecret => "ExternalSecret",
            Self::PushSecret => "PushSecret",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_policy_judges_everything_and_enforces() {
        let text = "{componentRef: {kind: BuiltIn, name: length}, config: {min: 12}}";
        let spec: PolicySpec = serde_saphyr::from_str(text).unwrap();
        assert_eq!(spec.mode, PolicyMode::Enforce);
        assert_eq!(spec.objects, JudgedObjects::default());
        assert!(spec.fields.is_empty());
    }

    #[test]
    fn a_cluster_policy_says_what_a_policy_says() {
        let text = "{componentRef: {kind: BuiltIn, name: length}, mode: Monitor, namespaces: [a], fields: [password]}";
        let spec: ClusterPolicySpec = serde_saphyr::from_str(text).unwrap();
        assert_eq!(
            (spec.policy.mode, spec.namespaces.as_slice()),
            (PolicyMode::Monitor, &["a".to_owned()][..])
        );
        let written = serde_json::to_value(&spec).unwrap();
        assert_eq!(written["fields"], serde_json::json!(["password"]));
        assert_eq!(serde_json::from_value::<ClusterPolicySpec>(written).unwrap(), spec);
    }
}
