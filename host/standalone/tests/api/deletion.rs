//! Deletion: preconditions, finalizers, propagation, garbage collection.

use http::StatusCode;
use serde_json::{Value, json};

use crate::server::{SECRETS, Server, secret, until};

fn owned(name: &str, owner: &Value) -> Value {
    let mut object = secret(name);
    object["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "v1", "kind": "Secret", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
        "blockOwnerDeletion": true,
    }]);
    object
}

async fn is_gone(server: &Server, name: &str) -> bool {
    server.get(&format!("{SECRETS}/{name}")).await.0 == StatusCode::NOT_FOUND
}

#[tokio::test]
async fn a_delete_says_what_it_deleted_and_heeds_preconditions() {
    let server = Server::start();
    let (_, made) = server.post(SECRETS, &secret("a")).await;
    let path = format!("{SECRETS}/a");
    let (status, refused) = server.delete(&path, &json!({"preconditions": {"uid": "other"}})).await;
    let uid = made["metadata"]["uid"].as_str().unwrap();
    assert_eq!(status, StatusCode::CONFLICT);
    let expected = format!(
        "Operation cannot be fulfilled on Secret \"a\": the UID in the precondition (other) does not match the UID in \
         record ({uid}). The object might have been deleted and then recreated"
    );
    assert_eq!(refused["message"], expected);
    let (status, _) = server.delete(&path, &json!({"preconditions": {"resourceVersion": "1"}})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (status, _) = server.delete(&path, &json!({"dryRun": ["All"]})).await;
    assert!(status == StatusCode::OK && !is_gone(&server, "a").await);
    let (status, done) = server.delete(&path, &json!({"preconditions": {"uid": uid}})).await;
    let expected = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {"name": "a", "kind": "secrets", "uid": uid},
    });
    assert_eq!((status, done), (StatusCode::OK, expected));
    assert_eq!(server.delete(&path, &json!({})).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn finalizers_hold_an_object_until_they_are_gone() {
    let server = Server::start();
    let mut given = secret("a");
    given["metadata"]["finalizers"] = json!(["example.com/hold"]);
    server.post(SECRETS, &given).await;
    let path = format!("{SECRETS}/a");
    let (_, marked) = server.delete(&path, &json!({})).await;
    assert_eq!(marked["metadata"]["deletionTimestamp"], crate::server::START);
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 0);
    let (_, again) = server.delete(&path, &json!({})).await;
    assert_eq!(again["metadata"]["resourceVersion"], marked["metadata"]["resourceVersion"]);
    let (status, refused) = server
        .merge(&path, &json!({"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}}))
        .await;
    assert_eq!(status.as_u16(), 422, "{refused}");
    let (status, _) = server.merge(&path, &json!({"metadata": {"finalizers": null}})).await;
    assert!(status == StatusCode::OK && is_gone(&server, "a").await);
}

#[tokio::test]
async fn dependents_go_with_their_owner() {
    let server = Server::with_collector();
    let (_, owner) = server.post(SECRETS, &secret("owner")).await;
    let (_, child) = server.post(SECRETS, &owned("child", &owner)).await;
    server.post(SECRETS, &owned("grandchild", &child)).await;
    server.delete(&format!("{SECRETS}/owner"), &json!({"propagationPolicy": "Background"})).await;
    until("the dependents go", async || {
        is_gone(&server, "child").await && is_gone(&server, "grandchild").await
    })
    .await;
}

#[tokio::test]
async fn an_owner_waits_for_what_blocks_it() {
    let server = Server::with_collector();
    let (_, owner) = server.post(SECRETS, &secret("owner")).await;
    let mut child = owned("child", &owner);
    child["metadata"]["finalizers"] = json!(["example.com/hold"]);
    server.post(SECRETS, &child).await;
    let (_, waiting) =
        server.delete(&format!("{SECRETS}/owner"), &json!({"propagationPolicy": "Foreground"})).await;
    assert_eq!(waiting["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    let child_path = format!("{SECRETS}/child");
    until("the child is being deleted", async || {
        server.get(&child_path).await.1["metadata"].get("deletionTimestamp").is_some()
    })
    .await;
    assert!(!is_gone(&server, "owner").await);
    server.merge(&child_path, &json!({"metadata": {"finalizers": null}})).await;
    until("the owner goes", async || is_gone(&server, "owner").await).await;
}

#[tokio::test]
async fn orphans_stay_and_lose_their_reference() {
    let server = Server::with_collector();
    let (_, owner) = server.post(SECRETS, &secret("owner")).await;
    server.post(SECRETS, &owned("child", &owner)).await;
    server.delete(&format!("{SECRETS}/owner"), &json!({"propagationPolicy": "Orphan"})).await;
    until("the owner goes", async || is_gone(&server, "owner").await).await;
    let (status, child) = server.get(&format!("{SECRETS}/child")).await;
    assert_eq!((status, child["metadata"].get("ownerReferences")), (StatusCode::OK, None));
}

#[tokio::test]
async fn owners_that_are_missing_or_unknown() {
    let server = Server::with_collector();
    let (_, owner) = server.post(SECRETS, &secret("owner")).await;
    let mut two = owned("two", &owner);
    let gone = json!({"apiVersion": "v1", "kind": "Secret", "name": "gone", "uid": "gone"});
    let unknown = json!({"apiVersion": "example.com/v1", "kind": "Unknown", "name": "x", "uid": "y"});
    two["metadata"]["ownerReferences"].as_array_mut().unwrap().push(gone.clone());
    server.post(SECRETS, &two).await;
    let mut lost = secret("lost");
    lost["metadata"]["ownerReferences"] = json!([gone]);
    let mut doubtful = secret("doubtful");
    doubtful["metadata"]["ownerReferences"] = json!([unknown]);
    server.post(SECRETS, &doubtful).await;
    server.post(SECRETS, &lost).await;
    until("the lost one goes", async || is_gone(&server, "lost").await).await;
    assert!(!is_gone(&server, "doubtful").await, "in doubt nothing is deleted");
    let (_, two) = server.get(&format!("{SECRETS}/two")).await;
    assert_eq!(two["metadata"]["ownerReferences"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_namespace_takes_its_objects_with_it() {
    let server = Server::with_collector();
    let (_, made) = server.post("/api/v1/namespaces", &json!({"metadata": {"name": "n"}})).await;
    assert_eq!(
        (&made["spec"], &made["status"]),
        (&json!({"finalizers": ["kubernetes"]}), &json!({"phase": "Active"}))
    );
    assert_eq!(made["metadata"]["labels"], json!({"kubernetes.io/metadata.name": "n"}));
    let mut held = secret("held");
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    server.post("/api/v1/namespaces/n/secrets", &held).await;
    let (status, ending) = server.delete("/api/v1/namespaces/n", &json!({})).await;
    assert_eq!((status, &ending["status"]["phase"]), (StatusCode::OK, &json!("Terminating")));
    let (status, refused) = server.post("/api/v1/namespaces/n/secrets", &secret("new")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(
        refused["message"],
        "secrets \"new\" is forbidden: unable to create new content in namespace n because it is being terminated"
    );
    assert_eq!(server.get("/api/v1/namespaces/n").await.0, StatusCode::OK, "held");
    server.merge("/api/v1/namespaces/n/secrets/held", &json!({"metadata": {"finalizers": null}})).await;
    until("the namespace goes", async || server.get("/api/v1/namespaces/n").await.0 == StatusCode::NOT_FOUND)
        .await;
    let (status, refused) = server.delete("/api/v1/namespaces/default", &json!({})).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{refused}");
}

#[tokio::test]
async fn a_collection_is_deleted_by_selector() {
    let server = Server::start();
    for name in ["a", "b", "c"] {
        let mut object = secret(name);
        object["metadata"]["labels"] = json!({"keep": if name == "c" { "yes" } else { "no" }});
        server.post(SECRETS, &object).await;
    }
    let (status, deleted) = server.delete(&format!("{SECRETS}?labelSelector=keep%3Dno"), &json!({})).await;
    assert_eq!((status, deleted["items"].as_array().unwrap().len()), (StatusCode::OK, 2));
    assert!(is_gone(&server, "a").await && is_gone(&server, "b").await && !is_gone(&server, "c").await);
}
