//! The key store from outside: every version of a secret that it ever had.

use base64::Engine as _;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::Value as Json;
use tower::ServiceExt;

use crate::world::{TOKEN, World};

impl World {
    async fn ask(&self, path: &str) -> Json {
        let request =
            Request::get(path).header("x-vault-token", TOKEN).body(Full::new(Bytes::new())).unwrap();
        let response = self.kv.service().oneshot(request).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap_or_default()
    }

    /// The passwords of all versions of `key`, the oldest first; a deleted version is empty.
    pub(crate) async fn pushed(&self, key: &str) -> Vec<String> {
        let metadata = self.ask(&format!("/v1/secret/metadata/{key}")).await;
        let last = metadata["data"]["current_version"].as_u64().unwrap_or_default();
        let mut passwords = Vec::new();
        for version in 1..=last {
            let read = self.ask(&format!("/v1/secret/data/{key}?version={version}")).await;
            let password = read["data"]["data"]["password"].as_str().unwrap_or_default();
            passwords.push(password.to_owned());
        }
        passwords
    }

    /// What `key` has now; none when it is deleted.
    pub(crate) async fn pushed_now(&self, key: &str) -> Option<String> {
        self.pushed(key).await.pop().filter(|password| !password.is_empty())
    }

    /// The Secret that the stores take their token from.
    pub(crate) async fn give_token(&self) {
        let token = base64::engine::general_purpose::STANDARD.encode(TOKEN);
        self.create::<k8s_openapi::api::core::v1::Secret>(serde_json::json!({
            "metadata": {"name": "kv-token"}, "data": {"token": token},
        }))
        .await;
    }
}
