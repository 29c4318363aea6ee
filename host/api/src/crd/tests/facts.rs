//! The definitions against the facts of ESO 2.9, field by field.
//!
//! `tests/facts.json` holds the facts: for each kind its names, columns and selectable fields, and for each path what the
//! schema says there. `inner` counts the fields of a provider or generator that we keep as it is. Every difference is a
//! line in `tests/left-out.txt`; one more or one less fails.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::*;

/// By path, what a schema says there.
type Fields = BTreeMap<String, Map<String, Value>>;

#[test]
fn differences_from_eso_are_the_committed_ones() {
    let facts: Map<String, Value> = serde_json::from_str(include_str!("../../../tests/facts.json")).unwrap();
    let mut definitions = crds();
    definitions.retain(|definition| definition.spec.group != group::KEYMILL);
    assert_eq!(facts.len(), definitions.len(), "a kind is missing in facts.json or here");
    let mut differences = String::from(
        "# What our definitions leave out, add or say differently, compared with those of ESO 2.9.\n\
         # Written by KEYMILL_BLESS=1 cargo test -p keymill-api; read every change of it.\n\
         # Not compared, since no definition of ours has it: the version v1beta1, which ESO does not serve either.\n",
    );
    for definition in &definitions {
        let version = definition.spec.versions.first().unwrap();
        let key = format!("{}/{}/{}", definition.spec.group, version.name, definition.spec.names.kind);
        let fact = &facts[&key];
        assert_eq!(header(definition), header_of_fact(fact), "{key}");
        let expected = match fact.get("fieldsOf") {
            Some(other) => &facts[other.as_str().unwrap()]["fields"],
            None => &fact["fields"],
        };
        let expected: Fields = serde_json::from_value(expected.clone()).unwrap();
        let mut found = Fields::new();
        let root = version.schema.as_ref().unwrap().open_api_v3_schema.as_ref().unwrap();
        collect(root, "", false, &mut found);
        for line in compare(&expected, &found) {
            differences.push_str(&format!("{key} {line}\n"));
        }
    }
    println!("{differences}");
    check_committed(&in_crate("tests/left-out.txt"), &differences);
}

/// What a definition says beside its schema, in the shape of the facts.
fn header(definition: &CustomResourceDefinition) -> Value {
    let spec = &definition.spec;
    let version = spec.versions.first().unwrap();
    assert_eq!(spec.versions.len(), 1);
    assert_eq!(definition.metadata.name, Some(format!("{}.{}", spec.names.plural, spec.group)));
    assert_eq!(
        definition.metadata.labels,
        Some(BTreeMap::from([("external-secrets.io/component".to_owned(), "controller".to_owned())]))
    );
    let selectable: Vec<&str> =
        version.selectable_fields.iter().flatten().map(|field| field.json_path.as_str()).collect();
    json!({
        "scope": spec.scope,
        "names": {
            "plural": spec.names.plural,
            "singular": spec.names.singular,
            "shortNames": spec.names.short_names,
            "categories": spec.names.categories,
        },
        "served": version.served,
        "storage": version.storage,
        "subresources": version.subresources,
        "columns": version.additional_printer_columns.clone().unwrap_or_default(),
        "selectableFields": selectable,
    })
}

fn header_of_fact(fact: &Value) -> Value {
    let mut header = fact.as_object().unwrap().clone();
    header.retain(|key, _| key != "fields" && key != "fieldsOf");
    Value::Object(header)
}

