//! The generator `uuid`: a random UUID (RFC 9562, version 4) under the key `uuid`. The config is empty, as ESO's.
//!
//! The version and variant bits are literals and an alphabet of four, so the host knows the entropy exactly: 122 bits.

use keymill_sdk::{Description, Failure, Generator, Output, Picks, Recipe, Request, Sensitivity};
use serde::Deserialize;

/// The component.
#[derive(Debug)]
pub struct Uuid;

/// The empty spec of ESO's UUID.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {}

const HEX: &str = "0123456789abcdef";
const VARIANT: &str = "89ab";

impl Generator for Uuid {
    type Config = Config;

    fn describe() -> Description {
        Description::new("uuid", env!("CARGO_PKG_VERSION"), "Random UUIDs (version 4)").field(
            "uuid",
            Sensitivity::Secret,
            "The UUID, in lower case with hyphens.",
        )
    }

    fn generate(_: Request<Config>) -> Result<Output, Failure> {
        let mut recipe = Recipe::new();
        let time_low = recipe.picks(Picks::new().pick(HEX, 8));
        let time_mid = recipe.picks(Picks::new().pick(HEX, 4));
        let time_high = recipe.picks(Picks::new().pick(HEX, 3));
        let clock = recipe.picks(Picks::new().pick(VARIANT, 1).pick(HEX, 3));
        let node = recipe.picks(Picks::new().pick(HEX, 12));
        recipe.field("uuid", (time_low, "-", time_mid, "-4", time_high, "-", clock, "-", node));
        Ok(recipe.finish())
    }
}

keymill_sdk::generator!(Uuid);

#[cfg(test)]
mod tests {
    use keymill_sdk::testing;

    use super::Uuid;

    #[test]
    fn cases_hold() {
        let cases = include_str!("../../../../tests/conformance/generators/uuid/cases.yaml");
        assert_eq!(testing::generator_cases::<Uuid>(cases), Ok(3));
    }

    #[test]
    fn every_position_takes_all_its_digits() {
        let drawn: Vec<Vec<char>> = (0..2000)
            .map(|seed| {
                let filled = testing::generate::<Uuid>("{}", seed).expect("there is nothing to refuse");
                filled.text("uuid").expect("text").chars().collect()
            })
            .collect();
        let counts: Vec<usize> = (0..36)
            .map(|position| {
                let mut seen: Vec<char> = drawn.iter().map(|uuid| uuid[position]).collect();
                seen.sort_unstable();
                seen.dedup();
                seen.len()
            })
            .collect();
        let mut expected = [16; 36];
        for (position, count) in [(8, 1), (13, 1), (14, 1), (18, 1), (19, 4), (23, 1)] {
            expected[position] = count;
        }
        assert_eq!(counts, expected);
    }
}
