//! A client for one API server with one credential.
//!
//! For a ServiceAccount it holds a minted token and mints a new one before that expires, or at once when the server does
//! not accept it any more. Other credentials are used as they are.

use std::sync::Arc;
use std::time::Duration;

use kube::{Client, Config};
use secrecy::SecretString;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::refusal::Refusal;
use crate::credential::ServiceAccount;
use crate::gate::Gate;

/// The lifetime that is asked for tokens.
pub(super) const TOKEN_LIFETIME: Duration = Duration::from_secs(3600);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// How to authenticate.
#[derive(Debug)]
pub(super) enum Credential {
    /// With what the configuration holds already: a client certificate.
    InConfig,
    /// With a token from a Secret.
    Token(SecretString),
    /// With tokens of a ServiceAccount.
    Account(ServiceAccount),
}

/// One API server with one credential.
pub(crate) struct KubeSession {
    config: Config,
    credential: Credential,
    gate: Arc<Gate>,
    current: Mutex<Option<Current>>,
}

#[derive(Clone)]
struct Current {
    client: Client,
    /// When to mint anew.
    renew: Option<Instant>,
    /// Counts clients, so that one can be told from its successor.
    generation: u64,
}

impl KubeSession {
    pub(super) fn new(config: Config, credential: Credential, gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self { config, credential, gate, current: Mutex::new(None) })
    }

    /// One request; once more with a new token when a minted one is not accepted.
    pub(super) async fn call<T, F>(&self, request: impl Fn(Client) -> F + Send) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, kube::Error>> + Send,
    {
        let current = self.current().await?;
        match self.send(request(current.client)).await {
            Err(Refusal::Unauthorized) if matches!(self.credential, Credential::Account(_)) => {
                let client = self.replace(current.generation).await?.client;
                self.send(request(client)).await
            }
            answer => answer,
        }
    }

    async fn send<T>(
        &self,
        request: impl Future<Output = Result<T, kube::Error>> + Send,
    ) -> Result<T, Refusal> {
        let pass = self.gate.enter().await?;
        let answer = match tokio::time::timeout(REQUEST_TIMEOUT, request).await {
            Ok(answer) => answer.map_err(Refusal::from),
            Err(_) => Err(Refusal::TimedOut),
        };
        match &answer {
            Ok(_) => pass.served(),
            Err(refusal) => pass.failed(&refusal.verdict(), refusal),
        }
        answer
    }

    async fn current(&self) -> Result<Current, Refusal> {
        let mut current = self.current.lock().await;
        match &*current {
            Some(current) if current.renew.is_none_or(|renew| Instant::now() < renew) => Ok(current.clone()),
            _ => self.connect(&mut current).await,
        }
    }

    async fn replace(&self, refused: u64) -> Result<Current, Refusal> {
        let mut current = self.current.lock().await;
        match &*current {
            Some(current) if current.generation != refused => Ok(current.clone()),
            _ => self.connect(&mut current).await,
        }
    }

    async fn connect(&self, current: &mut Option<Current>) -> Result<Current, Refusal> {
        let mut config = self.config.clone();
        let mut renew = None;
        config.auth_info.token = match &self.credential {
            Credential::InConfig => None,
            Credential::Token(token) => Some(token.clone()),
            Credential::Account(account) => {
                renew = Some(Instant::now() + TOKEN_LIFETIME * 2 / 3);
                Some(account.mint().await?)
            }
        };
        let client = Client::try_from(config).map_err(Refusal::Setup)?;
        let generation = current.as_ref().map_or(0, |current| current.generation) + 1;
        Ok(current.insert(Current { client, renew, generation }).clone())
    }

    /// A session that already has its client.
    #[cfg(test)]
    pub(super) fn ready(client: Client) -> Arc<Self> {
        let current = Current { client, renew: None, generation: 0 };
        Arc::new(Self {
            config: Config::new(http::Uri::from_static("http://127.0.0.1:1")),
            credential: Credential::InConfig,
            gate: Gate::new(),
            current: Mutex::new(Some(current)),
        })
    }
}
