//! The generator `hmac-key`: random bytes in an encoding, for webhook signatures, session cookies and the like.
//!
//! 32 bytes by default, as much as HMAC with SHA-256 can use (RFC 2104 advises a key no shorter than the digest). What consumers call
//! base64 differs in alphabet and padding, so each of the four is a choice of its own; the field is text, and says nothing else.

use keymill_sdk::{
    Description, Failure, Generator, Output, Picks, Problems, Recipe, Request, Rule, Schema, Sensitivity,
    Transform, Value,
};
use serde::Deserialize;

/// The component.
#[derive(Debug)]
pub struct HmacKey;

/// How many bytes, and how they are written.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    bytes: u32,
    encoding: Encoding,
    prefix: String,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
enum Encoding {
    #[default]
    #[serde(rename = "base64")]
    Base64,
    #[serde(rename = "base64-unpadded")]
    Base64Unpadded,
    #[serde(rename = "base64url")]
    Base64url,
    #[serde(rename = "base64url-unpadded")]
    Base64urlUnpadded,
    #[serde(rename = "base32")]
    Base32,
    #[serde(rename = "hex")]
    Hex,
}

impl Default for Config {
    fn default() -> Self {
        Self { bytes: 32, encoding: Encoding::Base64, prefix: String::new() }
    }
}

const ENCODINGS: [&str; 6] =
    ["base64", "base64-unpadded", "base64url", "base64url-unpadded", "base32", "hex"];

const LEAST: u32 = 16;
const MOST: u32 = 1024;
const LONGEST_PREFIX: usize = 64;

const TOO_SHORT: Rule = Rule::new(
    "too-short",
    "A key of fewer than 16 bytes is weaker than what it signs with. Raise bytes; 32 suit SHA-256, 64 SHA-512.",
);
const TOO_LONG: Rule =
    Rule::new("too-long", "A key has at most 1024 bytes; more than a block of the hash adds nothing.");
const PREFIX: Rule = Rule::new(
    "invalid-prefix",
    "The prefix is at most 64 printable ASCII characters without blanks, such as whsec_.",
);

impl Generator for HmacKey {
    type Config = Config;

    fn describe() -> Description {
        let bytes = "How many random bytes, before they are encoded.";
        let encoding = "How they are written: base64 has + / and =, base64url - _ and =, unpadded no =.";
        let prefix = "What stands before the key, as some services want it: whsec_.";
        Description::new("hmac-key", env!("CARGO_PKG_VERSION"), "Random bytes in an encoding, to sign with")
            .config(
                Schema::object()
                    .optional(
                        "bytes",
                        Schema::integer().min(LEAST.into()).max(MOST.into()).default_value(32).about(bytes),
                    )
                    .optional("encoding", Schema::one_of(&ENCODINGS).default_value("base64").about(encoding))
                    .optional(
                        "prefix",
                        Schema::string().keyword("maxLength", 64).default_value("").about(prefix),
                    ),
            )
            .field("key", Sensitivity::Secret, "The key, encoded.")
            .rules([&TOO_SHORT, &TOO_LONG, &PREFIX])
    }

    fn validate(config: &Config, problems: &mut Problems) {
        problems.add_if(config.bytes < LEAST, &TOO_SHORT, "/bytes");
        problems.add_if(config.bytes > MOST, &TOO_LONG, "/bytes");
        let printable = config.prefix.bytes().all(|byte| byte.is_ascii_graphic());
        problems.add_if(!printable || config.prefix.len() > LONGEST_PREFIX, &PREFIX, "/prefix");
    }

    fn generate(request: Request<Config>) -> Result<Output, Failure> {
        let Config { bytes, encoding, prefix } = request.config;
        let mut recipe = Recipe::new();
        let key = match encoding {
            Encoding::Base64 => encoded(&mut recipe, bytes, Transform::Base64),
            Encoding::Base64url => encoded(&mut recipe, bytes, Transform::Base64url),
            Encoding::Base32 => encoded(&mut recipe, bytes, Transform::Base32),
            Encoding::Hex => encoded(&mut recipe, bytes, Transform::Hex),
            Encoding::Base64Unpadded => recipe.picks(Picks::base64_unpadded(bytes)),
            Encoding::Base64urlUnpadded => recipe.picks(Picks::base64url_unpadded(bytes)),
        };
        recipe.field("key", (prefix, key));
        Ok(recipe.finish())
    }
}

fn encoded(recipe: &mut Recipe, bytes: u32, via: Transform) -> Value {
    let key = recipe.bytes(bytes);
    recipe.derive(via, key)
}

keymill_sdk::generator!(HmacKey);

#[cfg(test)]
mod tests {
    #[test]
    fn cases_hold() {
        let cases = include_str!("../../../../tests/conformance/generators/hmac-key/cases.yaml");
        assert_eq!(keymill_sdk::testing::generator_cases::<super::HmacKey>(cases), Ok(16));
    }
}
