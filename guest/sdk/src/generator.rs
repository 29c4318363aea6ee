//! World `generator`: makes values. The trait for authors, and the type that the export macro wraps around it.
//!
//! A config is parsed and validated before `generate` or `cleanup` sees it, so neither has to do it again; a config that
//! breaks a rule ends in [`Failure::InvalidConfig`].

use std::{fmt, marker::PhantomData};

use serde::de::DeserializeOwned;

use crate::{
    Description, Entry, Occasion, Output, Owner, Problem, Problems, Rule,
    bindings::{generator::exports::keymill::guest::generate as wit, types},
    config,
    redacted::Bytes,
};

/// Makes values: says what to draw and where it goes. The host draws, derives and fills in.
pub trait Generator {
    /// The config; use `#[serde(deny_unknown_fields)]`, so that a misspelled key is a problem.
    type Config: DeserializeOwned;

    /// What it is and takes. Called before it has seen anything.
    fn describe() -> Description;

    /// Adds every problem of a config that has the right shape. Must end quickly whatever the config says.
    fn validate(config: &Self::Config, problems: &mut Problems) {
        let _ = (config, problems);
    }

    /// The values for one rotation, from a config that `validate` found nothing wrong with.
    ///
    /// # Errors
    /// [`Failure::Refused`] with a declared rule, or [`Failure::Unavailable`] if a capability was not served for now.
    fn generate(request: Request<Self::Config>) -> Result<Output, Failure>;

    /// Undoes what `generate` did outside, from the state that it returned. Must be idempotent.
    ///
    /// # Errors
    /// As [`Generator::generate`].
    fn cleanup(config: Self::Config, state: Vec<u8>) -> Result<(), Failure> {
        let _ = (config, state);
        Ok(())
    }
}

/// What the host asks for.
pub struct Request<C> {
    /// The config, parsed and validated.
    pub config: C,
    /// Why the host asks now.
    pub occasion: Occasion,
    /// Whose value it is.
    pub owner: Owner,
    /// The last published fields; empty without a grant for `previous`.
    pub previous: Vec<Entry>,
    /// The state of the last rotation; none without that grant.
    pub state: Option<Vec<u8>>,
}

impl<C> fmt::Debug for Request<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("occasion", &self.occasion)
            .field("owner", &self.owner)
            .field("previous", &self.previous)
            .field("state", &self.state.as_deref().map(Bytes))
            .finish_non_exhaustive()
    }
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The config breaks a rule; `validate` says which and where.
    InvalidConfig,
    /// Refused by this declared rule.
    Refused(Rule),
    /// Something outside does not answer now; the host will ask again.
    Unavailable,
}

/// What the export macro exports.
#[doc(hidden)]
#[derive(Debug)]
pub struct GeneratorExport<G>(PhantomData<G>);

impl<G: Generator> wit::Guest for GeneratorExport<G> {
    fn describe() -> types::Description {
        G::describe().into_contract()
    }

    fn validate(config: String) -> Vec<types::Problem> {
        match checked::<G>(&config) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.into_iter().map(Into::into).collect(),
        }
    }

    fn generate(request: wit::Request) -> Result<wit::Output, wit::Failure> {
        let config = checked::<G>(&request.config).map_err(|_| wit::Failure::InvalidConfig)?;
        let output = G::generate(Request {
            config,
            occasion: request.occasion,
            owner: request.owner,
            previous: Entry::all(request.previous),
            state: request.state,
        })?;
        Ok(output.into_contract())
    }

    fn cleanup(config: String, state: Vec<u8>) -> Result<(), wit::Failure> {
        let config = checked::<G>(&config).map_err(|_| wit::Failure::InvalidConfig)?;
        Ok(G::cleanup(config, state)?)
    }
}

/// Parses and validates; shared with the test harness.
pub(crate) fn checked<G: Generator>(config: &str) -> Result<G::Config, Vec<Problem>> {
    let config = config::parse(config).map_err(|problem| vec![problem])?;
    let mut problems = Problems::new();
    G::validate(&config, &mut problems);
    if problems.is_empty() { Ok(config) } else { Err(problems.into_vec()) }
}

impl From<Failure> for wit::Failure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::InvalidConfig => Self::InvalidConfig,
            Failure::Refused(rule) => Self::Refused(rule.name.to_owned()),
            Failure::Unavailable => Self::Unavailable,
        }
    }
}
