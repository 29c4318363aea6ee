use serde_json::{Value, json};

use super::{lines, parsed};
use crate::schema::Schema;

fn with_rule(properties: Value, rule: Value) -> Value {
    json!({"type": "object", "properties": {"spec": {"type": "object", "properties": properties, "x-kubernetes-validations": [rule]}}})
}

/// The problems of a spec under one rule, on create or on change.
fn check(properties: Value, rule: Value, old: Option<Value>, new: Value, expected: &[&str]) {
    let schema = parsed(&with_rule(properties, rule.clone()));
    let object = |spec: Value| json!({"spec": spec});
    let found = schema.validate(&object(new.clone()), old.map(object).as_ref());
    assert_eq!(lines(&found), expected, "{rule} on {new}");
}

#[test]
fn rules_judge_the_value() {
    let properties = json!({"a": {"type": "integer"}, "b": {"type": "integer"}});
    let rule = json!({"rule": "self.a <= self.b", "message": "a must not be above b"});
    check(properties.clone(), rule.clone(), None, json!({"a": 1, "b": 2}), &[]);
    check(
        properties.clone(),
        rule,
        None,
        json!({"a": 3, "b": 2}),
        &["spec: Invalid value: a must not be above b"],
    );
    check(
        properties.clone(),
        json!({"rule": "self.a < 3"}),
        None,
        json!({"a": 3}),
        &["spec: Invalid value: failed rule: self.a < 3"],
    );
    check(
        properties.clone(),
        json!({"rule": "self.a < 3", "messageExpression": "'a is ' + string(self.a)", "fieldPath": ".a"}),
        None,
        json!({"a": 3}),
        &["spec.a: Invalid value: a is 3"],
    );
    for (reason, expected) in [
        ("FieldValueForbidden", "spec: Forbidden: no"),
        ("FieldValueRequired", "spec: Required value: no"),
        ("FieldValueDuplicate", "spec: Duplicate value"),
    ] {
        check(
            properties.clone(),
            json!({"rule": "has(self.a)", "message": "no", "reason": reason}),
            None,
            json!({}),
            &[expected],
        );
    }
    check(
        properties,
        json!({"rule": "self.a > 0"}),
        None,
        json!({}),
        &["spec: Invalid value: \"object\": no such key: a evaluating rule: self.a > 0"],
    );
}

#[test]
fn scalar_rules_quote_the_value() {
    let schema = parsed(&json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "a": {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 2", "message": "too small"}]},
        "list": {"type": "array", "items": {"type": "string", "x-kubernetes-validations": [{"rule": "self != 'x'"}]}},
        "map": {"type": "object", "additionalProperties": {"type": "string", "x-kubernetes-validations": [{"rule": "size(self) < 3"}]}},
    }}}}));
    let object = json!({"spec": {"a": 1, "list": ["y", "x"], "map": {"k": "long"}}});
    assert_eq!(
        lines(&schema.validate(&object, None)),
        [
            "spec.a: Invalid value: 1: too small",
            "spec.list[1]: Invalid value: \"x\": failed rule: self != 'x'",
            "spec.map[k]: Invalid value: \"long\": failed rule: size(self) < 3",
        ]
    );
}

#[test]
fn transition_rules_compare_with_the_old_value() {
    let properties = json!({"a": {"type": "string"}});
    let rule = json!({"rule": "self.a == oldSelf.a", "message": "a is immutable"});
    check(properties.clone(), rule.clone(), None, json!({"a": "1"}), &[]);
    check(properties.clone(), rule.clone(), Some(json!({"a": "1"})), json!({"a": "1"}), &[]);
    check(
        properties.clone(),
        rule,
        Some(json!({"a": "1"})),
        json!({"a": "2"}),
        &["spec: Invalid value: a is immutable"],
    );
    let optional = json!({"rule": "oldSelf.hasValue() || self.a == 'first'", "optionalOldSelf": true, "message": "must start as first"});
    check(
        properties.clone(),
        optional.clone(),
        None,
        json!({"a": "1"}),
        &["spec: Invalid value: must start as first"],
    );
    check(properties.clone(), optional.clone(), None, json!({"a": "first"}), &[]);
    check(properties, optional, Some(json!({"a": "first"})), json!({"a": "2"}), &[]);
}

#[test]
fn map_lists_are_compared_by_key() {
    let list = json!({
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
        "items": {
            "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "v": {"type": "integer"}},
            "x-kubernetes-validations": [{"rule": "self.v >= oldSelf.v", "message": "v must not shrink"}],
        },
    });
    let schema = parsed(
        &json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": list}}}}),
    );
    let object = |items: Value| json!({"spec": {"l": items}});
    let old = object(json!([{"name": "a", "v": 5}, {"name": "b", "v": 1}]));
    let change = |items: Value| lines(&schema.validate(&object(items), Some(&old)));
    assert_eq!(
        change(json!([{"name": "b", "v": 1}, {"name": "a", "v": 5}, {"name": "new", "v": 0}])),
        [""; 0]
    );
    assert_eq!(
        change(json!([{"name": "b", "v": 1}, {"name": "a", "v": 4}])),
        ["spec.l[1]: Invalid value: v must not shrink"]
    );
}

