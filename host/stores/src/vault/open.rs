//! From a store's spec to an open Vault store.

use std::sync::{Arc, Mutex};

use api::store::{VaultAuthMethod, VaultProvider};
use pipeline::{Blame, Failure, ObjectRef, Reason, Retry};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256};

use super::VaultStore;
use super::connection::Connection;
use super::login::{Login, LoginError};
use super::path::{ApiPath, Mount, PathError};
use super::request::{INCONSISTENT, REQUEST, Server};
use super::session::Session;
use crate::Clients;
use crate::credential::{ReferenceError, References};
use crate::http::HttpError;
use crate::tls::{ClientIdentity, Tls, TlsError, authorities, client_identity};

/// Opens the store: resolves its references, and finds the connection and the login that it shares with others like it.
pub(crate) async fn open(
    spec: &VaultProvider,
    refs: &References<'_>,
    clients: &Clients,
) -> Result<VaultStore, OpenError> {
    let method = spec.auth.as_ref().and_then(|auth| auth.method());
    let tls = tls(spec, method, refs).await?;
    let login = Login::of(method, refs).await?;
    let mount = Mount { path: spec.path.clone().filter(|path| !path.is_empty()), version: spec.version };
    if let Some(path) = &mount.path {
        ApiPath::parse(path).map_err(OpenError::Path)?;
    }
    let namespace = header(Setting::Namespace, spec.namespace.as_deref())?;
    let login_namespace = spec.auth.as_ref().and_then(|auth| auth.namespace.as_deref());
    let login_namespace = header(Setting::AuthNamespace, login_namespace)?.or_else(|| namespace.clone());
    let headers = headers(spec)?;
    let key = digest(spec, refs, &tls, &login);
    let session = clients.vault_session(key, || -> Result<_, OpenError> {
        let http = clients.http(&spec.server, &tls)?;
        let gate = clients.gate(http.name());
        let index = spec.read_your_writes.then(Mutex::default);
        let server = Arc::new(Server { http, gate, headers, index });
        Ok(Session::new(server, login_namespace, login))
    })?;
    Ok(VaultStore { connection: Connection { server: session.server(), session, namespace }, mount })
}

/// Everything that a login and its connection depend on, and whose they are: stores never share a token.
fn digest(spec: &VaultProvider, refs: &References<'_>, tls: &Tls, login: &Login) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    };
    part(refs.store.namespace.as_deref().unwrap_or_default());
    part(&refs.store.name);
    part(&refs.store.uid);
    part(&spec.server);
    part(spec.namespace.as_deref().unwrap_or_default());
    part(spec.auth.as_ref().and_then(|auth| auth.namespace.as_deref()).unwrap_or_default());
    part(if spec.read_your_writes { "read-your-writes" } else { "" });
    part(if spec.forward_inconsistent { "forward-inconsistent" } else { "" });
    for (name, value) in &spec.headers {
        part(name);
        part(value.expose());
    }
    tls.digest(&mut hash);
    login.digest(&mut hash);
    hash.finalize().into()
}

async fn tls(
    spec: &VaultProvider,
    method: Option<VaultAuthMethod<'_>>,
    refs: &References<'_>,
) -> Result<Tls, OpenError> {
    let roots = match (&spec.ca_bundle, &spec.ca_provider) {
        (Some(bundle), _) if !bundle.0.is_empty() => Some(authorities(&bundle.0)?),
        (_, Some(provider)) => Some(authorities(refs.authority(provider).await?.expose())?),
        (_, None) => None,
    };
    Ok(Tls { roots, identity: identity(spec, method, refs).await? })
}

