//! World `policy`: judges values before they are published. Pure: a policy has no imports.
//!
//! A config that cannot be parsed or breaks a rule does not let values through: every candidate then violates
//! `config-invalid`, which the SDK declares.

use std::{fmt, marker::PhantomData};

use serde::de::DeserializeOwned;

use crate::{
    Description, Occasion, Owner, Problem, Problems, Rule,
    bindings::{policy::exports::keymill::guest::judge as wit, types},
    config,
    redacted::Bytes,
};

/// Judges values.
pub trait Policy {
    /// The config; use `#[serde(deny_unknown_fields)]`, so that a misspelled key is a problem.
    type Config: DeserializeOwned;

    /// What it is and takes. Called before it has seen anything.
    fn describe() -> Description;

    /// Adds every problem of a config that has the right shape. Must end quickly whatever the config says.
    fn validate(config: &Self::Config, problems: &mut Problems) {
        let _ = (config, problems);
    }

    /// Refuses what is not good enough. `verdict.candidates()` are the values; say nothing and they pass.
    fn evaluate(config: &Self::Config, verdict: &mut Verdict<'_>);
}

/// A value to be judged.
#[derive(Clone, PartialEq)]
pub struct Candidate {
    /// Its key.
    pub key: String,
    /// Its bytes; not necessarily text.
    pub value: Vec<u8>,
    /// Min-entropy in bits that the host vouches for; none where a guest or a store made the value.
    pub bits: Option<f64>,
    /// Whether `bits` is exact; else it is a lower bound.
    pub exact: bool,
    /// How many rotations ago the same value was published, as far as the host remembers.
    pub reused: Option<u32>,
}

impl Candidate {
    /// The value as text, if it is UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.value).ok()
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("key", &self.key)
            .field("value", &Bytes(&self.value))
            .field("bits", &self.bits)
            .field("exact", &self.exact)
            .field("reused", &self.reused)
            .finish()
    }
}

/// The values, whose they are, and what was found wrong with them so far.
#[derive(Debug)]
pub struct Verdict<'a> {
    candidates: &'a [Candidate],
    /// Why the host asks now.
    pub occasion: Occasion,
    /// Whose values they are.
    pub owner: &'a Owner,
    violations: Vec<(&'static str, &'a str)>,
}

impl<'a> Verdict<'a> {
    /// Nothing wrong yet with these.
    pub fn new(candidates: &'a [Candidate], occasion: Occasion, owner: &'a Owner) -> Self {
        Self { candidates, occasion, owner, violations: Vec::new() }
    }

    /// The values. Their lifetime is that of the request, so refusing while iterating is fine.
    pub fn candidates(&self) -> &'a [Candidate] {
        self.candidates
    }

    /// Says that `candidate` breaks `rule`.
    pub fn refuse(&mut self, candidate: &'a Candidate, rule: &Rule) {
        self.violations.push((rule.name, &candidate.key));
    }

    /// Judges each candidate alone: `judge` returns the rules that it breaks.
    pub fn each(&mut self, mut judge: impl FnMut(&Candidate) -> Vec<&'static Rule>) {
        for candidate in self.candidates {
            for rule in judge(candidate) {
                self.refuse(candidate, rule);
            }
        }
    }

    /// What was refused, as rule and key, in the order found.
    pub fn violations(&self) -> &[(&'static str, &'a str)] {
        &self.violations
    }
}

/// What the export macro exports.
#[doc(hidden)]
#[derive(Debug)]
pub struct PolicyExport<P>(PhantomData<P>);

impl<P: Policy> wit::Guest for PolicyExport<P> {
    fn describe() -> types::Description {
        P::describe().rules([&config::INVALID]).into_contract()
    }

    fn validate(config: String) -> Vec<types::Problem> {
        match checked::<P>(&config) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.into_iter().map(Into::into).collect(),
        }
    }

    fn evaluate(request: wit::Request) -> Vec<wit::Violation> {
        let candidates: Vec<_> = request.candidates.into_iter().map(Candidate::from).collect();
        let mut verdict = Verdict::new(&candidates, request.occasion, &request.owner);
        judge::<P>(&request.config, &mut verdict);
        let violations = verdict.violations().iter();
        violations.map(|&(rule, key)| wit::Violation { rule: rule.to_owned(), key: key.to_owned() }).collect()
    }
}

/// Fails closed on a config that is not right; shared with the test harness.
pub(crate) fn judge<P: Policy>(config: &str, verdict: &mut Verdict<'_>) {
    match checked::<P>(config) {
        Ok(config) => P::evaluate(&config, verdict),
        Err(_) => verdict.each(|_| vec![&config::INVALID]),
    }
}

/// Parses and validates; shared with the test harness.
pub(crate) fn checked<P: Policy>(config: &str) -> Result<P::Config, Vec<Problem>> {
    let config = config::parse(config).map_err(|problem| vec![problem])?;
    let mut problems = Problems::new();
    P::validate(&config, &mut problems);
    if problems.is_empty() { Ok(config) } else { Err(problems.into_vec()) }
}

impl From<wit::Candidate> for Candidate {
    fn from(candidate: wit::Candidate) -> Self {
        let wit::Candidate { key, value, bits, exact, reused } = candidate;
        Self { key, value, bits, exact, reused }
    }
}