#[test]
fn unchanged_values_are_not_judged_again() {
    let properties = json!({"a": {"type": "integer"}, "b": {"type": "integer"}});
    let schema = json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": properties, "x-kubernetes-validations": [{"rule": "self.a < 3"}]},
        "status": {"type": "object", "properties": {"s": {"type": "string"}}},
    }});
    let schema = parsed(&schema);
    let old = json!({"spec": {"a": 5}, "status": {}});
    assert_eq!(
        lines(&schema.validate(&json!({"spec": {"a": 5}, "status": {"s": "x"}}), Some(&old))),
        [""; 0]
    );
    assert_eq!(schema.validate(&json!({"spec": {"a": 5, "b": 1}, "status": {}}), Some(&old)).len(), 1);
}

#[test]
fn values_have_the_types_of_their_formats() {
    let properties = json!({
        "t": {"type": "string", "format": "date-time"},
        "d": {"type": "string", "format": "duration"},
        "b": {"type": "string", "format": "byte"},
        "is-odd": {"type": "boolean"},
        "namespace": {"type": "string"},
        "n": {"type": "number"},
        "io": {"x-kubernetes-int-or-string": true},
    });
    let spec = json!({"t": "2026-01-01T00:00:00Z", "d": "90m", "b": "djE=", "is-odd": true, "namespace": "x", "n": 2, "io": "5"});
    for rule in [
        "self.t > timestamp('2025-01-01T00:00:00Z')",
        "self.d == duration('1h30m')",
        "size(self.b) == 2",
        "self.is__dash__odd",
        "self.__namespace__ == 'x'",
        "self.n / 4.0 == 0.5",
        "type(self.io) == string ? self.io == '5' : self.io == 5",
        "quantity('1Gi').isGreaterThan(quantity('500Mi'))",
        "self.__namespace__.matches('^[a-z]$') && 'a,b'.split(',').size() == 2",
        "isURL('https://example.com')",
        "[1, 2, 3].all(i, i > 0) && [1, 2].exists_one(i, i == 2)",
    ] {
        check(properties.clone(), json!({"rule": rule}), None, spec.clone(), &[]);
    }
}

fn refused(rule: Value) -> Vec<String> {
    let schema = with_rule(
        json!({"a": {"type": "integer"}, "l": {"type": "array", "items": {"type": "string"}}}),
        rule,
    );
    lines(&Schema::parse(&schema).unwrap_err())
}

#[test]
fn rules_that_cannot_work_are_refused_with_the_definition() {
    let at = "properties[spec].x-kubernetes-validations[0]";
    for (rule, field, text) in [
        (json!({"rule": "self.a >"}), "rule", "compilation failed"),
        (json!({"rule": "other.a > 1"}), "rule", "undeclared reference to 'other'"),
        (json!({"rule": "self.missing > 1"}), "rule", "undefined field 'missing'"),
        (json!({"rule": "self.l.all(x, x == y)"}), "rule", "undeclared reference to 'y'"),
        (json!({"rule": " "}), "rule", "rule is not specified"),
        (
            json!({"rule": "true", "messageExpression": "1 +"}),
            "messageExpression",
            "messageExpression compilation failed",
        ),
        (json!({"rule": "true", "message": "a\nb"}), "message", "must not contain line breaks"),
        (
            json!({"rule": "true ||\n false"}),
            "message",
            "message must be specified if rule contains line breaks",
        ),
        (json!({"rule": "true", "reason": "Because"}), "reason", "supported values: \"FieldValueDuplicate\""),
        (json!({"rule": "true", "fieldPath": ".nothing"}), "fieldPath", "must be a valid path"),
        (
            json!({"rule": "true", "optionalOldSelf": true}),
            "optionalOldSelf",
            "may not be set if oldSelf is not used in rule",
        ),
    ] {
        let found = refused(rule.clone());
        assert!(
            found.iter().any(|line| line.starts_with(&format!("{at}.{field}: ")) && line.contains(text)),
            "{rule}: {found:?}"
        );
    }
    let in_list = json!({"type": "object", "properties": {"l": {
        "type": "array", "items": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
    }}});
    let found = lines(&Schema::parse(&in_list).unwrap_err());
    assert!(
        found[0].contains(
            "oldSelf cannot be used on the uncorrelatable portion of the schema within properties[l]"
        ),
        "{found:?}"
    );
}
