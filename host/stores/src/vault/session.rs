//! A login to Vault and the life of its token.
//!
//! One login serves all stores with the same server and credential: it is renewed before it expires, replaced when it
//! cannot be renewed or has been revoked, and revoked when nobody uses it any more. A static token is used as it is. At
//! most one login of a session is under way; whoever needs the token meanwhile waits for that one.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::login::{Login, LoginError};
use super::path::ApiPath;
use super::refusal::{Refusal, more_than_missing};
use super::request::{Call, Reply, Server};

/// A denied request is answered by a new login, but not more often than this while the old token proves to live: the new
/// one could only differ if somebody has changed the role.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two attempts to renew or replace a token that is still good.
const PAUSE: Duration = Duration::from_secs(5);

/// One login.
pub(crate) struct Session {
    server: Arc<Server>,
    /// The namespace of the auth method.
    namespace: Option<HeaderValue>,
    login: Login,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lease: Option<Lease>,
    /// Counts logins, so that a token can be told from its successor.
    generation: u64,
    denied: Option<Instant>,
}

#[derive(Clone)]
struct Lease {
    token: SecretString,
    /// When to renew or replace it; never for a token without an end.
    renew: Option<Instant>,
    /// When it is worth nothing.
    end: Option<Instant>,
    renewable: bool,
    revocable: bool,
    /// How many more requests it is good for; without a limit when absent.
    uses: Option<u32>,
}

/// A token to send, and which one it is.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) text: Option<SecretString>,
    generation: u64,
}

#[derive(Deserialize)]
struct Granted {
    auth: Option<Auth>,
}

#[derive(Deserialize)]
struct Auth {
    #[serde(deserialize_with = "secret")]
    client_token: SecretString,
    #[serde(default)]
    lease_duration: u64,
    #[serde(default)]
    renewable: bool,
    #[serde(default)]
    num_uses: u32,
    #[serde(default)]
    token_type: String,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

impl Session {
    pub(crate) fn new(server: Arc<Server>, namespace: Option<HeaderValue>, login: Login) -> Arc<Self> {
        Arc::new(Self { server, namespace, login, state: Mutex::default() })
    }

    /// The server that it is for.
    pub(crate) fn server(&self) -> Arc<Server> {
        Arc::clone(&self.server)
    }

    /// A token that is good now, logging in if need be.
    pub(crate) async fn token(&self) -> Result<Token, LoginError> {
        match &self.login {
            Login::Anonymous => {
                return Ok(Token { text: None, generation: 0 });
            }
            Login::Token(token) => {
                return Ok(Token { text: Some(token.clone()), generation: 0 });
            }
            Login::Method(_) => {}
        }
        let mut state = self.state.lock().await;
        let now = Instant::now();
        // A copy: whoever is cancelled while it logs in leaves the lease for the next one.
        let usable = state.lease.clone().filter(|lease| lease.alive(now));
        let lease = match usable {
            Some(lease) if !lease.due(now) => lease,
            Some(lease) => self.prolong(lease, &mut state).await,
            None => self.log_in(&mut state).await?,
        };
        Ok(state.hand_out(lease))
    }

    /// A token to try once more with after that one was denied; none when there is no point.
    pub(crate) async fn after_denial(&self, denied: &Token) -> Result<Option<Token>, LoginError> {
        if !matches!(self.login, Login::Method(_)) {
            return Ok(None);
        }
        let mut state = self.state.lock().await;
        if state.generation == denied.generation {
            let alive = self.look_up(denied).await.is_ok();
            let recently = state.denied.is_some_and(|at| at.elapsed() < PATIENCE);
            if alive && recently {
                return Ok(None);
            }
            state.denied = Some(Instant::now());
            let lease = match self.log_in(&mut state).await {
                Ok(lease) => lease,
                Err(_) if alive => return Ok(None), // it is the denial that matters
                Err(error) => return Err(error),
            };
            if let Some(old) = state.lease.take() {
                self.revoke(old);
            }
            return Ok(Some(state.hand_out(lease)));
        }
        drop(state);
        self.token().await.map(Some)
    }

    /// Asks the server about the token. Reads no secret.
    pub(crate) async fn look_up(&self, token: &Token) -> Result<(), Refusal> {
        let path = ApiPath::fixed("auth/token/lookup-self");
        let reply = self.server.send(self.call(Method::GET, &path, token.text.as_ref())).await?;
        found(&reply)
    }

    /// Whether requests carry a token at all.
    pub(crate) fn is_anonymous(&self) -> bool {
        matches!(self.login, Login::Anonymous)
    }

    /// Gives the token back, if it is ours.
    pub(crate) async fn close(&self) {
        let lease = self.state.lock().await.lease.take();
        if let Some(lease) = lease.filter(|lease| lease.revocable) {
            give_back(&self.server, self.namespace.as_ref(), &lease.token).await;
        }
    }

