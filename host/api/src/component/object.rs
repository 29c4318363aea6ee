//! Component and ClusterComponent: where a component comes from, and what became of it.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Condition, schema};

/// Where a component comes from.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "keymill.dev",
    version = "v1alpha1",
    kind = "Component",
    plural = "components",
    singular = "component",
    namespaced,
    category = "keymill",
    status = "ComponentStatus",
    derive = "PartialEq",
    doc = "A Component is a generator, a template engine or a policy that keymill does not bring with it, for the objects of its namespace. New bytes are tried before they serve; until then, and where they are refused, the old ones do.",
    printcolumn = r#"{"name": "World", "type": "string", "jsonPath": ".status.serving.world"}"#,
    printcolumn = r#"{"name": "Version", "type": "string", "jsonPath": ".status.serving.version"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Reason", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Digest", "type": "string", "jsonPath": ".status.serving.digest", "priority": 1}"#
)]
pub struct ComponentSpec {
    /// Where its bytes are: in exactly one of these.
    pub source: ComponentSource,
    /// The digest that the bytes must have, `sha256:` and 64 hex digits. Others are refused. Without it, whatever is at the source counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::digest")]
    pub digest: Option<String>,
}

/// The same as a Component's, for objects of all namespaces.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "keymill.dev",
    version = "v1alpha1",
    kind = "ClusterComponent",
    plural = "clustercomponents",
    singular = "clustercomponent",
    category = "keymill",
    status = "ComponentStatus",
    derive = "PartialEq",
    doc = "A ClusterComponent is a component as a Component is, for the objects of all namespaces. An operator that is bound to single namespaces has no right to see it.",
    printcolumn = r#"{"name": "World", "type": "string", "jsonPath": ".status.serving.world"}"#,
    printcolumn = r#"{"name": "Version", "type": "string", "jsonPath": ".status.serving.version"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Reason", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Digest", "type": "string", "jsonPath": ".status.serving.digest", "priority": 1}"#
)]
pub struct ClusterComponentSpec {
    /// Where its bytes are: in exactly one of these.
    pub source: ClusterComponentSource,
    /// The digest that the bytes must have, `sha256:` and 64 hex digits. Others are refused. Without it, whatever is at the source counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::digest")]
    pub digest: Option<String>,
}

/// Where a Component's bytes are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.configMap), has(self.secret)].exists_one(one, one)",
    "message": "name exactly one of configMap and secret",
}]))]
pub struct ComponentSource {
    /// A key in a ConfigMap of the namespace, under binaryData.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map: Option<ComponentKey>,
    /// A key in a Secret of the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<ComponentKey>,
}

/// A key of an object in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComponentKey {
    /// The object's name.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
    /// The key; its bytes are the component, as they are or packed by gzip.
    #[schemars(schema_with = "schema::data_key")]
    pub key: String,
}

/// Where a ClusterComponent's bytes are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.configMap), has(self.secret)].exists_one(one, one)",
    "message": "name exactly one of configMap and secret",
}]))]
pub struct ClusterComponentSource {
    /// A key in a ConfigMap, under binaryData.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map: Option<ClusterComponentKey>,
    /// A key in a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<ClusterComponentKey>,
}

/// A key of an object in any namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterComponentKey {
    /// The object's namespace.
    #[schemars(schema_with = "schema::namespace")]
    pub namespace: String,
    /// The object's name.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
    /// The key; its bytes are the component, as they are or packed by gzip.
    #[schemars(schema_with = "schema::data_key")]
    pub key: String,
}

/// What became of a component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComponentStatus {
    /// The generation of the object that the conditions are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::integer")]
    pub observed_generation: Option<i64>,
    /// Ready says whether what is at the source serves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// What serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serving: Option<ServingComponent>,
    /// What was refused last, while nothing better has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedComponent>,
}

/// A component that serves, by its own words and by what its bytes prove.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServingComponent {
    /// Of its bytes: `sha256:` and 64 hex digits.
    pub digest: String,
    /// generator, template or policy.
    pub world: String,
    /// What it calls itself.
    pub name: String,
    /// Its version, by its own words.
    pub version: String,
    /// What it does, by its own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// The interfaces that it imports, as its bytes prove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<String>,
    /// The JSON Schema of its config.
    #[serde(default)]
    #[schemars(schema_with = "schema::object")]
    pub config_schema: serde_json::Value,
}

/// Bytes that do not serve.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefusedComponent {
    /// Of the bytes: `sha256:` and 64 hex digits.
    pub digest: String,
    /// Why, and what to do.
    pub message: String,
}

/// The kind of object that holds a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// Under binaryData, or data.
    ConfigMap,
    /// Under data.
    Secret,
}

impl SourceKind {
    /// The kind as manifests write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }
}

/// A component's place, whatever names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePlace {
    /// The object's kind.
    pub kind: SourceKind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The key in it.
    pub key: String,
}

impl ComponentSource {
    /// The place, for a Component in this namespace; none where the schema was not asked and it names none or several.
    #[must_use]
    pub fn place(&self, namespace: &str) -> Option<SourcePlace> {
        let (kind, at) = one(self.config_map.as_ref(), self.secret.as_ref())?;
        Some(SourcePlace {
            kind,
            namespace: namespace.to_owned(),
            name: at.name.clone(),
            key: at.key.clone(),
        })
    }
}

impl ClusterComponentSource {
    /// The place; none where the schema was not asked and it names none or several.
    #[must_use]
    pub fn place(&self) -> Option<SourcePlace> {
        let (kind, at) = one(self.config_map.as_ref(), self.secret.as_ref())?;
        Some(SourcePlace {
            kind,
            namespace: at.namespace.clone(),
            name: at.name.clone(),
            key: at.key.clone(),
        })
    }
}

fn one<'a, T>(config_map: Option<&'a T>, secret: Option<&'a T>) -> Option<(SourceKind, &'a T)> {
    match (config_map, secret) {
        (Some(at), None) => Some((SourceKind::ConfigMap, at)),
        (None, Some(at)) => Some((SourceKind::Secret, at)),
        (None, None) | (Some(_), Some(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_one() {
        for (text, expected) in [
            ("{configMap: {name: a, key: k}}", Some((SourceKind::ConfigMap, "a"))),
            ("{secret: {name: b, key: k}}", Some((SourceKind::Secret, "b"))),
            ("{}", None),
            ("{secret: {name: b, key: k}, configMap: {name: a, key: k}}", None),
        ] {
            let source: ComponentSource = serde_saphyr::from_str(text).unwrap();
            let place = source.place("shop");
            assert!(place.as_ref().is_none_or(|place| place.namespace == "shop" && place.key == "k"));
            assert_eq!(place.as_ref().map(|place| (place.kind, place.name.as_str())), expected, "{text}");
        }
    }

    #[test]
    fn a_cluster_component_says_whose_namespace() {
        let text = "{source: {secret: {namespace: ops, name: b, key: k}}}";
        let spec: ClusterComponentSpec = serde_saphyr::from_str(text).unwrap();
        assert_eq!(spec.source.place().map(|place| place.namespace), Some("ops".to_owned()));
        assert!(
            serde_saphyr::from_str::<ClusterComponentSpec>("{source: {secret: {name: b, key: k}}}").is_err()
        );
    }
}
