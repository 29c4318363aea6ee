use serde_json::{Value, json};

use super::{lines, parsed, problems, with_spec};

/// The one problem of a field `f` with that schema and value, or none.
fn check(schema: Value, value: Value, expected: &[&str]) {
    let found = problems(&with_spec(json!({"f": schema.clone()})), json!({"f": value.clone()}));
    assert_eq!(found, expected, "{schema} on {value}");
}

#[test]
fn types() {
    check(
        json!({"type": "integer"}),
        json!("string"),
        &["spec.f: Invalid value: \"string\": spec.f in body must be of type integer: \"string\""],
    );
    check(
        json!({"type": "string"}),
        json!(1),
        &["spec.f: Invalid value: \"integer\": spec.f in body must be of type string: \"integer\""],
    );
    check(
        json!({"type": "boolean"}),
        json!({}),
        &["spec.f: Invalid value: \"object\": spec.f in body must be of type boolean: \"object\""],
    );
    check(
        json!({"type": "array", "items": {"type": "string"}}),
        json!(["a", 2]),
        &["spec.f[1]: Invalid value: \"integer\": spec.f[1] in body must be of type string: \"integer\""],
    );
    check(json!({"type": "integer"}), json!(1.0), &[]);
    check(
        json!({"type": "integer"}),
        json!(1.5),
        &["spec.f: Invalid value: \"number\": spec.f in body must be of type integer: \"number\""],
    );
    check(json!({"type": "number"}), json!(1), &[]);
    check(
        json!({"type": "string"}),
        Value::Null,
        &["spec.f: Invalid value: \"null\": spec.f in body must be of type string: \"null\""],
    );
    check(json!({"type": "string", "nullable": true}), Value::Null, &[]);
    check(json!({"x-kubernetes-int-or-string": true}), json!(5), &[]);
    check(json!({"x-kubernetes-int-or-string": true}), json!("5"), &[]);
    check(
        json!({"x-kubernetes-int-or-string": true}),
        json!(true),
        &["spec.f: Invalid value: \"boolean\": spec.f in body must be of type integer,string: \"boolean\""],
    );
    check(json!({"x-kubernetes-preserve-unknown-fields": true}), json!([{"any": 1}]), &[]);
}

#[test]
fn strings() {
    check(
        json!({"type": "string", "maxLength": 2}),
        json!("äöü"),
        &["spec.f: Too long: may not be more than 2 bytes"],
    );
    check(
        json!({"type": "string", "minLength": 2}),
        json!("ä"),
        &["spec.f: Invalid value: \"ä\": spec.f in body should be at least 2 chars long"],
    );
    check(
        json!({"type": "string", "pattern": "^[a-z]+$"}),
        json!("A\"b"),
        &["spec.f: Invalid value: \"A\\\"b\": spec.f in body should match '^[a-z]+$'"],
    );
    check(json!({"type": "string", "pattern": "b"}), json!("abc"), &[]);
    check(
        json!({"type": "string", "enum": ["A", "B"]}),
        json!("x"),
        &["spec.f: Unsupported value: \"x\": supported values: \"A\", \"B\""],
    );
    check(
        json!({"type": "integer", "enum": [1, 2]}),
        json!(3),
        &["spec.f: Unsupported value: 3: supported values: \"1\", \"2\""],
    );
    check(json!({"type": "integer", "enum": [1, 2]}), json!(2), &[]);
}

#[test]
fn formats() {
    let broken = |format: &str, text: &str| {
        let message =
            format!("spec.f: Invalid value: {text:?}: spec.f in body must be of type {format}: {text:?}");
        check(json!({"type": "string", "format": format}), json!(text), &[&message]);
    };
    let fine =
        |format: &str, text: &str| check(json!({"type": "string", "format": format}), json!(text), &[]);
    broken("date-time", "yesterday");
    broken("date-time", "2026-13-01T00:00:00Z");
    fine("date-time", "2026-01-01T00:00:00.123+01:00");
    broken("date", "2026-02-30");
    fine("date", "2026-02-28");
    broken("byte", "not base64!");
    fine("byte", "djE=");
    broken("duration", "soon");
    fine("duration", "1h30m");
    fine("duration", "22 ns");
    broken("ipv4", "1.2.3");
    fine("ipv4", "1.2.3.4");
    fine("ipv6", "::1");
    broken("cidr", "10.0.0.0/33");
    broken("uuid", "x");
    fine("uuid4", "123e4567-e89b-42d3-a456-426614174000");
    broken("uuid4", "123e4567-e89b-12d3-a456-426614174000");
    broken("uri", "no uri");
    fine("uri", "https://example.com/x");
    broken("email", "nobody");
    broken("hostname", "-a.example");
    broken("mac", "00:11");
    fine("made-up", "anything");
}

#[test]
fn numbers() {
    check(
        json!({"type": "integer", "minimum": 3}),
        json!(2),
        &["spec.f: Invalid value: 2: spec.f in body should be greater than or equal to 3"],
    );
    check(
        json!({"type": "integer", "minimum": 3, "exclusiveMinimum": true}),
        json!(3),
        &["spec.f: Invalid value: 3: spec.f in body should be greater than 3"],
    );
    check(
        json!({"type": "number", "maximum": 2.5}),
        json!(2.6),
        &["spec.f: Invalid value: 2.6: spec.f in body should be less than or equal to 2.5"],
    );
    check(
        json!({"type": "integer", "maximum": 3, "exclusiveMaximum": true}),
        json!(3),
        &["spec.f: Invalid value: 3: spec.f in body should be less than 3"],
    );
    check(
        json!({"type": "integer", "multipleOf": 5}),
        json!(7),
        &["spec.f: Invalid value: 7: spec.f in body should be a multiple of 5"],
    );
    check(json!({"type": "number", "multipleOf": 0.1}), json!(0.3), &[]);
    check(
        json!({"type": "integer", "format": "int32"}),
        json!(2_147_483_648_u64),
        &["<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in spec.f"],
    );
    check(json!({"type": "integer", "format": "int64"}), json!(2_147_483_648_u64), &[]);
}

