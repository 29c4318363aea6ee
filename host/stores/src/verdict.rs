//! What a refusal means for whoever asked, in one row.
//!
//! Both stores answer the same five questions about what a server refuses: does it tell that the server is down, which
//! reason is it, whom to blame, when to try again, what to do. The rows that any server has are made here; a store adds its
//! own words to them.

use std::time::Duration;

use pipeline::{Blame, Failure, Reason, Retry};

use crate::gate::Health;
use crate::tls::CertificateFault;

/// The meaning of one refusal.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// What it tells the gate about the server.
    pub(crate) health: Health,
    pub(crate) reason: Reason,
    pub(crate) blame: Blame,
    pub(crate) retry: Retry,
    pub(crate) advice: &'static str,
}

impl Verdict {
    /// The server answers, but not this, not now.
    pub(crate) const fn unavailable(retry: Retry) -> Self {
        Self { health: Health::Up, reason: Reason::StoreUnavailable, blame: Blame::Store, retry, advice: "" }
    }

    /// There was no answer.
    pub(crate) const fn silent() -> Self {
        Self {
            health: Health::Silent,
            advice: "check the store's server address, and that the server runs",
            ..Self::unavailable(Retry::Backoff)
        }
    }

    /// There is no trust. Certificates are replaced without any change that we could see.
    pub(crate) const fn untrusted(fault: CertificateFault) -> Self {
        Self { advice: fault.advice(), ..Self::unavailable(Retry::Backoff) }
    }

    /// An answer that makes no sense.
    pub(crate) const fn strange(advice: &'static str) -> Self {
        Self { reason: Reason::StoreInvalidReply, advice, ..Self::unavailable(Retry::Backoff) }
    }

    /// The credential is good for something else.
    pub(crate) const fn denied(advice: &'static str) -> Self {
        Self { reason: Reason::StoreDenied, advice, ..Self::unavailable(Retry::WhenChanged) }
    }

    /// Somebody else was faster.
    pub(crate) const fn conflict() -> Self {
        Self { reason: Reason::StoreConflict, ..Self::unavailable(Retry::Backoff) }
    }

    /// What was asked for is wrong, and stays so until its author changes it.
    pub(crate) const fn wrong(reason: Reason, advice: &'static str) -> Self {
        Self { reason, blame: Blame::User, advice, ..Self::unavailable(Retry::WhenChanged) }
    }

    /// What another failure says; the server has no part in it.
    pub(crate) fn of(failure: &dyn Failure) -> Self {
        Self {
            health: Health::Up,
            reason: failure.reason(),
            blame: failure.blame(),
            retry: failure.retry(),
            advice: failure.advice(),
        }
    }
}

/// As late as the server asked, if it did.
pub(crate) fn after(pause: Option<Duration>) -> Retry {
    pause.map_or(Retry::Backoff, Retry::After)
}
