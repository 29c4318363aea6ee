//! Why an API server did not do what it was asked.
//!
//! The server's messages are not passed on: they may quote what was sent. 404 is here only until the store has made it a
//! value.

use std::time::Duration;

use kube::core::Status;
use pipeline::{Reason, Retry};

use crate::credential::ReferenceError;
use crate::gate::{Health, Shut, Why};
use crate::tls::CertificateFault;
use crate::verdict::{Verdict, after};

/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What an API server refused, and why.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It was found down a moment ago and is given time to recover.
    #[error("{why}")]
    Waiting {
        /// How long still.
        pause: Duration,
        /// Why it counts as down.
        why: Why,
    },
    /// There was no connection, or it broke.
    #[error("the API server cannot be reached")]
    Unreachable(#[source] kube::Error),
    /// The server did not prove that it is the one that was meant, or does not believe who we are.
    #[error("{}", .0.text())]
    Certificate(CertificateFault),
    /// No answer in time.
    #[error("the API server does not answer in time")]
    TimedOut,
    /// The answer is not of the form that was expected. No source: it would quote the answer.
    #[error("the answer is not what an API server answers")]
    BadAnswer,
    /// There is no token.
    #[error(transparent)]
    Token(#[from] ReferenceError),
    /// The connection cannot be set up.
    #[error("the connection cannot be set up")]
    Setup(#[source] kube::Error),
    /// 401.
    #[error("the API server does not accept the credential")]
    Unauthorized,
    /// 403.
    #[error("permission denied")]
    Forbidden,
    /// 404.
    #[error("it does not exist")]
    Missing,
    /// 409.
    #[error("somebody else has written there in the meantime")]
    Conflict,
    /// 410: a list took longer than the server remembers.
    #[error("the list has expired")]
    Expired,
    /// 400, 413 and 422.
    #[error("the API server does not accept the Secret")]
    Invalid,
    /// 429.
    #[error("the API server asks for fewer requests")]
    Busy {
        /// For how long, if it said so.
        pause: Option<Duration>,
    },
    /// 5xx.
    #[error("the API server failed with status {status}")]
    Failed {
        /// The status.
        status: u16,
    },
    /// A status that has no meaning here.
    #[error("the API server answered with status {status}")]
    Unexpected {
        /// The status.
        status: u16,
    },
}

impl From<Shut> for Refusal {
    fn from(Shut { pause, why }: Shut) -> Self {
        Self::Waiting { pause, why }
    }
}

impl From<kube::Error> for Refusal {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => of_status(&status),
            kube::Error::SerdeError(_)
            | kube::Error::FromUtf8(_)
            | kube::Error::LinesCodecMaxLineLengthExceeded => Self::BadAnswer,
            kube::Error::HyperError(_) | kube::Error::Service(_) | kube::Error::ReadEvents(_) => {
                CertificateFault::of(&error).map_or(Self::Unreachable(error), Self::Certificate)
            }
            other => Self::Setup(other),
        }
    }
}

fn of_status(status: &Status) -> Refusal {
    let pause =
        status.details.as_ref().map(|details| details.retry_after_seconds).filter(|seconds| *seconds > 0);
    let pause = pause.map(|seconds| Duration::from_secs(u64::from(seconds)).min(LONGEST_PAUSE));
    match status.code {
        400 | 413 | 422 => Refusal::Invalid,
        401 => Refusal::Unauthorized,
        403 => Refusal::Forbidden,
        // A proxy's 404 says nothing about the Secret.
        404 if status.reason == kube::core::response::reason::NOT_FOUND => Refusal::Missing,
        409 => Refusal::Conflict,
        410 => Refusal::Expired,
        429 => Refusal::Busy { pause },
        status @ 500..=599 => Refusal::Failed { status },
        status => Refusal::Unexpected { status },
    }
}

impl Refusal {
    /// What it means for whoever asked: one row for each.
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Waiting { pause, why } => {
                Verdict { advice: why.advice, ..Verdict::unavailable(Retry::After(*pause)) }
            }
            Self::Unreachable(_) | Self::TimedOut => Verdict::silent(),
            Self::Certificate(fault) => Verdict::untrusted(*fault),
            Self::BadAnswer | Self::Unexpected { .. } => {
                Verdict::strange("check that the store's server is a Kubernetes API server")
            }
            Self::Token(source) => Verdict::of(source),
            Self::Setup(_) => {
                Verdict::wrong(Reason::StoreNotReady, "check the store's server address and its certificates")
            }
            Self::Unauthorized => Verdict::denied("renew the credential that the store refers to"),
            Self::Forbidden => Verdict::denied(""),
            Self::Missing => {
                Verdict { reason: Reason::RemoteMissing, ..Verdict::unavailable(Retry::Backoff) }
            }
            Self::Conflict => Verdict::conflict(),
            Self::Invalid => Verdict::wrong(Reason::InvalidValue, ""),
            Self::Busy { pause } => Verdict::unavailable(after(*pause)),
            Self::Failed { status: 502..=504 } => {
                Verdict { health: Health::Silent, ..Verdict::unavailable(Retry::Backoff) }
            }
            Self::Expired | Self::Failed { .. } => Verdict::unavailable(Retry::Backoff),
        }
    }
}
