//! What built-in kinds ask of the contents of their objects beyond their schemas: key syntax, keys that a
//! type needs, fields that agree.
//!
//! Metadata, sizes and immutable fields are the API's business, since they are alike for many kinds. No
//! message here quotes data of a Secret or ConfigMap.

mod definition;
mod namespaced;
mod secret;

use serde_json::Value;

use super::cause::Cause;
pub(crate) use definition::{check as check_definition, is_shared};

/// Checks a new object and, with it, the one that it replaces.
pub(super) type Contents = fn(&Value, Option<&Value>) -> Vec<Cause>;

/// The check of a kind, by the name of its schema.
pub(super) fn contents(schema: &str) -> Option<Contents> {
    Some(match schema {
        "io.k8s.api.core.v1.Secret" => |new, _| secret::validate(new),
        "io.k8s.api.core.v1.ConfigMap" => |new, _| namespaced::validate_config_map(new),
        "io.k8s.api.core.v1.Namespace" => |new, _| namespaced::validate_namespace(new),
        "io.k8s.api.core.v1.Event" => |new, _| namespaced::validate_event(new),
        "io.k8s.api.coordination.v1.Lease" => |new, _| namespaced::validate_lease(new),
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition" => {
            definition::check_change
        }
        _ => return None,
    })
}
