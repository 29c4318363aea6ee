//! Why a Vault server did not do what it was asked.
//!
//! The server's own texts are never passed on: they may quote what was sent. What is known to be said is recognised and said
//! in our words. Doubt (denied, sealed, silent) is here; missing is not: that is an answer.

use std::borrow::Cow;
use std::time::Duration;

use pipeline::{Blame, Reason, Retry};
use reqwest::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::path::PathError;
use crate::gate::{Health, Shut, Why};
use crate::tls::CertificateFault;
use crate::verdict::{Verdict, after};

/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

const NO_VAULT: &str = "check that the store's server is a Vault server";
const NO_MOUNT: &str = "correct the store's path, or mount the engine";
const REDIRECTED: &str =
    "set the store's server to the address of the active node, or let the standby forward requests";

/// What Vault says, as far as it helps, and our words for it; the most telling words first.
const NOTES: [(&str, &str); 21] = [
    ("check-and-set parameter required", "the engine demands check-and-set"),
    ("invalid role or secret id", "the role id or the secret id is wrong"),
    ("invalid secret id", "the secret id is wrong or used up"),
    ("invalid role id", "the role id is wrong"),
    ("invalid role name", "the role does not exist"),
    ("role not found", "the role does not exist"),
    ("could not be found", "the role does not exist"),
    ("role with oidc role_type", "the role is for browser logins"),
    ("invalid username or password", "the user name or the password is wrong"),
    ("ldap operation failed", "the LDAP server refuses"),
    ("service account name not authorized", "the role is not bound to that ServiceAccount"),
    ("namespace not authorized", "the role is not bound to that namespace"),
    ("token is expired", "the token is expired"),
    ("invalid audience", "the token's audience is not the role's"),
    ("error validating token", "the token is not valid"),
    ("missing client token", "the request needs a token"),
    ("bad token", "the token is not valid"),
    ("invalid certificate or no client certificate", CERTIFICATE),
    ("no certificate was matched", CERTIFICATE),
    ("no client certificate", CERTIFICATE),
    ("no chain matching all constraints", CERTIFICATE),
];
const CERTIFICATE: &str = "the client certificate is not accepted";

/// Wrong credentials that Vault 1.13, which counts them, answers with 500.
const WRONG: [&str; 2] = ["invalid username or password", "invalid secret id"];

/// What a server refused, and why.
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
    /// There was no connection, or it broke before the answer.
    #[error("the server cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The server did not prove that it is the one that was meant, or does not believe who we are.
    #[error("{}", .0.text())]
    Certificate(CertificateFault),
    /// No answer in time.
    #[error("the server does not answer in time")]
    TimedOut,
    /// The answer broke off.
    #[error("the server's answer breaks off")]
    Cut(#[source] reqwest::Error),
    /// The answer is longer than any that is expected.
    #[error("the server's answer is too long")]
    TooLong,
    /// The answer is not of the form that was expected. No source: it would quote the answer.
    #[error("the server's answer is not what a Vault server answers")]
    BadAnswer,
    /// The server sends us somewhere else.
    #[error("the server redirects to {to}, where no credential is sent")]
    Redirected {
        /// Where to.
        to: String,
    },
    /// The token cannot be a header.
    #[error("the token has characters that no token has")]
    BadToken,
    /// The key is no path.
    #[error("the key is not a path")]
    Path(#[from] PathError),
    /// 400.
    #[error("the server does not accept the request{}", note(.said))]
    Invalid {
        /// What it said, if that is known.
        said: Option<&'static str>,
    },
    /// 400 with the words of a failed check-and-set.
    #[error("somebody else has written there in the meantime")]
    Conflict,
    /// 403.
    #[error("permission denied{}", note(.said))]
    Denied {
        /// What it said, if that is known.
        said: Option<&'static str>,
    },
    /// 404 because nothing is mounted there.
    #[error("no secrets engine or auth method is mounted there")]
    NoMount,
    /// The engine is of the other version.
    #[error("the engine there is of the other KV version")]
    OtherVersion,
    /// 405.
    #[error("the server does not support the request")]
    Unsupported,
    /// 413.
    #[error("the secret is too large for the server")]
    TooLarge,
    /// 412: the server has not seen our last write yet.
    #[error("the server lags behind")]
    Behind,
    /// 429.
    #[error("the server asks for fewer requests")]
    Busy {
        /// For how long, if it said so.
        pause: Option<Duration>,
    },
    /// 503: sealed or in maintenance.
    #[error("the server is sealed or in maintenance")]
    Sealed {
        /// For how long, if it said so.
        pause: Option<Duration>,
    },
    /// Another 5xx, and 503 for a namespace that is locked.
    #[error("the server failed with status {status}")]
    Failed {
        /// The status.
        status: u16,
    },
    /// A status that has no meaning here.
    #[error("the server answered with status {status}")]
    Unexpected {
        /// The status.
        status: u16,
    },
}

fn note(said: &Option<&'static str>) -> String {
    said.map(|said| format!(": {said}")).unwrap_or_default()
}

/// The errors and warnings of an answer, if it has any.
#[derive(Default, Deserialize)]
struct Texts<'a> {
    #[serde(borrow, default)]
    errors: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow, default)]
    warnings: Option<Vec<Cow<'a, str>>>,
    #[serde(default)]
    data: Option<IgnoredAny>,
}

