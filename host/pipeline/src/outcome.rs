//! How a sync ended: one value, from which `report` makes condition, event, metric, log and next refresh.
//!
//! ESO's reasons stay as they are; the messages say what failed, on what, and what to do. No message holds a value.

use std::time::Duration;

use api::names::{event, reason};
use jiff::Timestamp;

use crate::failure::{Blame, Failure, Reason, Retry};
use crate::gather::{MissingRemote, Rotated};
use crate::plan::{Kept, Plan};
use crate::ports::Occasion;
use crate::shape::Monitored;

#[cfg(test)]
mod tests;

/// How a sync ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The Ready condition.
    pub ready: Ready,
    /// Events to record, in order.
    pub events: Vec<Event>,
    /// Why it failed, for metric and log; none when it did not.
    pub failure: Option<Failed>,
    /// Whether the status gets a new refresh time and the version that was carried out.
    pub refreshed: bool,
    /// The target in the status's `binding`; none when there is no target.
    pub binding: Option<String>,
    /// When to look again.
    pub next: Next,
}

/// The Ready condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// True or False.
    pub status: bool,
    /// ESO's reason.
    pub reason: &'static str,
    /// What happened, to what, and what to do about it.
    pub message: String,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Warning or Normal.
    pub warning: bool,
    /// CamelCase.
    pub reason: &'static str,
    /// What happened.
    pub message: String,
}

/// What a failure is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed {
    /// The cause.
    pub reason: Reason,
    /// Who has to act.
    pub blame: Blame,
}

/// When to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At that time.
    At(Timestamp),
    /// With exponential back-off.
    Backoff,
    /// Not before that long.
    After(Duration),
    /// When something changes.
    WhenChanged,
}

impl Next {
    fn at(time: Option<Timestamp>) -> Self {
        time.map_or(Next::WhenChanged, Next::At)
    }
}

impl From<Retry> for Next {
    fn from(retry: Retry) -> Self {
        match retry {
            Retry::Backoff => Next::Backoff,
            Retry::After(wait) => Next::After(wait),
            Retry::WhenChanged => Next::WhenChanged,
        }
    }
}

/// The event of a rotation; not one of ESO's.
pub const ROTATED: &str = "Rotated";
/// The event of a value that was lost; not one of ESO's.
pub const VALUE_LOST: &str = "ValueLost";

/// The event of a value that a policy which does not enforce does not accept; not one of ESO's.
pub const POLICY_VIOLATED: &str = "PolicyViolated";
/// The event of a policy which does not enforce and gave no verdict; not one of ESO's.
pub const POLICY_FAILED: &str = "PolicyFailed";

/// What a sync of an ExternalSecret did.
#[derive(Debug, Clone, Copy)]
pub struct Synced<'a> {
    /// The target's name.
    pub target: &'a str,
    /// What was carried out.
    pub plan: &'a Plan,
    /// What rotated.
    pub rotated: &'a [Rotated],
    /// What the stores did not have.
    pub missing: &'a [MissingRemote],
    /// When to look again.
    pub next: Option<Timestamp>,
}

impl Outcome {
    /// Of an ExternalSecret that was carried out.
    #[must_use]
    pub fn synced(synced: &Synced<'_>) -> Self {
        let (reason, message, bound) = state(synced);
        let lost = synced.rotated.iter().find(|rotated| rotated.occasion == Occasion::ValueLost);
        let message = match lost {
            Some(rotated) => format!("{message}; {}", lost_message(rotated)),
            None => message,
        };
        Self {
            ready: Ready { status: true, reason, message },
            events: events(synced),
            failure: None,
            refreshed: true,
            binding: bound.then(|| synced.target.to_owned()),
            next: Next::at(synced.next),
        }
    }

    /// Of an ExternalSecret whose target was taken over as it is.
    #[must_use]
    pub fn adopted(target: &str, next: Option<Timestamp>) -> Self {
        let message = format!(
            "Secret {target} is kept as it is until the next rotation: only it has the generated values"
        );
        Self {
            ready: Ready { status: true, reason: reason::SECRET_SYNCED, message },
            events: Vec::new(),
            failure: None,
            refreshed: true,
            binding: Some(target.to_owned()),
            next: Next::at(next),
        }
    }

    /// Of an ExternalSecret that failed before and of which nothing is due.
    #[must_use]
    pub fn unchanged(next: Option<Timestamp>) -> Self {
        Self {
            ready: Ready {
                status: true,
                reason: reason::SECRET_SYNCED,
                message: "what was synced is still so".to_owned(),
            },
            events: Vec::new(),
            failure: None,
            refreshed: false,
            binding: None,
            next: Next::at(next),
        }
    }

    /// Of an ExternalSecret that failed.
    #[must_use]
    pub fn failed(failure: &dyn Failure) -> Self {
        Self::failure(failure, reason::SECRET_SYNCED_ERROR, event::UPDATE_FAILED)
    }

    /// Of a PushSecret whose values are in all stores.
    #[must_use]
    pub fn pushed(written: usize, unchanged: usize, rotated: &[Rotated], next: Option<Timestamp>) -> Self {
        let message = pushed_message(written + unchanged, written);
        let mut events: Vec<Event> = rotated.iter().map(rotation_event).collect();
        if written > 0 {
            events.push(Event { warning: false, reason: reason::SYNCED, message: message.clone() });
        }
        Self {
            ready: Ready { status: true, reason: reason::SYNCED, message },
            events,
            failure: None,
            refreshed: true,
            binding: None,
            next: Next::at(next),
        }
    }

    /// Of a PushSecret that failed.
    #[must_use]
    pub fn push_failed(failure: &dyn Failure) -> Self {
        Self::failure(failure, reason::ERRORED, reason::ERRORED)
    }

