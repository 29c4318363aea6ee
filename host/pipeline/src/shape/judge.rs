//! Asks the policies that apply, before anything is published.

use std::fmt;

use crate::field::Fields;
use crate::meta::Meta;
use crate::outcome::message;
use crate::ports::{Candidate, GeneratedField, Judge, Subject, Violation};

use super::{ShapeError, Shapers};

/// What policies that do not enforce have found. It keeps nothing from being published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Monitored {
    /// What they would not have accepted.
    pub violations: Vec<Violation>,
    /// Why some gave no verdict.
    pub failures: Vec<String>,
}

impl Monitored {
    /// Adds what was found of another source of the same object.
    pub fn extend(&mut self, other: Self) {
        self.violations.extend(other.violations);
        self.failures.extend(other.failures);
    }
}

/// Judges what is to be published for an object of `kind`. A field that is a generated value byte for byte carries the entropy
/// that the host vouches for; one that only contains it does not.
pub(crate) async fn judge(
    shapers: &Shapers,
    kind: &str,
    meta: &Meta,
    data: &Fields,
    generated: &[GeneratedField],
) -> Result<Monitored, ShapeError> {
    let subject = Subject { kind, namespace: &meta.namespace, name: &meta.name, labels: &meta.labels };
    let judges = shapers.policies.judging(&subject).await;
    let judges = judges.map_err(|source| ShapeError::Policies { source })?;
    let mut monitored = Monitored::default();
    if judges.is_empty() {
        return Ok(monitored);
    }
    let (candidates, owner) = (candidates(data, generated), meta.owner());
    let mut violations = Vec::new();
    for judge in judges {
        match (judge.policy.evaluate(&candidates, &owner).await, judge.enforces) {
            (Ok(found), true) => violations.extend(found),
            (Ok(found), false) => monitored.violations.extend(found),
            (Err(source), true) => return Err(ShapeError::Judge { source }),
            (Err(source), false) => monitored.failures.push(message(source.as_ref())),
        }
    }
    if violations.is_empty() { Ok(monitored) } else { Err(ShapeError::Violated { violations }) }
}

fn candidates(data: &Fields, generated: &[GeneratedField]) -> Vec<Candidate> {
    let entropy = |value: &crate::field::Value| {
        generated.iter().find(|field| field.value == *value).and_then(|field| field.entropy)
    };
    let candidate = |(key, value): (&String, &crate::field::Value)| Candidate {
        key: key.clone(),
        value: value.clone(),
        entropy: entropy(value),
    };
    data.iter().map(candidate).collect()
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} breaks {} of {}: {}", self.key, self.rule, self.policy, self.about)
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").field("enforces", &self.enforces).finish_non_exhaustive()
    }
}
