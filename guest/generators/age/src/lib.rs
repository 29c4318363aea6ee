//! The generator `age`: an X25519 identity for age and SOPS, its recipient, and the file that `age-keygen` writes.
//!
//! The identity is the private key in Bech32 after `AGE-SECRET-KEY-`, the recipient the public key after `age`. The file has no line
//! with the time of its making: the same rotation gives the same file.

use keymill_sdk::{
    Description, Failure, Generator, KeyAlgorithm, KeySpec, Output, Recipe, Request, Sensitivity, Transform,
};
use serde::Deserialize;

/// The component.
#[derive(Debug)]
pub struct Age;

/// There is nothing to configure.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {}

impl Generator for Age {
    type Config = Config;

    fn describe() -> Description {
        Description::new("age", env!("CARGO_PKG_VERSION"), "Identities of age, as age-keygen makes them")
            .field("identity", Sensitivity::Secret, "The line AGE-SECRET-KEY-1..., which decrypts.")
            .field("recipient", Sensitivity::Derived, "age1..., to encrypt to.")
            .field(
                "keys.txt",
                Sensitivity::Secret,
                "Both in an identity file, for age -i and SOPS_AGE_KEY_FILE.",
            )
    }

    fn generate(_: Request<Config>) -> Result<Output, Failure> {
        let mut recipe = Recipe::new();
        let key = recipe.key(KeySpec { algorithm: KeyAlgorithm::X25519, bits: None });
        let private = recipe.derive(Transform::RawPrivate, key);
        let identity = recipe.derive(Transform::Bech32("AGE-SECRET-KEY-".to_owned()), private);
        let public = recipe.derive(Transform::RawPublic, key);
        let recipient = recipe.derive(Transform::Bech32("age".to_owned()), public);
        recipe.field("identity", identity);
        recipe.field("recipient", recipient);
        recipe.field("keys.txt", ("# public key: ", recipient, "\n", identity, "\n"));
        Ok(recipe.finish())
    }
}

keymill_sdk::generator!(Age);

#[cfg(test)]
mod tests {
    #[test]
    fn cases_hold() {
        let cases = include_str!("../../../../tests/conformance/generators/age/cases.yaml");
        assert_eq!(keymill_sdk::testing::generator_cases::<super::Age>(cases), Ok(3));
    }
}
