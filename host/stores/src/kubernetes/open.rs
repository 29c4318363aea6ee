//! From a store's spec to an open kubernetes store.

use std::time::Duration;

use api::store::{KubernetesAuth, KubernetesProvider};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::Config;
use pipeline::{Blame, Failure, ObjectRef, Reason, Retry};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::session::{Credential, KubeSession, TOKEN_LIFETIME};
use super::{KubernetesStore, secret};
use crate::Clients;
use crate::credential::{ReferenceError, References};
use crate::http::address;
use crate::tls::{Tls, TlsError, authorities, client_identity};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the store: resolves its references, and finds the connection that it shares with others like it.
pub(crate) async fn open(
    spec: &KubernetesProvider,
    refs: &References<'_>,
    clients: &Clients,
) -> Result<KubernetesStore, OpenError> {
    if spec.auth_ref.is_some() {
        return Err(OpenError::AuthRef);
    }
    secret::check_name(&spec.remote_namespace).map_err(|_| OpenError::Namespace)?;
    let (credential, tls) = credential(spec, refs).await?;
    let url = url(spec.server_url())?;
    let key = digest(&url, refs, &tls, &credential);
    let config = config(&url, tls, clients)?;
    let gate = clients.gate(&url.origin().ascii_serialization());
    let session = clients.kube_session(key, || KubeSession::new(config, credential, gate));
    Ok(KubernetesStore { session, namespace: spec.remote_namespace.clone() })
}

async fn credential(
    spec: &KubernetesProvider,
    refs: &References<'_>,
) -> Result<(Credential, Tls), OpenError> {
    let server = spec.server.as_ref();
    let bundle = server.and_then(|server| server.ca_bundle.as_ref()).filter(|bundle| !bundle.0.is_empty());
    let provider = server.and_then(|server| server.ca_provider.as_ref());
    let roots = match (bundle, provider) {
        (Some(bundle), _) => Some(authorities(&bundle.0)?),
        (None, Some(provider)) => Some(authorities(refs.authority(provider).await?.expose())?),
        (None, None) => None,
    };
    let mut tls = Tls { roots, identity: None };
    let Some(auth) = &spec.auth else {
        return Err(OpenError::NoAuth);
    };
    let credential = match auth {
        KubernetesAuth { token: Some(auth), .. } => {
            Credential::Token(refs.token(&auth.bearer_token, None).await?)
        }
        KubernetesAuth { service_account: Some(account), .. } => {
            Credential::Account(refs.service_account(account, account.audiences.clone(), TOKEN_LIFETIME)?)
        }
        KubernetesAuth { cert: Some(auth), .. } => {
            let certificate = refs.bytes(&auth.client_cert, None).await?;
            let key = refs.bytes(&auth.client_key, None).await?;
            tls.identity = Some(client_identity(certificate, key)?);
            Credential::InConfig
        }
        KubernetesAuth { token: None, service_account: None, cert: None } => return Err(OpenError::NoAuth),
    };
    Ok((credential, tls))
}

/// As client-go understands it: a host alone means https.
fn url(text: &str) -> Result<Url, OpenError> {
    let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&text).map_err(|_| OpenError::Address)?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if matches!(url.scheme(), "http" | "https") && url.host_str().is_some() && plain {
        Ok(url)
    } else {
        Err(OpenError::Address)
    }
}

fn config(url: &Url, tls: Tls, clients: &Clients) -> Result<Config, OpenError> {
    let mut dialled = url.clone();
    let mut name = None;
    if let Some(address) = address(url, &clients.addresses()) {
        name = url.host_str().map(str::to_owned);
        dialled.set_ip_host(address.ip()).map_err(|()| OpenError::Address)?;
        dialled.set_port(Some(address.port())).map_err(|()| OpenError::Address)?;
    }
    let mut config = Config::new(dialled.as_str().parse().map_err(|_| OpenError::Address)?);
    config.tls_server_name = name;
    config.root_cert = tls.roots;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    // The object's own queue retries, and the gate protects the server.
    config.default_retry = false;
    if let Some(identity) = tls.identity {
        config.auth_info.client_certificate_data = Some(STANDARD.encode(identity.certificate.expose()));
        config.auth_info.client_key_data = Some(SecretString::from(STANDARD.encode(identity.key.expose())));
    }
    Ok(config)
}

fn digest(url: &Url, refs: &References<'_>, tls: &Tls, credential: &Credential) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    };
    part(refs.store.namespace.as_deref().unwrap_or_default());
    part(&refs.store.name);
    part(&refs.store.uid);
    part(url.as_str());
    match credential {
        Credential::InConfig => part("certificate"),
        Credential::Token(token) => part(token.expose_secret()),
        Credential::Account(account) => {
            part(&account.request.namespace);
            part(&account.request.service_account);
            account.request.audiences.iter().for_each(|audience| part(audience));
        }
    }
    tls.digest(&mut hash);
    hash.finalize().into()
}

/// Specs that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A reference leads nowhere.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A certificate is wrong.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server's address is wrong.
    #[error("use kubernetes.server.url as the address of an API server")]
    Address,
    /// The remote namespace is no name.
    #[error("use kubernetes.remoteNamespace as a namespace")]
    Namespace,
    /// There is no credential.
    #[error("authenticate without kubernetes.auth")]
    NoAuth,
    /// A kubeconfig.
    #[error(
        "authenticate with kubernetes.authRef: keymill has auth.token, auth.serviceAccount and auth.cert"
    )]
    AuthRef,
}

impl Failure for OpenError {
    fn reason(&self) -> Reason {
        match self {
            Self::Reference(source) => source.reason(),
            Self::Tls(_) | Self::Address | Self::Namespace | Self::NoAuth | Self::AuthRef => {
                Reason::StoreNotReady
            }
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Reference(source) => source.blame(),
            Self::Tls(_) | Self::Address | Self::Namespace | Self::NoAuth | Self::AuthRef => Blame::User,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Reference(source) => source.retry(),
            Self::Tls(_) | Self::Address | Self::Namespace | Self::NoAuth | Self::AuthRef => {
                Retry::WhenChanged
            }
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        match self {
            Self::Reference(source) => source.about(),
            Self::Tls(_) | Self::Address | Self::Namespace | Self::NoAuth | Self::AuthRef => None,
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Reference(source) => source.advice(),
            Self::Tls(_) => "put PEM there",
            Self::Address => "write the address as https://api.example.com:6443",
            Self::Namespace => "correct it in the store's spec",
            Self::NoAuth | Self::AuthRef => "use one of the ways that keymill has",
        }
    }
}
