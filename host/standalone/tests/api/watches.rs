//! Watches: resumption, bookmarks, selectors, 410.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use http::Request;
use http_body_util::BodyExt;
use hyper::body::Bytes;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::runtime::watcher::{self, Event};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::server::{SECRETS, Server, secret};

/// A watch whose events are read one by one.
struct Watch {
    body: standalone::ResponseBody,
    lines: Vec<Value>,
}

impl Watch {
    async fn open(server: &Server, query: &str, accept: &str) -> Self {
        let request = Request::get(format!("{SECRETS}?watch=true&{query}"))
            .header("accept", accept)
            .body(http_body_util::Empty::<Bytes>::new())
            .unwrap();
        let response = server.api.service().oneshot(request).await.unwrap();
        Self { body: response.into_body(), lines: Vec::new() }
    }

    /// Type and name of the next event, or `None` at the end.
    async fn next(&mut self) -> Option<(String, String)> {
        let event = self.next_event().await?;
        let name = event["object"]["metadata"]["name"].as_str().unwrap_or_default();
        Some((event["type"].as_str().unwrap().to_owned(), name.to_owned()))
    }

    async fn next_event(&mut self) -> Option<Value> {
        let next =
            tokio::time::timeout(Duration::from_secs(5), self.body.frame()).await.expect("an event in time");
        let data = next?.unwrap().into_data().unwrap();
        let event: Value = serde_json::from_slice(&data).unwrap();
        self.lines.push(event.clone());
        Some(event)
    }
}

fn is(kind: &str, name: &str) -> Option<(String, String)> {
    Some((kind.to_owned(), name.to_owned()))
}

#[tokio::test]
async fn a_watch_tells_what_is_there_and_what_happens() {
    let server = Server::start();
    server.post(SECRETS, &secret("a")).await;
    let mut watch = Watch::open(&server, "", "").await;
    assert_eq!(watch.next().await, is("ADDED", "a"));
    server.post("/api/v1/namespaces/kube-system/secrets", &secret("elsewhere")).await;
    server.post(SECRETS, &secret("b")).await;
    server.merge(&format!("{SECRETS}/b"), &json!({"metadata": {"labels": {"x": "y"}}})).await;
    server.delete(&format!("{SECRETS}/b"), &json!({})).await;
    assert_eq!(watch.next().await, is("ADDED", "b"));
    assert_eq!(watch.next().await, is("MODIFIED", "b"));
    assert_eq!(watch.next().await, is("DELETED", "b"));
    let last = watch.lines.last().unwrap()["object"]["metadata"]["resourceVersion"].clone();
    assert_eq!(last, server.api.resource_version().to_string());
}

#[tokio::test]
async fn a_watch_resumes_where_it_was() {
    let server = Server::start();
    server.post(SECRETS, &secret("a")).await;
    let version = server.api.resource_version();
    server.post(SECRETS, &secret("b")).await;
    let mut watch = Watch::open(&server, &format!("resourceVersion={version}"), "").await;
    assert_eq!(watch.next().await, is("ADDED", "b"));
}

#[tokio::test]
async fn a_watch_from_before_the_history_is_gone() {
    let server = Server::with_history(2);
    let version = server.api.resource_version();
    for name in ["a", "b", "c"] {
        server.post(SECRETS, &secret(name)).await;
    }
    let mut watch = Watch::open(&server, &format!("resourceVersion={version}"), "").await;
    let event = watch.next_event().await.unwrap();
    assert_eq!(event["type"], "ERROR");
    assert_eq!((&event["object"]["code"], &event["object"]["reason"]), (&json!(410), &json!("Expired")));
    assert_eq!(watch.next().await, None);
}

#[tokio::test]
async fn selectors_turn_changes_into_additions_and_deletions() {
    let server = Server::start();
    server.post(SECRETS, &secret("a")).await;
    let mut watch =
        Watch::open(&server, "labelSelector=on&resourceVersion=1&fieldSelector=type%3DOpaque", "").await;
    let path = format!("{SECRETS}/a");
    for labels in [json!({"on": "1"}), json!({"on": "2"}), json!({"on": null}), json!({"other": "1"})] {
        server.merge(&path, &json!({"metadata": {"labels": labels}})).await;
    }
    server.merge(&path, &json!({"metadata": {"labels": {"on": "3"}}})).await;
    for kind in ["ADDED", "MODIFIED", "DELETED", "ADDED"] {
        assert_eq!(watch.next().await, is(kind, "a"));
    }
    assert_eq!(watch.lines[2]["object"]["metadata"]["labels"]["on"], "2", "as it was when it last matched");
}

#[tokio::test]
async fn streaming_lists_end_with_a_bookmark() {
    let server = Server::start();
    server.post(SECRETS, &secret("a")).await;
    let query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    let mut watch = Watch::open(&server, query, accept).await;
    assert_eq!(watch.next().await, is("ADDED", "a"));
    assert_eq!(watch.lines[0]["object"]["kind"], "PartialObjectMetadata");
    assert!(watch.lines[0]["object"].get("data").is_none());
    let bookmark = watch.next_event().await.unwrap();
    assert_eq!(bookmark["type"], "BOOKMARK");
    let metadata = &bookmark["object"]["metadata"];
    assert_eq!(metadata["annotations"]["k8s.io/initial-events-end"], "true");
    assert_eq!(metadata["resourceVersion"], server.api.resource_version().to_string());
    let (status, _) = server.get(&format!("{SECRETS}?watch=1&sendInitialEvents=true")).await;
    assert_eq!(status.as_u16(), 422);
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_in_time_with_a_bookmark() {
    let server = Server::start();
    let mut watch =
        Watch::open(&server, "resourceVersion=1&timeoutSeconds=3&allowWatchBookmarks=true", "").await;
    server.post("/api/v1/namespaces/kube-system/secrets", &secret("elsewhere")).await;
    let event = watch.next_event().await.unwrap();
    assert_eq!(event["type"], "BOOKMARK");
    assert_eq!(event["object"]["metadata"]["resourceVersion"], server.api.resource_version().to_string());
    assert_eq!(watch.next().await, None);
}

#[tokio::test]
async fn kube_watchers_work_with_both_strategies() {
    for config in [watcher::Config::default(), watcher::Config::default().streaming_lists()] {
        let server = Server::start();
        server.post(SECRETS, &secret("a")).await;
        let secrets: Api<Secret> = Api::default_namespaced(server.client());
        let mut events = watcher::watcher(secrets, config).boxed();
        let mut names = Vec::new();
        let mut told = async || loop {
            match tokio::time::timeout(Duration::from_secs(5), events.try_next())
                .await
                .unwrap()
                .unwrap()
                .unwrap()
            {
                Event::Init => {}
                Event::InitApply(object) => names.push(format!("init {}", object.metadata.name.unwrap())),
                Event::InitDone => break,
                Event::Apply(object) => {
                    names.push(format!("apply {}", object.metadata.name.unwrap()));
                    break;
                }
                Event::Delete(object) => {
                    names.push(format!("delete {}", object.metadata.name.unwrap()));
                    break;
                }
            }
        };
        told().await;
        server.post(SECRETS, &secret("b")).await;
        told().await;
        server.delete(&format!("{SECRETS}/a"), &json!({})).await;
        told().await;
        assert_eq!(names, ["init a", "apply b", "delete a"]);
    }
}
