//! The generator `fake`: the `data` of its config, as it is. For trying things out; ESO's Fake.
//!
//! Nothing is drawn, so the values have no entropy that a policy could accept. `controller` is for the operator that reads
//! the manifest, and ignored here.

use std::collections::BTreeMap;

use keymill_sdk::{
    Description, Failure, Generator, Output, Problems, Recipe, Request, Rule, Schema, is_data_key, pointer,
};
use serde::Deserialize;

/// The component.
#[derive(Debug)]
pub struct Fake;

/// The spec of ESO's Fake. Its data may be secret, so it has no `Debug`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_debug_implementations, reason = "the data may be secret")]
pub struct Config {
    #[serde(default, rename = "controller")]
    _controller: Option<String>,
    #[serde(default)]
    data: BTreeMap<String, String>,
}

const INVALID_KEY: Rule = Rule::new(
    "invalid-key",
    "A key of data cannot be a key of a Secret. Use 1 to 253 letters, digits, '-', '_' and '.', not beginning with '..'.",
);

impl Generator for Fake {
    type Config = Config;

    fn describe() -> Description {
        let controller = "Which operator is to handle the manifest; ignored here.";
        let data = "The keys to write and their values.";
        Description::new("fake", env!("CARGO_PKG_VERSION"), "Fixed values, for trying things out")
            .config(
                Schema::object()
                    .optional("controller", Schema::string().about(controller))
                    .optional("data", Schema::map(Schema::string()).about(data)),
            )
            .rules([&INVALID_KEY])
    }

    fn validate(config: &Config, problems: &mut Problems) {
        for key in config.data.keys().filter(|key| !is_data_key(key)) {
            problems.add(&INVALID_KEY, pointer(["data", key]));
        }
    }

    fn generate(request: Request<Config>) -> Result<Output, Failure> {
        let mut recipe = Recipe::new();
        for (key, value) in request.config.data {
            recipe.field(key, value);
        }
        Ok(recipe.finish())
    }
}

keymill_sdk::generator!(Fake);

#[cfg(test)]
mod tests {
    use keymill_sdk::testing;

    use super::Fake;

    #[test]
    fn cases_hold() {
        let cases = include_str!("../../../../tests/conformance/generators/fake/cases.yaml");
        assert_eq!(testing::generator_cases::<Fake>(cases), Ok(7));
    }
}
