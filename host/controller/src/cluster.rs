//! What the API server answers, reduced to what may be shown.
//!
//! `kube::Error` can quote the body of a Secret (a decoding error shows the text that it could not decode), so it never
//! leaves this module: only the code, the reason and the message of a `Status` do.

use std::error::Error;
use std::time::Duration;

use pipeline::{Blame, Failure, ObjectRef, Reason, Retry};
use thiserror::Error;

use crate::leadership::NotLeading;
use crate::overload::Overload;

/// The longest that an API server may keep us away.
const LONGEST: Duration = Duration::from_secs(60);

/// One operation on the cluster that did not succeed.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// An object could not be read.
    #[error("read {object}")]
    Read {
        /// Which one.
        object: ObjectRef,
        /// What the API server said.
        #[source]
        answer: Answer,
    },
    /// An object could not be created, changed or have its status set.
    #[error("write {object}")]
    Write {
        /// Which one.
        object: ObjectRef,
        /// What the API server said.
        #[source]
        answer: Answer,
    },
    /// An object could not be deleted.
    #[error("delete {object}")]
    Delete {
        /// Which one.
        object: ObjectRef,
        /// What the API server said.
        #[source]
        answer: Answer,
    },
    /// A token could not be minted.
    #[error("mint a token of {object}")]
    Token {
        /// The ServiceAccount.
        object: ObjectRef,
        /// What the API server said.
        #[source]
        answer: Answer,
    },
}

/// Why a request failed.
#[derive(Debug, Error)]
pub enum Answer {
    /// The API server refused, with the message of its `Status`.
    #[error("{message}")]
    Refused {
        /// The HTTP code.
        code: u16,
        /// Its words. Names objects, rights and fields.
        message: String,
        /// When it says to come back.
        after: Option<Duration>,
    },
    /// There was no answer.
    #[error("the API server did not answer")]
    Silent,
    /// The answer made no sense.
    #[error("the API server's answer could not be read")]
    Garbled,
    /// It was a write, and was not sent.
    #[error(transparent)]
    NotLeading(NotLeading),
}

impl Answer {
    /// The HTTP code, if there was one.
    #[must_use]
    pub const fn code(&self) -> Option<u16> {
        match self {
            Answer::Refused { code, .. } => Some(*code),
            Answer::Silent | Answer::Garbled | Answer::NotLeading(_) => None,
        }
    }
}

/// When the API server says to come back: in a `Status`, or in a header.
pub(crate) fn pause(error: &kube::Error) -> Option<Duration> {
    let pause = match error {
        kube::Error::Api(status) => {
            let seconds = status.details.as_ref().map(|details| details.retry_after_seconds);
            seconds.filter(|seconds| *seconds > 0).map(|seconds| Duration::from_secs(seconds.into()))
        }
        kube::Error::Service(error) => error.downcast_ref::<Overload>().map(|overload| overload.after),
        _ => None,
    };
    pause.map(|pause| pause.min(LONGEST))
}

impl From<kube::Error> for Answer {
    fn from(error: kube::Error) -> Self {
        let after = pause(&error);
        match error {
            kube::Error::Api(status) => {
                Answer::Refused { code: status.code, message: status.message.clone(), after }
            }
            kube::Error::Service(error) => of_service(&*error, after),
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => Answer::Garbled,
            _ => Answer::Silent,
        }
    }
}

/// What the layers of our client answer.
fn of_service(error: &(dyn Error + Send + Sync + 'static), after: Option<Duration>) -> Answer {
    if let Some(not_leading) = error.downcast_ref::<NotLeading>() {
        return Answer::NotLeading(*not_leading);
    }
    match error.downcast_ref::<Overload>() {
        Some(overload) => Answer::Refused { code: overload.code, message: overload.to_string(), after },
        None => Answer::Silent,
    }
}

impl ClusterError {
    /// What the API server said.
    #[must_use]
    pub const fn answer(&self) -> &Answer {
        match self {
            ClusterError::Read { answer, .. }
            | ClusterError::Write { answer, .. }
            | ClusterError::Delete { answer, .. }
            | ClusterError::Token { answer, .. } => answer,
        }
    }

    const fn object(&self) -> &ObjectRef {
        match self {
            ClusterError::Read { object, .. }
            | ClusterError::Write { object, .. }
            | ClusterError::Delete { object, .. }
            | ClusterError::Token { object, .. } => object,
        }
    }

    /// Somebody else wrote first: read again and compare.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.answer().code() == Some(409)
    }
}

impl Failure for ClusterError {
    fn reason(&self) -> Reason {
        match self.answer() {
            // The ServiceAccount of a token.
            Answer::Refused { code: 404, .. } if matches!(self, ClusterError::Token { .. }) => {
                Reason::ReferenceMissing
            }
            Answer::Refused { code: 401 | 403, .. } => Reason::ClusterDenied,
            Answer::Refused { code: 409, .. } => Reason::ClusterConflict,
            Answer::Refused { code: 400 | 413 | 422, .. } => Reason::TargetRefused,
            Answer::NotLeading(error) => error.reason(),
            Answer::Refused { .. } | Answer::Silent | Answer::Garbled => Reason::ClusterUnavailable,
        }
    }

    fn blame(&self) -> Blame {
        match self.answer() {
            Answer::Refused { code: 404, .. } if matches!(self, ClusterError::Token { .. }) => Blame::User,
            Answer::Refused { code: 400 | 413 | 422, .. } => Blame::User,
            Answer::Refused { .. } | Answer::Silent => Blame::Cluster,
            Answer::Garbled => Blame::Host,
            Answer::NotLeading(error) => error.blame(),
        }
    }

    fn retry(&self) -> Retry {
        match self.answer() {
            Answer::Refused { after: Some(after), .. } => Retry::After(*after),
            Answer::NotLeading(error) => error.retry(),
            Answer::Refused { .. } | Answer::Silent | Answer::Garbled => Retry::Backoff,
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        Some(self.object().clone())
    }

    fn advice(&self) -> &'static str {
        match self.answer() {
            Answer::Refused { code: 401 | 403, .. } => "give keymill's ServiceAccount that right",
            Answer::Refused { .. } | Answer::Silent | Answer::Garbled | Answer::NotLeading(_) => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16) -> ClusterError {
        let answer = Answer::Refused { code, message: "secrets \"a\" is forbidden".to_owned(), after: None };
        ClusterError::Read { object: ObjectRef::namespaced("Secret", "default", "a"), answer }
    }

    #[test]
    fn codes_become_reasons() {
        for (code, reason) in [
            (401, Reason::ClusterDenied),
            (403, Reason::ClusterDenied),
            (409, Reason::ClusterConflict),
            (422, Reason::TargetRefused),
            (429, Reason::ClusterUnavailable),
            (500, Reason::ClusterUnavailable),
        ] {
            assert_eq!(refused(code).reason(), reason, "{code}");
        }
    }

    #[test]
    fn a_decoding_error_never_quotes_what_it_could_not_decode() {
        let error = serde_json::from_str::<u64>("\"canary-password\"").unwrap_err();
        assert!(error.to_string().contains("canary"));
        let answer = Answer::from(kube::Error::SerdeError(error));
        assert!(!format!("{answer} {answer:?}").contains("canary"));
    }

    #[test]
    fn retry_after_is_obeyed() {
        let answer =
            Answer::Refused { code: 429, message: String::new(), after: Some(Duration::from_secs(7)) };
        let error = ClusterError::Write { object: ObjectRef::namespaced("Secret", "default", "a"), answer };
        assert_eq!(error.retry(), Retry::After(Duration::from_secs(7)));
    }
}
