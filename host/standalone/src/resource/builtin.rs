//! The table of built-in kinds.

use std::sync::Arc;

use super::{ALL_VERBS, ResourceInfo, Subresource};
use crate::schema::Schema;
use crate::table::{BuiltinColumns, Columns};

const NAMESPACE_VERBS: &[&str] = &["create", "delete", "get", "list", "patch", "update", "watch"];
const CREATE: &[&str] = &["create"];

const TOKEN: Subresource = Subresource {
    name: "token",
    group: "authentication.k8s.io",
    version: "v1",
    kind: "TokenRequest",
    verbs: CREATE,
};
const FINALIZE: Subresource =
    Subresource { name: "finalize", group: "", version: "v1", kind: "Namespace", verbs: &["update"] };

/// One row: what differs between built-in kinds.
struct Row {
    group: &'static str,
    version: &'static str,
    plural: &'static str,
    kind: &'static str,
    namespaced: bool,
    short_names: &'static [&'static str],
    categories: &'static [&'static str],
    verbs: &'static [&'static str],
    has_status: bool,
    subresources: &'static [Subresource],
    selectable: &'static [&'static str],
    columns: BuiltinColumns,
    /// The name of the schema in OpenAPI.
    schema: &'static str,
}

const ROW: Row = Row {
    group: "",
    version: "v1",
    plural: "",
    kind: "",
    namespaced: true,
    short_names: &[],
    categories: &[],
    verbs: &ALL_VERBS,
    has_status: false,
    subresources: &[],
    selectable: &[],
    columns: BuiltinColumns::NameAndAge,
    schema: "",
};

const EVENT_FIELDS: &[&str] = &[
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
];
const REGARDING_FIELDS: &[&str] = &[
    "regarding.kind",
    "regarding.namespace",
    "regarding.name",
    "regarding.uid",
    "regarding.apiVersion",
    "regarding.resourceVersion",
    "regarding.fieldPath",
    "reason",
    "reportingController",
    "type",
];

const ROWS: &[Row] = &[
    Row {
        plural: "configmaps",
        kind: "ConfigMap",
        short_names: &["cm"],
        columns: BuiltinColumns::ConfigMap,
        schema: "io.k8s.api.core.v1.ConfigMap",
        ..ROW
    },
    Row {
        plural: "events",
        kind: "Event",
        short_names: &["ev"],
        selectable: EVENT_FIELDS,
        columns: BuiltinColumns::Event,
        schema: "io.k8s.api.core.v1.Event",
        ..ROW
    },
    Row {
        plural: "namespaces",
        kind: "Namespace",
        namespaced: false,
        short_names: &["ns"],
        verbs: NAMESPACE_VERBS,
        has_status: true,
        subresources: &[FINALIZE],
        selectable: &["status.phase"],
        columns: BuiltinColumns::Namespace,
        schema: "io.k8s.api.core.v1.Namespace",
        ..ROW
    },
    Row {
        plural: "secrets",
        kind: "Secret",
        selectable: &["type"],
        columns: BuiltinColumns::Secret,
        schema: "io.k8s.api.core.v1.Secret",
        ..ROW
    },
    Row {
        plural: "serviceaccounts",
        kind: "ServiceAccount",
        short_names: &["sa"],
        subresources: &[TOKEN],
        columns: BuiltinColumns::ServiceAccount,
        schema: "io.k8s.api.core.v1.ServiceAccount",
        ..ROW
    },
    Row {
        group: "events.k8s.io",
        plural: "events",
        kind: "Event",
        short_names: &["ev"],
        selectable: REGARDING_FIELDS,
        columns: BuiltinColumns::RegardingEvent,
        schema: "io.k8s.api.events.v1.Event",
        ..ROW
    },
    Row {
        group: "coordination.k8s.io",
        plural: "leases",
        kind: "Lease",
        columns: BuiltinColumns::Lease,
        schema: "io.k8s.api.coordination.v1.Lease",
        ..ROW
    },
    Row {
        group: "authentication.k8s.io",
        plural: "selfsubjectreviews",
        kind: "SelfSubjectReview",
        namespaced: false,
        verbs: CREATE,
        schema: "io.k8s.api.authentication.v1.SelfSubjectReview",
        ..ROW
    },
    Row {
        group: "authorization.k8s.io",
        plural: "selfsubjectaccessreviews",
        kind: "SelfSubjectAccessReview",
        namespaced: false,
        verbs: CREATE,
        schema: "io.k8s.api.authorization.v1.SelfSubjectAccessReview",
        ..ROW
    },
    Row {
        group: "apiextensions.k8s.io",
        plural: "customresourcedefinitions",
        kind: "CustomResourceDefinition",
        namespaced: false,
        short_names: &["crd", "crds"],
        categories: &["api-extensions"],
        has_status: true,
        columns: BuiltinColumns::CustomResourceDefinition,
        schema: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
        ..ROW
    },
];

pub(super) fn table() -> Vec<ResourceInfo> {
    ROWS.iter().map(resource).collect()
}

fn resource(row: &Row) -> ResourceInfo {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    ResourceInfo {
        group: row.group.to_owned(),
        version: row.version.to_owned(),
        plural: row.plural.to_owned(),
        singular: row.kind.to_lowercase(),
        kind: row.kind.to_owned(),
        list_kind: format!("{}List", row.kind),
        namespaced: row.namespaced,
        short_names: owned(row.short_names),
        categories: owned(row.categories),
        verbs: row.verbs.to_vec(),
        has_status: row.has_status,
        subresources: row.subresources.to_vec(),
        columns: Columns::Builtin(row.columns),
        selectable_fields: owned(row.selectable),
        schema: Some(Arc::new(Schema::builtin(row.schema))),
        storage: true,
        served: true,
        deprecated: false,
        deprecation_warning: None,
        builtin: true,
    }
}
