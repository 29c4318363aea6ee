//! Lists: selectors, paging, tables, metadata only.

use http::{Method, StatusCode};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::server::{SECRETS, Server, secret};

async fn with_secrets(server: &Server, names: &[&str]) {
    for name in names {
        server.post(SECRETS, &secret(name)).await;
    }
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn lists_are_of_one_namespace_or_of_all() {
    let server = Server::start();
    with_secrets(&server, &["b", "a"]).await;
    server.post("/api/v1/namespaces/kube-system/secrets", &secret("c")).await;
    let (_, list) = server.get(SECRETS).await;
    assert_eq!((names(&list), &list["kind"]), (vec!["a", "b"], &json!("SecretList")));
    assert!(list["items"][0].get("kind").is_none(), "items of typed lists do not repeat their kind");
    assert_eq!(list["metadata"]["resourceVersion"], server.api.resource_version().to_string());
    let all: Api<Secret> = Api::all(server.client());
    let found = all.list(&ListParams::default().fields("metadata.name=c")).await.unwrap();
    assert_eq!(found.items.len(), 1);
}

#[tokio::test]
async fn pages_are_of_one_moment() {
    let server = Server::with_history(5);
    with_secrets(&server, &["a", "b", "c", "d"]).await;
    let (_, first) = server.get(&format!("{SECRETS}?limit=2")).await;
    assert_eq!((names(&first), &first["metadata"]["remainingItemCount"]), (vec!["a", "b"], &json!(2)));
    let token = first["metadata"]["continue"].as_str().unwrap().to_owned();
    server.delete(&format!("{SECRETS}/c"), &json!({})).await;
    with_secrets(&server, &["bb"]).await;
    let next = format!("{SECRETS}?limit=2&continue={token}");
    let (_, second) = server.get(&next).await;
    assert_eq!((names(&second), second["metadata"].get("continue")), (vec!["c", "d"], None));
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);

    with_secrets(&server, &["e", "f", "g", "h"]).await;
    let (status, expired) = server.get(&next).await;
    assert_eq!((status.as_u16(), &expired["reason"]), (410, &json!("Expired")));
    let token = expired["metadata"]["continue"].as_str().unwrap();
    let (_, rest) = server.get(&format!("{SECRETS}?continue={token}")).await;
    assert_eq!(names(&rest), ["bb", "d", "e", "f", "g", "h"]);
}

#[tokio::test]
async fn a_list_is_as_new_or_as_old_as_asked() {
    let server = Server::with_history(3);
    with_secrets(&server, &["a"]).await;
    let version = server.api.resource_version();
    with_secrets(&server, &["b"]).await;
    let check = async |query: &str, code: u16, expected: &[&str]| {
        let (status, answer) = server.get(&format!("{SECRETS}?{query}")).await;
        assert_eq!(status.as_u16(), code, "{query}: {answer}");
        if status == StatusCode::OK {
            assert_eq!(names(&answer), expected, "{query}");
        }
    };
    check(&format!("resourceVersion={version}&resourceVersionMatch=Exact"), 200, &["a"]).await;
    check(&format!("resourceVersion={version}&limit=9"), 200, &["a"]).await;
    check(&format!("resourceVersion={version}&resourceVersionMatch=NotOlderThan"), 200, &["a", "b"]).await;
    check(&format!("resourceVersion={version}"), 200, &["a", "b"]).await;
    check("resourceVersion=0", 200, &["a", "b"]).await;
    check("resourceVersion=99999", 504, &[]).await;
    check("resourceVersionMatch=Exact", 422, &[]).await;
    check("resourceVersion=0&resourceVersionMatch=Exact", 422, &[]).await;
    check("resourceVersion=x", 400, &[]).await;
    check("continue=nonsense", 400, &[]).await;
    with_secrets(&server, &["c", "d", "e"]).await;
    check(&format!("resourceVersion={version}&resourceVersionMatch=Exact"), 410, &[]).await;
}

#[tokio::test]
async fn lists_come_as_tables_and_as_metadata() {
    let server = Server::start();
    with_secrets(&server, &["a"]).await;
    let get = async |accept: &str| {
        let request = http::Request::builder()
            .method(Method::GET)
            .uri(SECRETS)
            .header("accept", accept)
            .body(http_body_util::Empty::<hyper::body::Bytes>::new())
            .unwrap();
        let response = tower::ServiceExt::oneshot(server.api.service(), request).await.unwrap();
        let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        serde_json::from_slice::<Value>(&body).unwrap()
    };
    let table = get("application/json;as=Table;v=v1;g=meta.k8s.io,application/json").await;
    assert_eq!((&table["kind"], &table["rows"][0]["cells"][0]), (&json!("Table"), &json!("a")));
    let metadata = get("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1").await;
    assert_eq!(metadata["kind"], "PartialObjectMetadataList");
    assert!(metadata["items"][0].get("data").is_none());
    assert_eq!(get("application/vnd.kubernetes.protobuf").await["code"], 406);
}
