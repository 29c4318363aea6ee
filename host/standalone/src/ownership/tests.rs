use serde_json::json;

use super::*;
use crate::schema::Schema;

fn schema() -> Schema {
    let source = json!({
        "type": "object",
        "properties": {
            "spec": {"type": "object", "properties": {
                "a": {"type": "string"},
                "b": {"type": "string"},
                "map": {"type": "object", "additionalProperties": {"type": "string"}},
                "atomicMap": {"type": "object", "additionalProperties": {"type": "string"}, "x-kubernetes-map-type": "atomic"},
                "atomicList": {"type": "array", "items": {"type": "string"}},
                "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                "list": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "required": ["name"], "properties": {
                        "name": {"type": "string"}, "value": {"type": "string"},
                    }},
                },
                "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            }},
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        },
    });
    Schema::parse(&source).unwrap()
}

fn manager(name: &str, operation: Operation) -> Manager {
    Manager {
        name: name.to_owned(),
        operation,
        api_version: "example.com/v1".to_owned(),
        subresource: String::new(),
    }
}

fn writing<'a>(schema: &'a Schema, manager: &'a Manager, second: i64) -> Writing<'a> {
    let now = Timestamp::from_second(1_800_000_000 + second).unwrap();
    Writing { manager, field: schema.field(), ignored: &["status"], now, blank: &Value::Null }
}

fn object(spec: Value) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": spec})
}

/// Applies, forced, and returns the new object.
fn applied(old: &Value, who: &str, spec: Value) -> Value {
    match apply(&writing(&schema(), &manager(who, Operation::Apply), 0), old, &object(spec), true) {
        Applied::Merged(merged) => merged,
        Applied::Conflicts(conflicts) => panic!("{conflicts:?}"),
    }
}

fn updated(old: &Value, who: &str, spec: Value) -> Value {
    let mut new = object(spec);
    update(&writing(&schema(), &manager(who, Operation::Update), 0), old, &mut new);
    new
}

fn owned(object: &Value, who: &str) -> Value {
    let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let entry = entries.iter().find(|entry| entry["manager"] == who);
    entry.map_or(Value::Null, |entry| entry["fieldsV1"].clone())
}

fn blank() -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Thing"})
}

#[test]
fn an_apply_owns_what_it_says() {
    let spec = json!({
        "a": "1", "map": {"x": "1"}, "atomicMap": {"x": "1"}, "atomicList": ["1"], "set": ["s"],
        "list": [{"name": "n", "value": "v"}], "any": {"deep": {"x": 1}},
    });
    let expected = json!({"f:spec": {
        "f:a": {},
        "f:any": {"f:deep": {".": {}, "f:x": {}}},
        "f:atomicList": {},
        "f:atomicMap": {},
        "f:list": {"k:{\"name\":\"n\"}": {".": {}, "f:name": {}, "f:value": {}}},
        "f:map": {"f:x": {}},
        "f:set": {"v:\"s\"": {}},
    }});
    assert_eq!(owned(&applied(&blank(), "me", spec), "me"), expected);
}

#[test]
fn an_update_owns_what_it_changes_and_the_containers_that_it_makes() {
    let first =
        updated(&blank(), "me", json!({"a": "1", "map": {"x": "1"}, "list": [{"name": "n", "value": "v"}]}));
    let expected = json!({"f:spec": {
        ".": {},
        "f:a": {},
        "f:list": {".": {}, "k:{\"name\":\"n\"}": {".": {}, "f:name": {}, "f:value": {}}},
        "f:map": {".": {}, "f:x": {}},
    }});
    assert_eq!(owned(&first, "me"), expected);

    let second = updated(&first, "other", json!({"a": "2", "map": {"x": "1", "y": "2"}}));
    assert_eq!(owned(&second, "other"), json!({"f:spec": {"f:a": {}, "f:map": {"f:y": {}}}}));
    assert_eq!(
        owned(&second, "me"),
        json!({"f:spec": {".": {}, "f:map": {".": {}, "f:x": {}}}}),
        "without what is gone"
    );
}

