//! A well-behaved generator: publishes what is under `seed`, and how often it was asked for the same object, which its state tells it
//! where it is granted what it made last.

use keymill_sdk::{
    Capability, Description, Failure, Generator, Output, Recipe, Refusal, Request, Rule, kube,
};
use serde::Deserialize;

/// The component.
#[derive(Debug)]
pub struct Keeper;

/// Nothing to configure.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {}

const DENIED: Rule = Rule::new("denied", "What it wants to read was denied.");
const SPENT: Rule = Rule::new("spent", "It has read as often as it may.");
const NOT_READ: Rule = Rule::new("not-read", "What it wants to read is not there, or cannot be read.");

impl Generator for Keeper {
    type Config = Config;

    fn describe() -> Description {
        Description::new("keeper", env!("CARGO_PKG_VERSION"), "What it is granted to read, and how often")
            .rules([&DENIED, &SPENT, &NOT_READ])
            .want("seed", Capability::Kube, "Its data is published.")
            .want("last", Capability::Previous, "Counts how often it was asked.")
    }

    fn generate(request: Request<Config>) -> Result<Output, Failure> {
        let mut recipe = Recipe::new();
        for entry in kube::read("seed").map_err(failure)? {
            recipe.field(entry.key, entry.value);
        }
        let before = request.state.and_then(|state| state.first().copied()).unwrap_or_default();
        let count = before.saturating_add(1);
        recipe.field("count", format!("{count} after {}", request.previous.len()).into_bytes());
        recipe.state([count]);
        Ok(recipe.finish())
    }
}

fn failure(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Denied => Failure::Refused(DENIED),
        Refusal::Quota => Failure::Refused(SPENT),
        Refusal::Unavailable => Failure::Unavailable,
        Refusal::Missing | Refusal::Invalid | Refusal::Conflict => Failure::Refused(NOT_READ),
    }
}

keymill_sdk::generator!(Keeper);