#[test]
fn lists_and_maps() {
    let items = json!({"type": "string"});
    check(
        json!({"type": "array", "items": items, "maxItems": 1}),
        json!(["a", "b"]),
        &["spec.f: Too many: 2: must have at most 1 item"],
    );
    check(
        json!({"type": "array", "items": items, "minItems": 1}),
        json!([]),
        &["spec.f: Invalid value: 0: spec.f in body should have at least 1 items"],
    );
    check(
        json!({"type": "array", "items": items, "x-kubernetes-list-type": "set"}),
        json!(["a", "b", "a", "a"]),
        &["spec.f[2]: Duplicate value: \"a\""],
    );
    let keyed = json!({
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
        "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "v": {"type": "integer"}}},
    });
    check(
        keyed,
        json!([{"name": "a", "v": 1}, {"name": "a", "v": 2}]),
        &["spec.f[1]: Duplicate value: {\"name\":\"a\"}"],
    );
    check(
        json!({"type": "object", "additionalProperties": {"type": "integer"}}),
        json!({"k": "v"}),
        &["spec.f.k: Invalid value: \"string\": spec.f.k in body must be of type integer: \"string\""],
    );
    check(
        json!({"type": "object", "maxProperties": 1, "additionalProperties": true}),
        json!({"a": 1, "b": 2}),
        &["spec.f: Too many: 2: must have at most 1 item"],
    );
    check(
        json!({"type": "object", "minProperties": 1, "additionalProperties": true}),
        json!({}),
        &["spec.f: Invalid value: 0: spec.f in body should have at least 1 properties"],
    );
    check(
        json!({"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}),
        json!({}),
        &["spec.f.a: Required value", "spec.f.b: Required value"],
    );
}

#[test]
fn lists_of_metadata_may_repeat_themselves() {
    let schema = with_spec(json!({}));
    let object = json!({"metadata": {"name": "a", "finalizers": ["x.io/a", "x.io/a"]}});
    assert_eq!(lines(&schema.validate(&object, None)), [""; 0]);
}

#[test]
fn junctors() {
    let properties = json!({"a": {"type": "string"}, "b": {"type": "string"}});
    let one = json!({"type": "object", "properties": properties, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]});
    check(one.clone(), json!({"a": "1"}), &[]);
    check(
        one.clone(),
        json!({"a": "1", "b": "2"}),
        &[
            "<nil>: Invalid value: \"\": \"spec.f\" must validate one and only one schema (oneOf). Found 2 valid alternatives",
        ],
    );
    check(
        one,
        json!({}),
        &[
            "<nil>: Invalid value: \"\": \"spec.f\" must validate one and only one schema (oneOf). Found none valid",
            "spec.f.a: Required value",
        ],
    );
    let any = json!({"type": "object", "properties": properties, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]});
    check(any.clone(), json!({"a": "1", "b": "2"}), &[]);
    check(
        any,
        json!({}),
        &[
            "<nil>: Invalid value: \"\": \"spec.f\" must validate at least one schema (anyOf)",
            "spec.f.a: Required value",
        ],
    );
    let all = json!({"type": "object", "properties": properties, "allOf": [{"required": ["a"]}, {"required": ["b"]}]});
    check(
        all,
        json!({"a": "1"}),
        &[
            "<nil>: Invalid value: \"\": \"spec.f\" must validate all the schemas (allOf)",
            "spec.f.b: Required value",
        ],
    );
    let not = json!({"type": "object", "properties": properties, "not": {"required": ["a"]}});
    check(
        not,
        json!({"a": "1"}),
        &["<nil>: Invalid value: \"\": \"spec.f\" must not validate the schema (not)"],
    );
}

#[test]
fn every_problem_is_reported() {
    let schema = with_spec(json!({"a": {"type": "integer"}, "b": {"type": "string", "enum": ["x"]}}));
    assert_eq!(problems(&schema, json!({"a": "1", "b": "2"})).len(), 2);
    let root =
        parsed(&json!({"type": "object", "required": ["spec"], "properties": {"spec": {"type": "object"}}}));
    assert_eq!(lines(&root.validate(&json!({}), None)), ["spec: Required value"]);
}

#[test]
fn what_was_wrong_before_may_stay() {
    let schema = with_spec(json!({
        "a": {"type": "string", "enum": ["x"]},
        "l": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
    }));
    let old = json!({"spec": {"a": "bad", "l": ["1", "1"]}});
    let change = |spec: Value| lines(&schema.validate(&json!({"spec": spec}), Some(&old)));
    assert_eq!(change(json!({"a": "bad", "l": ["1", "1"]})), [""; 0]);
    assert_eq!(change(json!({"a": "bad", "l": ["1", "1", "2"]})), [""; 0]);
    assert_eq!(change(json!({"a": "worse", "l": ["1", "1"]})).len(), 1);
}
