//! A well-behaved generator: publishes the data of the object `object` and the answer to a read of `app` below the prefix `prefix`. What it
//! is not granted ends in a refusal.

use keymill_sdk::{
    Capability, Description, Failure, Generator, Output, Recipe, Refusal, Request, Rule, kube, vault,
};
use serde::Deserialize;

/// The component.
#[derive(Debug)]
pub struct Reader;

/// Nothing to configure.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {}

const DENIED: Rule = Rule::new("denied", "What it wants to read was denied.");
const NOT_READ: Rule = Rule::new("not-read", "What it wants to read is not there, or cannot be read.");

impl Generator for Reader {
    type Config = Config;

    fn describe() -> Description {
        Description::new("reader", env!("CARGO_PKG_VERSION"), "What it is granted to read")
            .rules([&DENIED, &NOT_READ])
            .want("object", Capability::Kube, "Its data is published.")
            .want("prefix", Capability::Vault, "What it answers to a read of app is published.")
    }

    fn generate(_: Request<Config>) -> Result<Output, Failure> {
        let mut recipe = Recipe::new();
        for entry in kube::read("object").map_err(failure)? {
            recipe.field(entry.key, entry.value);
        }
        let answer = vault::read("prefix", "app", &[]).map_err(failure)?;
        recipe.field("answer", answer.body);
        Ok(recipe.finish())
    }
}

fn failure(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Denied => Failure::Refused(DENIED),
        Refusal::Unavailable => Failure::Unavailable,
        Refusal::Missing | Refusal::Invalid | Refusal::Conflict | Refusal::Quota => {
            Failure::Refused(NOT_READ)
        }
    }
}

keymill_sdk::generator!(Reader);
