//! The generator `pattern`: passwords that obey a site's composition rules, each that obeys equally likely.
//!
//! The host counts the strings that obey and draws one of them, so no rule makes some passwords likelier, nothing is tried and thrown
//! away, and the entropy is exact. Rules that contradict each other are a problem of the config: `feasible` finds that before a
//! value is due.

mod classes;
mod config;
mod feasible;

use config::Config;
use keymill_sdk::{
    Constraints, Description, Failure, Generator, Output, Problems, Recipe, Request, Sensitivity,
};

/// The component.
#[derive(Debug)]
pub struct Pattern;

impl Generator for Pattern {
    type Config = Config;

    fn describe() -> Description {
        let about = "Passwords by composition rules, each that obeys equally likely";
        Description::new("pattern", env!("CARGO_PKG_VERSION"), about)
            .config(config::schema())
            .field("password", Sensitivity::Secret, "The password.")
            .rules(config::RULES)
            .rules(feasible::RULES)
    }

    fn validate(config: &Config, problems: &mut Problems) {
        config::validate(config, problems);
        if problems.is_empty() {
            feasible::validate(config, problems);
        }
    }

    fn generate(request: Request<Config>) -> Result<Output, Failure> {
        let mut recipe = Recipe::new();
        let password = recipe.constrained(constraints(&request.config));
        recipe.field("password", password);
        Ok(recipe.finish())
    }
}

fn constraints(config: &Config) -> Constraints {
    let mut constraints = Constraints::new(config.length);
    for class in &config.classes {
        constraints = constraints.class(config.characters(&class.of), class.min, class.max);
    }
    if let Some(set) = &config.first {
        constraints = constraints.first(config.characters(set));
    }
    if let Some(set) = &config.last {
        constraints = constraints.last(config.characters(set));
    }
    if config.no_equal_neighbours {
        constraints = constraints.no_equal_neighbours();
    }
    config.forbidden.iter().fold(constraints, |constraints, text| constraints.forbid(text))
}

keymill_sdk::generator!(Pattern);

#[cfg(test)]
mod tests;
