//! One prefix of one Vault: raw logical paths below it and the leases that it handed out, nothing else.
//!
//! What stands behind a grant of the capability `vault`. A path is made of segments and joined to the prefix, so it cannot
//! climb out of it; a lease is renewed and revoked only if an answer of this prefix brought it. Each call ends within its
//! timeout. Knows no engine: bodies go through as they are. What was handed out is known to this process alone, so after a
//! restart a lease can only run out.

mod address;
mod error;
mod leases;

use std::sync::Arc;
use std::time::Duration;

use pipeline::Found;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde_json::json;
use zeroize::Zeroizing;

use super::connection::{Connection, ConnectionError};
use super::document::Names;
use super::login::Login;
use super::path::ApiPath;
use super::refusal::{Refusal, more_than_missing};
use super::request::{REQUEST, Reply, Server};
use super::session::Session;
use crate::Clients;
use crate::tls::{Tls, authorities};

pub use address::{Address, AddressError};
pub use error::{Class, PrefixCause, PrefixError, PrefixOpenError};
pub use leases::Lease;

use leases::Leases;

/// What a prefix is opened with, beside its address.
#[derive(Debug, Clone)]
pub struct Access {
    /// The token; white space around it is not part of it.
    pub token: SecretString,
    /// The namespace of Vault Enterprise and OpenBao.
    pub namespace: Option<String>,
    /// The only certificate authorities to trust, in PEM; the system's when absent.
    pub authorities: Option<Vec<u8>>,
}

/// One prefix of one Vault.
pub struct Prefix {
    connection: Connection,
    root: ApiPath,
    leases: Leases,
}

/// What a request answered.
#[derive(Debug)]
pub struct Answered {
    /// The whole JSON body; empty if there was none.
    pub body: SecretSlice<u8>,
    /// The lease that came with it.
    pub lease: Option<Lease>,
}

impl std::fmt::Debug for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prefix({} at {})", self.root, self.connection.server.name())
    }
}

impl Prefix {
    /// Opens the prefix. Sends nothing.
    ///
    /// # Errors
    /// The address, the authorities or the token are of no use.
    pub fn open(address: &Address, access: &Access, clients: &Clients) -> Result<Self, PrefixOpenError> {
        let tls = Tls { roots: access.authorities.as_deref().map(authorities).transpose()?, identity: None };
        let token = access.token.expose_secret().trim();
        if token.is_empty() || HeaderValue::from_str(token).is_err() {
            return Err(PrefixOpenError::Token);
        }
        let namespace = access.namespace.as_deref().filter(|name| !name.is_empty());
        let namespace = namespace.map(HeaderValue::from_str).transpose();
        let namespace = namespace.map_err(|_| PrefixOpenError::Namespace)?;
        let http = clients.http(address.server(), &tls)?;
        let server = Arc::new(Server {
            gate: clients.gate(http.name()),
            http,
            headers: HeaderMap::from_iter([(REQUEST, HeaderValue::from_static("true"))]),
            index: None,
        });
        let login = Login::Token(SecretString::from(token));
        Ok(Self {
            connection: Connection {
                session: Session::new(Arc::clone(&server), namespace.clone(), login),
                server,
                namespace,
            },
            root: address.root().clone(),
            leases: Leases::default(),
        })
    }

    /// Reads a path.
    ///
    /// # Errors
    /// Doubt, and a path that is none.
    pub async fn read(
        &self,
        path: &str,
        query: &[(String, String)],
        timeout: Duration,
    ) -> Result<Found<Answered>, PrefixError> {
        let query: Vec<_> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let read = self.request(Method::GET, path, &query, None);
        let found = within(timeout, async { self.found(&read.await?) });
        found.await.map_err(|source| PrefixError::Read {
            path: self.shown(path),
            server: self.server(),
            source,
        })
    }

    /// Writes a JSON body to a path.
    ///
    /// # Errors
    /// Doubt, also when the time was up: it may have been written. A path that is none; nothing that could be written to.
    pub async fn write(
        &self,
        path: &str,
        body: &SecretSlice<u8>,
        timeout: Duration,
    ) -> Result<Answered, PrefixError> {
        let body = Zeroizing::new(body.expose_secret().to_vec());
        let write = self.request(Method::POST, path, &[], Some(body));
        let written = within(timeout, async {
            match self.found(&write.await?)? {
                Found::Found(answered) => Ok(answered),
                Found::Missing => Err(PrefixCause::Nothing),
            }
        });
        written.await.map_err(|source| PrefixError::Write {
            path: self.shown(path),
            server: self.server(),
            source,
        })
    }

