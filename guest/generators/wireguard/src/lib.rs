//! The generator `wireguard`: a key pair as `wg genkey` and `wg pubkey` print it, and a preshared key as `wg genpsk` does.
//!
//! The host makes the X25519 key; its bits are those that WireGuard itself would set, so `wg` shows the same text again. The preshared
//! key is for both peers and adds a symmetric secret to the exchange; who does not use it leaves it out of the target.

use keymill_sdk::{
    Description, Failure, Generator, KeyAlgorithm, KeySpec, Output, Recipe, Request, Schema, Sensitivity,
    Transform,
};
use serde::Deserialize;

/// The component.
#[derive(Debug)]
pub struct Wireguard;

/// What is made beside the key pair.
#[derive(Debug, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    preshared_key: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { preshared_key: true }
    }
}

impl Generator for Wireguard {
    type Config = Config;

    fn describe() -> Description {
        let preshared = "Whether to make a preshared key too, a second secret that both peers know.";
        Description::new("wireguard", env!("CARGO_PKG_VERSION"), "WireGuard key pairs with a preshared key")
            .config(
                Schema::object()
                    .optional("presharedKey", Schema::boolean().default_value(true).about(preshared)),
            )
            .field("private-key", Sensitivity::Secret, "PrivateKey of the interface.")
            .field("public-key", Sensitivity::Derived, "PublicKey, for the configuration of the peers.")
            .field("preshared-key", Sensitivity::Secret, "PresharedKey of the peer, on both sides.")
    }

    fn generate(request: Request<Config>) -> Result<Output, Failure> {
        let mut recipe = Recipe::new();
        let key = recipe.key(KeySpec { algorithm: KeyAlgorithm::X25519, bits: None });
        for (field, form) in [("private-key", Transform::RawPrivate), ("public-key", Transform::RawPublic)] {
            let raw = recipe.derive(form, key);
            let text = recipe.derive(Transform::Base64, raw);
            recipe.field(field, text);
        }
        if request.config.preshared_key {
            let shared = recipe.bytes(32);
            let text = recipe.derive(Transform::Base64, shared);
            recipe.field("preshared-key", text);
        }
        Ok(recipe.finish())
    }
}

keymill_sdk::generator!(Wireguard);

#[cfg(test)]
mod tests {
    #[test]
    fn cases_hold() {
        let cases = include_str!("../../../../tests/conformance/generators/wireguard/cases.yaml");
        assert_eq!(keymill_sdk::testing::generator_cases::<super::Wireguard>(cases), Ok(5));
    }
}
