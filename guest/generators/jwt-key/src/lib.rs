//! The generator `jwt-key`: a key to sign JSON Web Tokens with, in the forms that issuers and verifiers read: PEM, JWK, JWK set.
//!
//! An asymmetric key is named by its thumbprint (RFC 7638), so whoever has the public key can tell its `kid`. A symmetric one gets a random
//! name: a thumbprint of a secret would say something of it. A new rotation is a new key; to keep old tokens valid, a verifier keeps
//! the public keys of the rotations before.

mod algorithm;

use algorithm::{Algorithm, Made};
use keymill_sdk::{
    Description, Failure, Generator, KeyAlgorithm, KeySpec, Output, Picks, Problems, Recipe, Request, Rule,
    Schema, Sensitivity, Transform, Value,
};
use serde::Deserialize;

/// The component.
#[derive(Debug)]
pub struct JwtKey;

/// Which algorithm, how large an RSA key, and what it is called.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    #[serde(default = "es256")]
    algorithm: Algorithm,
    rsa_bits: Option<u32>,
    key_id: Option<String>,
}

const RSA_BITS: [u32; 3] = [2048, 3072, 4096];
const KEY_ID_BYTES: usize = 128;
const HEX: &str = "0123456789abcdef";

const BITS: Rule = Rule::new("invalid-rsa-bits", "An RSA key has 2048, 3072 or 4096 bits.");
const BITS_UNUSED: Rule = Rule::new(
    "rsa-bits-unused",
    "rsaBits is for algorithms RS256 to PS512; the others have one size. Leave it out, or choose another algorithm.",
);
const KEY_ID: Rule = Rule::new(
    "invalid-key-id",
    "keyId is 1 to 128 letters, digits and '-', '.', '_', '~', ':', '/', '@', '+', '='.",
);

impl Generator for JwtKey {
    type Config = Config;

    fn describe() -> Description {
        let algorithm = "The alg of the tokens. ES256 and EdDSA are short and fast; RS256 is understood everywhere; HS256 is one secret that signer and verifier share.";
        let bits = "The size of an RSA key. 3072 if not said, which is as strong as ES256.";
        let key_id = "The kid. If not said, the key's RFC 7638 thumbprint; random for HS256 to HS512.";
        let bits = Schema::integer().min(2048).max(4096).default_value(3072).about(bits);
        Description::new(
            "jwt-key",
            env!("CARGO_PKG_VERSION"),
            "Keys for JSON Web Tokens, as PEM, JWK and JWK set",
        )
        .config(
            Schema::object()
                .optional(
                    "algorithm",
                    Schema::one_of(algorithm::NAMES).default_value("ES256").about(algorithm),
                )
                .optional("rsaBits", bits)
                .optional("keyId", Schema::string().keyword("maxLength", 128).about(key_id)),
        )
        .field("kid", Sensitivity::Derived, "The key's name, as in a token's header.")
        .field("jwk.json", Sensitivity::Secret, "The key to sign with, as a JWK.")
        .field("private.pem", Sensitivity::Secret, "The same in PKCS#8; not for HS256 to HS512.")
        .field("public.pem", Sensitivity::Derived, "The key to verify with; not for HS256 to HS512.")
        .field(
            "jwks.json",
            Sensitivity::Derived,
            "The same in a JWK set, as an issuer publishes it; not for HS256 to HS512.",
        )
        .field(
            "secret",
            Sensitivity::Secret,
            "The bytes to sign and verify with, as base64url without padding; only for HS256 to HS512.",
        )
        .rules([&BITS, &BITS_UNUSED, &KEY_ID])
    }

    fn validate(config: &Config, problems: &mut Problems) {
        if let Some(bits) = config.rsa_bits {
            match config.algorithm.made() {
                Made::Pair(KeyAlgorithm::Rsa) => {
                    problems.add_if(!RSA_BITS.contains(&bits), &BITS, "/rsaBits")
                }
                Made::Pair(_) | Made::Shared(_) => problems.add(&BITS_UNUSED, "/rsaBits"),
            }
        }
        let invalid = config.key_id.as_ref().is_some_and(|key_id| !is_key_id(key_id));
        problems.add_if(invalid, &KEY_ID, "/keyId");
    }

    fn generate(request: Request<Config>) -> Result<Output, Failure> {
        let config = request.config;
        let mut recipe = Recipe::new();
        match config.algorithm.made() {
            Made::Pair(algorithm) => pair(&mut recipe, &config, algorithm),
            Made::Shared(bytes) => shared(&mut recipe, &config, bytes),
        }
        Ok(recipe.finish())
    }
}

fn es256() -> Algorithm {
    Algorithm::Es256
}

/// Nothing that JSON would escape.
fn is_key_id(key_id: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/@+=".contains(c);
    (1..=KEY_ID_BYTES).contains(&key_id.len()) && key_id.chars().all(allowed)
}

fn pair(recipe: &mut Recipe, config: &Config, algorithm: KeyAlgorithm) {
    let key = recipe.key(KeySpec { algorithm, bits: config.rsa_bits });
    let kid = match &config.key_id {
        Some(key_id) => recipe.derive(Transform::Join, key_id.as_str()),
        None => recipe.derive(Transform::JwkThumbprint, key),
    };
    let private_pem = recipe.derive(Transform::Pkcs8Pem, key);
    let public_pem = recipe.derive(Transform::PublicPem, key);
    let private = recipe.derive(Transform::JwkPrivate, key);
    let public = recipe.derive(Transform::JwkPublic, key);
    let private = jwk(recipe, config.algorithm, kid, private);
    let public = jwk(recipe, config.algorithm, kid, public);
    recipe.field("kid", kid);
    recipe.field("jwk.json", private);
    recipe.field("private.pem", private_pem);
    recipe.field("public.pem", public_pem);
    recipe.field("jwks.json", ("{\"keys\":[", public, "]}"));
}

fn shared(recipe: &mut Recipe, config: &Config, bytes: u32) {
    let secret = recipe.picks(Picks::base64url_unpadded(bytes));
    let kid = match &config.key_id {
        Some(key_id) => recipe.derive(Transform::Join, key_id.as_str()),
        None => recipe.picks(Picks::new().pick(HEX, 16)),
    };
    let members = recipe.derive(Transform::Join, ("\"kty\":\"oct\",\"k\":\"", secret, "\""));
    let jwk = jwk(recipe, config.algorithm, kid, members);
    recipe.field("kid", kid);
    recipe.field("jwk.json", jwk);
    recipe.field("secret", secret);
}

/// A JWK that says what it is for.
fn jwk(recipe: &mut Recipe, algorithm: Algorithm, kid: Value, members: Value) -> Value {
    let parts = ("{\"kid\":\"", kid, "\",\"alg\":\"", algorithm.name(), "\",\"use\":\"sig\",", members, "}");
    recipe.derive(Transform::Join, parts)
}

keymill_sdk::generator!(JwtKey);

#[cfg(test)]
mod tests {
    #[test]
    fn cases_hold() {
        let cases = include_str!("../../../../tests/conformance/generators/jwt-key/cases.yaml");
        assert_eq!(keymill_sdk::testing::generator_cases::<super::JwtKey>(cases), Ok(13));
    }
}
