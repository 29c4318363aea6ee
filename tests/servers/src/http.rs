//! Requests to one server on loopback, blocking. Trusts one CA, takes nothing from the environment.
//!
//! Each call has a thread with a runtime of its own, since a test that calls it may itself run on one.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::{Client, Method};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value as Json;

const TIMEOUT: Duration = Duration::from_secs(30);

/// One server.
#[derive(Clone)]
pub(crate) struct Http {
    base: String,
    tls: ClientConfig,
    /// Sent with each request, such as `("authorization", "Bearer ...")`.
    header: Option<(&'static str, String)>,
}

impl Http {
    /// `ca` is the only CA that it trusts; a server without TLS needs none.
    pub(crate) fn new(base: &str, ca: Option<&str>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca.unwrap_or_default().as_bytes()) {
            roots.add(certificate.context("read the CA")?)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { base: base.to_owned(), tls, header: None })
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.header = Some((name, value));
        self
    }

    /// Status and body; a body that is not JSON is a string, none is null.
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Json>) -> Result<(u16, Json)> {
        self.call_as(method, path, "application/json", body)
    }

    pub(crate) fn call_as(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: Option<&Json>,
    ) -> Result<(u16, Json)> {
        let answered = std::thread::scope(|scope| {
            let call = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(self.send(method, path, content_type, body))
            });
            call.join()
        });
        let answered = answered.unwrap_or_else(|_| Err(anyhow::anyhow!("the request's thread panicked")));
        answered.with_context(|| format!("{method} {}{path}", self.base))
    }

    /// The body of a 2xx; anything else is an error that quotes the answer.
    pub(crate) fn expect(&self, method: &str, path: &str, body: Option<&Json>) -> Result<Json> {
        match self.call(method, path, body)? {
            (200..=299, answer) => Ok(answer),
            (status, answer) => anyhow::bail!("{method} {}{path} answers {status}: {answer}", self.base),
        }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: Option<&Json>,
    ) -> Result<(u16, Json)> {
        let client = Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            .tls_backend_preconfigured(self.tls.clone())
            .build()
            .context("make a client")?;
        let mut request =
            client.request(Method::from_bytes(method.as_bytes())?, format!("{}{path}", self.base));
        if let Some((name, value)) = &self.header {
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            request = request.header("content-type", content_type).body(body.to_string());
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        let json = if text.is_empty() {
            Json::Null
        } else {
            serde_json::from_str(&text).unwrap_or(Json::String(text))
        };
        Ok((status, json))
    }
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("base", &self.base).finish_non_exhaustive()
    }
}
