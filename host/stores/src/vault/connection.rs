//! A server with a login: what a store and a prefix send their requests through.
//!
//! One request is one attempt, and one more with a new token when the first was denied and the login can get another one.

use std::sync::Arc;

use reqwest::Method;
use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

use super::login::LoginError;
use super::path::ApiPath;
use super::refusal::Refusal;
use super::request::{Call, Reply, Server};
use super::session::Session;

/// A server, who we are there, and the namespace that is spoken to.
pub(crate) struct Connection {
    pub(super) server: Arc<Server>,
    pub(super) session: Arc<Session>,
    pub(super) namespace: Option<HeaderValue>,
}

impl Connection {
    /// One request with the token; once more with a new one when it was denied.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &ApiPath,
        query: &[(&str, &str)],
        body: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Reply, ConnectionError> {
        let namespace = self.namespace.as_ref();
        let token = self.session.token().await?;
        let call = |token, body| Call { method: method.clone(), path, query, namespace, token, body };
        match self.server.send(call(token.text.as_ref(), body.clone())).await {
            Err(denied @ Refusal::Denied { .. }) => match self.session.after_denial(&token).await? {
                Some(token) => Ok(self.server.send(call(token.text.as_ref(), body)).await?),
                None => Err(denied.into()),
            },
            other => Ok(other?),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// There is no token.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The server did not do it.
    #[error(transparent)]
    Refused(#[from] Refusal),
}
