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
use crate::gate::{Health, Shut};

/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What Vault says, as far as it helps, and our words for it.
const NOTES: [(&str, &str); 17] = [
    ("check-and-set parameter required", "the engine demands check-and-set"),
    ("invalid role or secret id", "the role id or the secret id is wrong"),
    ("invalid secret id", "the secret id is wrong or used up"),
    ("invalid role id", "the role id is wrong"),
    ("invalid role name", "the role does not exist"),
    ("role not found", "the role does not exist"),
    ("role with oidc role_type", "the role is for browser logins"),
    ("invalid username or password", "the user name or the password is wrong"),
    ("ldap operation failed", "the LDAP server refuses"),
    ("service account name not authorized", "the role is not bound to that ServiceAccount"),
    ("namespace not authorized", "the role is not bound to that namespace"),
    ("error validating token", "the token is not valid"),
    ("token is expired", "the token is expired"),
    ("invalid audience", "the token's audience is not the role's"),
    ("missing client token", "the request needs a token"),
    ("bad token", "the token is not valid"),
    ("invalid certificate or no client certificate", "the client certificate is not accepted"),
];

/// What a server refused, and why.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It was found down a moment ago and is given time to recover.
    #[error("the server was down a moment ago")]
    Waiting {
        /// How long still.
        pause: Duration,
    },
    /// There was no connection, or it broke before the answer.
    #[error("the server cannot be reached")]
    Unreachable(#[source] reqwest::Error),
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
        400 | 422 => Refusal::Invalid { said: known(&errors) },
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
    fn from(Shut(pause): Shut) -> Self {
        Self::Waiting { pause }
    }
}

impl From<reqwest::Error> for Refusal {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() { Self::TimedOut } else { Self::Unreachable(error.without_url()) }
    }
}

impl Refusal {
    /// What it tells about the server.
    pub(super) fn health(&self) -> Health {
        match self {
            Self::Unreachable(_) | Self::TimedOut | Self::Cut(_) => Health::Silent,
            Self::Sealed { pause } => Health::Down(*pause),
            Self::Failed { status: 502 | 504 } => Health::Silent,
            Self::Waiting { .. }
            | Self::TooLong
            | Self::BadAnswer
            | Self::Redirected { .. }
            | Self::BadToken
            | Self::Path(_)
            | Self::Invalid { .. }
            | Self::Conflict
            | Self::Denied { .. }
            | Self::NoMount
            | Self::OtherVersion
            | Self::Unsupported
            | Self::TooLarge
            | Self::Behind
            | Self::Busy { .. }
            | Self::Failed { .. }
            | Self::Unexpected { .. } => Health::Up,
        }
    }

    /// See [`pipeline::Failure`].
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Waiting { .. }
            | Self::Unreachable(_)
            | Self::TimedOut
            | Self::Cut(_)
            | Self::Behind
            | Self::Busy { .. }
            | Self::Sealed { .. }
            | Self::Failed { .. } => Reason::StoreUnavailable,
            Self::TooLong | Self::BadAnswer | Self::Redirected { .. } | Self::Unexpected { .. } => {
                Reason::StoreInvalidReply
            }
            Self::BadToken | Self::Path(_) => Reason::InvalidSpec,
            Self::Invalid { .. } | Self::Denied { .. } | Self::Unsupported => Reason::StoreDenied,
            Self::Conflict => Reason::StoreConflict,
            Self::NoMount | Self::OtherVersion => Reason::StoreNotReady,
            Self::TooLarge => Reason::InvalidValue,
        }
    }

    /// See [`pipeline::Failure`].
    pub(super) fn blame(&self) -> Blame {
        match self {
            Self::Waiting { .. }
            | Self::Unreachable(_)
            | Self::TimedOut
            | Self::Cut(_)
            | Self::TooLong
            | Self::BadAnswer
            | Self::Redirected { .. }
            | Self::Denied { .. }
            | Self::Unsupported
            | Self::Behind
            | Self::Busy { .. }
            | Self::Sealed { .. }
            | Self::Failed { .. }
            | Self::Unexpected { .. }
            | Self::Conflict => Blame::Store,
            Self::BadToken
            | Self::Path(_)
            | Self::Invalid { .. }
            | Self::NoMount
            | Self::OtherVersion
            | Self::TooLarge => Blame::User,
        }
    }

    /// See [`pipeline::Failure`].
    pub(super) fn retry(&self) -> Retry {
        match self {
            Self::Waiting { pause } => Retry::After(*pause),
            Self::Busy { pause } | Self::Sealed { pause } => pause.map_or(Retry::Backoff, Retry::After),
            Self::Unreachable(_)
            | Self::TimedOut
            | Self::Cut(_)
            | Self::Conflict
            | Self::Behind
            | Self::Failed { .. }
            // A mount may be made, and an address corrected, without any change that we could see.
            | Self::NoMount
            | Self::BadAnswer
            | Self::Unexpected { .. } => Retry::Backoff,
            Self::TooLong
            | Self::Redirected { .. }
            | Self::BadToken
            | Self::Path(_)
            | Self::Invalid { .. }
            | Self::Denied { .. }
            | Self::OtherVersion
            | Self::Unsupported
            | Self::TooLarge => Retry::WhenChanged,
        }
    }

    /// See [`pipeline::Failure`].
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::Unreachable(_) | Self::TimedOut => {
                "check the store's server address and its certificate authority"
            }
            Self::Redirected { .. } => {
                "set the store's server to the address of the active node, or let the standby forward requests"
            }
            Self::BadToken => "put the bare token into the Secret that the store refers to",
            Self::Path(_) => "correct the key",
            Self::Denied { .. } => "renew the credential, or have its policy allow the path",
            Self::NoMount => "correct the store's path, or mount the engine",
            Self::OtherVersion => "set the store's version to that of the engine",
            Self::Sealed { .. } => "unseal the server",
            Self::TooLong | Self::BadAnswer | Self::Unexpected { .. } => {
                "check that the store's server is a Vault server"
            }
            Self::Unsupported => "check the server's version",
            Self::Waiting { .. }
            | Self::Cut(_)
            | Self::Invalid { .. }
            | Self::Conflict
            | Self::TooLarge
            | Self::Behind
            | Self::Busy { .. }
            | Self::Failed { .. } => "",
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
            (403, r#"{"errors":["permission denied"]}"#, Reason::StoreDenied, Retry::WhenChanged),
            (405, "{}", Reason::StoreDenied, Retry::WhenChanged),
            (412, "", Reason::StoreUnavailable, Retry::Backoff),
            (413, "", Reason::InvalidValue, Retry::WhenChanged),
            (429, "", Reason::StoreUnavailable, Retry::Backoff),
            (500, "", Reason::StoreUnavailable, Retry::Backoff),
            (502, "<html>", Reason::StoreUnavailable, Retry::Backoff),
            (503, "", Reason::StoreUnavailable, Retry::Backoff),
            (302, "", Reason::StoreInvalidReply, Retry::Backoff),
        ] {
            let refusal = of(status, body);
            assert_eq!((refusal.reason(), refusal.retry()), (reason, retry), "{status} {body}");
        }
    }

    #[test]
    fn a_pause_is_taken_over_and_clamped() {
        for (asked, got) in [(7, 7), (86_400, 300)] {
            for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
                let retry = refusal(status, Some(Duration::from_secs(asked)), b"").retry();
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
            assert_eq!(of(503, body).health(), health, "{body}");
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
