//! The definitions that a document needs, in the dialect of its version.

use serde_json::{Map, Value, json};

use crate::resource::ResourceInfo;
use crate::schema::definitions;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";
/// Keywords that version 2 does not have.
const NOT_IN_V2: [&str; 5] = ["anyOf", "oneOf", "not", "nullable", "x-kubernetes-validations"];

/// A version of OpenAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    V2,
    V3,
}

impl Dialect {
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::V2 => "#/definitions/",
            Self::V3 => "#/components/schemas/",
        }
    }

    pub(super) fn reference(self, name: &str) -> Value {
        json!({"$ref": format!("{}{name}", self.prefix())})
    }
}

/// The name of a kind's definition: `io.example.v1.Widget`; `suffix` is empty or `List`.
pub(super) fn name(resource: &ResourceInfo, suffix: &str) -> String {
    let kind = if suffix.is_empty() { &resource.kind } else { &resource.list_kind };
    if resource.builtin {
        let wanted = json!({"group": resource.group, "version": resource.version, "kind": kind});
        let is_it = |definition: &Value| {
            definition.get("x-kubernetes-group-version-kind").and_then(|kinds| kinds.get(0)) == Some(&wanted)
        };
        if let Some((name, _)) = definitions().iter().find(|(_, definition)| is_it(definition)) {
            return name.clone();
        }
    }
    let reversed: Vec<&str> = resource.group.rsplit('.').collect();
    format!("{}.{}.{kind}", reversed.join("."), resource.version)
}

/// All definitions that these kinds and paths refer to, and those that they refer to in turn.
pub(super) fn needed(resources: &[&ResourceInfo], paths: &Value, dialect: Dialect) -> Map<String, Value> {
    let mut own: Map<String, Value> = Map::new();
    for resource in resources.iter().filter(|resource| !resource.builtin) {
        own.insert(name(resource, ""), custom(resource, dialect));
        own.insert(name(resource, "List"), list(resource));
    }
    let mut found = Map::new();
    let mut wanted = references(paths);
    wanted.extend(resources.iter().map(|resource| name(resource, "")));
    while let Some(name) = wanted.pop() {
        if found.contains_key(&name) {
            continue;
        }
        let Some(definition) = own.get(&name).or_else(|| definitions().get(&name)) else {
            continue;
        };
        wanted.extend(references(definition));
        found.insert(name, translate(definition, dialect));
    }
    found.sort_keys();
    found
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match (key.as_str(), value) {
                ("$ref", Value::String(reference)) => {
                    reference.rsplit('/').next().map(str::to_owned).into_iter().collect()
                }
                _ => references(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// A custom kind: its schema, with the fields that every object has.
fn custom(resource: &ResourceInfo, dialect: Dialect) -> Value {
    let source =
        resource.schema.as_ref().map_or_else(|| json!({"type": "object"}), |schema| schema.source().clone());
    let free = source.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
    let mut definition = if free && dialect == Dialect::V2 { json!({"type": "object"}) } else { source };
    if let Value::Object(fields) = &mut definition {
        if resource.schema.is_some() && !(free && dialect == Dialect::V2) {
            let properties = fields.entry("properties").or_insert_with(|| json!({}));
            object_fields(properties);
        }
        let kind = json!([{"group": resource.group, "version": resource.version, "kind": resource.kind}]);
        fields.insert("x-kubernetes-group-version-kind".to_owned(), kind);
    }
    add_selectable(&mut definition, resource);
    definition
}

fn add_selectable(definition: &mut Value, resource: &ResourceInfo) {
    let paths = resource.selectable_fields.iter().map(|path| json!({"fieldPath": path}));
    let selectable: Vec<Value> = paths.collect();
    if !selectable.is_empty()
        && let Value::Object(fields) = definition
    {
        fields.insert("x-kubernetes-selectable-fields".to_owned(), selectable.into());
    }
}

fn object_fields(properties: &mut Value) {
    let Value::Object(properties) = properties else {
        return;
    };
    let text = |description: &str| json!({"type": "string", "description": description});
    let version = text("The version of the API that this object is written in, as group/version.");
    properties.insert("apiVersion".to_owned(), version);
    properties.insert("kind".to_owned(), text("The kind of object that this is, in CamelCase."));
    properties
        .insert("metadata".to_owned(), described("ObjectMeta", "The object's name, labels and the like."));
}

fn described(name: &str, description: &str) -> Value {
    json!({"$ref": format!("#/definitions/{META}.{name}"), "description": description})
}

fn list(resource: &ResourceInfo) -> Value {
    let mut properties = json!({});
    object_fields(&mut properties);
    if let Value::Object(properties) = &mut properties {
        properties.insert("metadata".to_owned(), described("ListMeta", "Where the list stands."));
        let items = json!({
            "type": "array",
            "description": format!("The {}.", resource.plural),
            "items": {"$ref": format!("#/definitions/{}", name(resource, ""))},
        });
        properties.insert("items".to_owned(), items);
    }
    let kind = json!([{"group": resource.group, "version": resource.version, "kind": resource.list_kind}]);
    let mut definition = json!({
        "type": "object",
        "description": format!("{} is a list of {}", resource.list_kind, resource.kind),
        "required": ["items"],
        "properties": properties,
        "x-kubernetes-group-version-kind": kind,
    });
    add_selectable(&mut definition, resource);
    definition
}

/// Writes a definition in a dialect.
fn translate(value: &Value, dialect: Dialect) -> Value {
    match value {
        Value::Object(fields) => {
            let mut out: Map<String, Value> = fields
                .iter()
                .filter(|(key, _)| !(dialect == Dialect::V2 && NOT_IN_V2.contains(&key.as_str())))
                .map(|(key, value)| match (key.as_str(), value) {
                    ("$ref", Value::String(reference)) => {
                        (key.clone(), Value::from(reference.replace("#/definitions/", dialect.prefix())))
                    }
                    // These hold values and names, not schemas.
                    (
                        "default" | "enum" | "example" | "required" | "x-kubernetes-group-version-kind",
                        value,
                    ) => (key.clone(), value.clone()),
                    ("properties", Value::Object(properties)) => {
                        let properties = properties
                            .iter()
                            .map(|(name, property)| (name.clone(), translate(property, dialect)));
                        (key.clone(), Value::Object(properties.collect()))
                    }
                    (_, value) => (key.clone(), translate(value, dialect)),
                })
                .collect();
            match dialect {
                Dialect::V2 => loosen(&mut out),
                Dialect::V3 => wrap_reference(&mut out),
            }
            Value::Object(out)
        }
        Value::Array(items) => items.iter().map(|item| translate(item, dialect)).collect(),
        other => other.clone(),
    }
}

/// In version 3 nothing may stand beside a reference.
fn wrap_reference(fields: &mut Map<String, Value>) {
    if fields.len() > 1
        && let Some(reference @ Value::String(_)) = fields.remove("$ref")
    {
        fields.insert("allOf".to_owned(), json!([{"$ref": reference}]));
    }
}

/// kubectl takes fields that version 2 does not list for wrong: where unknown ones are welcome, none are
/// listed.
fn loosen(fields: &mut Map<String, Value>) {
    if fields.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true)) {
        ["properties", "items", "required", "additionalProperties"].into_iter().for_each(|name| {
            fields.remove(name);
        });
    }
    if fields.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        fields.insert("type".to_owned(), json!("string"));
        fields.insert("format".to_owned(), json!("int-or-string"));
    }
}
