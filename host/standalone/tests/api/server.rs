//! A server in memory, a client of it, and raw requests to it.

use std::sync::Arc;

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use kube::Client;
use serde_json::Value;
use standalone::clock::ManualClock;
use standalone::database::Database;
use standalone::{Api, ApiConfig};
use tower::ServiceExt;

pub(crate) const START: &str = "2026-11-24T12:00:00Z";

pub(crate) struct Server {
    pub(crate) api: Api,
    pub(crate) clock: Arc<ManualClock>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with_history(1000)
    }

    pub(crate) fn with_history(history: usize) -> Self {
        let clock = Arc::new(ManualClock::at(START.parse().unwrap()));
        let config = ApiConfig { database: Database::memory().unwrap(), clock: clock.clone(), history };
        Self { api: Api::open(config).unwrap(), clock }
    }

    /// Also runs the garbage collector, until the test's runtime ends.
    pub(crate) fn with_collector() -> Self {
        let server = Self::start();
        tokio::spawn(server.api.clone().collect_garbage());
        server
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.api.service(), "default")
    }

    /// A request as it is, and the answer's status and JSON.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        content: &str,
        body: &str,
    ) -> (StatusCode, Value) {
        let (status, _, body) = self.send_full(method, path, content, body).await;
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub(crate) async fn send_full(
        &self,
        method: Method,
        path: &str,
        content: &str,
        body: &str,
    ) -> (StatusCode, http::HeaderMap, Bytes) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content)
            .header("user-agent", "tester/1.0")
            .body(Full::new(Bytes::from(body.to_owned())))
            .unwrap();
        let response = self.api.service().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        (head.status, head.headers, body.collect().await.unwrap().to_bytes())
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.send(Method::GET, path, "", "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.send(Method::POST, path, "application/json", &body.to_string()).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.send(Method::PUT, path, "application/json", &body.to_string()).await
    }

    pub(crate) async fn delete(&self, path: &str, options: &Value) -> (StatusCode, Value) {
        self.send(Method::DELETE, path, "application/json", &options.to_string()).await
    }

    pub(crate) async fn merge(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.send(Method::PATCH, path, "application/merge-patch+json", &body.to_string()).await
    }

    pub(crate) async fn apply(&self, path: &str, query: &str, body: &Value) -> (StatusCode, Value) {
        let path = format!("{path}?{query}");
        self.send(Method::PATCH, &path, "application/apply-patch+yaml", &body.to_string()).await
    }
}

/// Waits until `f` says so, or fails.
pub(crate) async fn until<F: AsyncFn() -> bool>(what: &str, f: F) {
    for _ in 0..500 {
        if f().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("waited too long: {what}");
}

pub(crate) const SECRETS: &str = "/api/v1/namespaces/default/secrets";

pub(crate) fn secret(name: &str) -> Value {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"password": "canary"},
    })
}
