use std::sync::Arc;

use serde_json::{Value, json};

use super::document;
use crate::resource::ResourceInfo;

const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

fn resources() -> Vec<Arc<ResourceInfo>> {
    let version = |name: &str, storage: bool| {
        json!({
            "name": name, "served": true, "storage": storage, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object"}},
        })
    };
    let definition = json!({
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList", "shortNames": ["wd"], "categories": ["all"]},
            "versions": [version("v1beta1", false), version("v1", true)],
        },
    });
    let custom = ResourceInfo::from_crd(&definition).unwrap();
    ResourceInfo::builtins().iter().cloned().chain(custom.into_iter().map(Arc::new)).collect()
}

fn body(path: &str, accept: &str) -> Value {
    document(&resources(), path, accept).unwrap().body
}

fn find<'a>(list: &'a Value, key: &str, name: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|entry| entry[key] == name).unwrap()
}

#[test]
fn groups_and_versions_are_listed() {
    assert_eq!(body("/api", "*/*")["versions"], json!(["v1"]));
    let groups = body("/apis", "");
    let widgets = find(&groups["groups"], "name", "example.com");
    assert_eq!(widgets["preferredVersion"], json!({"groupVersion": "example.com/v1", "version": "v1"}));
    assert_eq!(widgets["versions"].as_array().unwrap().len(), 2);
    assert_eq!(body("/apis/example.com", "")["kind"], "APIGroup");
    assert_eq!(document(&resources(), "/apis/none.example.com", ""), None);
    assert_eq!(document(&resources(), "/apis/example.com/v2", ""), None);
}

#[test]
fn resources_are_listed_with_their_subresources() {
    let core = body("/api/v1", "");
    assert_eq!(core.get("apiVersion"), None);
    let token = find(&core["resources"], "name", "serviceaccounts/token");
    assert_eq!(token["group"], "authentication.k8s.io");
    assert_eq!(find(&core["resources"], "name", "secrets")["storageVersionHash"], "S6u1pOWzb84=");

    let widgets = body("/apis/example.com/v1", "");
    assert_eq!(widgets["groupVersion"], "example.com/v1");
    let widget = find(&widgets["resources"], "name", "widgets");
    assert_eq!(widget["shortNames"], json!(["wd"]));
    assert_eq!(widget["categories"], json!(["all"]));
    assert_eq!(
        find(&widgets["resources"], "name", "widgets/status")["verbs"],
        json!(["get", "patch", "update"])
    );
}

#[test]
fn the_aggregated_form_says_it_all_at_once() {
    let found = document(&resources(), "/apis", AGGREGATED).unwrap();
    assert!(found.content_type.contains("as=APIGroupDiscoveryList"));
    assert!(found.etag.is_some());
    let group = found.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["metadata"]["name"] == "example.com")
        .unwrap()
        .clone();
    let widget = &group["versions"][0]["resources"][0];
    assert_eq!(widget["scope"], "Namespaced");
    assert_eq!(widget["responseKind"], json!({"group": "example.com", "version": "v1", "kind": "Widget"}));
    assert_eq!(widget["subresources"][0]["subresource"], "status");
    assert_eq!(body("/api", AGGREGATED)["items"][0]["versions"][0]["version"], "v1");
    // Only what was asked for: the old aggregated version alone is answered plainly.
    assert_eq!(
        body("/apis", "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList")["kind"],
        "APIGroupList"
    );
}