    /// The names directly below a path; folders end in `/`.
    ///
    /// # Errors
    /// Doubt, and a path that is none.
    pub async fn keys(&self, path: &str, timeout: Duration) -> Result<Found<Vec<String>>, PrefixError> {
        // GET with `list` as Vault's own client does it: proxies do not know the method LIST.
        let list = self.request(Method::GET, path, &[("list", "true")], None);
        let listed = within(timeout, async {
            let reply = list.await?;
            if absent(&reply)? {
                return Ok(Found::Missing);
            }
            Ok(Found::Found(reply.data::<Names>()?.keys))
        });
        listed.await.map_err(|source| PrefixError::List {
            path: self.shown(path),
            server: self.server(),
            source,
        })
    }

    /// Deletes a path. What is not there counts as deleted.
    ///
    /// # Errors
    /// Doubt, and a path that is none.
    pub async fn delete(&self, path: &str, timeout: Duration) -> Result<(), PrefixError> {
        let delete = self.request(Method::DELETE, path, &[], None);
        let deleted = within(timeout, async { absent(&delete.await?).map(drop) });
        deleted.await.map_err(|source| PrefixError::Delete {
            path: self.shown(path),
            server: self.server(),
            source,
        })
    }

    /// Extends a lease by so many seconds from now, as far as the server likes.
    ///
    /// # Errors
    /// Doubt, and a lease that this prefix did not hand out.
    pub async fn renew(&self, lease: &str, seconds: u64, timeout: Duration) -> Result<Lease, PrefixError> {
        let asked = json!({"lease_id": lease, "increment": seconds});
        let renewed = within(timeout, async {
            let reply = self.about_lease(lease, "sys/leases/renew", asked).await?;
            let lease = leases::of(&reply.body)?.ok_or(Refusal::BadAnswer)?;
            self.leases.hand_out(&lease);
            Ok(lease)
        });
        renewed.await.map_err(|source| PrefixError::Renew { server: self.server(), source })
    }

    /// Ends a lease.
    ///
    /// # Errors
    /// Doubt, and a lease that this prefix did not hand out.
    pub async fn revoke(&self, lease: &str, timeout: Duration) -> Result<(), PrefixError> {
        let asked = json!({"lease_id": lease});
        let revoked = within(timeout, async {
            self.about_lease(lease, "sys/leases/revoke", asked).await?;
            self.leases.forget(lease);
            Ok(())
        });
        revoked.await.map_err(|source| PrefixError::Revoke { server: self.server(), source })
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Reply, PrefixCause> {
        let path = self.root.below(path)?;
        Ok(self.connection.call(method, &path, query, body).await?)
    }

    /// The only requests outside the prefix, and only about what came from within.
    async fn about_lease(
        &self,
        lease: &str,
        path: &'static str,
        asked: serde_json::Value,
    ) -> Result<Reply, PrefixCause> {
        if !self.leases.handed_out(lease) {
            return Err(PrefixCause::Foreign);
        }
        let path = ApiPath::fixed(path);
        let body = asked.to_string().into_bytes().into();
        let reply = self.connection.call(Method::POST, &path, &[], Some(body));
        let reply = reply.await?;
        if absent(&reply)? {
            return Err(PrefixCause::Nothing);
        }
        Ok(reply)
    }

    fn found(&self, reply: &Reply) -> Result<Found<Answered>, PrefixCause> {
        if absent(reply)? {
            return Ok(Found::Missing);
        }
        let lease = leases::of(&reply.body)?;
        if let Some(lease) = &lease {
            self.leases.hand_out(lease);
        }
        Ok(Found::Found(Answered { body: reply.body.to_vec().into(), lease }))
    }

    fn shown(&self, path: &str) -> String {
        format!("{}/{path}", self.root)
    }

    fn server(&self) -> String {
        self.connection.server.name().to_owned()
    }
}

/// Whether there is nothing; what only looks like that is an error.
fn absent(reply: &Reply) -> Result<bool, PrefixCause> {
    if !reply.absent {
        return Ok(false);
    }
    match more_than_missing(&reply.body) {
        // A path of another engine or of none is no path of this prefix.
        None | Some(Refusal::NoMount) => Ok(true),
        Some(refusal) => Err(refusal.into()),
    }
}

async fn within<T>(
    timeout: Duration,
    call: impl Future<Output = Result<T, PrefixCause>>,
) -> Result<T, PrefixCause> {
    let ended = tokio::time::timeout(timeout, call).await;
    ended.unwrap_or_else(|_| Err(Refusal::TimedOut.into()))
}

impl From<Refusal> for PrefixCause {
    fn from(refusal: Refusal) -> Self {
        Self::Connection(ConnectionError::Refused(refusal))
    }
}

#[cfg(test)]
mod tests;
