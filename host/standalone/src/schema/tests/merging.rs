use serde_json::json;

use super::with_spec;
use crate::schema::{Field, MergeKind, PatchStrategy, Schema};

#[test]
fn fields_say_how_they_merge() {
    let schema = with_spec(json!({
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "atomicMap": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"k": {"type": "string"}}},
        "list": {"type": "array", "items": {"type": "string"}},
        "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "keyed": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
        },
        "free": {"x-kubernetes-preserve-unknown-fields": true},
    }));
    let field = |name: &str| schema.field().property("spec").property(name);
    let (map, list) = (json!({}), json!([]));
    assert_eq!(field("map").merge(&map), MergeKind::Granular);
    assert_eq!(field("atomicMap").merge(&map), MergeKind::Atomic);
    assert_eq!(field("list").merge(&list), MergeKind::Atomic);
    assert_eq!(field("set").merge(&list), MergeKind::Set);
    assert_eq!(field("keyed").merge(&list), MergeKind::Map(&["name".to_owned()]));
    assert_eq!(field("free").property("x").merge(&map), MergeKind::Granular);
    assert_eq!(field("free").property("x").merge(&list), MergeKind::Atomic);
    assert_eq!(field("map").property("k").merge(&json!("text")), MergeKind::Atomic);
    assert!(
        field("map").allows("anything") && !field("atomicMap").allows("other") && field("free").allows("x")
    );
    assert_eq!(Field::unknown().merge(&map), MergeKind::Granular);
}

#[test]
fn metadata_merges_as_in_every_kind() {
    let schema = with_spec(json!({}));
    let metadata = schema.field().property("metadata");
    assert_eq!(metadata.property("ownerReferences").merge(&json!([])), MergeKind::Map(&["uid".to_owned()]));
    assert_eq!(metadata.property("finalizers").merge(&json!([])), MergeKind::Set);
    assert_eq!(metadata.property("labels").merge(&json!({})), MergeKind::Granular);
    assert_eq!(metadata.property("ownerReferences").patch_strategy(), PatchStrategy::MergeBy("uid"));
    assert_eq!(metadata.property("finalizers").patch_strategy(), PatchStrategy::Merge);
    let account = Schema::builtin("io.k8s.api.core.v1.ServiceAccount");
    assert_eq!(account.field().property("secrets").patch_strategy(), PatchStrategy::MergeBy("name"));
    assert_eq!(account.field().property("secrets").merge(&json!([])), MergeKind::Map(&["name".to_owned()]));
}
