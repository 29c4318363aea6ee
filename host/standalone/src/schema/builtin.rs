//! Schemas of the built-in kinds, and of what every object has.
//!
//! They are written down in `kinds/*.json` as OpenAPI definitions that refer to each other, which is also
//! what `/openapi` serves.

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

use super::node::{Node, Type};
use super::parse;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// All definitions, by their OpenAPI name.
pub(crate) fn definitions() -> &'static Map<String, Value> {
    static DEFINITIONS: LazyLock<Map<String, Value>> = LazyLock::new(|| {
        let files = [
            include_str!("kinds/meta.json"),
            include_str!("kinds/core.json"),
            include_str!("kinds/events.json"),
            include_str!("kinds/leases.json"),
            include_str!("kinds/reviews.json"),
            include_str!("kinds/definitions.json"),
        ];
        files
            .into_iter()
            .filter_map(|file| serde_json::from_str::<Map<String, Value>>(file).ok())
            .flatten()
            .collect()
    });
    &DEFINITIONS
}

/// The definition with everything that it refers to written out, which is what the parser takes. A definition
/// inside itself becomes a value of any form.
pub(super) fn resolved(name: &str) -> Value {
    resolve_name(name, &mut Vec::new())
}

fn resolve_name(name: &str, inside: &mut Vec<String>) -> Value {
    let Some(definition) = definitions().get(name).filter(|_| !inside.iter().any(|outer| outer == name))
    else {
        return serde_json::json!({"x-kubernetes-preserve-unknown-fields": true});
    };
    inside.push(name.to_owned());
    let resolved = resolve(definition, inside);
    inside.pop();
    resolved
}

fn resolve(value: &Value, inside: &mut Vec<String>) -> Value {
    match value {
        Value::Object(fields) => {
            let reference = fields.get("$ref").and_then(Value::as_str);
            let referred = reference
                .map(|reference| resolve_name(reference.trim_start_matches("#/definitions/"), inside));
            let mut out = match referred {
                Some(Value::Object(referred)) => referred,
                _ => Map::new(),
            };
            // A property may itself be called $ref: then it is an object.
            let own = fields.iter().filter(|(key, value)| !(*key == "$ref" && value.is_string()));
            out.extend(own.map(|(key, value)| (key.clone(), resolve(value, inside))));
            Value::Object(out)
        }
        Value::Array(items) => items.iter().map(|item| resolve(item, inside)).collect(),
        other => other.clone(),
    }
}

/// Gives a node the fields that every object has.
pub(super) fn add_object_fields(node: &mut Node) {
    static STRING: LazyLock<Arc<Node>> =
        LazyLock::new(|| Arc::new(Node { kind: Some(Type::String), ..Node::default() }));
    static METADATA: LazyLock<Arc<Node>> =
        LazyLock::new(|| Arc::new(parse::parse_own(&resolved(META)).unwrap_or_default()));
    for name in ["apiVersion", "kind"] {
        node.properties.entry(name.to_owned()).or_insert_with(|| STRING.clone());
    }
    node.properties.insert("metadata".to_owned(), METADATA.clone());
}
