//! The ways to log in to Vault: from a store's `auth` to one POST.
//!
//! Which method is used and where its credential comes from is decided when the store is opened; the request itself is made
//! when a token is needed, and again for each new login, so ServiceAccount tokens are minted no more often than that.

use std::time::Duration;

use api::store::{VaultAppRoleAuth, VaultAuthMethod, VaultJwtAuth, VaultKubernetesAuth};
use pipeline::{Blame, Failure, ObjectRef, Reason, Retry};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::path::{ApiPath, PathError};
use super::refusal::Refusal;
use crate::credential::{ReferenceError, References, ServiceAccount};

/// Lifetime of the tokens that are shown to Vault; it is used at once.
const TOKEN_LIFETIME: Duration = Duration::from_secs(600);
/// Where Kubernetes puts the token of our own ServiceAccount.
const OWN_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// How to get a token.
#[derive(Debug)]
pub(crate) enum Login {
    /// There is none, as behind an agent that adds it.
    Anonymous,
    /// It is the credential itself.
    Token(SecretString),
    /// By logging in.
    Method(Method),
}

/// A login method with its credential.
#[derive(Debug)]
pub(crate) struct Method {
    /// The mount of the method, with what follows `login/`.
    mount: String,
    user: Option<String>,
    role: Option<String>,
    credential: Credential,
}

#[derive(Debug)]
enum Credential {
    AppRole {
        role_id: SecretString,
        secret_id: SecretString,
    },
    Password {
        method: &'static str,
        password: SecretString,
    },
    Jwt {
        method: &'static str,
        jwt: Jwt,
    },
    /// Shown in the TLS handshake.
    Certificate,
}

#[derive(Debug)]
enum Jwt {
    Given(SecretString),
    Minted(ServiceAccount),
    Own,
}

impl Login {
    /// What a store's `auth` asks for.
    pub(crate) async fn of(
        auth: Option<VaultAuthMethod<'_>>,
        refs: &References<'_>,
    ) -> Result<Self, LoginError> {
        let Some(auth) = auth else {
            return Ok(Self::Anonymous);
        };
        let method = match auth {
            VaultAuthMethod::Token(at) => return Ok(Self::Token(refs.token(at, None).await?)),
            VaultAuthMethod::AppRole(auth) => Method::new(&auth.path, app_role(auth, refs).await?),
            VaultAuthMethod::Kubernetes(auth) => {
                let jwt = kubernetes_jwt(auth, refs).await?;
                let credential = Credential::Jwt { method: "kubernetes", jwt };
                Method::new(&auth.mount_path, credential).role(Some(&auth.role))
            }
            VaultAuthMethod::Ldap(auth) => {
                let at = required(auth.secret_ref.as_ref(), "auth.ldap.secretRef")?;
                let password = refs.password(at).await?;
                Method::new(&auth.path, Credential::Password { method: "ldap", password })
                    .user(&auth.username)
            }
            VaultAuthMethod::UserPass(auth) => {
                let at = required(auth.secret_ref.as_ref(), "auth.userPass.secretRef")?;
                let password = refs.password(at).await?;
                Method::new(&auth.path, Credential::Password { method: "userPass", password })
                    .user(&auth.username)
            }
            VaultAuthMethod::Jwt(auth) => {
                let credential = Credential::Jwt { method: "jwt", jwt: jwt(auth, refs).await? };
                Method::new(&auth.path, credential).role(auth.role.as_deref())
            }
            VaultAuthMethod::Cert(auth) => {
                Method::new(&auth.path, Credential::Certificate).role(auth.vault_role.as_deref())
            }
            VaultAuthMethod::Iam(_) => return Err(LoginError::Unsupported { method: "iam" }),
            VaultAuthMethod::Gcp(_) => return Err(LoginError::Unsupported { method: "gcp" }),
        };
        method.path()?; // a mount that is no path fails now, not at the first use
        Ok(Self::Method(method))
    }

