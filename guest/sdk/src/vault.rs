//! Vault or OpenBao, through a grant: a label of the component's `wants` stands for one prefix of one store. Paths are raw
//! logical paths under it. Natively every label is denied: test what parses a reply, not the call.

#[cfg(target_arch = "wasm32")]
use crate::bindings::generator::keymill::guest::vault as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::native::vault as host;
use crate::{Refusal, redacted::Bytes};

pub use crate::bindings::generator::keymill::guest::vault::Lease;

/// An answer.
#[derive(Clone)]
pub struct Reply {
    /// The whole JSON answer.
    pub body: Vec<u8>,
    /// The lease of a dynamic secret.
    pub lease: Option<Lease>,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("body", &Bytes(&self.body)).field("lease", &self.lease).finish()
    }
}

impl From<crate::bindings::generator::keymill::guest::vault::Reply> for Reply {
    fn from(reply: crate::bindings::generator::keymill::guest::vault::Reply) -> Self {
        Self { body: reply.body, lease: reply.lease }
    }
}

/// Reads a path.
///
/// # Errors
/// The host's refusal, as for all below.
pub fn read(label: &str, path: &str, query: &[(String, String)]) -> Result<Reply, Refusal> {
    host::read(label, path, query).map(Into::into)
}

/// Writes a JSON body to a path, a KV v2 `options.cas` included.
///
/// # Errors
/// The host's refusal.
pub fn write(label: &str, path: &str, body: &[u8]) -> Result<Reply, Refusal> {
    host::write(label, path, body).map(Into::into)
}

/// The keys under a path.
///
/// # Errors
/// The host's refusal.
pub fn keys(label: &str, path: &str) -> Result<Vec<String>, Refusal> {
    host::keys(label, path)
}

/// Deletes a path.
///
/// # Errors
/// The host's refusal.
pub fn delete(label: &str, path: &str) -> Result<(), Refusal> {
    host::delete(label, path)
}

/// Renews a lease that this grant obtained.
///
/// # Errors
/// The host's refusal.
pub fn renew(label: &str, lease: &str, seconds: u64) -> Result<Lease, Refusal> {
    host::renew(label, lease, seconds)
}

/// Revokes a lease that this grant obtained.
///
/// # Errors
/// The host's refusal.
pub fn revoke(label: &str, lease: &str) -> Result<(), Refusal> {
    host::revoke(label, lease)
}
