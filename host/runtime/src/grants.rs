//! What one component was given, by label. Nothing by default: a label without a grant answers `denied`, whatever stands behind it.
//! The host's user fills the capabilities in, each for ONE bound object or prefix, so a guest has no string with which it could reach
//! another. This module holds them; `hostcalls` checks, counts and times every use.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretSlice;

use crate::bindings::types;

pub(crate) use crate::bindings::types::Capability;

/// Secret bytes: zeroed on drop, never printed.
pub type SecretBytes = SecretSlice<u8>;

/// A key and its secret bytes, as they cross between host and guest.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Its bytes.
    pub value: SecretBytes,
}

impl Entry {
    /// An entry of `key`.
    #[must_use]
    pub fn new(key: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Self { key: key.into(), value: SecretBytes::from(value.into()) }
    }
}

/// Why a capability was not served. `Denied` must not tell whether the thing exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Not granted, or the store refused.
    #[error("denied")]
    Denied,
    /// It does not exist.
    #[error("missing")]
    Missing,
    /// The request is malformed.
    #[error("invalid")]
    Invalid,
    /// Somebody else changed it meanwhile.
    #[error("conflict")]
    Conflict,
    /// The grant's or the call's quota is used up.
    #[error("quota exceeded")]
    Quota,
    /// No answer now: a timeout, a sealed store, a broken connection.
    #[error("unavailable")]
    Unavailable,
}

impl From<Refusal> for types::Refusal {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Denied => Self::Denied,
            Refusal::Missing => Self::Missing,
            Refusal::Invalid => Self::Invalid,
            Refusal::Conflict => Self::Conflict,
            Refusal::Quota => Self::Quota,
            Refusal::Unavailable => Self::Unavailable,
        }
    }
}

/// One Kubernetes object behind a label: a Secret or ConfigMap to read, or a ServiceAccount to mint a token of. A method that does not
/// apply to the bound object returns `Denied`. Each must return within `timeout`; the guest's clock stands still meanwhile.
pub trait KubeCapability: Send + Sync {
    /// The object's data, by key.
    ///
    /// # Errors
    /// A [`Refusal`].
    fn read(&self, timeout: Duration) -> Result<Vec<Entry>, Refusal>;

    /// A token of the bound ServiceAccount for the bound audience.
    ///
    /// # Errors
    /// A [`Refusal`].
    fn token(&self, timeout: Duration) -> Result<SecretBytes, Refusal>;
}

/// What a Vault request answered: the whole JSON body, and its lease where it has one.
#[derive(Debug, Clone)]
pub struct VaultReply {
    /// The JSON body.
    pub body: SecretBytes,
    /// The lease that came with it.
    pub lease: Option<Lease>,
}

/// A lease of Vault's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Its id, as Vault names it.
    pub id: String,
    /// How long it lasts from now.
    pub seconds: u64,
    /// Whether it can be renewed.
    pub renewable: bool,
}

/// One prefix of one Vault or OpenBao behind a label. `path` is relative to the prefix: the runtime has checked that it is non-empty
/// segments joined by `/`, with no `.`, `..`, percent sign, backslash, control character, `?` or `#`, so joining it cannot escape.
/// Each method must return within `timeout`. A lease that `renew` and `revoke` are given is a guest's word: the implementation must check
/// that this grant obtained it.
pub trait VaultCapability: Send + Sync {
    /// Reads a path.
    ///
    /// # Errors
    /// A [`Refusal`].
    fn read(&self, path: &str, query: &[(String, String)], timeout: Duration) -> Result<VaultReply, Refusal>;

    /// Writes a JSON body to a path.
    ///
    /// # Errors
    /// A [`Refusal`]; `Conflict` when a compare-and-set in the body failed.
    fn write(&self, path: &str, body: SecretBytes, timeout: Duration) -> Result<VaultReply, Refusal>;

    /// The names below a path; folders end in `/`.
    ///
    /// # Errors
    /// A [`Refusal`].
    fn keys(&self, path: &str, timeout: Duration) -> Result<Vec<String>, Refusal>;

    /// Deletes a path.
    ///
    /// # Errors
    /// A [`Refusal`].
    fn delete(&self, path: &str, timeout: Duration) -> Result<(), Refusal>;

    /// Extends a lease.
    ///
    /// # Errors
    /// A [`Refusal`]; `Denied` for a lease that this grant did not obtain.
    fn renew(&self, lease: &str, seconds: u64, timeout: Duration) -> Result<Lease, Refusal>;

    /// Ends a lease.
    ///
    /// # Errors
    /// A [`Refusal`]; `Denied` for a lease that this grant did not obtain.
    fn revoke(&self, lease: &str, timeout: Duration) -> Result<(), Refusal>;
}

/// What a label was bound to.
#[derive(Clone)]
pub enum Grant {
    /// One Kubernetes object.
    Kube(Arc<dyn KubeCapability>),
    /// One prefix of one Vault.
    Vault(Arc<dyn VaultCapability>),
    /// The previous fields and state of the same object, passed in the request.
    Previous,
}

impl Grant {
    /// The capability that this grants.
    #[must_use]
    pub const fn capability(&self) -> Capability {
        match self {
            Self::Kube(_) => Capability::Kube,
            Self::Vault(_) => Capability::Vault,
            Self::Previous => Capability::Previous,
        }
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kube(_) => "Kube",
            Self::Vault(_) => "Vault",
            Self::Previous => "Previous",
        })
    }
}

/// The grants of one component for one object. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    by_label: Arc<BTreeMap<String, Bound>>,
}

/// A grant and how often one call may use it.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) grant: Grant,
    pub(crate) quota: Option<u32>,
}

impl Grants {
    /// No grant at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// These grants and one more. A label bound twice keeps the last.
    #[must_use]
    pub fn with(self, label: impl Into<String>, grant: Grant) -> Self {
        self.bind(label.into(), Bound { grant, quota: None })
    }

    /// These grants and one more, of which one call may make at most `quota` uses.
    #[must_use]
    pub fn with_quota(self, label: impl Into<String>, grant: Grant, quota: u32) -> Self {
        let quota = Some(quota);
        self.bind(label.into(), Bound { grant, quota })
    }

    /// The labels, sorted, each with the capability that it grants.
    pub fn labels(&self) -> impl Iterator<Item = (&str, Capability)> {
        self.by_label.iter().map(|(label, bound)| (label.as_str(), bound.grant.capability()))
    }

    pub(crate) fn get(&self, label: &str) -> Option<&Bound> {
        self.by_label.get(label)
    }

    fn bind(mut self, label: String, bound: Bound) -> Self {
        Arc::make_mut(&mut self.by_label).insert(label, bound);
        self
    }
}
