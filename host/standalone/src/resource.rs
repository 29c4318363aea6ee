//! The kinds that the API serves: built-in ones, and those that CustomResourceDefinitions add.
//!
//! A [`ResourceInfo`] is one kind in one version, with all that the API server, discovery, OpenAPI and the
//! table printer need to know of it. It holds no objects, and never changes: a new CustomResourceDefinition
//! makes new ones.

use std::sync::{Arc, LazyLock};

use serde_json::Value;

use crate::schema::{Cause, Schema};
use crate::table::Columns;

mod builtin;
mod definition;

/// One kind in one version.
#[derive(Debug, Clone)]
pub struct ResourceInfo {
    /// Empty for the core group.
    pub group: String,
    pub version: String,
    /// The name in the URL, as `externalsecrets`.
    pub plural: String,
    pub singular: String,
    pub kind: String,
    pub list_kind: String,
    pub namespaced: bool,
    pub short_names: Vec<String>,
    pub categories: Vec<String>,
    /// In the order in which discovery lists them.
    pub verbs: Vec<&'static str>,
    /// Whether `status` is a subresource: then writes to the main resource leave it alone, and the other way
    /// round.
    pub has_status: bool,
    /// Other subresources than `status`.
    pub subresources: Vec<Subresource>,
    pub columns: Columns,
    /// Fields for field selectors beside `metadata.name` and `metadata.namespace`, without the leading dot.
    pub selectable_fields: Vec<String>,
    pub schema: Option<Arc<Schema>>,
    /// Whether objects are stored in this version.
    pub storage: bool,
    pub served: bool,
    pub deprecated: bool,
    /// The warning that a deprecated version answers with.
    pub deprecation_warning: Option<String>,
    pub builtin: bool,
}

/// A subresource that discovery lists beside its resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subresource {
    pub name: &'static str,
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
    pub verbs: &'static [&'static str],
}

/// What can be done with a stored object.
pub(crate) const ALL_VERBS: [&str; 8] =
    ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// The same in the order in which kube-apiserver lists them for custom objects.
pub(crate) const CUSTOM_VERBS: [&str; 8] =
    ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

impl ResourceInfo {
    /// The built-in kinds.
    pub fn builtins() -> &'static [Arc<ResourceInfo>] {
        static BUILTINS: LazyLock<Vec<Arc<ResourceInfo>>> =
            LazyLock::new(|| builtin::table().into_iter().map(Arc::new).collect());
        &BUILTINS
    }

    /// The kinds that a CustomResourceDefinition adds, one for each of its versions.
    ///
    /// # Errors
    ///
    /// All that is wrong with the definition.
    pub fn from_crd(definition: &Value) -> Result<Vec<Self>, Vec<Cause>> {
        definition::resources(definition)
    }

    /// Why an object cannot be one of this kind at all, as a decoder would say it: a field of another type
    /// than the kind's. Only built-in kinds and metadata are decoded; everything else is validated.
    pub fn misfit(&self, object: &Value) -> Option<String> {
        self.schema.as_ref()?.misfit(object, &self.kind)
    }

    /// `v1`, or `group/version`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `secrets`, or `externalsecrets.external-secrets.io`: how messages name the resource.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }
}
