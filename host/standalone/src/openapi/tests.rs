use std::sync::Arc;

use serde_json::{Value, json};

use super::Documents;
use crate::resource::ResourceInfo;

fn documents() -> Documents {
    let definition = json!({
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "description": "A widget.", "properties": {
                    "spec": {"type": "object", "description": "What it should be.", "properties": {
                        "size": {"x-kubernetes-int-or-string": true, "description": "How large."},
                        "either": {"type": "string", "nullable": true, "anyOf": [{"minLength": 1}, {"maxLength": 5}]},
                        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"a": {"type": "string"}}},
                        "default": {"type": "string", "default": "x", "x-kubernetes-validations": [{"rule": "size(self) > 0"}]},
                    }},
                }}},
            }],
        },
    });
    let custom = ResourceInfo::from_crd(&definition).unwrap();
    Documents::new(
        &ResourceInfo::builtins().iter().cloned().chain(custom.into_iter().map(Arc::new)).collect::<Vec<_>>(),
    )
}

fn document(path: &str) -> Value {
    let answer = documents().answer(path, "application/json").unwrap();
    assert_eq!(answer.status, 200);
    serde_json::from_str(&answer.body).unwrap()
}

/// Every reference leads somewhere.
fn check_references(value: &Value, root: &Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                assert!(root.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
            }
            fields.values().for_each(|field| check_references(field, root));
        }
        Value::Array(items) => items.iter().for_each(|item| check_references(item, root)),
        _ => {}
    }
}

#[test]
fn the_index_leads_to_a_document_for_each_group() {
    let index = document("/openapi/v3");
    for name in
        ["api/v1", "apis/apiextensions.k8s.io/v1", "apis/example.com/v1", "apis/coordination.k8s.io/v1"]
    {
        let url = index["paths"][name]["serverRelativeURL"].as_str().unwrap();
        assert!(url.starts_with(&format!("/openapi/v3/{name}?hash=")), "{url}");
        let document = document(&format!("/openapi/v3/{name}"));
        assert_eq!(document["openapi"], "3.0.0");
        check_references(&document, &document);
    }
    assert_eq!(documents().answer("/openapi/v3/apis/none/v1", ""), None);
}

#[test]
fn custom_kinds_are_described_as_their_definitions_describe_them() {
    let document = document("/openapi/v3/apis/example.com/v1");
    let widget = &document["components"]["schemas"]["com.example.v1.Widget"];
    assert_eq!(
        widget["x-kubernetes-group-version-kind"],
        json!([{"group": "example.com", "version": "v1", "kind": "Widget"}])
    );
    assert_eq!(widget["properties"]["spec"]["properties"]["size"]["description"], "How large.");
    assert_eq!(
        widget["properties"]["metadata"]["allOf"],
        json!([{"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}])
    );
    assert_eq!(
        widget["properties"]["spec"]["properties"]["default"]["x-kubernetes-validations"][0]["rule"],
        "size(self) > 0"
    );
    let patch = &document["paths"]["/apis/example.com/v1/namespaces/{namespace}/widgets/{name}"]["patch"];
    assert_eq!(
        patch["x-kubernetes-group-version-kind"],
        json!({"group": "example.com", "version": "v1", "kind": "Widget"})
    );
    assert!(
        patch["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .any(|parameter| parameter["name"] == "fieldValidation")
    );
    assert!(patch["requestBody"]["content"].get("application/strategic-merge-patch+json").is_none());
    assert!(document["paths"]["/apis/example.com/v1/widgets"]["get"].is_object());
    assert!(
        document["paths"]["/apis/example.com/v1/namespaces/{namespace}/widgets/{name}/status"]["patch"]
            .is_object()
    );
}

#[test]
fn built_in_kinds_say_how_they_merge() {
    let document = document("/openapi/v3/api/v1");
    let secrets =
        &document["components"]["schemas"]["io.k8s.api.core.v1.ServiceAccount"]["properties"]["secrets"];
    assert_eq!(secrets["x-kubernetes-patch-merge-key"], "name");
    let patch = &document["paths"]["/api/v1/namespaces/{namespace}/secrets/{name}"]["patch"];
    assert!(patch["requestBody"]["content"].get("application/strategic-merge-patch+json").is_some());
    assert!(document["paths"]["/api/v1/namespaces/{name}/status"].is_object());
}

#[test]
fn version_2_leaves_out_what_it_cannot_say() {
    let document = document("/openapi/v2");
    check_references(&document, &document);
    let spec = &document["definitions"]["com.example.v1.Widget"]["properties"]["spec"]["properties"];
    assert_eq!(spec["size"]["format"], "int-or-string");
    assert_eq!((spec["either"].get("anyOf"), spec["either"].get("nullable")), (None, None));
    assert_eq!(spec["free"].get("properties"), None);
    assert_eq!(spec["default"]["default"], "x");
    let patch = &document["paths"]["/api/v1/namespaces/{namespace}/secrets/{name}"]["patch"];
    assert!(patch["consumes"].as_array().unwrap().contains(&json!("application/strategic-merge-patch+json")));
}

#[test]
fn only_json_is_served() {
    let documents = documents();
    let status = |accept: &str| documents.answer("/openapi/v2", accept).unwrap().status.as_u16();
    assert_eq!(status(""), 200);
    assert_eq!(status("application/json;q=0.9"), 200);
    assert_eq!(status("*/*"), 200);
    assert_eq!(status("application/com.github.proto-openapi.spec.v2@v1.0+protobuf"), 406);
    let first = documents.answer("/openapi/v3", "").unwrap().etag;
    assert!(first.is_some() && first == documents.answer("/openapi/v3", "").unwrap().etag);
}