/// What a status and a body mean, when they mean no.
pub(super) fn refusal(status: StatusCode, pause: Option<Duration>, body: &[u8]) -> Refusal {
    let texts: Texts = serde_json::from_slice(body).unwrap_or_default();
    let errors = texts.errors.unwrap_or_default();
    let pause = pause.map(|pause| pause.min(LONGEST_PAUSE));
    match status.as_u16() {
        400 if says(&errors, "check-and-set parameter did not match") => Refusal::Conflict,
        // The LDAP directory behind it is away: that is no fault of the credential.
        400 if says(&errors, "error connecting to host") => Refusal::Failed { status: 400 },
        400 | 422 => Refusal::Invalid { said: known(&errors) },
        500 if WRONG.iter().any(|words| says(&errors, words)) => Refusal::Invalid { said: known(&errors) },
        401 | 403 => Refusal::Denied { said: known(&errors) },
        405 => Refusal::Unsupported,
        412 => Refusal::Behind,
        413 => Refusal::TooLarge,
        429 => Refusal::Busy { pause },
        // One namespace that is locked says nothing about the server.
        503 if says(&errors, "has been locked") => Refusal::Failed { status: 503 },
        503 => Refusal::Sealed { pause },
        status @ 500..=599 => Refusal::Failed { status },
        status => Refusal::Unexpected { status },
    }
}

/// What a 404 means that is not missing: nothing is mounted there, another engine is, or no Vault server said it.
pub(super) fn more_than_missing(body: &[u8]) -> Option<Refusal> {
    let texts: Texts = serde_json::from_slice(body).unwrap_or_default();
    if texts.errors.is_none() && texts.warnings.is_none() && texts.data.is_none() {
        return Some(Refusal::BadAnswer); // a proxy's, for example
    }
    let errors = texts.errors.unwrap_or_default();
    if says(&errors, "no handler for route") {
        return Some(Refusal::NoMount);
    }
    let wrong = "invalid path for a versioned k/v secrets engine";
    (says(&texts.warnings.unwrap_or_default(), wrong) || says(&errors, wrong))
        .then_some(Refusal::OtherVersion)
}

