//! A client of a Vault-compatible KV: what a separate observer sees of it.

use std::collections::BTreeMap;
use std::sync::Once;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value as Json;

/// A KV, with a token for it.
#[derive(Clone)]
pub(crate) struct Kv {
    /// With its scheme.
    pub(crate) address: String,
    token: String,
    http: reqwest::Client,
}

/// Chooses the TLS implementation of the process, once.
pub(crate) fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another part of the test may have been faster.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    });
}

impl Kv {
    pub(crate) fn new(address: String, token: String) -> Self {
        install_crypto();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
        Self { address, token, http }
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// What it answers for a path below /v1.
    pub(crate) async fn get(&self, path: &str) -> Result<Option<Json>> {
        let url = format!("{}/v1/{path}", self.address);
        let answer = self.http.get(url).header("X-Vault-Token", &self.token).send().await?;
        if answer.status() == 404 {
            return Ok(None);
        }
        let text = answer.error_for_status()?.text().await?;
        Ok(Some(serde_json::from_str(&text)?))
    }

    /// Sends a document to a path below /v1.
    pub(crate) async fn post(&self, path: &str, body: &Json) -> Result<()> {
        let url = format!("{}/v1/{path}", self.address);
        let request = self.http.post(url).header("X-Vault-Token", &self.token).json(body);
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// The data of the latest version of a KV v2 secret.
    pub(crate) async fn data(&self, mount: &str, key: &str) -> Result<Option<BTreeMap<String, String>>> {
        self.version(mount, key, 0).await
    }

    /// The data of one version; 0 is the latest.
    pub(crate) async fn version(
        &self,
        mount: &str,
        key: &str,
        version: u64,
    ) -> Result<Option<BTreeMap<String, String>>> {
        let Some(answer) = self.get(&format!("{mount}/data/{key}?version={version}")).await? else {
            return Ok(None);
        };
        let data = answer.pointer("/data/data").and_then(Json::as_object).cloned().unwrap_or_default();
        let text = |value: Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Ok(Some(data.into_iter().map(|(key, value)| (key, text(value))).collect()))
    }

    /// The number of the latest version of a KV v2 secret.
    pub(crate) async fn latest(&self, mount: &str, key: &str) -> Result<Option<u64>> {
        let metadata = self.get(&format!("{mount}/metadata/{key}")).await?;
        Ok(metadata.and_then(|answer| answer.pointer("/data/current_version").and_then(Json::as_u64)))
    }
}
