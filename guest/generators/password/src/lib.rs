//! The generator `password`: what ESO's Password makes from the same spec, in a recipe that the host draws.
//!
//! Counts are exact, every arrangement of them is equally likely, each key has a password of its own. What ESO would never finish
//! (no repeats, but too few characters that differ) or silently get wrong (a negative count) is a problem of the config here.
//! Symbols are characters, not bytes.

mod config;
mod counts;

use config::{Config, Encoding};
use counts::{Alphabets, Counts};
use keymill_sdk::{Description, Failure, Generator, Output, Picks, Problems, Recipe, Request, Transform};

/// The component.
#[derive(Debug)]
pub struct Password;

impl Generator for Password {
    type Config = Config;

    fn describe() -> Description {
        Description::new(
            "password",
            env!("CARGO_PKG_VERSION"),
            "Random passwords with exact counts of digits and symbols",
        )
        .config(config::schema())
        .rules(counts::RULES)
        .rules(config::RULES)
    }

    fn validate(config: &Config, problems: &mut Problems) {
        counts::validate(config, problems);
        config::validate_keys(config, problems);
    }

    fn generate(request: Request<Config>) -> Result<Output, Failure> {
        let config = request.config;
        let counts = Counts::of(&config).drawable().ok_or(Failure::InvalidConfig)?;
        let alphabets = Alphabets::of(&config);
        let picks = Picks::new()
            .pick(alphabets.letters, counts.letters)
            .pick(alphabets.digits, counts.digits)
            .pick(alphabets.symbols, counts.symbols)
            .shuffle();
        let picks = if config.allow_repeat { picks } else { picks.distinct() };
        let mut recipe = Recipe::new();
        for key in config.keys() {
            let password = recipe.picks(picks.clone());
            let encoded = match config.encoding {
                Encoding::Raw => password,
                Encoding::Base64 => recipe.derive(Transform::Base64, password),
                Encoding::Base64url => recipe.derive(Transform::Base64url, password),
                Encoding::Base32 => recipe.derive(Transform::Base32, password),
                Encoding::Hex => recipe.derive(Transform::Hex, password),
            };
            recipe.field(key, encoded);
        }
        Ok(recipe.finish())
    }
}

keymill_sdk::generator!(Password);

#[cfg(test)]
mod tests;