/// The certificate of the cert method, else that of the connection.
async fn identity(
    spec: &VaultProvider,
    method: Option<VaultAuthMethod<'_>>,
    refs: &References<'_>,
) -> Result<Option<ClientIdentity>, OpenError> {
    let (certificate, key) = match (method, &spec.tls) {
        (Some(VaultAuthMethod::Cert(auth)), _) => (&auth.client_cert, &auth.secret_ref),
        (_, Some(tls)) => (&tls.cert_secret_ref, &tls.key_secret_ref),
        (_, None) => return Ok(None),
    };
    let (Some(certificate), Some(key)) = (certificate, key) else {
        return Err(OpenError::HalfIdentity);
    };
    let certificate = refs.bytes(certificate, Some("tls.crt")).await?;
    let key = refs.bytes(key, Some("tls.key")).await?;
    Ok(Some(client_identity(certificate, key)?))
}

fn headers(spec: &VaultProvider) -> Result<HeaderMap, OpenError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &spec.headers {
        let refused = || OpenError::Setting { setting: Setting::Header(name.clone()) };
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| refused())?;
        value.set_sensitive(true);
        headers.insert(parsed, value);
    }
    headers.insert(REQUEST, HeaderValue::from_static("true"));
    if spec.forward_inconsistent && spec.read_your_writes {
        headers.insert(INCONSISTENT, HeaderValue::from_static("forward-active-node"));
    }
    Ok(headers)
}

fn header(setting: Setting, value: Option<&str>) -> Result<Option<HeaderValue>, OpenError> {
    let value = value.filter(|value| !value.is_empty()).map(HeaderValue::from_str).transpose();
    value.map_err(|_| OpenError::Setting { setting })
}

/// A setting that is sent as a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// `namespace`
    Namespace,
    /// `auth.namespace`
    AuthNamespace,
    /// `headers`, by name.
    Header(String),
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Namespace => f.write_str("vault.namespace"),
            Self::AuthNamespace => f.write_str("vault.auth.namespace"),
            Self::Header(name) => write!(f, "vault.headers[{name:?}]"),
        }
    }
}

/// Specs that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A reference leads nowhere.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The login cannot be prepared.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The server's address or the TLS settings are wrong.
    #[error("open vault.server")]
    Http(#[from] HttpError),
    /// A certificate is wrong.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A client certificate without key, or the other way round.
    #[error("use a client certificate of which only one of certificate and key is given")]
    HalfIdentity,
    /// The mount is no path.
    #[error("use vault.path as the mount of an engine")]
    Path(#[source] PathError),
    /// A text cannot be a header.
    #[error("send {setting} as a header")]
    Setting {
        /// Which one.
        setting: Setting,
    },
}

impl Failure for OpenError {
    fn reason(&self) -> Reason {
        match self {
            Self::Reference(source) => source.reason(),
            Self::Login(source) => source.reason(),
            Self::Http(HttpError::NoCrypto) => Reason::Internal,
            Self::Http(_) | Self::Tls(_) | Self::HalfIdentity | Self::Path(_) | Self::Setting { .. } => {
                Reason::StoreNotReady
            }
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Reference(source) => source.blame(),
            Self::Login(source) => source.blame(),
            Self::Http(HttpError::NoCrypto) => Blame::Host,
            Self::Http(_) | Self::Tls(_) | Self::HalfIdentity | Self::Path(_) | Self::Setting { .. } => {
                Blame::User
            }
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Reference(source) => source.retry(),
            Self::Login(source) => source.retry(),
            Self::Http(_) | Self::Tls(_) | Self::HalfIdentity | Self::Path(_) | Self::Setting { .. } => {
                Retry::WhenChanged
            }
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        match self {
            Self::Reference(source) => source.about(),
            Self::Login(source) => source.about(),
            Self::Http(_) | Self::Tls(_) | Self::HalfIdentity | Self::Path(_) | Self::Setting { .. } => None,
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Reference(source) => source.advice(),
            Self::Login(source) => source.advice(),
            Self::Http(HttpError::NoCrypto) => "",
            Self::Http(HttpError::Roots(_)) => {
                "put the certificate of the server's authority into caBundle or caProvider, or install the system's"
            }
            Self::Http(_) => "write the address as https://vault.example.com:8200",
            Self::Tls(_) => "put PEM there",
            Self::HalfIdentity => "give both",
            Self::Path(_) | Self::Setting { .. } => "correct it in the store's spec",
        }
    }
}
