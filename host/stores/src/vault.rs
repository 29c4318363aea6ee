//! HashiCorp Vault, and whatever speaks its language (OpenBao, the embedded KV): KV versions 1 and 2.
//!
//! Our own thin client: `request` is the only function that talks to the server, `refusal` says what an answer means,
//! `session` has the token, `connection` brings the two together, `path` turns keys into paths, `kv1` and `kv2` know the
//! engines; `prefix` knows none. Nothing here retries or waits
//! for a server to recover, and no error holds a value or a token. Properties are the pipeline's business.

mod connection;
mod document;
mod kv1;
mod kv2;
mod list;
mod login;
mod open;
mod path;
pub mod prefix;
mod refusal;
mod request;
mod session;

use api::store::VaultVersion;
use async_trait::async_trait;
use pipeline::{
    Blame, BoxFailure, Capabilities, Document, Failure, Found, ListQuery, Listed, Marks, ObjectRef,
    ReadOptions, Reason, Remote, Retry, Revision, SecretStore, Validity, Write,
};

pub use connection::ConnectionError;
pub use document::DocumentError;
pub use login::LoginError;
pub(crate) use open::open;
pub use open::{OpenError, Setting};
pub use path::PathError;
pub use refusal::Refusal;
pub(crate) use session::Session;

use connection::Connection;
use path::{KvPath, Mount};
use refusal::more_than_missing;
use request::Reply;

/// The mark of a secret that ESO, or we, may write.
const MANAGED_BY: &str = "managed-by";
const MANAGED: &str = "external-secrets";

/// One KV engine with a login.
pub(crate) struct VaultStore {
    connection: Connection,
    mount: Mount,
}

#[async_trait]
impl SecretStore for VaultStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::ReadWrite
    }

    async fn validate(&self) -> Result<Validity, BoxFailure> {
        self.check().await.map_err(|cause| self.failed(Doing::Check, "", cause))?;
        Ok(Validity::Valid)
    }

    async fn read(&self, key: &str, options: &ReadOptions) -> Result<Found<Document>, BoxFailure> {
        self.try_read(key, options).await.map_err(|cause| self.failed(Doing::Read, key, cause))
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Listed>, BoxFailure> {
        let folder = query.path.as_deref().unwrap_or_default();
        list::list(self, query).await.map_err(|cause| self.failed(Doing::List, folder, cause))
    }

    async fn inspect(&self, key: &str) -> Result<Remote, BoxFailure> {
        self.try_inspect(key).await.map_err(|cause| self.failed(Doing::Read, key, cause))
    }

    async fn write(&self, write: Write<'_>) -> Result<Revision, BoxFailure> {
        self.try_write(&write).await.map_err(|cause| self.failed(Doing::Write, write.key, cause))
    }

    async fn delete(&self, key: &str, expected: &Revision) -> Result<(), BoxFailure> {
        self.try_delete(key, expected).await.map_err(|cause| self.failed(Doing::Delete, key, cause))
    }
}

impl VaultStore {
    async fn try_read(&self, key: &str, options: &ReadOptions) -> Result<Found<Document>, Cause> {
        let path = self.mount.secret(key)?;
        match (self.mount.version, options.metadata) {
            (VaultVersion::V1, true) => Err(Cause::NoMetadata),
            (VaultVersion::V1, false) => kv1::read(self, &path).await,
            (VaultVersion::V2, true) => kv2::fetch(self, &path).await,
            (VaultVersion::V2, false) => kv2::read(self, &path, options.version.as_deref()).await,
        }
    }

    async fn try_inspect(&self, key: &str) -> Result<Remote, Cause> {
        let path = self.mount.secret(key)?;
        match self.mount.version {
            VaultVersion::V1 => kv1::inspect(self, &path).await,
            VaultVersion::V2 => kv2::inspect(self, &path).await,
        }
    }

    async fn try_write(&self, write: &Write<'_>) -> Result<Revision, Cause> {
        let path = self.mount.secret(write.key)?;
        match self.mount.version {
            VaultVersion::V1 => kv1::write(self, &path, write.document, write.expected).await,
            VaultVersion::V2 => {
                let text = document::text(write.document)?;
                kv2::write(self, &path, &text, write.marks, write.expected).await
            }
        }
    }

    async fn try_delete(&self, key: &str, expected: &Revision) -> Result<(), Cause> {
        let path: KvPath = self.mount.secret(key)?;
        match self.mount.version {
            VaultVersion::V1 => kv1::delete(self, &path).await,
            VaultVersion::V2 => kv2::delete(self, &path, expected).await,
        }
    }

    /// Whether the server accepts the token. Without one there is nothing to accept, as long as the server answers.
    async fn check(&self) -> Result<(), Cause> {
        let session = &self.connection.session;
        let token = session.token().await?;
        match session.look_up(&token).await {
            Err(Refusal::Denied { .. }) if session.is_anonymous() => Ok(()),
            Err(denied @ Refusal::Denied { .. }) => match session.after_denial(&token).await? {
                Some(token) => Ok(session.look_up(&token).await?),
                None => Err(denied.into()),
            },
            Err(refusal) => Err(refusal.into()),
            Ok(()) => Ok(()),
        }
    }

