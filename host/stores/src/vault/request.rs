//! One request to a Vault server: the only function that talks to it.
//!
//! Guarantees: the token and the custom headers go to the store's own server and nowhere else, also when it redirects;
//! bodies are zeroed after use, and nothing of them ends in an error; every wait ends. It retries nothing, apart from one
//! redirect within the same server.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Method, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::path::ApiPath;
use super::refusal::{Refusal, refusal};
use crate::gate::Gate;
use crate::http::Http;

/// The longest answer that is read. Vault itself stores at most 1 MiB under one key; lists may be longer.
const LONGEST_BODY: usize = 16 * 1024 * 1024;

const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
const INDEX: HeaderName = HeaderName::from_static("x-vault-index");
pub(super) const REQUEST: HeaderName = HeaderName::from_static("x-vault-request");
pub(super) const INCONSISTENT: HeaderName = HeaderName::from_static("x-vault-inconsistent");

/// A Vault server as one store sees it.
pub(crate) struct Server {
    pub(super) http: Arc<Http>,
    pub(super) gate: Arc<Gate>,
    /// On every request: those of the spec and our own.
    pub(super) headers: HeaderMap,
    /// Whether reads must see our writes, and the state that they must have seen.
    pub(super) index: Option<Mutex<Option<HeaderValue>>>,
}

/// What to ask.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a ApiPath,
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) namespace: Option<&'a HeaderValue>,
    pub(crate) token: Option<&'a SecretString>,
    pub(crate) body: Option<Zeroizing<Vec<u8>>>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(method: Method, path: &'a ApiPath) -> Self {
        Self { method, path, query: &[], namespace: None, token: None, body: None }
    }
}

/// What it answered: 2xx, or a 404 whose meaning depends on the question.
pub(crate) struct Reply {
    /// Whether the status was 404.
    pub(crate) absent: bool,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Server {
    /// Scheme, host and port, for messages.
    pub(crate) fn name(&self) -> &str {
        self.http.name()
    }

    pub(crate) async fn send(&self, call: Call<'_>) -> Result<Reply, Refusal> {
        let mut headers = self.headers.clone();
        if let Some(namespace) = call.namespace {
            headers.insert(NAMESPACE, namespace.clone());
        }
        if let Some(token) = call.token {
            headers.insert(TOKEN, sensitive(token).ok_or(Refusal::BadToken)?);
        }
        if let Some(index) = self.index.as_ref().and_then(seen) {
            headers.insert(INDEX, index);
        }
        if call.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let url = self.url(call.path, call.query);
        let pass = self.gate.enter().await.map_err(Refusal::from)?;
        let answer = self.follow(&call.method, url, &headers, call.body).await;
        match &answer {
            Ok(_) => pass.served(),
            Err(refusal) => pass.failed(&refusal.verdict(), refusal),
        }
        answer
    }

    fn url(&self, path: &ApiPath, query: &[(&str, &str)]) -> Url {
        let segments = path.segments().iter().map(String::as_str);
        let mut url = self.http.url(["v1"].into_iter().chain(segments));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn follow(
        &self,
        method: &Method,
        url: Url,
        headers: &HeaderMap,
        body: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Reply, Refusal> {
        let first =
            self.http.send(method, url.clone(), headers, body.clone()).await.map_err(Refusal::from)?;
        let Some(location) = redirect(&first) else {
            return self.reply(first).await;
        };
        let to = self.http.redirected(&url, location).map_err(|to| Refusal::Redirected { to })?;
        let second = self.http.send(method, to, headers, body).await.map_err(Refusal::from)?;
        if redirect(&second).is_some() {
            return Err(Refusal::Redirected { to: "another redirect".to_owned() });
        }
        self.reply(second).await
    }

    async fn reply(&self, mut response: reqwest::Response) -> Result<Reply, Refusal> {
        let status = response.status();
        let pause = response.headers().get(RETRY_AFTER).and_then(seconds);
        if let (Some(index), Some(new)) = (&self.index, response.headers().get(INDEX)) {
            *index.lock().unwrap_or_else(PoisonError::into_inner) = Some(new.clone());
        }
        let body = read(&mut response).await?;
        if status.is_success() || status == StatusCode::NOT_FOUND {
            return Ok(Reply { absent: status == StatusCode::NOT_FOUND, body });
        }
        Err(refusal(status, pause, &body))
    }
}

async fn read(response: &mut reqwest::Response) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let expected =
        response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    // Reserved at once, so that the bytes are not left behind in buffers that grew out of use.
    let mut body = Zeroizing::new(Vec::with_capacity(expected.min(LONGEST_BODY)));
    while let Some(chunk) = response.chunk().await.map_err(|error| Refusal::Cut(error.without_url()))? {
        if body.len() + chunk.len() > LONGEST_BODY {
            return Err(Refusal::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn redirect(response: &reqwest::Response) -> Option<&str> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    response.status().is_redirection().then_some(location)
}

fn seconds(value: &HeaderValue) -> Option<Duration> {
    value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn seen(index: &Mutex<Option<HeaderValue>>) -> Option<HeaderValue> {
    index.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn sensitive(text: &SecretString) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text.expose_secret()).ok()?;
    value.set_sensitive(true);
    Some(value)
}
