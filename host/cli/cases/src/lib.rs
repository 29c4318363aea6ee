//! Runs case files through a compiled component: what `keymill component test` does, and this tree's own tests with the built-ins.
//!
//! The formats of generators and policies are the SDK's, which runs the same files natively; those of a template engine are here. A run
//! tells everything that is not as a case says, each with what came instead: values are shown only where they were drawn from a seed.
//! Capabilities are not served: a case of a component that asks for one sees what it does when it is denied.

mod exercise;
mod generator;
mod policy;
mod problem;
mod seeded;
mod template;

use bundle::sdk::testing::{GeneratorCase, NOW, PolicyCases};
use runtime::{Call, CallError, Component, Occasion, Owner, World};
use serde::de::DeserializeOwned;

pub use exercise::{Exercise, exercises};
pub use seeded::SeededRandom;
pub use template::{FaultAt, TemplateCase};

/// A case file, read.
#[derive(Debug, Clone)]
pub enum Cases {
    /// Of a generator.
    Generator(Vec<GeneratorCase>),
    /// Of a template engine.
    Template(Vec<TemplateCase>),
    /// Of a policy.
    Policy(Vec<PolicyCases>),
}

/// Why a case file is none.
#[derive(Debug, thiserror::Error)]
pub enum CasesError {
    /// It does not have the form of that world's cases.
    #[error("read the cases of a {world}: {detail}")]
    Form {
        /// The world.
        world: World,
        /// Where and why.
        detail: String,
    },
    /// There is no case in it.
    #[error("find a case: the file holds none")]
    Empty,
}

/// One case that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Its name.
    pub name: String,
    /// What is not as it says; nothing if it holds.
    pub misses: Vec<String>,
}

impl Cases {
    /// Reads the cases of a component of that world.
    ///
    /// # Errors
    /// [`CasesError`].
    pub fn read(world: World, text: &str) -> Result<Self, CasesError> {
        match world {
            World::Generator => list(world, text).map(Self::Generator),
            World::Template => list(world, text).map(Self::Template),
            World::Policy => list(world, text).map(Self::Policy),
        }
    }
}

/// Runs every case, in order. With `random`, which must be what the component's engine draws from, a generator's values are the same each
/// time and are shown where they are wrong.
///
/// # Errors
/// [`CallError::WrongWorld`]: the cases are of another world. What else fails is a miss of its case.
pub fn run(
    component: &Component,
    cases: &Cases,
    random: Option<&SeededRandom>,
) -> Result<Vec<Ran>, CallError> {
    Ok(match cases {
        Cases::Generator(cases) => {
            let generator = component.generator()?;
            cases.iter().map(|case| generator::ran(&generator, case, random)).collect()
        }
        Cases::Template(cases) => {
            let engine = component.template()?;
            cases.iter().map(|case| template::ran(&engine, case)).collect()
        }
        Cases::Policy(sets) => {
            let policy = component.policy()?;
            sets.iter().flat_map(|set| policy::ran(&policy, set)).collect()
        }
    })
}

fn list<T: DeserializeOwned>(world: World, text: &str) -> Result<Vec<T>, CasesError> {
    let options = serde_saphyr::options! { with_snippet: false };
    let cases: Vec<T> = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| CasesError::Form { world, detail: error.to_string() })?;
    if cases.is_empty() { Err(CasesError::Empty) } else { Ok(cases) }
}

/// A call that grants nothing, at the SDK's own time.
fn call(occasion: Occasion) -> Call {
    Call::new(Owner { namespace: "team".to_owned(), name: "app".to_owned() }, occasion, NOW)
}

#[cfg(test)]
mod tests;
