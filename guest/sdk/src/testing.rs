//! Stands in for the host, so that an author tests a component natively and without one. Feature `testing`; a dev-dependency.
//!
//! Recipes are filled from a seed: the same seed gives the same value on every machine. What needs cryptography (keys, sha256,
//! bcrypt, SCRAM) is filled with a readable marker, and the entropy is not computed: both are the host's, and
//! `keymill component test` shows them. Case files are those that the host's own tests run too.

mod cases;
mod description;
mod expect;
mod fill;

use std::fmt;

pub use cases::{
    EntropyFloor, GeneratorCase, PolicyCase, PolicyCases, RuleAt, RuleOf, generator_cases, policy_cases,
    read_generator_cases, read_policy_cases,
};
pub use description::check_description;
pub use expect::FieldCase;
pub use fill::Filled;

use crate::{
    Candidate, Entry, Failure, Generator, Occasion, Owner, Policy, Problem, Request, Verdict, generator,
    native, policy,
};

/// Everything that was not as expected, one line each.
#[derive(Clone, PartialEq, Eq)]
pub struct Misses(pub Vec<String>);

impl Misses {
    fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Debug for Misses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Misses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl std::error::Error for Misses {}

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoValue {
    /// The config has these problems.
    Invalid(Vec<Problem>),
    /// The generator failed.
    Failed(Failure),
    /// The recipe cannot be filled, and why; the host would refuse it too.
    Unfillable(String),
}

/// The problems of a generator's config.
pub fn problems<G: Generator>(config: &str) -> Vec<Problem> {
    generator::checked::<G>(config).err().unwrap_or_default()
}

/// Calls a generator and fills its recipe. Another seed is another rotation.
///
/// # Errors
/// Why there is no value.
pub fn generate<G: Generator>(config: &str, seed: u64) -> Result<Filled, NoValue> {
    generate_for::<G>(config, Occasion::Initial, seed)
}

/// The same, on another occasion.
///
/// # Errors
/// Why there is no value.
pub fn generate_for<G: Generator>(config: &str, occasion: Occasion, seed: u64) -> Result<Filled, NoValue> {
    native::begin(seed, NOW);
    let config = generator::checked::<G>(config).map_err(NoValue::Invalid)?;
    let request = Request { config, occasion, owner: owner(), previous: Vec::new(), state: None };
    let output = G::generate(request).map_err(NoValue::Failed)?;
    fill::fill(output.into_contract()).map_err(NoValue::Unfillable)
}

/// The problems of a policy's config.
pub fn policy_problems<P: Policy>(config: &str) -> Vec<Problem> {
    policy::checked::<P>(config).err().unwrap_or_default()
}

/// The rules that candidates break, with the key of each; sorted and deduplicated, as the host does.
pub fn violations<P: Policy>(config: &str, candidates: &[Candidate]) -> Vec<(String, String)> {
    let owner = owner();
    let mut verdict = Verdict::new(candidates, Occasion::Initial, &owner);
    policy::judge::<P>(config, &mut verdict);
    let found = verdict.violations().iter();
    let mut found: Vec<_> = found.map(|&(rule, key)| (rule.to_owned(), key.to_owned())).collect();
    found.sort();
    found.dedup();
    found
}

/// What the clock shows in a test: 2026-01-01T00:00:00Z.
pub const NOW: u64 = 1_767_225_600;

/// Whose values they are in a test.
fn owner() -> Owner {
    Owner { namespace: "team".to_owned(), name: "app".to_owned() }
}

fn entry<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.key == key)
}