#[test]
fn nothing_is_owned_of_identity_and_of_what_the_endpoint_does_not_write() {
    let mut new = object(json!({"a": "1"}));
    new["status"] = json!({"ready": true});
    new["metadata"]["labels"] = json!({"l": "1"});
    new["metadata"]["generation"] = json!(3);
    update(&writing(&schema(), &manager("me", Operation::Update), 0), &blank(), &mut new);
    let expected = json!({"f:metadata": {"f:labels": {".": {}, "f:l": {}}}, "f:spec": {".": {}, "f:a": {}}});
    assert_eq!(owned(&new, "me"), expected);
}

#[test]
fn an_apply_removes_what_it_says_no_more() {
    let first = applied(
        &blank(),
        "me",
        json!({"a": "1", "b": "2", "map": {"x": "1", "y": "2"}, "set": ["1", "2"], "list": [{"name": "n"}, {"name": "m"}]}),
    );
    let second =
        applied(&first, "me", json!({"a": "1", "map": {"y": "2"}, "set": ["2"], "list": [{"name": "m"}]}));
    assert_eq!(second["spec"], json!({"a": "1", "map": {"y": "2"}, "set": ["2"], "list": [{"name": "m"}]}));
    let third = applied(&second, "me", json!({"a": "1"}));
    assert_eq!(third["spec"], json!({"a": "1"}));
}

#[test]
fn what_others_own_stays_when_an_apply_lets_go() {
    let mine = applied(&blank(), "me", json!({"a": "1", "map": {"x": "1"}}));
    let both = applied(&mine, "other", json!({"a": "1", "map": {"y": "2"}}));
    let left = applied(&both, "me", json!({}));
    assert_eq!(left["spec"], json!({"a": "1", "map": {"y": "2"}}));
    assert_eq!(owned(&left, "me"), json!({"f:spec": {}}));
    let touched = updated(&mine, "user", json!({"a": "1", "map": {"x": "1", "z": "3"}}));
    assert_eq!(applied(&touched, "me", json!({"a": "1"}))["spec"], json!({"a": "1", "map": {"z": "3"}}));
}

#[test]
fn another_value_is_a_conflict_and_the_same_value_is_shared() {
    let schema = schema();
    let first = updated(&blank(), "user", json!({"a": "1", "b": "1"}));
    let manager = manager("me", Operation::Apply);
    let writing = writing(&schema, &manager, 0);
    let Applied::Conflicts(conflicts) = apply(&writing, &first, &object(json!({"a": "2", "b": "1"})), false)
    else {
        panic!("no conflict");
    };
    assert_eq!(conflicts, [(".spec.a".to_owned(), "\"user\" using example.com/v1".to_owned())]);
    let forced = applied(&first, "me", json!({"a": "2", "b": "1"}));
    assert_eq!(owned(&forced, "user"), json!({"f:spec": {".": {}, "f:b": {}}}));
    assert_eq!(owned(&forced, "me"), json!({"f:spec": {"f:a": {}, "f:b": {}}}));
    let Applied::Conflicts(conflicts) =
        apply(&writing, &forced, &object(json!({"list": [{"name": "n", "value": "1"}]})), false)
    else {
        return;
    };
    panic!("{conflicts:?}");
}

#[test]
fn lists_keep_what_is_not_named_where_it_was() {
    let first = applied(&blank(), "one", json!({"set": ["a", "b", "c"]}));
    let second = applied(&first, "two", json!({"set": ["d", "b", "a"]}));
    assert_eq!(second["spec"]["set"], json!(["d", "b", "a", "c"]));
}

#[test]
fn a_repeated_apply_changes_nothing() {
    let spec = json!({"a": "1", "map": {"x": "1"}});
    let first = applied(&blank(), "me", spec.clone());
    let schema = schema();
    let manager = manager("me", Operation::Apply);
    let Applied::Merged(second) = apply(&writing(&schema, &manager, 99), &first, &object(spec), false) else {
        panic!()
    };
    assert_eq!(first, second, "the time included");
}

#[test]
fn fields_that_the_schema_does_not_know_are_found() {
    let schema = schema();
    let check = |spec: Value, expected: &[&str]| {
        assert_eq!(problems(&object(spec), schema.field()), expected);
    };
    check(json!({"a": "1", "map": {"free": "1"}, "any": {"x": 1}, "list": [{"name": "n"}]}), &[]);
    check(json!({"c": "1"}), &[".spec.c: field not declared in schema"]);
    check(
        json!({"list": [{"name": "n"}, {"name": "m", "colour": "red"}]}),
        &[".spec.list[name=\"m\"].colour: field not declared in schema"],
    );
}

