//! CustomResourceDefinitions: established, defaulted, pruned, validated.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Server, until};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const THINGS: &str = "/apis/example.com/v1/namespaces/default/things";

fn definition() -> Value {
    let version = |name: &str, storage: bool| {
        json!({
            "name": name, "served": true, "storage": storage, "subresources": {"status": {}},
            "selectableFields": [{"jsonPath": ".spec.colour"}],
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                "spec": {"type": "object", "properties": {
                    "colour": {"type": "string", "default": "red"},
                    "size": {"type": "integer", "minimum": 1},
                }},
                "status": {"type": "object", "properties": {"ready": {"type": "boolean"}}},
            }}},
        })
    };
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
            "versions": [version("v1", true), version("v2", false)],
        },
    })
}

fn thing(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": name}, "spec": spec})
}

async fn with_things() -> Server {
    let server = Server::with_collector();
    let (status, made) = server.post(DEFINITIONS, &definition()).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    server
}

#[tokio::test]
async fn a_definition_is_served_at_once() {
    let server = Server::with_collector();
    assert_eq!(server.get(THINGS).await.0, StatusCode::NOT_FOUND);
    let (_, made) = server.post(DEFINITIONS, &definition()).await;
    let conditions: Vec<(&str, &str)> = made["status"]["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["type"].as_str().unwrap(), one["status"].as_str().unwrap()))
        .collect();
    assert_eq!(conditions, [("NamesAccepted", "True"), ("Established", "True")]);
    assert_eq!(made["status"]["storedVersions"], json!(["v1"]));
    assert_eq!(made["status"]["acceptedNames"]["listKind"], "ThingList");
    let (status, list) = server.get(THINGS).await;
    assert_eq!((status, &list["kind"]), (StatusCode::OK, &json!("ThingList")));
}

#[tokio::test]
async fn objects_get_defaults_and_are_pruned_and_validated() {
    let server = with_things().await;
    let (status, made) = server.post(THINGS, &thing("a", json!({"other": 1}))).await;
    assert_eq!((status, &made["spec"]), (StatusCode::CREATED, &json!({"colour": "red"})));
    let (status, refused) = server.post(THINGS, &thing("b", json!({"size": 0}))).await;
    assert_eq!(status.as_u16(), 422, "{refused}");
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .starts_with("Thing.example.com \"b\" is invalid: spec.size: Invalid value"),
        "{refused}"
    );
    assert_eq!(refused["details"]["group"], "example.com");
    let (status, _) = server
        .send(Method::PATCH, &format!("{THINGS}/a"), "application/strategic-merge-patch+json", "{}")
        .await;
    assert_eq!(status.as_u16(), 415);
}

#[tokio::test]
async fn spec_and_status_are_written_apart() {
    let server = with_things().await;
    let mut given = thing("a", json!({"colour": "red"}));
    given["status"] = json!({"ready": true});
    let (_, made) = server.post(THINGS, &given).await;
    assert_eq!((made.get("status"), &made["metadata"]["generation"]), (None, &json!(1)));
    let path = format!("{THINGS}/a");
    let (_, second) =
        server.merge(&path, &json!({"spec": {"colour": "blue"}, "status": {"ready": true}})).await;
    assert_eq!((second.get("status"), &second["metadata"]["generation"]), (None, &json!(2)));
    let change =
        json!({"spec": {"colour": "green"}, "status": {"ready": true}, "metadata": {"labels": {"a": "b"}}});
    let (_, third) = server.merge(&format!("{path}/status"), &change).await;
    assert_eq!((&third["spec"]["colour"], &third["status"]), (&json!("blue"), &json!({"ready": true})));
    assert_eq!((&third["metadata"]["generation"], third["metadata"].get("labels")), (&json!(2), None));
    let entries = third["metadata"]["managedFields"].as_array().unwrap();
    let status = entries.iter().find(|entry| entry["subresource"] == "status").unwrap();
    assert_eq!(status["fieldsV1"], json!({"f:status": {".": {}, "f:ready": {}}}));
    let (_, fourth) = server.merge(&path, &json!({"metadata": {"labels": {"a": "b"}}})).await;
    assert_eq!(fourth["metadata"]["generation"], 2, "labels are no new generation");
    let applied = json!({"apiVersion": "example.com/v1", "kind": "Thing", "status": {"ready": false}});
    let (code, fifth) = server.apply(&format!("{path}/status"), "fieldManager=me&force=true", &applied).await;
    assert_eq!((code, &fifth["status"]["ready"]), (StatusCode::OK, &json!(false)), "{fifth}");
}

#[tokio::test]
async fn an_update_needs_a_version() {
    let server = with_things().await;
    server.post(THINGS, &thing("a", json!({}))).await;
    let (status, refused) = server.put(&format!("{THINGS}/a"), &thing("a", json!({}))).await;
    assert_eq!(status.as_u16(), 422);
    assert_eq!(
        refused["message"],
        "things.example.com \"a\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update"
    );
}

#[tokio::test]
async fn objects_are_served_in_every_version_and_selected_by_field() {
    let server = with_things().await;
    server.post(THINGS, &thing("a", json!({"colour": "blue"}))).await;
    server.post(THINGS, &thing("b", json!({}))).await;
    let (_, list) = server.get("/apis/example.com/v2/things?fieldSelector=spec.colour%3Dblue").await;
    let items = list["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["apiVersion"]), (1, &json!("example.com/v2")));
    let (status, _) = server.get(&format!("{THINGS}?fieldSelector=spec.size%3D1")).await;
    assert_eq!(status.as_u16(), 400);
}

#[tokio::test]
async fn a_deleted_definition_takes_its_objects_with_it() {
    let server = with_things().await;
    let mut held = thing("a", json!({}));
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    server.post(THINGS, &held).await;
    let path = format!("{DEFINITIONS}/things.example.com");
    server.delete(&path, &json!({})).await;
    let object = format!("{THINGS}/a");
    until("the object is being deleted", async || {
        server.get(&object).await.1["metadata"].get("deletionTimestamp").is_some()
    })
    .await;
    assert_eq!(server.get(&path).await.0, StatusCode::OK);
    server.merge(&object, &json!({"metadata": {"finalizers": null}})).await;
    until("the definition goes", async || server.get(&path).await.0 == StatusCode::NOT_FOUND).await;
    assert_eq!(server.get(THINGS).await.0, StatusCode::NOT_FOUND, "no longer served");
}

#[tokio::test]
async fn a_wrong_definition_is_refused() {
    let server = Server::start();
    let mut wrong = definition();
    wrong["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["type"] = json!("thing");
    let (status, refused) = server.post(DEFINITIONS, &wrong).await;
    assert_eq!((status.as_u16(), &refused["reason"]), (422, &json!("Invalid")), "{refused}");
}