    /// What tells two credentials apart.
    pub(crate) fn digest(&self, hash: &mut Sha256) {
        let mut part = |text: &str| {
            hash.update(text.len().to_be_bytes());
            hash.update(text);
        };
        let method = match self {
            Self::Anonymous => return part("anonymous"),
            Self::Token(token) => return [("token"), token.expose_secret()].into_iter().for_each(part),
            Self::Method(method) => method,
        };
        [method.name(), &method.mount].into_iter().for_each(&mut part);
        [&method.user, &method.role].into_iter().for_each(|text| part(text.as_deref().unwrap_or_default()));
        match &method.credential {
            Credential::AppRole { role_id, secret_id } => {
                [role_id, secret_id].into_iter().for_each(|text| part(text.expose_secret()));
            }
            Credential::Password { password: text, .. } | Credential::Jwt { jwt: Jwt::Given(text), .. } => {
                part(text.expose_secret());
            }
            Credential::Jwt { jwt: Jwt::Minted(account), .. } => {
                part(&account.request.namespace);
                part(&account.request.service_account);
                account.request.audiences.iter().for_each(|audience| part(audience));
            }
            Credential::Jwt { jwt: Jwt::Own, .. } | Credential::Certificate => {}
        }
    }
}

impl Method {
    fn new(mount: &str, credential: Credential) -> Self {
        Self { mount: mount.to_owned(), user: None, role: None, credential }
    }

    fn user(self, user: &str) -> Self {
        Self { user: Some(user.to_owned()), ..self }
    }

    fn role(self, role: Option<&str>) -> Self {
        Self { role: role.filter(|role| !role.is_empty()).map(str::to_owned), ..self }
    }

    /// The method's key in the spec.
    pub(crate) fn name(&self) -> &'static str {
        match &self.credential {
            Credential::AppRole { .. } => "appRole",
            Credential::Password { method, .. } | Credential::Jwt { method, .. } => method,
            Credential::Certificate => "cert",
        }
    }

    /// Path and body of the login.
    pub(crate) async fn request(&self) -> Result<(ApiPath, Zeroizing<Vec<u8>>), LoginError> {
        #[derive(Serialize, Default)]
        struct Body<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            role_id: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            secret_id: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            password: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            jwt: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            role: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            name: Option<&'a str>,
        }
        let role = self.role.as_deref();
        let token;
        let body = match &self.credential {
            Credential::AppRole { role_id, secret_id } => Body {
                role_id: Some(role_id.expose_secret()),
                secret_id: Some(secret_id.expose_secret()),
                ..Body::default()
            },
            Credential::Password { password, .. } => {
                Body { password: Some(password.expose_secret()), ..Body::default() }
            }
            Credential::Jwt { jwt, .. } => {
                token = jwt.text().await?;
                Body { jwt: Some(token.expose_secret()), role, ..Body::default() }
            }
            Credential::Certificate => Body { name: role, ..Body::default() },
        };
        let mut text = Zeroizing::new(Vec::with_capacity(16 * 1024)); // room for all of it: no copy is left behind
        serde_json::to_writer(&mut *text, &body).map_err(|_| LoginError::Encode)?;
        Ok((self.path()?, text))
    }

    fn path(&self) -> Result<ApiPath, LoginError> {
        let mount = &self.mount;
        let path = ApiPath::parse(&format!("auth/{mount}/login"));
        let path = path.and_then(|path| match &self.user {
            Some(user) => path.join(user),
            None => Ok(path),
        });
        path.map_err(|source| LoginError::Path { mount: mount.clone(), source })
    }
}

impl Jwt {
    async fn text(&self) -> Result<SecretString, LoginError> {
        match self {
            Self::Given(token) => Ok(token.clone()),
            Self::Minted(account) => Ok(account.mint().await?),
            Self::Own => {
                let text = tokio::fs::read_to_string(OWN_TOKEN).await.map_err(LoginError::OwnToken)?;
                Ok(SecretString::from(Zeroizing::new(text).trim()))
            }
        }
    }
}

async fn app_role(auth: &VaultAppRoleAuth, refs: &References<'_>) -> Result<Credential, LoginError> {
    let role_id = match &auth.role_id {
        Some(id) if !id.trim().is_empty() => SecretString::from(id.trim()),
        Some(_) | None => {
            let at = required(auth.role_ref.as_ref(), "auth.appRole.roleId")?;
            refs.token(at, None).await?
        }
    };
    let secret_id = refs.token(&auth.secret_ref, None).await?;
    Ok(Credential::AppRole { role_id, secret_id })
}

async fn kubernetes_jwt(auth: &VaultKubernetesAuth, refs: &References<'_>) -> Result<Jwt, LoginError> {
    if let Some(account) = &auth.service_account_ref {
        return Ok(Jwt::Minted(refs.service_account(account, account.audiences.clone(), TOKEN_LIFETIME)?));
    }
    match &auth.secret_ref {
        Some(at) => Ok(Jwt::Given(refs.token(at, Some("token")).await?)),
        None => Ok(Jwt::Own),
    }
}

