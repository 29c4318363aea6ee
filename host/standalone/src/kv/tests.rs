//! Protocol cases: what a Vault client sends, and what it gets.

mod v2;
mod wire;

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use secrecy::SecretString;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Kv, KvConfig, KvVersion, Mount};
use crate::clock::ManualClock;
use crate::database::Database;

const TOKEN: &str = "root-token";

struct Server {
    kv: Kv,
    clock: Arc<ManualClock>,
}

impl Server {
    fn start() -> Self {
        let clock = Arc::new(ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap()));
        let kv = Kv::new(Database::memory().unwrap(), clock.clone());
        let mounts = vec![
            Mount::new("secret/", KvVersion::V2),
            Mount::new("kv1", KvVersion::V1),
            Mount::new("teams/a", KvVersion::V2),
        ];
        kv.configure(KvConfig { mounts, tokens: vec![SecretString::from(TOKEN)] });
        Self { kv, clock }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> (StatusCode, Value) {
        let response = self.raw(request).await;
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() })
    }

    async fn raw(&self, request: Request<Full<Bytes>>) -> Response<Full<Bytes>> {
        self.kv.service().oneshot(request).await.unwrap()
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let body = if body.is_null() { Full::default() } else { Full::from(body.to_string()) };
        let request = Request::builder()
            .method(method)
            .uri(format!("/v1/{path}"))
            .header("X-Vault-Token", TOKEN)
            .header("Content-Type", kind);
        self.send(request.body(body).unwrap()).await
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call("GET", path, Value::Null).await
    }

    /// Makes a call that must be answered so.
    async fn expect(&self, method: &str, path: &str, body: Value, status: u16) -> Value {
        let (found, answer) = self.call(method, path, body).await;
        assert_eq!(found.as_u16(), status, "{method} {path}: {answer}");
        answer
    }

    async fn put(&self, path: &str, data: Value) -> Value {
        self.expect("POST", path, json!({"data": data}), 200).await
    }
}

#[tokio::test]
async fn version_1_keeps_one_value_for_each_path() {
    let server = Server::start();
    assert_eq!(server.expect("GET", "kv1/a", Value::Null, 404).await, json!({"errors": []}));
    server.expect("PUT", "kv1/a", json!({"user": "u", "n": 1.5, "deep": {"k": [1]}}), 204).await;
    let answer = server.expect("GET", "kv1/a", Value::Null, 200).await;
    assert_eq!(answer["data"], json!({"user": "u", "n": 1.5, "deep": {"k": [1]}}));
    assert_eq!(answer["lease_duration"], 2_764_800);
    for name in ["request_id", "lease_id", "renewable", "wrap_info", "warnings", "auth"] {
        assert!(answer.get(name).is_some(), "{name} is missing");
    }
    server.expect("POST", "kv1/a/b", json!({"x": "y"}), 204).await;
    server.expect("POST", "kv1/c", json!({"x": "y"}), 204).await;
    assert_eq!(server.expect("LIST", "kv1", Value::Null, 200).await["data"]["keys"], json!(["a", "a/", "c"]));
    assert_eq!(server.expect("GET", "kv1/a?list=true", Value::Null, 200).await["data"]["keys"], json!(["b"]));
    assert_eq!(server.expect("LIST", "kv1/none", Value::Null, 404).await, json!({"errors": []}));
    server.expect("DELETE", "kv1/a", Value::Null, 204).await;
    server.expect("DELETE", "kv1/a", Value::Null, 204).await;
    server.expect("GET", "kv1/a", Value::Null, 404).await;
    assert_eq!(
        server.expect("POST", "kv1/a", json!({}), 400).await["errors"],
        json!(["missing data fields"])
    );
    assert_eq!(
        server.expect("PATCH", "kv1/a", json!({"a": 1}), 405).await["errors"],
        json!(["1 error occurred:\n\t* unsupported operation\n\n"])
    );
}
