//! Password: makes random passwords.
//!
//! Counts are kept as they were written, negative ones too: what can be fulfilled is the component's to say.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

const LENGTH: i64 = 24;

/// How the passwords look.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["allowRepeat", "length", "noUpper"]))]
#[kube(
    group = "generators.external-secrets.io",
    version = "v1alpha1",
    kind = "Password",
    plural = "passwords",
    singular = "password",
    namespaced,
    category = "external-secrets",
    category = "external-secrets-generators",
    derive = "PartialEq",
    doc = "A Password makes random passwords, one for each of its keys."
)]
pub struct PasswordSpec {
    /// Number of characters.
    #[serde(default = "length")]
    #[schemars(schema_with = "schema::integer")]
    pub length: i64,
    /// Number of digits among them; a quarter of the length when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::integer")]
    pub digits: Option<i64>,
    /// Number of symbols among them; a quarter of the length when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::integer")]
    pub symbols: Option<i64>,
    /// The symbols to choose from; those of a keyboard when left out. Passwords that go into URLs want -._~ here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol_characters: Option<String>,
    /// Whether upper-case letters are left out.
    #[serde(default)]
    pub no_upper: bool,
    /// Whether a character may occur more than once.
    #[serde(default)]
    pub allow_repeat: bool,
    /// The keys that get a password, each one of its own; the key password when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub secret_keys: Vec<String>,
    /// How the password is encoded after it was made.
    #[serde(default)]
    pub encoding: Encoding,
}

impl Default for PasswordSpec {
    fn default() -> Self {
        Self {
            length: LENGTH,
            digits: None,
            symbols: None,
            symbol_characters: None,
            no_upper: false,
            allow_repeat: false,
            secret_keys: Vec::new(),
            encoding: Encoding::Raw,
        }
    }
}

fn length() -> i64 {
    LENGTH
}

/// How a password is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As base64.
    Base64,
    /// As base64 in the alphabet of URLs.
    Base64Url,
    /// As base32.
    Base32,
    /// As hex.
    Hex,
    /// Not at all.
    #[default]
    Raw,
}