/// Collects what a schema says, path by path, in the shape of the facts.
fn collect(schema: &JSONSchemaProps, path: &str, required: bool, fields: &mut Fields) {
    let mut field = attributes(schema);
    if required {
        field.insert("required".to_owned(), json!(true));
    }
    fields.insert(if path.is_empty() { ".".to_owned() } else { path.to_owned() }, field);
    for (name, property) in schema.properties.iter().flatten() {
        let required = schema.required.iter().flatten().any(|required| required == name);
        collect(property, &format!("{path}.{name}"), required, fields);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        collect(items, &format!("{path}[]"), false, fields);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &schema.additional_properties {
        collect(values, &format!("{path}{{}}"), false, fields);
    }
}

/// All that a schema says at one place but its description and what lies below.
fn attributes(schema: &JSONSchemaProps) -> Map<String, Value> {
    let Value::Object(all) = serde_json::to_value(schema).unwrap() else { panic!("a schema is an object") };
    let below = ["description", "properties", "required", "items", "additionalProperties"];
    let mut found = Map::new();
    for (key, value) in all.into_iter().filter(|(key, _)| !below.contains(&key.as_str())) {
        let key = key.strip_prefix("x-kubernetes-").unwrap_or(&key).to_owned();
        if key == "validations" {
            let rules = value.as_array().unwrap().iter().map(|rule| rule["rule"].clone()).collect();
            found.insert("cel".to_owned(), Value::Array(rules));
        } else {
            found.insert(key, value);
        }
    }
    found
}

/// The differences, a line each, in the order of the paths.
fn compare(expected: &Fields, found: &Fields) -> Vec<String> {
    let paths: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let mut lines = Vec::new();
    for path in paths {
        match (expected.get(path), found.get(path)) {
            (Some(expected), Some(found)) => lines.extend(compare_field(path, expected, found)),
            (Some(_), None) => lines.push(format!("{path} left out")),
            (None, _) => lines.push(format!("{path} added")),
        }
    }
    lines
}

fn compare_field(path: &str, expected: &Map<String, Value>, found: &Map<String, Value>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(inner) = expected.get("inner") {
        lines.push(format!("{path} kept as it is: {inner} fields left out"));
    }
    let attributes: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    for attribute in attributes {
        // What makes an object be kept as it is follows from the line above.
        if attribute == "inner" || attribute == "preserve-unknown-fields" && expected.contains_key("inner") {
            continue;
        }
        let (expected, found) = (in_order(attribute, expected), in_order(attribute, found));
        if let (Some(Value::Array(expected)), Some(Value::Array(found)), true) =
            (&expected, &found, attribute == "enum")
        {
            lines.extend(
                expected
                    .iter()
                    .filter(|value| !found.contains(value))
                    .map(|value| format!("{path} enum: without {value}")),
            );
            lines.extend(
                found
                    .iter()
                    .filter(|value| !expected.contains(value))
                    .map(|value| format!("{path} enum: and {value}")),
            );
        } else if expected != found {
            let text =
                |value: Option<Value>| value.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
            lines.push(format!("{path} {attribute}: {} in ESO, {} here", text(expected), text(found)));
        }
    }
    lines
}

/// The value of an attribute; the order of an enum means nothing.
fn in_order(attribute: &str, field: &Map<String, Value>) -> Option<Value> {
    let mut value = field.get(attribute).cloned()?;
    if let (true, Some(values)) = (attribute == "enum", value.as_array_mut()) {
        values.sort_by_key(ToString::to_string);
    }
    // Numbers are floating-point in the Rust type of a schema and integers in the facts.
    if let Some(number) = value.as_f64() {
        value = json!(number);
    }
    Some(value)
}

#[test]
fn the_comparison_finds_each_kind_of_difference() {
    let fields = |value: Value| -> Fields { serde_json::from_value(value).unwrap() };
    let expected = fields(json!({
        ".a": {"type": "string"}, ".b": {"type": "string", "enum": ["x", "y"]}, ".c": {"type": "object", "inner": 3},
        ".d": {"type": "integer", "minimum": 1}, ".e": {"type": "string", "required": true}, ".f": {"type": "string"},
        ".h": {"enum": ["x", "y"]},
    }));
    let found = fields(json!({
        ".b": {"type": "string", "enum": ["y", "x"]}, ".c": {"type": "object", "preserve-unknown-fields": true},
        ".d": {"type": "integer", "minimum": 1.0}, ".e": {"type": "string"}, ".f": {"type": "integer"}, ".g": {},
        ".h": {"enum": ["y", "z"]},
    }));
    assert_eq!(
        compare(&expected, &found),
        [
            ".a left out",
            ".c kept as it is: 3 fields left out",
            ".e required: true in ESO, nothing here",
            ".f type: \"string\" in ESO, \"integer\" here",
            ".g added",
            ".h enum: without \"x\"",
            ".h enum: and \"z\"",
        ]
    );
}