async fn jwt(auth: &VaultJwtAuth, refs: &References<'_>) -> Result<Jwt, LoginError> {
    if let Some(at) = &auth.secret_ref {
        return Ok(Jwt::Given(refs.token(at, None).await?));
    }
    let token = auth.kubernetes_service_account_token.as_ref();
    let token = required(token, "auth.jwt.secretRef")?;
    let account = &token.service_account_ref;
    let audiences = account.audiences.iter().cloned().chain(token.audiences()).collect();
    let lifetime =
        Duration::from_secs(token.expiration_seconds().try_into().unwrap_or(TOKEN_LIFETIME.as_secs()));
    Ok(Jwt::Minted(refs.service_account(account, audiences, lifetime)?))
}

fn required<'a, T>(value: Option<&'a T>, field: &'static str) -> Result<&'a T, LoginError> {
    value.ok_or(LoginError::Incomplete { field })
}

/// Logins that cannot be made, or that the server refuses.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// A field is missing in the spec.
    #[error("log in to Vault without {field}")]
    Incomplete {
        /// Which one.
        field: &'static str,
    },
    /// A method that keymill does not have.
    #[error(
        "log in to Vault with auth.{method}: keymill has tokenSecretRef, appRole, kubernetes, ldap, userPass, jwt and cert"
    )]
    Unsupported {
        /// Which one.
        method: &'static str,
    },
    /// Nothing to log in with.
    #[error("log in to Vault without a method")]
    NoMethod,
    /// The method's mount or the user is no path.
    #[error("use {mount:?} as the path of an auth method")]
    Path {
        /// The mount.
        mount: String,
        /// Why not.
        source: PathError,
    },
    /// The credential cannot be had.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// Our own ServiceAccount's token cannot be read.
    #[error("read the token of keymill's own ServiceAccount")]
    OwnToken(#[source] std::io::Error),
    /// The request could not be written. No source: it would quote the credential.
    #[error("encode the login to Vault")]
    Encode,
    /// The server refuses.
    #[error("log in to Vault at {server} with {method}")]
    Refused {
        /// The method's key in the spec.
        method: &'static str,
        /// Scheme, host and port.
        server: String,
        /// Why not.
        source: Refusal,
    },
}

impl Failure for LoginError {
    fn reason(&self) -> Reason {
        match self {
            Self::Incomplete { .. } | Self::Unsupported { .. } | Self::NoMethod | Self::Path { .. } => {
                Reason::StoreNotReady
            }
            Self::Reference(source) => source.reason(),
            Self::OwnToken(_) => Reason::ReferenceMissing,
            Self::Encode => Reason::Internal,
            Self::Refused { source, .. } => source.verdict().reason,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Incomplete { .. } | Self::Unsupported { .. } | Self::NoMethod | Self::Path { .. } => {
                Blame::User
            }
            Self::Reference(source) => source.blame(),
            Self::OwnToken(_) => Blame::Cluster,
            Self::Encode => Blame::Host,
            Self::Refused { source, .. } => source.verdict().blame,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Incomplete { .. }
            | Self::Unsupported { .. }
            | Self::NoMethod
            | Self::Path { .. }
            | Self::Encode => Retry::WhenChanged,
            Self::Reference(source) => source.retry(),
            Self::OwnToken(_) => Retry::Backoff,
            // Vault locks a user out who comes with a wrong password again and again.
            Self::Refused { source: Refusal::Denied { .. } | Refusal::Invalid { .. }, .. } => {
                Retry::WhenChanged
            }
            Self::Refused { source, .. } => source.verdict().retry,
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        match self {
            Self::Reference(source) => source.about(),
            Self::Incomplete { .. }
            | Self::Unsupported { .. }
            | Self::NoMethod
            | Self::Path { .. }
            | Self::OwnToken(_)
            | Self::Encode
            | Self::Refused { .. } => None,
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Incomplete { .. } => "add it to the store's spec",
            Self::Unsupported { .. } | Self::NoMethod => "use one of the methods that keymill has",
            Self::Path { .. } => "correct the path in the store's spec",
            Self::Reference(source) => source.advice(),
            Self::OwnToken(_) => {
                "run keymill with a ServiceAccount token, or name a serviceAccountRef or a secretRef"
            }
            Self::Encode => "",
            Self::Refused { source: Refusal::Denied { .. } | Refusal::Invalid { .. }, .. } => {
                "check the credential and the role in the store's spec"
            }
            Self::Refused { source, .. } => source.verdict().advice,
        }
    }
}