    async fn log_in(&self, state: &mut State) -> Result<Lease, LoginError> {
        let Login::Method(method) = &self.login else {
            return Err(LoginError::NoMethod);
        };
        let (path, body) = method.request().await?;
        let mut call = self.call(Method::POST, &path, None);
        call.body = Some(body);
        let refused = |source| LoginError::Refused {
            method: method.name(),
            server: self.server.name().to_owned(),
            source,
        };
        let reply = self.server.send(call).await.map_err(refused)?;
        let auth = granted(&reply).map_err(refused)?;
        state.generation += 1;
        Ok(Lease::new(auth))
    }

    /// Renews the lease or replaces it. While neither works the old one still does, and is not asked about each time.
    async fn prolong(&self, lease: Lease, state: &mut State) -> Lease {
        if lease.renewable && lease.uses.is_none() {
            match self.renew(&lease).await {
                // At its maximum life a token gains nothing from a renewal.
                Ok(renewed) if renewed.end.is_none() || renewed.end > lease.end => return renewed,
                Ok(_) | Err(_) => {}
            }
        }
        match self.log_in(state).await {
            Ok(fresh) => {
                self.revoke(lease);
                fresh
            }
            Err(_) => Lease { renew: Some(Instant::now() + PAUSE), ..lease },
        }
    }

    async fn renew(&self, lease: &Lease) -> Result<Lease, Refusal> {
        let path = ApiPath::fixed("auth/token/renew-self");
        let mut call = self.call(Method::POST, &path, Some(&lease.token));
        call.body = Some(b"{}".to_vec().into());
        let auth = granted(&self.server.send(call).await?)?;
        Ok(Lease::new(auth))
    }

    fn call<'a>(&'a self, method: Method, path: &'a ApiPath, token: Option<&'a SecretString>) -> Call<'a> {
        Call { namespace: self.namespace.as_ref(), token, ..Call::new(method, path) }
    }

    /// In the background and once: whoever dropped the session does not wait, and the token ends by itself anyway.
    fn revoke(&self, lease: Lease) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if lease.revocable {
            let (server, namespace) = (Arc::clone(&self.server), self.namespace.clone());
            runtime.spawn(async move { give_back(&server, namespace.as_ref(), &lease.token).await });
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(lease) = self.state.get_mut().lease.take() {
            self.revoke(lease);
        }
    }
}

impl State {
    /// Keeps the lease for the next one, and counts the use.
    fn hand_out(&mut self, mut lease: Lease) -> Token {
        let token = Token { text: Some(lease.token.clone()), generation: self.generation };
        lease.uses = lease.uses.map(|uses| uses.saturating_sub(1));
        self.lease = Some(lease);
        token
    }
}

impl Lease {
    fn new(auth: Auth) -> Self {
        let now = Instant::now();
        let ttl = (auth.lease_duration > 0)
            .then(|| Duration::from_secs(auth.lease_duration.min(u64::from(u32::MAX))));
        // At two thirds of its life there is time left for a few attempts.
        let renew = ttl.map(|ttl| now + ttl * 2 / 3);
        Self {
            token: auth.client_token,
            renew,
            end: ttl.map(|ttl| now + ttl),
            renewable: auth.renewable,
            revocable: auth.token_type != "batch",
            uses: (auth.num_uses > 0).then_some(auth.num_uses),
        }
    }

    fn alive(&self, now: Instant) -> bool {
        self.uses != Some(0) && self.end.is_none_or(|end| now < end)
    }

    fn due(&self, now: Instant) -> bool {
        self.renew.is_some_and(|renew| renew <= now)
    }
}

async fn give_back(server: &Server, namespace: Option<&HeaderValue>, token: &SecretString) {
    let path = ApiPath::fixed("auth/token/revoke-self");
    let mut call = Call { namespace, token: Some(token), ..Call::new(Method::POST, &path) };
    call.body = Some(b"{}".to_vec().into());
    if let Err(refusal) = server.send(call).await {
        tracing::debug!(server = server.name(), %refusal, "a Vault token could not be revoked");
    }
}

fn granted(reply: &Reply) -> Result<Auth, Refusal> {
    found(reply)?;
    if reply.body.is_empty() {
        // How Vault 1.13 answers a wrong password of the ldap method.
        return Err(Refusal::Invalid { said: Some("it grants no token") });
    }
    let granted: Granted = serde_json::from_slice(&reply.body).map_err(|_| Refusal::BadAnswer)?;
    let auth = granted.auth.ok_or(Refusal::BadAnswer)?;
    if auth.client_token.expose_secret().is_empty() { Err(Refusal::BadAnswer) } else { Ok(auth) }
}

fn found(reply: &Reply) -> Result<(), Refusal> {
    if reply.absent {
        return Err(more_than_missing(&reply.body).unwrap_or(Refusal::NoMount));
    }
    Ok(())
}
