//! Components as objects, references to components, and what keymill reports of the objects that name one.

mod object;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Condition, schema};

pub use object::{
    ClusterComponent, ClusterComponentKey, ClusterComponentSource, ClusterComponentSpec, Component,
    ComponentKey, ComponentSource, ComponentSpec, ComponentStatus, RefusedComponent, ServingComponent,
    SourceKind, SourcePlace,
};

/// A component by kind and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComponentRef {
    /// BuiltIn for one that keymill brings with it, Component for one of the same namespace, ClusterComponent for one of all namespaces.
    pub kind: ComponentKind,
    /// Its name. `keymill component list` prints those that are built in.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
}

/// Where a component that is named comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ComponentKind {
    /// keymill brings it with it; there is no object for it.
    BuiltIn,
    /// A Component of the namespace of whoever names it.
    Component,
    /// A ClusterComponent.
    ClusterComponent,
}

impl ComponentKind {
    /// The kind as manifests write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BuiltIn => "BuiltIn",
            Self::Component => "Component",
            Self::ClusterComponent => "ClusterComponent",
        }
    }
}

/// Whether an object with a component and its config can be used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfiguredStatus {
    /// The generation of the object that the conditions are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::integer")]
    pub observed_generation: Option<i64>,
    /// Whether the component is there and accepts the config; all that is wrong with it if not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Digest of the component that accepted the config last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component_digest: Option<String>,
}
