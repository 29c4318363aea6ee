//! What can go wrong while a request is answered, and what the client is told of it.

use http::StatusCode;

use crate::database::DatabaseError;

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum KvError {
    /// No known token came with the request.
    #[error("permission denied")]
    Denied,
    /// The request itself is wrong; the text is for the client.
    #[error("{0}")]
    Invalid(String),
    /// Nothing is mounted or known at that path.
    #[error("no handler for route {0:?}. route entry not found.")]
    NoRoute(String),
    /// No mount has that path; said so that paths cannot be found out by asking.
    #[error("preflight capability check returned 403, please ensure client's policies grant access to path {:?}", format!("{}/", .0))]
    Preflight(String),
    /// What is there does not do that.
    #[error("{}", one("unsupported operation"))]
    Unsupported,
    /// The server does not know the method, or not there; it says nothing about it.
    #[error("")]
    Method,
    /// The server's own part has no such path.
    #[error("{}", one("unsupported path"))]
    NoPath,
    /// The engine could not do it.
    #[error("{}", one(.text))]
    Engine { status: StatusCode, text: &'static str },
    /// The body is longer than a request may be.
    #[error("error parsing JSON")]
    TooLarge,
    /// A patch in another form than a merge patch.
    #[error("PATCH requires Content-Type of application/merge-patch+json, provided {0}")]
    MediaType(String),
    /// What is stored cannot be read back.
    #[error("read the stored {what}")]
    Stored { what: &'static str },
    /// The database failed.
    #[error("internal error")]
    Database(#[from] DatabaseError),
}

impl KvError {
    pub(super) fn invalid(text: &str) -> Self {
        Self::Invalid(text.to_owned())
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Denied | Self::Preflight(_) => StatusCode::FORBIDDEN,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::NoRoute(_) | Self::NoPath => StatusCode::NOT_FOUND,
            Self::Unsupported | Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Engine { status, .. } => *status,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Stored { .. } | Self::Database(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// An engine's error, as Vault lists them.
fn one(text: &str) -> String {
    format!("1 error occurred:\n\t* {text}\n\n")
}
