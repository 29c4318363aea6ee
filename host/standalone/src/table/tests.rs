use serde_json::{Value, json};

use super::{BuiltinColumns, Column, Columns, IncludeObject, TableOptions};

fn now() -> jiff::Timestamp {
    "2026-01-01T00:05:20Z".parse().unwrap()
}

fn cells(columns: &Columns, object: &Value) -> Value {
    let table = columns.table([object], &json!({"resourceVersion": "7"}), TableOptions::default(), now());
    let row = &table["rows"][0]["cells"];
    assert_eq!(table["columnDefinitions"].as_array().unwrap().len(), row.as_array().unwrap().len());
    row.clone()
}

fn check(columns: BuiltinColumns, object: &Value, expected: Value) {
    assert_eq!(cells(&Columns::Builtin(columns), object), expected, "{columns:?}");
}

#[test]
fn built_in_kinds_have_their_columns() {
    let metadata = json!({"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"});
    let with = |mut fields: Value| {
        fields["metadata"] = metadata.clone();
        fields
    };
    check(
        BuiltinColumns::Secret,
        &with(json!({"type": "Opaque", "data": {"k": "djE=", "l": ""}})),
        json!(["a", "Opaque", 2, "5m20s"]),
    );
    check(
        BuiltinColumns::ConfigMap,
        &with(json!({"data": {"k": ""}, "binaryData": {"l": ""}})),
        json!(["a", 2, "5m20s"]),
    );
    check(
        BuiltinColumns::Namespace,
        &with(json!({"status": {"phase": "Active"}})),
        json!(["a", "Active", "5m20s"]),
    );
    check(BuiltinColumns::ServiceAccount, &with(json!({})), json!(["a", "5m20s"]));
    check(
        BuiltinColumns::Lease,
        &with(json!({"spec": {"holderIdentity": "me"}})),
        json!(["a", "me", "5m20s"]),
    );
    check(BuiltinColumns::CustomResourceDefinition, &with(json!({})), json!(["a", "2026-01-01T00:00:00Z"]));
    check(
        BuiltinColumns::Event,
        &with(json!({
            "type": "Normal", "reason": "Updated", "message": "text\n", "count": 3,
            "firstTimestamp": "2026-01-01T00:05:00Z", "lastTimestamp": "2026-01-01T00:05:10Z",
            "involvedObject": {"kind": "Secret", "name": "s"}, "source": {"component": "keymill"},
        })),
        json!(["10s", "Normal", "Updated", "secret/s", "", "keymill", "text", "20s", 3, "a"]),
    );
    check(
        BuiltinColumns::RegardingEvent,
        &with(json!({
            "type": "Normal", "reason": "Updated", "note": "text", "eventTime": "2026-01-01T00:05:00.123456Z",
            "regarding": {"kind": "Secret"}, "reportingController": "keymill", "reportingInstance": "k-0",
        })),
        json!(["20s", "Normal", "Updated", "secret", "", "keymill, k-0", "text", "20s", 1, "a"]),
    );
}

fn declared(kind: &str, path: &str) -> Columns {
    Columns::Declared(vec![Column::parse(&json!({"name": "X", "type": kind, "jsonPath": path})).unwrap()])
}

#[test]
fn declared_columns_show_values_of_their_type() {
    let object = json!({
        "metadata": {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"n": 3, "f": 1.5, "b": true, "s": "text", "o": {"k": 1}, "null": null},
    });
    for (kind, path, expected) in [
        ("string", ".spec.s", json!("text")),
        ("string", ".spec.n", json!("3")),
        ("string", ".spec.o", json!("{\"k\":1}")),
        ("string", ".spec.missing", Value::Null),
        ("string", ".spec.null", Value::Null),
        ("integer", ".spec.n", json!(3)),
        ("integer", ".spec.f", json!(1)),
        ("integer", ".spec.s", Value::Null),
        ("number", ".spec.f", json!(1.5)),
        ("boolean", ".spec.b", json!(true)),
        ("date", ".metadata.creationTimestamp", json!("5m20s")),
        ("date", ".spec.s", json!("<invalid>")),
    ] {
        assert_eq!(cells(&declared(kind, path), &object), json!(["a", expected]), "{kind} {path}");
    }
}

#[test]
fn rows_include_what_is_asked_for() {
    let object =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"k": "djE="}});
    let row = |text: &str| {
        let options = TableOptions { include_object: IncludeObject::parse(text).unwrap(), no_headers: true };
        let table = Columns::Builtin(BuiltinColumns::Secret).table([&object], &json!({}), options, now());
        assert_eq!(table["columnDefinitions"], Value::Null);
        table["rows"][0]["object"].clone()
    };
    assert_eq!(row("None"), Value::Null);
    assert_eq!(row("")["kind"], "PartialObjectMetadata");
    assert_eq!(row("Metadata").get("data"), None);
    assert_eq!(row("Object"), object);
    assert_eq!(IncludeObject::parse("Everything"), None);
}
