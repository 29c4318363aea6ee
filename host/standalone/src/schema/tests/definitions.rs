use serde_json::{Value, json};

use super::lines;
use crate::resource::ResourceInfo;
use crate::schema::Schema;

fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList", "shortNames": ["wd"]},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
                "selectableFields": [{"jsonPath": ".spec.color"}],
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "properties": {"size": {"type": "integer"}, "color": {"type": "string"}}},
                }}},
            }],
        },
    })
}

/// The problems after one change of a good definition.
fn check(pointer: &str, value: Value, expected: &str) {
    let mut changed = definition();
    *changed.pointer_mut(pointer).unwrap() = value.clone();
    let found = lines(&ResourceInfo::from_crd(&changed).unwrap_err());
    assert!(found.iter().any(|line| line.starts_with(expected)), "{pointer} = {value}: {found:?}");
}

#[test]
fn a_definition_becomes_a_resource() {
    let resources = ResourceInfo::from_crd(&definition()).unwrap();
    let [widget] = resources.as_slice() else { panic!("one version") };
    assert_eq!(
        (widget.api_version().as_str(), widget.qualified().as_str()),
        ("example.com/v1", "widgets.example.com")
    );
    assert!(widget.namespaced && widget.has_status && widget.served && widget.storage && !widget.builtin);
    assert_eq!(widget.selectable_fields, ["spec.color"]);
    assert_eq!(widget.short_names, ["wd"]);
}

#[test]
fn our_own_definitions_are_taken() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/crds");
    let mut kinds = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let definition = crate::body::yaml(&std::fs::read(&path).unwrap()).unwrap();
        match ResourceInfo::from_crd(&definition) {
            Ok(resources) => kinds.extend(resources.into_iter().map(|resource| resource.kind)),
            Err(causes) => panic!("{}: {:#?}", path.display(), lines(&causes)),
        }
    }
    for kind in ["ExternalSecret", "SecretStore", "PushSecret", "Password"] {
        assert!(kinds.iter().any(|found| found == kind), "{kind} is missing");
    }
}

#[test]
fn what_is_wrong_with_a_definition_is_said() {
    check(
        "/metadata/name",
        json!("other.example.com"),
        "metadata.name: Invalid value: \"other.example.com\": must be spec.names.plural+\".\"+spec.group",
    );
    check(
        "/spec/group",
        json!("nodots"),
        "spec.group: Invalid value: \"nodots\": should be a domain with at least one dot",
    );
    check(
        "/spec/scope",
        json!("Galaxy"),
        "spec.scope: Unsupported value: \"Galaxy\": supported values: \"Cluster\", \"Namespaced\"",
    );
    check(
        "/spec/names/plural",
        json!("Widgets"),
        "spec.names.plural: Invalid value: \"Widgets\": a DNS-1035 label must consist of",
    );
    check(
        "/spec/names/listKind",
        json!("Widget"),
        "spec.names.listKind: Invalid value: \"Widget\": kind and listKind may not be the same",
    );
    check("/spec/versions/0/storage", json!(false), "spec.versions: Invalid value: [");
    check("/spec/versions/0/schema", json!({}), "spec.versions[0].schema.openAPIV3Schema: Required value");
    let column = "/spec/versions/0/additionalPrinterColumns/0";
    check(
        &format!("{column}/type"),
        json!("colour"),
        "spec.additionalPrinterColumns[0].type: Invalid value: \"colour\": must be one of boolean,date,integer,number,string",
    );
    check(
        &format!("{column}/jsonPath"),
        json!("spec"),
        "spec.additionalPrinterColumns[0].JSONPath: Invalid value: \"spec\": must be a simple json path starting with .",
    );
    let selectable = "/spec/versions/0/selectableFields/0/jsonPath";
    check(
        selectable,
        json!(".spec.none"),
        "spec.selectableFields[0].jsonPath: Invalid value: \".spec.none\": is an invalid path: does not refer to a valid field",
    );
    check(
        selectable,
        json!(".spec"),
        "spec.selectableFields[0].jsonPath: Invalid value: \".spec\": must point to a field of type",
    );
    check("/spec/versions/0/schema/openAPIV3Schema/type", json!("array"), "spec.validation.openAPIV3Schema.");
}

/// The problems of a schema in which `spec.f` is this.
fn check_schema(field: Value, expected: &str) {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"f": field.clone()}}}});
    let found = lines(&Schema::parse(&schema).unwrap_err());
    let expected = format!("properties[spec].properties[f]{expected}");
    assert!(found.iter().any(|line| line.starts_with(&expected)), "{field}: {found:?}");
}