#[test]
fn fields_are_read_and_written_alike() {
    let fields = json!({
        "f:data": {".": {}, "f:a": {}, "f:b:c": {}},
        "f:list": {"k:{\"name\":\"x\",\"port\":80}": {".": {}, "f:name": {}}, "v:\"s\"": {}, "v:1": {}, "i:3": {}},
    });
    assert_eq!(FieldSet::from_fields(&fields).to_fields(), fields);
    let paths = FieldSet::from_fields(&fields).paths();
    assert_eq!(
        paths,
        [
            ".data",
            ".data.a",
            ".data.b:c",
            ".list[name=\"x\",port=80]",
            ".list[name=\"x\",port=80].name",
            ".list[=\"s\"]",
            ".list[=1]",
            ".list[3]"
        ]
    );
}

#[test]
fn too_many_updaters_are_summed_up() {
    let mut object_ = updated(&blank(), "u0", json!({"map": {"k0": "v"}}));
    for at in 1..14_i64 {
        let mut new = object_.clone();
        new["spec"]["map"][format!("k{at}")] = json!("v");
        let who = manager(&format!("u{at}"), Operation::Update);
        update(&writing(&schema(), &who, at), &object_, &mut new);
        object_ = new;
    }
    let entries = object_["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(entries.len(), 10);
    let ancient = owned(&object_, "ancient-changes");
    assert!(
        ancient["f:spec"]["f:map"].get("f:k4").is_some() && ancient["f:spec"]["f:map"].get("f:k5").is_none(),
        "{ancient}"
    );
}

#[test]
fn managed_fields_can_be_forgotten_and_replaced_by_an_update() {
    let first = updated(&blank(), "user", json!({"a": "1"}));
    let schema = schema();
    let manager = manager("me", Operation::Update);
    let mut new = first.clone();
    new["metadata"]["managedFields"] = json!([{}]);
    update(&writing(&schema, &manager, 0), &first, &mut new);
    assert!(new["metadata"].get("managedFields").is_none());
    let mut new = first.clone();
    new["metadata"]["managedFields"][0]["manager"] = json!("renamed");
    update(&writing(&schema, &manager, 0), &first, &mut new);
    assert_eq!(owned(&new, "renamed"), json!({"f:spec": {".": {}, "f:a": {}}}));
}

#[test]
fn an_apply_that_says_nothing_more_of_metadata_keeps_the_name() {
    let schema = schema();
    let manager = manager("me", Operation::Apply);
    let writing = writing(&schema, &manager, 0);
    let mut config = object(json!({"a": "1"}));
    config["metadata"]["labels"] = json!({"l": "1"});
    let Applied::Merged(first) = apply(&writing, &blank(), &config, false) else { panic!() };
    let Applied::Merged(second) = apply(&writing, &first, &object(json!({"a": "1"})), false) else {
        panic!()
    };
    assert_eq!((&second["metadata"]["name"], second["metadata"].get("labels")), (&json!("x"), None));
}

#[test]
fn an_object_without_managers_belongs_to_who_was_before_the_first_apply() {
    let mut stored = object(json!({"a": "1"}));
    stored["metadata"]["resourceVersion"] = json!("7");
    let touched = updated(&stored, "user", json!({"a": "2"}));
    assert!(touched["metadata"].get("managedFields").is_none(), "nobody asks before");
    let schema = schema();
    let manager = manager("me", Operation::Apply);
    let Applied::Conflicts(conflicts) =
        apply(&writing(&schema, &manager, 0), &stored, &object(json!({"a": "2"})), false)
    else {
        panic!("no conflict");
    };
    let owner = "\"before-first-apply\" using example.com/v1".to_owned();
    assert_eq!(conflicts, [(".spec.a".to_owned(), owner)]);
}

#[test]
fn values_of_another_type_and_repeated_keys_cannot_be_applied() {
    let schema = schema();
    let check = |spec: Value, expected: &str| assert_eq!(problems(&object(spec), schema.field()), [expected]);
    check(json!({"a": 7}), ".spec.a: expected string, got &value.valueUnstructured{Value:7}");
    check(json!({"map": "secret"}), ".spec.map: expected map, got another value");
    check(
        json!({"list": [{"name": "n"}, {"name": "n"}]}),
        ".spec.list: duplicate entries for key [name=\"n\"]",
    );
}
