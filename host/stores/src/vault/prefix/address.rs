//! Where a prefix is, as a person writes it: the server, `/v1/`, and the path.

use std::str::FromStr;

use super::super::path::{ApiPath, PathError};

const API: &str = "/v1/";

/// A server and a path of its API, as `https://vault.example.com:8200/v1/secret/data/app`. What stands before the first
/// `/v1/` is the server's base address, and may have a path of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    server: String,
    root: ApiPath,
}

impl Address {
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    pub(super) fn root(&self) -> &ApiPath {
        &self.root
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (server, path) = text.split_once(API).ok_or(AddressError::NoPath)?;
        if path.trim_matches('/').is_empty() {
            return Err(AddressError::NoPath);
        }
        if path.contains(['%', '\\', '?', '#']) {
            return Err(AddressError::Encoded);
        }
        Ok(Self { server: server.to_owned(), root: ApiPath::parse(path)? })
    }
}

/// Texts that are no address of a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No path, or not below `/v1/`.
    #[error(
        "find the path after /v1/ in the address, as in https://vault.example.com:8200/v1/secret/data/app"
    )]
    NoPath,
    /// A query, a fragment, or characters that are encoded.
    #[error("use an address with one of the characters % \\ ? # in its path")]
    Encoded,
    /// The path is none.
    #[error(transparent)]
    Path(#[from] PathError),
}