    /// Of a PushSecret whose source is gone and which deleted what it had pushed.
    #[must_use]
    pub fn source_deleted(source: &str) -> Self {
        let message = format!(
            "Secret {source} is gone and what was pushed from it was deleted from the stores; create it again to push it again"
        );
        Self {
            ready: Ready { status: false, reason: reason::SOURCE_DELETED, message: message.clone() },
            events: vec![Event { warning: true, reason: reason::SOURCE_DELETED, message }],
            failure: Some(Failed { reason: Reason::SourceMissing, blame: Blame::User }),
            refreshed: true,
            binding: None,
            next: Next::WhenChanged,
        }
    }

    /// The same, with what policies have found that do not enforce.
    #[must_use]
    pub fn monitored(mut self, monitored: &Monitored) -> Self {
        let event = |reason, message| Event { warning: true, reason, message };
        if !monitored.violations.is_empty() {
            let all: Vec<String> = monitored.violations.iter().map(ToString::to_string).collect();
            let message =
                format!("published all the same, since the policy only monitors: {}", all.join("; "));
            self.events.push(event(POLICY_VIOLATED, message));
        }
        if !monitored.failures.is_empty() {
            self.events.push(event(POLICY_FAILED, monitored.failures.join("; ")));
        }
        self
    }

    fn failure(failure: &dyn Failure, reason: &'static str, event: &'static str) -> Self {
        let message = message(failure);
        Self {
            ready: Ready { status: false, reason, message: message.clone() },
            events: vec![Event { warning: true, reason: event, message }],
            failure: Some(Failed { reason: failure.reason(), blame: failure.blame() }),
            refreshed: false,
            binding: None,
            next: failure.retry().into(),
        }
    }
}

/// A failure with all its causes and what to do about it, as one sentence.
#[must_use]
pub fn message(failure: &dyn Failure) -> String {
    let mut message = format!("failed to {failure}");
    let mut cause = failure.source();
    while let Some(error) = cause {
        message.push_str(": ");
        message.push_str(&error.to_string());
        cause = error.source();
    }
    if !failure.advice().is_empty() {
        message.push_str("; ");
        message.push_str(failure.advice());
    }
    message
}

fn pushed_message(all: usize, written: usize) -> String {
    let what = if all == 1 {
        "1 remote secret is up to date".to_owned()
    } else {
        format!("{all} remote secrets are up to date")
    };
    if written == 0 { what } else { format!("{what}, {written} written now") }
}

/// Reason, message, and whether there is a target.
fn state(synced: &Synced<'_>) -> (&'static str, String, bool) {
    let target = synced.target;
    match synced.plan {
        Plan::Create(_) | Plan::Patch(_) | Plan::Keep(Kept::Same) => {
            (reason::SECRET_SYNCED, format!("Secret {target} is up to date"), true)
        }
        Plan::Delete(_) | Plan::Keep(Kept::DeletedBefore) => (
            reason::SECRET_DELETED,
            format!("Secret {target} was deleted: the stores have no value any more"),
            false,
        ),
        Plan::Keep(Kept::NoTarget) => (
            reason::SECRET_SYNCED,
            "the values were read; creationPolicy None writes no Secret".to_owned(),
            false,
        ),
        Plan::Keep(Kept::TargetMissing) => (
            reason::SECRET_MISSING,
            format!("Secret {target} does not exist, and creationPolicy Merge does not create it"),
            false,
        ),
        Plan::Keep(Kept::Retained) => (
            reason::SECRET_SYNCED,
            format!("Secret {target} is kept as it was: the stores have no value"),
            true,
        ),
    }
}

fn events(synced: &Synced<'_>) -> Vec<Event> {
    let missing = synced.missing.iter().map(|missing| Event {
        warning: false,
        reason: event::MISSING_PROVIDER_SECRET,
        message: format!("{} has no secret {}; it is left out", missing.store, missing.key),
    });
    let target = synced.target;
    let written = match synced.plan {
        Plan::Create(_) => Some((event::CREATED, format!("created Secret {target}{}", made(synced.rotated)))),
        Plan::Patch(_) => Some((event::UPDATED, format!("updated Secret {target}"))),
        Plan::Delete(_) => {
            Some((event::DELETED, format!("deleted Secret {target}: the stores have no value any more")))
        }
        Plan::Keep(_) => None,
    };
    let written = written.map(|(reason, message)| Event { warning: false, reason, message });
    let said = |rotated: &&Rotated| matches!(synced.plan, Plan::Create(_)) && is_first(rotated);
    let rotated = synced.rotated.iter().filter(|rotated| !said(rotated));
    missing.chain(rotated.map(rotation_event)).chain(written).collect()
}

/// The first values of a new target are part of its event: no value was rotated.
fn made(rotated: &[Rotated]) -> String {
    let first = rotated.iter().filter(|rotated| is_first(rotated));
    first.map(|rotated| format!("; {} generated, rotation {}", rotated.key, rotated.id)).collect()
}

fn is_first(rotated: &Rotated) -> bool {
    rotated.occasion == Occasion::Initial
}

fn rotation_event(rotated: &Rotated) -> Event {
    match rotated.occasion {
        Occasion::ValueLost => Event { warning: true, reason: VALUE_LOST, message: lost_message(rotated) },
        Occasion::Initial
        | Occasion::Scheduled
        | Occasion::Forced
        | Occasion::ConfigChanged
        | Occasion::Expired => Event {
            warning: false,
            reason: ROTATED,
            message: format!(
                "{} rotated ({}), rotation {}",
                rotated.key,
                rotated.occasion.as_str(),
                rotated.id
            ),
        },
    }
}

fn lost_message(rotated: &Rotated) -> String {
    format!("the value of {} was lost and had to be generated anew, rotation {}", rotated.key, rotated.id)
}
