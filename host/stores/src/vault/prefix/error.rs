//! What a prefix could not do, and what a caller may be told of it.

use super::super::connection::ConnectionError;
use super::super::login::LoginError;
use super::super::path::PathError;
use super::super::refusal::Refusal;
use crate::http::HttpError;
use crate::tls::TlsError;
use pipeline::{Failure as _, Reason};

/// What is of no use to open a prefix with.
#[derive(Debug, thiserror::Error)]
pub enum PrefixOpenError {
    /// The server's address.
    #[error("open the Vault server")]
    Http(#[from] HttpError),
    /// The certificate authorities.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The token is empty, or cannot be a header.
    #[error("use a Vault token that is empty or has characters that no token has")]
    Token,
    /// The namespace cannot be a header.
    #[error("use a Vault namespace with characters that no namespace has")]
    Namespace,
}

/// What a prefix could not do.
#[derive(Debug, thiserror::Error)]
pub enum PrefixError {
    /// Read a path.
    #[error("read {path:?} from Vault at {server}")]
    Read {
        /// The whole path.
        path: String,
        /// Scheme, host and port.
        server: String,
        /// Why not.
        source: PrefixCause,
    },
    /// Write to a path.
    #[error("write {path:?} to Vault at {server}")]
    Write {
        /// The whole path.
        path: String,
        /// Scheme, host and port.
        server: String,
        /// Why not.
        source: PrefixCause,
    },
    /// List the names below a path.
    #[error("list {path:?} in Vault at {server}")]
    List {
        /// The whole path.
        path: String,
        /// Scheme, host and port.
        server: String,
        /// Why not.
        source: PrefixCause,
    },
    /// Delete a path.
    #[error("delete {path:?} from Vault at {server}")]
    Delete {
        /// The whole path.
        path: String,
        /// Scheme, host and port.
        server: String,
        /// Why not.
        source: PrefixCause,
    },
    /// Extend a lease.
    #[error("renew a lease of Vault at {server}")]
    Renew {
        /// Scheme, host and port.
        server: String,
        /// Why not.
        source: PrefixCause,
    },
    /// End a lease.
    #[error("revoke a lease of Vault at {server}")]
    Revoke {
        /// Scheme, host and port.
        server: String,
        /// Why not.
        source: PrefixCause,
    },
}

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum PrefixCause {
    /// There is no answer.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The path is none.
    #[error(transparent)]
    Path(#[from] PathError),
    /// There is nothing that could do it.
    #[error("there is nothing at that path")]
    Nothing,
    /// Somebody else's lease, or one that has ended.
    #[error("the lease was not handed out by this prefix, or has ended")]
    Foreign,
}

/// All that a caller without rights may learn of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The server refused, or the lease is foreign.
    Denied,
    /// There is nothing there.
    Missing,
    /// The request makes no sense to the server.
    Invalid,
    /// Somebody else has written meanwhile.
    Conflict,
    /// There is no answer that could be used, now.
    Unavailable,
}

impl PrefixError {
    /// Its class.
    #[must_use]
    pub fn class(&self) -> Class {
        let (Self::Read { source, .. }
        | Self::Write { source, .. }
        | Self::List { source, .. }
        | Self::Delete { source, .. }
        | Self::Renew { source, .. }
        | Self::Revoke { source, .. }) = self;
        match source {
            PrefixCause::Connection(ConnectionError::Login(error)) => of_login(error),
            PrefixCause::Connection(ConnectionError::Refused(refusal)) => of_refusal(refusal),
            PrefixCause::Path(_) => Class::Invalid,
            PrefixCause::Nothing => Class::Missing,
            PrefixCause::Foreign => Class::Denied,
        }
    }
}

fn of_login(error: &LoginError) -> Class {
    if error.reason() == Reason::StoreUnavailable { Class::Unavailable } else { Class::Denied }
}

const fn of_refusal(refusal: &Refusal) -> Class {
    match refusal {
        Refusal::Denied { .. } | Refusal::BadToken => Class::Denied,
        Refusal::NoMount => Class::Missing,
        Refusal::Invalid { .. }
        | Refusal::Path(_)
        | Refusal::OtherVersion
        | Refusal::Unsupported
        | Refusal::TooLarge => Class::Invalid,
        Refusal::Conflict => Class::Conflict,
        Refusal::Waiting { .. }
        | Refusal::Unreachable(_)
        | Refusal::TimedOut
        | Refusal::Certificate(_)
        | Refusal::Cut(_)
        | Refusal::TooLong
        | Refusal::BadAnswer
        | Refusal::Redirected { .. }
        | Refusal::Behind
        | Refusal::Busy { .. }
        | Refusal::Sealed { .. }
        | Refusal::Failed { .. }
        | Refusal::Unexpected { .. } => Class::Unavailable,
    }
}