    /// For a write, 404 is never fine.
    fn present(&self, reply: &Reply) -> Result<(), Refusal> {
        if reply.absent { Err(more_than_missing(&reply.body).unwrap_or(Refusal::NoMount)) } else { Ok(()) }
    }

    fn failed(&self, doing: Doing, key: &str, cause: Cause) -> BoxFailure {
        let (server, key) = (self.connection.server.name().to_owned(), key.to_owned());
        let error = match (cause, doing) {
            (Cause::Login(source), _) => VaultError::Login(source),
            (source, Doing::Check) => VaultError::Check { server, source },
            (source, Doing::Read) => VaultError::Read { key, server, source },
            (source, Doing::List) => VaultError::List { path: key, server, source },
            (source, Doing::Write) => VaultError::Write { key, server, source },
            (source, Doing::Delete) => VaultError::Delete { key, server, source },
        };
        error.into()
    }
}

fn managed(marks: &Marks) -> bool {
    marks.get(MANAGED_BY).is_some_and(|by| by == MANAGED)
}

#[derive(Clone, Copy)]
enum Doing {
    Check,
    Read,
    List,
    Write,
    Delete,
}

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// There is no token.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The server did not do it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The value is no document.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Version 1 has neither metadata nor tags.
    #[error("KV version 1 has no metadata")]
    NoMetadata,
    /// A list is longer than any object has room for.
    #[error("there are more than {most} names")]
    TooMany {
        /// How many are accepted.
        most: usize,
    },
}

impl From<ConnectionError> for Cause {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::Login(source) => Self::Login(source),
            ConnectionError::Refused(source) => Self::Refused(source),
        }
    }
}

impl From<PathError> for Cause {
    fn from(error: PathError) -> Self {
        Self::Refused(Refusal::Path(error))
    }
}

/// What a Vault store could not do.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Log in.
    #[error(transparent)]
    Login(LoginError),
    /// Check the token.
    #[error("check the Vault token at {server}")]
    Check {
        /// Scheme, host and port.
        server: String,
        /// Why not.
        source: Cause,
    },
    /// Read a secret.
    #[error("read {key:?} from Vault at {server}")]
    Read {
        /// The key.
        key: String,
        /// Scheme, host and port.
        server: String,
        /// Why not.
        source: Cause,
    },
    /// List secrets.
    #[error("list {path:?} in Vault at {server}")]
    List {
        /// Below which path.
        path: String,
        /// Scheme, host and port.
        server: String,
        /// Why not.
        source: Cause,
    },
    /// Write a secret.
    #[error("write {key:?} to Vault at {server}")]
    Write {
        /// The key.
        key: String,
        /// Scheme, host and port.
        server: String,
        /// Why not.
        source: Cause,
    },
    /// Delete a secret.
    #[error("delete {key:?} from Vault at {server}")]
    Delete {
        /// The key.
        key: String,
        /// Scheme, host and port.
        server: String,
        /// Why not.
        source: Cause,
    },
}

impl VaultError {
    fn cause(&self) -> Result<&Cause, &LoginError> {
        match self {
            Self::Login(source) => Err(source),
            Self::Check { source, .. }
            | Self::Read { source, .. }
            | Self::List { source, .. }
            | Self::Write { source, .. }
            | Self::Delete { source, .. } => Ok(source),
        }
    }
}

impl Failure for VaultError {
    fn reason(&self) -> Reason {
        match self.cause() {
            Err(login) | Ok(Cause::Login(login)) => login.reason(),
            Ok(Cause::Refused(refusal)) => refusal.verdict().reason,
            Ok(Cause::Document(_)) => Reason::InvalidValue,
            Ok(Cause::NoMetadata | Cause::TooMany { .. }) => Reason::InvalidSpec,
        }
    }

    fn blame(&self) -> Blame {
        match self.cause() {
            Err(login) | Ok(Cause::Login(login)) => login.blame(),
            Ok(Cause::Refused(refusal)) => refusal.verdict().blame,
            Ok(Cause::Document(_) | Cause::NoMetadata | Cause::TooMany { .. }) => Blame::User,
        }
    }

    fn retry(&self) -> Retry {
        match self.cause() {
            Err(login) | Ok(Cause::Login(login)) => login.retry(),
            Ok(Cause::Refused(refusal)) => refusal.verdict().retry,
            Ok(Cause::Document(_) | Cause::NoMetadata | Cause::TooMany { .. }) => Retry::WhenChanged,
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        match self.cause() {
            Err(login) | Ok(Cause::Login(login)) => login.about(),
            Ok(Cause::Refused(_) | Cause::Document(_) | Cause::NoMetadata | Cause::TooMany { .. }) => None,
        }
    }

    fn advice(&self) -> &'static str {
        match self.cause() {
            Err(login) | Ok(Cause::Login(login)) => login.advice(),
            Ok(Cause::Refused(refusal)) => refusal.verdict().advice,
            Ok(Cause::Document(_)) => "name a property, or push a JSON object of texts",
            Ok(Cause::NoMetadata) => "use KV version 2",
            Ok(Cause::TooMany { .. }) => "narrow the path",
        }
    }
}

#[cfg(test)]
mod tests;
