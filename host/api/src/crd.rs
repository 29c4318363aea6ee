//! The definitions that a cluster is given.
//!
//! kube derives each definition from the Rust type; what the derive cannot say is put right here, in one pass over all
//! of them, so that the result is a structural schema that kube-apiserver takes and ESO's manifests fit.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceSubresourceStatus, CustomResourceSubresources, JSON,
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use serde::Serialize;

use crate::names::{group, label};
use crate::{
    ClusterComponent, ClusterGenerator, ClusterPolicy, ClusterSecretStore, Component, ExternalSecret,
    ExternalSecretSpec, Fake, FakeSpec, Generator, Grant, Password, PasswordSpec, Policy, PushSecret,
    SecretStore, Uuid, UuidSpec,
};

/// The definitions of all kinds, always in the same order.
#[must_use]
pub fn crds() -> Vec<CustomResourceDefinition> {
    let mut definitions = vec![
        ExternalSecret::crd(),
        SecretStore::crd(),
        ClusterSecretStore::crd(),
        PushSecret::crd(),
        ClusterGenerator::crd(),
        Fake::crd(),
        Password::crd(),
        Uuid::crd(),
        Generator::crd(),
        Policy::crd(),
        ClusterPolicy::crd(),
        Component::crd(),
        ClusterComponent::crd(),
        Grant::crd(),
    ];
    for definition in &mut definitions {
        finish(definition);
    }
    definitions
}

/// The definitions as YAML documents.
///
/// # Errors
/// When a definition cannot be written as YAML, which no definition of ours does.
pub fn crds_yaml() -> Result<String, serde_saphyr::ser::Error> {
    let mut yaml = String::new();
    for definition in crds() {
        yaml.push_str("---\n");
        yaml.push_str(&serde_saphyr::to_string(&definition)?);
    }
    Ok(yaml)
}

/// Puts right what the derive cannot say.
fn finish(definition: &mut CustomResourceDefinition) {
    if definition.spec.group != group::KEYMILL {
        // On the definition only: the derive's own attribute would put the label on every object that `new` makes, too.
        definition
            .metadata
            .labels
            .get_or_insert_default()
            .insert(label::COMPONENT.to_owned(), label::COMPONENT_CONTROLLER.to_owned());
    }
    let default = spec_default(&definition.spec.names.kind);
    for version in &mut definition.spec.versions {
        // ESO's generators have a status in name only; without a Rust type for it the derive leaves it out.
        version.subresources.get_or_insert_with(|| CustomResourceSubresources {
            scale: None,
            status: Some(CustomResourceSubresourceStatus(serde_json::json!({}))),
        });
        let Some(root) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut()) else {
            continue;
        };
        clean(root);
        root.title = None;
        if let Some(time) = property(root, "status").and_then(|status| property(status, "refreshTime")) {
            // The one field that ESO clears by writing null.
            time.nullable = Some(true);
        }
        if let Some(default) = &default {
            root.required = None;
            if let Some(spec) = property(root, "spec") {
                spec.default = Some(JSON(default.clone()));
            }
        }
    }
}

fn property<'a>(schema: &'a mut JSONSchemaProps, name: &str) -> Option<&'a mut JSONSchemaProps> {
    schema.properties.as_mut()?.get_mut(name)
}

/// What stands for a spec that a manifest leaves out. ESO takes such a manifest; our types want a spec, so the server
/// fills it in. Kinds that mean nothing without a spec must have one.
fn spec_default(kind: &str) -> Option<serde_json::Value> {
    let default = match kind {
        "ExternalSecret" => to_value(&ExternalSecretSpec::default()),
        "Fake" => to_value(&FakeSpec::default()),
        "Password" => to_value(&PasswordSpec::default()),
        "UUID" => to_value(&UuidSpec::default()),
        _ => return None,
    };
    Some(default)
}

fn to_value(spec: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(spec).unwrap_or_default()
}

/// Walks a schema and takes out what Go's types do not have: nulls, formats of Rust's integers, limits that follow from
/// unsigned types.
fn clean(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.format = schema.format.take().filter(|format| is_format(format));
    if schema.x_kubernetes_int_or_string == Some(true) {
        let of_type =
            |name: &str| JSONSchemaProps { type_: Some(name.to_owned()), ..JSONSchemaProps::default() };
        schema.any_of = Some(vec![of_type("integer"), of_type("string")]);
        return;
    }
    for property in schema.properties.iter_mut().flat_map(|properties| properties.values_mut()) {
        clean(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        clean(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        clean(values);
    }
}

/// The formats that kube-apiserver knows and ESO uses.
fn is_format(format: &str) -> bool {
    matches!(format, "int32" | "int64" | "byte" | "date-time")
}

#[cfg(test)]
mod tests;
