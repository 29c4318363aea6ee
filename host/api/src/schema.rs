//! The pieces of schema that many fields share.
//!
//! The functions are named in `#[schemars(schema_with = ...)]`. What the derive makes of `Option` and number types is put
//! right for all kinds in one place, [`crate::crds`].

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

const OBJECT_NAME: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// Any string, whatever the Rust type.
pub(crate) fn string(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string" })
}

/// The name of a Kubernetes object: a DNS subdomain.
pub(crate) fn object_name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "minLength": 1, "maxLength": 253, "pattern": OBJECT_NAME })
}

/// The name of a namespace: a DNS label.
pub(crate) fn namespace(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string", "minLength": 1, "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
    })
}

/// A list of names of namespaces.
pub(crate) fn namespaces(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": namespace(generator) })
}

/// A list of names of namespaces, each once.
pub(crate) fn set_of_namespaces(generator: &mut SchemaGenerator) -> Schema {
    set_of(namespace(generator))
}

/// A list of names of objects, each once.
pub(crate) fn set_of_object_names(generator: &mut SchemaGenerator) -> Schema {
    set_of(object_name(generator))
}

/// A list of keys, each once.
pub(crate) fn data_keys(generator: &mut SchemaGenerator) -> Schema {
    set_of(data_key(generator))
}

/// At most as many as make a manifest that somebody can read.
fn set_of(items: Schema) -> Schema {
    json_schema!({ "type": "array", "items": items, "x-kubernetes-list-type": "set", "maxItems": 256 })
}

/// A key in the data of a Secret or ConfigMap.
pub(crate) fn data_key(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "minLength": 1, "maxLength": 253, "pattern": "^[-._a-zA-Z0-9]+$" })
}

/// A label that a component says.
pub(crate) fn label(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "minLength": 1, "maxLength": 63, "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$" })
}

/// Who accepts a token.
pub(crate) fn audiences(_: &mut SchemaGenerator) -> Schema {
    let one = json_schema!({ "type": "string", "minLength": 1, "maxLength": 253 });
    json_schema!({ "type": "array", "items": one, "x-kubernetes-list-type": "set", "minItems": 1, "maxItems": 16 })
}

/// How long a token lasts: the API server gives ten minutes at least; a day is long.
pub(crate) fn token_seconds(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "minimum": 600, "maximum": 86_400, "default": 600 })
}

/// How many there may be.
pub(crate) fn count(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "minimum": 1, "maximum": 1_000_000 })
}

/// A sha256, as registries write it.
pub(crate) fn digest(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^sha256:[0-9a-f]{64}$" })
}

/// An integer without a format, as Go's `int` is written.
pub(crate) fn integer(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer" })
}

/// Bytes, in base64.
pub(crate) fn bytes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "byte" })
}

/// A point in time.
pub(crate) fn time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}

/// An integer or a string.
pub(crate) fn int_or_string(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-int-or-string": true })
}

/// Any JSON value.
pub(crate) fn any(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-preserve-unknown-fields": true })
}

/// An object that is kept as it is.
pub(crate) fn object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// Adds properties that are objects kept as they are, each with its description. They take the place of the map that
/// holds them in Rust.
pub(crate) fn list_raw_objects(schema: &mut Schema, objects: &[(&str, &str)]) {
    schema.remove("additionalProperties");
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for (name, description) in objects {
        let object = json!({
            "type": "object", "description": description, "x-kubernetes-preserve-unknown-fields": true
        });
        properties.insert((*name).to_owned(), object);
    }
}

/// A label selector; the type of `k8s-openapi` has no list and map types.
pub(crate) fn label_selector(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "x-kubernetes-map-type": "atomic",
        "properties": {
            "matchLabels": {
                "type": "object",
                "additionalProperties": { "type": "string" },
                "description": "Labels that must have exactly these values.",
            },
            "matchExpressions": {
                "type": "array",
                "x-kubernetes-list-type": "atomic",
                "description": "Conditions on labels, all of which must hold.",
                "items": {
                    "type": "object",
                    "required": ["key", "operator"],
                    "properties": {
                        "key": { "type": "string", "description": "The label." },
                        "operator": { "type": "string", "description": "In, NotIn, Exists or DoesNotExist." },
                        "values": {
                            "type": "array",
                            "x-kubernetes-list-type": "atomic",
                            "items": { "type": "string" },
                            "description": "The values for In and NotIn; empty for Exists and DoesNotExist.",
                        },
                    },
                },
            },
        },
    })
}

/// Whether a flag has its zero value, which is not written.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
pub(crate) fn is_false(flag: &bool) -> bool {
    !flag
}
