//! The spec of ESO's Password, field by field, and its keys.

use keymill_sdk::{Problems, Rule, Schema, is_data_key, pointer};
use serde::Deserialize;

use crate::counts::{MAX_KEYS, MAX_LENGTH};

const EMPTY_KEY: Rule =
    Rule::new("empty-key", "A key in secretKeys is empty. Name the key, or leave the item out.");
const INVALID_KEY: Rule = Rule::new(
    "invalid-key",
    "A key in secretKeys cannot be a key of a Secret. Use at most 253 letters, digits, '-', '_' and '.', not beginning with '..'.",
);
const DUPLICATE_KEY: Rule =
    Rule::new("duplicate-key", "A key is in secretKeys twice. Each key gets one password; name it once.");
const TOO_MANY_KEYS: Rule =
    Rule::new("too-many-keys", "secretKeys names more than 64 keys. Use several generators.");

/// The rules about keys.
pub(crate) const RULES: &[Rule] = &[EMPTY_KEY, INVALID_KEY, DUPLICATE_KEY, TOO_MANY_KEYS];

/// The spec of a Password.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    pub(crate) length: Option<i64>,
    pub(crate) digits: Option<i64>,
    pub(crate) symbols: Option<i64>,
    pub(crate) symbol_characters: Option<String>,
    #[serde(default)]
    pub(crate) no_upper: bool,
    #[serde(default)]
    pub(crate) allow_repeat: bool,
    #[serde(default)]
    secret_keys: Vec<String>,
    #[serde(default)]
    pub(crate) encoding: Encoding,
}

/// How a password is written into its key.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    /// As it is.
    #[default]
    Raw,
    Base64,
    Base64url,
    Base32,
    Hex,
}

impl Config {
    /// The keys that get a password.
    pub(crate) fn keys(&self) -> Vec<&str> {
        match self.secret_keys.as_slice() {
            [] => vec!["password"],
            keys => keys.iter().map(String::as_str).collect(),
        }
    }
}

/// Adds what is wrong with the keys, each once.
pub(crate) fn validate_keys(config: &Config, problems: &mut Problems) {
    if i64::try_from(config.secret_keys.len()).is_ok_and(|count| count > MAX_KEYS) {
        return problems.add(&TOO_MANY_KEYS, "/secretKeys");
    }
    for (index, key) in config.secret_keys.iter().enumerate() {
        let path = pointer(["secretKeys", &index.to_string()]);
        if key.is_empty() {
            problems.add(&EMPTY_KEY, path);
        } else if !is_data_key(key) {
            problems.add(&INVALID_KEY, path);
        } else if config.secret_keys.iter().take(index).any(|earlier| earlier == key) {
            problems.add(&DUPLICATE_KEY, path);
        }
    }
}

/// The same, as a user's editor sees it.
pub(crate) fn schema() -> Schema {
    let length = "How many characters before encoding; 24 if 0 or less.";
    let digits = "How many of them are digits, exactly. A quarter of the length if not said.";
    let symbols = "How many of them are symbols, exactly. A quarter of the length if not said.";
    let characters = "The symbols to choose from. If empty or not said: ~!@#$%^&*()_+`-={}|[]\\:\"<>?,./";
    let keys = "The keys to write, each with a password of its own.";
    let encoding = "How a password is written; an encoded one is longer than 'length'.";
    let key = Schema::string().keyword("minLength", 1);
    Schema::object()
        .optional("length", Schema::integer().max(MAX_LENGTH).default_value(24).about(length))
        .optional("digits", Schema::integer().about(digits))
        .optional("symbols", Schema::integer().about(symbols))
        .optional("symbolCharacters", Schema::string().about(characters))
        .optional("noUpper", Schema::boolean().default_value(false).about("No upper-case letters."))
        .optional(
            "allowRepeat",
            Schema::boolean().default_value(false).about("A character may be there more than once."),
        )
        .optional(
            "secretKeys",
            Schema::array(key).keyword("minItems", 1).keyword("maxItems", MAX_KEYS).about(keys),
        )
        .optional(
            "encoding",
            Schema::one_of(&["raw", "base64", "base64url", "base32", "hex"])
                .default_value("raw")
                .about(encoding),
        )
}
