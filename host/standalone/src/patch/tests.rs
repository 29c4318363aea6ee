use serde_json::json;

use super::*;

fn field() -> Field<'static> {
    let secrets = ResourceInfo::builtins().iter().find(|info| info.plural == "serviceaccounts").unwrap();
    secrets.schema.as_ref().unwrap().field()
}

fn check(edit: Edit, old: Value, patch: Value, expected: Value) {
    assert_eq!(patched(edit, &old, &patch, field()).unwrap(), expected, "{patch}");
}

#[test]
fn merge_patches() {
    check(
        Edit::Merge,
        json!({"data": {"a": "1", "b": "2"}, "list": [1, 2]}),
        json!({"data": {"a": null, "c": "3"}, "list": [3]}),
        json!({"data": {"b": "2", "c": "3"}, "list": [3]}),
    );
}

#[test]
fn json_patches() {
    check(
        Edit::Json,
        json!({"data": {"a": "1"}}),
        json!([{"op": "test", "path": "/data/a", "value": "1"}, {"op": "add", "path": "/data/b~1c", "value": "2"}, {"op": "remove", "path": "/data/a"}]),
        json!({"data": {"b/c": "2"}}),
    );
    let fails = |patch: Value, code: u16| {
        let failure = patched(Edit::Json, &json!({"a": 1}), &patch, field()).unwrap_err();
        assert_eq!(failure.code, code, "{patch}");
    };
    fails(json!([{"op": "test", "path": "/a", "value": 2}]), 422);
    fails(json!([{"op": "remove", "path": "/b"}]), 422);
    fails(json!({"op": "remove"}), 400);
    fails(json!([{"op": "grow", "path": "/a"}]), 422);
    fails(json!([{"op": "replace", "path": "/b/c", "value": 1}]), 422);
    check(
        Edit::Json,
        json!({"data": {}}),
        json!([{"op": "replace", "path": "/data/new", "value": "1"}]),
        json!({"data": {"new": "1"}}),
    );
}

#[test]
fn strategic_patches_merge_lists_by_key() {
    let owner = |uid: &str, name: &str| json!({"uid": uid, "name": name});
    let object = |owners: Value| json!({"metadata": {"ownerReferences": owners}});
    check(
        Edit::Strategic,
        object(json!([owner("1", "a"), owner("2", "b")])),
        object(json!([{"uid": "2", "name": "changed"}, owner("3", "c")])),
        object(json!([owner("1", "a"), owner("2", "changed"), owner("3", "c")])),
    );
    check(
        Edit::Strategic,
        object(json!([owner("1", "a"), owner("2", "b")])),
        object(json!([{"uid": "1", "$patch": "delete"}])),
        object(json!([owner("2", "b")])),
    );
    check(
        Edit::Strategic,
        object(json!([owner("1", "a"), owner("2", "b")])),
        object(json!([{"$patch": "replace"}, owner("9", "z")])),
        object(json!([owner("9", "z")])),
    );
    check(
        Edit::Strategic,
        object(json!([owner("1", "a"), owner("2", "b"), owner("3", "c")])),
        json!({"metadata": {"$setElementOrder/ownerReferences": [{"uid": "3"}, {"uid": "1"}]}}),
        object(json!([owner("3", "c"), owner("2", "b"), owner("1", "a")])),
    );
}

#[test]
fn strategic_patches_merge_sets_and_maps() {
    let object = |finalizers: Value| json!({"metadata": {"finalizers": finalizers}});
    check(
        Edit::Strategic,
        object(json!(["a", "b"])),
        object(json!(["c", "b"])),
        object(json!(["c", "a", "b"])),
    );
    check(Edit::Strategic, object(json!(["a"])), object(json!(["a", "b"])), object(json!(["a", "b"])));
    check(
        Edit::Strategic,
        object(json!(["a", "b"])),
        json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}),
        object(json!(["b"])),
    );
    check(
        Edit::Strategic,
        json!({"metadata": {"labels": {"a": "1", "b": "2"}, "name": "x"}}),
        json!({"metadata": {"labels": {"$patch": "replace", "c": "3"}}}),
        json!({"metadata": {"labels": {"c": "3"}, "name": "x"}}),
    );
    check(
        Edit::Strategic,
        json!({"metadata": {"labels": {"a": "1", "b": "2"}}}),
        json!({"metadata": {"labels": {"$retainKeys": ["b"], "b": "3"}}}),
        json!({"metadata": {"labels": {"b": "3"}}}),
    );
    check(
        Edit::Strategic,
        json!({"metadata": {"labels": {"a": "1"}}}),
        json!({"metadata": {"labels": {"a": null}}}),
        json!({"metadata": {"labels": {}}}),
    );
}

#[test]
fn strategic_patches_are_for_builtin_kinds() {
    let crd = json!({
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing", "singular": "thing", "listKind": "ThingList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}],
        },
    });
    let things = ResourceInfo::from_crd(&crd).unwrap();
    let failure = PatchKind::of(STRATEGIC, &things[0]).unwrap_err();
    assert_eq!((failure.code, failure.reason), (415, "UnsupportedMediaType"));
    assert!(failure.message.ends_with(
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    ));
    assert_eq!(PatchKind::of(STRATEGIC, &ResourceInfo::builtins()[0]), Ok(PatchKind::Edit(Edit::Strategic)));
}
