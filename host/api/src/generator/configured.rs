//! Generator: a component with its config.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::component::{ComponentRef, ConfiguredStatus};
use crate::{RawObject, schema};

/// Which component makes the values, and how they are to be.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "keymill.dev",
    version = "v1alpha1",
    kind = "Generator",
    plural = "generators",
    singular = "generator",
    namespaced,
    category = "keymill",
    status = "ConfiguredStatus",
    derive = "PartialEq",
    doc = "A Generator is a component with its config. An ExternalSecret or a PushSecret names it in generatorRef.",
    printcolumn = r#"{"name": "Component", "type": "string", "jsonPath": ".spec.componentRef.name"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Reason", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
pub struct ConfiguredGeneratorSpec {
    /// The component that makes the values.
    pub component_ref: ComponentRef,
    /// What configures the component; its own schema says what can stand here, `keymill component inspect` prints it. A change counts at
    /// the next rotation.
    #[serde(default)]
    #[schemars(schema_with = "schema::object")]
    pub config: RawObject,
}