fn says(texts: &[Cow<'_, str>], words: &str) -> bool {
    texts.iter().any(|text| text.to_lowercase().contains(words))
}

fn known(errors: &[Cow<'_, str>]) -> Option<&'static str> {
    NOTES.iter().find(|(words, _)| says(errors, words)).map(|(_, ours)| *ours)
}

impl From<Shut> for Refusal {
    fn from(Shut { pause, why }: Shut) -> Self {
        Self::Waiting { pause, why }
    }
}

impl From<reqwest::Error> for Refusal {
    fn from(error: reqwest::Error) -> Self {
        match CertificateFault::of(&error) {
            Some(fault) => Self::Certificate(fault),
            None if error.is_timeout() => Self::TimedOut,
            None => Self::Unreachable(error.without_url()),
        }
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
            Self::Cut(_) => Verdict { advice: "", ..Verdict::silent() },
            Self::TooLong => Verdict { retry: Retry::WhenChanged, ..Verdict::strange(NO_VAULT) },
            Self::BadAnswer | Self::Unexpected { .. } => Verdict::strange(NO_VAULT),
            Self::Redirected { .. } => Verdict { retry: Retry::WhenChanged, ..Verdict::strange(REDIRECTED) },
            Self::BadToken => Verdict::wrong(
                Reason::InvalidSpec,
                "put the bare token into the Secret that the store refers to",
            ),
            Self::Path(_) => Verdict::wrong(Reason::InvalidSpec, "correct the key"),
            Self::Invalid { .. } => Verdict { blame: Blame::User, ..Verdict::denied("") },
            Self::Conflict => Verdict::conflict(),
            // A policy may be changed without any change that we could see.
            Self::Denied { .. } => Verdict {
                retry: Retry::Backoff,
                ..Verdict::denied("renew the credential, or have its policy allow the path")
            },
            // A mount may be made, and an address corrected, without any change that we could see.
            Self::NoMount => {
                Verdict { retry: Retry::Backoff, ..Verdict::wrong(Reason::StoreNotReady, NO_MOUNT) }
            }
            Self::OtherVersion => {
                Verdict::wrong(Reason::StoreNotReady, "set the store's version to that of the engine")
            }
            Self::Unsupported => Verdict::denied("check the server's version"),
            Self::TooLarge => Verdict::wrong(Reason::InvalidValue, ""),
            Self::Busy { pause } => Verdict::unavailable(after(*pause)),
            Self::Sealed { pause } => Verdict {
                health: Health::Down(*pause),
                advice: "unseal the server",
                ..Verdict::unavailable(after(*pause))
            },
            Self::Failed { status: 502 | 504 } => {
                Verdict { health: Health::Silent, ..Verdict::unavailable(Retry::Backoff) }
            }
            Self::Behind | Self::Failed { .. } => Verdict::unavailable(Retry::Backoff),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Refusal {
        refusal(StatusCode::from_u16(status).expect("a status"), None, body.as_bytes())
    }

    #[test]
    fn each_status_has_its_class() {
        let cas = r#"{"errors":["check-and-set parameter did not match the current version"]}"#;
        for (status, body, reason, retry) in [
            (400, r#"{"errors":["x"]}"#, Reason::StoreDenied, Retry::WhenChanged),
            (400, cas, Reason::StoreConflict, Retry::Backoff),
            (403, r#"{"errors":["permission denied"]}"#, Reason::StoreDenied, Retry::Backoff),
            (405, "{}", Reason::StoreDenied, Retry::WhenChanged),
            (412, "", Reason::StoreUnavailable, Retry::Backoff),
            (413, "", Reason::InvalidValue, Retry::WhenChanged),
            (429, "", Reason::StoreUnavailable, Retry::Backoff),
            (500, "", Reason::StoreUnavailable, Retry::Backoff),
            (500, r#"{"errors":["invalid secret id"]}"#, Reason::StoreDenied, Retry::WhenChanged),
            (
                400,
                r#"{"errors":["1 error: error connecting to host \"ldap://x\""]}"#,
                Reason::StoreUnavailable,
                Retry::Backoff,
            ),
            (502, "<html>", Reason::StoreUnavailable, Retry::Backoff),
            (503, "", Reason::StoreUnavailable, Retry::Backoff),
            (302, "", Reason::StoreInvalidReply, Retry::Backoff),
        ] {
            let refusal = of(status, body);
            let verdict = refusal.verdict();
            assert_eq!((verdict.reason, verdict.retry), (reason, retry), "{status} {body}");
        }
    }

    #[test]
    fn a_pause_is_taken_over_and_clamped() {
        for (asked, got) in [(7, 7), (86_400, 300)] {
            for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
                let retry = refusal(status, Some(Duration::from_secs(asked)), b"").verdict().retry;
                assert_eq!(retry, Retry::After(Duration::from_secs(got)), "{status} {asked}");
            }
        }
    }

    #[test]
    fn a_locked_namespace_is_no_sealed_server() {
        for (body, health) in [
            (r#"{"errors":["Vault is sealed"]}"#, Health::Down(None)),
            (
                r#"{"errors":["API access to this namespace has been locked by an administrator"]}"#,
                Health::Up,
            ),
        ] {
            assert_eq!(of(503, body).verdict().health, health, "{body}");
        }
    }

    #[test]
    fn only_our_own_words_are_shown() {
        let quoting = of(400, r#"{"errors":["invalid secret id \"s.canary\"", "role s.canary"]}"#);
        assert_eq!(
            quoting.to_string(),
            "the server does not accept the request: the secret id is wrong or used up"
        );
        let unknown = of(403, r#"{"errors":["1 error occurred: s.canary"]}"#);
        assert_eq!(unknown.to_string(), "permission denied");
        assert!(!format!("{quoting:?}{unknown:?}").contains("canary"));
    }

    #[test]
    fn a_404_may_be_more_than_missing() {
        for (body, expected) in [
            (r#"{"errors":[]}"#, None),
            (r#"{"data":{"data":null,"metadata":{"version":1}}}"#, None),
            ("", Some("not what a Vault server")),
            ("<html>", Some("not what a Vault server")),
            (r#"{"message":"no route"}"#, Some("not what a Vault server")),
            (r#"{"errors":["no handler for route \"x/data/y\". route entry not found."]}"#, Some("mounted")),
            (
                r#"{"warnings":["Invalid path for a versioned K/V secrets engine. See"]}"#,
                Some("other KV version"),
            ),
        ] {
            let text = more_than_missing(body.as_bytes()).map(|refusal| refusal.to_string());
            assert_eq!(text.is_some(), expected.is_some(), "{body}");
            assert!(text.unwrap_or_default().contains(expected.unwrap_or_default()), "{body}");
        }
    }
}
