//! The leases that a prefix has handed out, as long as they last.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::super::refusal::Refusal;

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

/// When each lease ends, by its id.
#[derive(Default)]
pub(super) struct Leases(Mutex<HashMap<String, Instant>>);

impl Leases {
    /// Remembers the lease, and forgets those that have ended.
    pub(super) fn hand_out(&self, lease: &Lease) {
        let now = Instant::now();
        let seconds = lease.seconds.min(u64::from(u32::MAX));
        let mut ends = self.ends();
        ends.retain(|_, end| *end > now);
        ends.insert(lease.id.clone(), now + Duration::from_secs(seconds));
    }

    pub(super) fn handed_out(&self, id: &str) -> bool {
        self.ends().get(id).is_some_and(|end| *end > Instant::now())
    }

    pub(super) fn forget(&self, id: &str) {
        self.ends().remove(id);
    }

    fn ends(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lease in an answer. No source in the error: it would quote the answer.
pub(super) fn of(body: &[u8]) -> Result<Option<Lease>, Refusal> {
    #[derive(Deserialize)]
    struct Leased {
        #[serde(default)]
        lease_id: Option<String>,
        #[serde(default)]
        lease_duration: Option<u64>,
        #[serde(default)]
        renewable: Option<bool>,
    }
    if body.is_empty() {
        return Ok(None);
    }
    let leased: Leased = serde_json::from_slice(body).map_err(|_| Refusal::BadAnswer)?;
    let id = leased.lease_id.filter(|id| !id.is_empty());
    Ok(id.map(|id| Lease {
        id,
        seconds: leased.lease_duration.unwrap_or_default(),
        renewable: leased.renewable.unwrap_or_default(),
    }))
}
