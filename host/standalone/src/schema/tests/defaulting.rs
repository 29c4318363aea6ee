use serde_json::{Value, json};

use super::{parsed, with_spec};

fn check_defaults(properties: Value, spec: Value, expected: Value) {
    let mut object = json!({"spec": spec});
    with_spec(properties).apply_defaults(&mut object);
    assert_eq!(object["spec"], expected);
}

#[test]
fn missing_fields_get_their_defaults() {
    check_defaults(json!({"a": {"type": "string", "default": "x"}}), json!({}), json!({"a": "x"}));
    check_defaults(json!({"a": {"type": "string", "default": "x"}}), json!({"a": ""}), json!({"a": ""}));
    // A missing parent without a default stays missing; one with a default is filled in from the inside too.
    let inner = json!({"type": "object", "properties": {"b": {"type": "integer", "default": 1}}});
    check_defaults(json!({"a": inner}), json!({}), json!({}));
    check_defaults(json!({"a": inner}), json!({"a": {}}), json!({"a": {"b": 1}}));
    let mut with_default = inner.clone();
    with_default["default"] = json!({});
    check_defaults(json!({"a": with_default}), json!({}), json!({"a": {"b": 1}}));
    check_defaults(
        json!({"a": {"type": "array", "items": inner}}),
        json!({"a": [{}, {"b": 2}]}),
        json!({"a": [{"b": 1}, {"b": 2}]}),
    );
    check_defaults(
        json!({"a": {"type": "object", "additionalProperties": inner}}),
        json!({"a": {"k": {}}}),
        json!({"a": {"k": {"b": 1}}}),
    );
}

#[test]
fn nulls_that_are_not_allowed_go() {
    check_defaults(json!({"a": {"type": "string"}}), json!({"a": null}), json!({}));
    check_defaults(
        json!({"a": {"type": "string", "nullable": true}}),
        json!({"a": null}),
        json!({"a": null}),
    );
    check_defaults(json!({"a": {"type": "string", "default": "x"}}), json!({"a": null}), json!({"a": "x"}));
    check_defaults(
        json!({"a": {"type": "string", "nullable": true, "default": "x"}}),
        json!({"a": null}),
        json!({"a": null}),
    );
}

fn check_prune(schema: &Value, object: Value, kept: Value, pruned: &[&str]) {
    let mut object = object;
    assert_eq!(parsed(schema).prune(&mut object), pruned, "{schema}");
    assert_eq!(object, kept, "{schema}");
}

#[test]
fn unknown_fields_go() {
    let schema = json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
            "a": {"type": "string"},
            "list": {"type": "array", "items": {"type": "object", "properties": {"k": {"type": "string"}}}},
            "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"k": {"type": "string"}}}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
                "known": {"type": "object", "properties": {"k": {"type": "string"}}},
            }},
        }},
    }});
    check_prune(
        &schema,
        json!({
            "apiVersion": "example.com/v1", "kind": "X", "metadata": {"name": "n", "odd": 1}, "extra": 1,
            "spec": {
                "a": "1", "b": 2, "list": [{"k": "v", "x": 1}], "map": {"m": {"k": "v", "x": 1}},
                "free": {"anything": {"deep": [1]}, "known": {"k": "v", "x": 1}},
            },
        }),
        json!({
            "apiVersion": "example.com/v1", "kind": "X", "metadata": {"name": "n"},
            "spec": {
                "a": "1", "list": [{"k": "v"}], "map": {"m": {"k": "v"}},
                "free": {"anything": {"deep": [1]}, "known": {"k": "v"}},
            },
        }),
        &["extra", "metadata.odd", "spec.b", "spec.free.known.x", "spec.list[0].x", "spec.map.m.x"],
    );
}

#[test]
fn embedded_resources_keep_their_metadata() {
    let embedded = json!({"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": {"type": "object"}}});
    check_prune(
        &json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"object": embedded}}}}),
        json!({"spec": {"object": {"apiVersion": "v1", "kind": "K", "metadata": {"name": "n", "labels": {"a": "b"}}, "other": 1}}}),
        json!({"spec": {"object": {"apiVersion": "v1", "kind": "K", "metadata": {"name": "n", "labels": {"a": "b"}}}}}),
        &["spec.object.other"],
    );
}