#[test]
fn schemas_must_be_structural() {
    check_schema(json!({}), ".type: Required value: must not be empty for specified object fields");
    check_schema(
        json!({"type": "text"}),
        ".type: Unsupported value: \"text\": supported values: \"array\", \"boolean\"",
    );
    check_schema(json!({"type": "array"}), ".items: Required value: must be specified");
    check_schema(
        json!({"type": "array", "items": {}}),
        ".items.type: Required value: must not be empty for specified array items",
    );
    check_schema(
        json!({"type": "array", "items": [{"type": "string"}]}),
        ".items: Forbidden: items must be a schema object and not an array",
    );
    check_schema(
        json!({"type": "string", "pattern": "("}),
        ".pattern: Invalid value: \"(\": must be a valid regular expression, but isn't",
    );
    check_schema(
        json!({"type": "object", "anyOf": [{"properties": {"x": {"type": "string"}}}]}),
        ".anyOf[0].properties[x].type: Forbidden: must be empty to be structural",
    );
    check_schema(
        json!({"type": "object", "oneOf": [{"description": "x"}]}),
        ".oneOf[0].description: Forbidden: must be empty to be structural",
    );
    check_schema(
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}}),
        ".additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
    );
    check_schema(
        json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true}),
        ".uniqueItems: Forbidden: uniqueItems cannot be set to true",
    );
    check_schema(json!({"$ref": "#/x", "type": "string"}), ".$ref: Forbidden: $ref is not supported");
    check_schema(
        json!({"type": "string", "x-kubernetes-preserve-unknown-fields": false}),
        ".x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined",
    );
    check_schema(
        json!({"type": "string", "x-kubernetes-embedded-resource": true}),
        ".type: Invalid value: \"string\": must be object if x-kubernetes-embedded-resource is true",
    );
    check_schema(
        json!({"type": "string", "default": 5}),
        ".default: Invalid value: \"integer\":  in body must be of type string: \"integer\"",
    );
    check_schema(
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "default": {"b": 1}}),
        ".default: Invalid value: {\"b\":1}: must not have unknown fields",
    );
}

#[test]
fn junctors_at_the_root_speak_of_fields_that_are_there() {
    let schema = json!({"type": "object", "anyOf": [{"properties": {"x": {"minLength": 1}}}]});
    let found = lines(&Schema::parse(&schema).unwrap_err());
    assert_eq!(found, ["properties[x]: Required value: because it is defined in anyOf[0].properties[x]"]);
}

#[test]
fn lists_of_type_map_need_good_keys() {
    let list = |keys: Value, items: Value| json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys, "items": items});
    let item = json!({"type": "object", "properties": {"k": {"type": "string"}}});
    check_schema(
        list(json!([]), item.clone()),
        ".x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
    );
    check_schema(
        list(json!(["x"]), item.clone()),
        ".x-kubernetes-list-map-keys: Invalid value: [\"x\"]: entries must all be names of item properties",
    );
    check_schema(
        list(json!(["k"]), item),
        ".items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys",
    );
    check_schema(
        list(json!(["k"]), json!({"type": "string"})),
        ".items.type: Invalid value: \"string\": must be object if parent array's x-kubernetes-list-type is map",
    );
    check_schema(
        json!({"type": "object", "x-kubernetes-list-type": "set"}),
        ".type: Invalid value: \"object\": must be array if x-kubernetes-list-type is specified",
    );
    check_schema(
        json!({"type": "array", "x-kubernetes-list-type": "bag", "items": {"type": "string"}}),
        ".x-kubernetes-list-type: Unsupported value: \"bag\"",
    );
    check_schema(
        json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "object"}}),
        ".items.x-kubernetes-map-type: Invalid value: null: must be atomic",
    );
    check_schema(
        json!({"type": "object", "x-kubernetes-map-type": "loose"}),
        ".x-kubernetes-map-type: Unsupported value: \"loose\"",
    );
}

#[test]
fn metadata_is_not_for_schemas() {
    let schema = json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}});
    let found = lines(&Schema::parse(&schema).unwrap_err());
    assert!(found[0].contains("must not specify anything other than name and generateName"), "{found:?}");
    let names = json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}}}});
    assert!(Schema::parse(&names).is_ok());
}
