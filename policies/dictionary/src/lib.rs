//! The policy `dictionary`: refuses common passwords, names and English words, without a network. The component carries a filter of the
//! 93,855 most common ones (`passwords.txt` and `words.txt`, whose source and licence stand beside them), so nobody has to send a value or
//! its digest anywhere.
//!
//! The whole value is compared, in lower case; with `disguises` also without the digits and punctuation around it and with usual
//! substitutes (`P@ssw0rd2026!` is `password`). That makes at most six lookups: a value that is not in the lists is refused once in 500
//! million. What stands within a longer value does not count: a passphrase is made of words.

mod disguise;
mod filter;
mod fingerprint;

use keymill_sdk::{Candidate, Description, Policy, Problems, Rule, Schema, Verdict, pointer};
use serde::Deserialize;

/// The component.
#[derive(Debug)]
pub struct Dictionary;

/// How thoroughly to compare, and with what else.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(default = "yes")]
    disguises: bool,
    #[serde(default)]
    words: Vec<String>,
}

const MOST_WORDS: usize = 4096;

const COMMON: Rule = Rule::new(
    "common-password",
    "The value is a common password, a name or an English word, or one of them with usual decoration, and is tried first.",
);
const LISTED: Rule =
    Rule::new("listed-word", "The value is a word of the policy's own list, or one with usual decoration.");
const EMPTY_WORD: Rule = Rule::new("empty-word", "A word is empty. Leave it out.");
const TOO_MANY: Rule = Rule::new("too-many-words", "There are more than 4096 words.");

impl Policy for Dictionary {
    type Config = Config;

    fn describe() -> Description {
        let disguises = "Also compare without digits and punctuation at the edges and with substitutes undone (4 and @ for a, 3 e, 1 and ! i, 0 o, 5 and $ s, 7 and + t): P@ssw0rd1! is password.";
        let words = "More values to refuse, such as an old default. Case does not matter.";
        Description::new("dictionary", env!("CARGO_PKG_VERSION"), "No common password, compared offline")
            .config(
                Schema::object()
                    .optional("disguises", Schema::boolean().default_value(true).about(disguises))
                    .optional(
                        "words",
                        Schema::array(Schema::string().keyword("minLength", 1))
                            .keyword("maxItems", 4096)
                            .about(words),
                    ),
            )
            .rules([&COMMON, &LISTED, &EMPTY_WORD, &TOO_MANY])
    }

    fn validate(config: &Config, problems: &mut Problems) {
        problems.add_if(config.words.len() > MOST_WORDS, &TOO_MANY, "/words");
        for (index, word) in config.words.iter().enumerate() {
            problems.add_if(word.is_empty(), &EMPTY_WORD, pointer(["words", &index.to_string()]));
        }
    }

    fn evaluate(config: &Config, verdict: &mut Verdict<'_>) {
        let words: Vec<String> = config.words.iter().map(|word| word.to_lowercase()).collect();
        verdict.each(|candidate| broken(config, &words, candidate));
    }
}

/// What is not text is no entry of a list.
fn broken(config: &Config, words: &[String], candidate: &Candidate) -> Vec<&'static Rule> {
    let forms = candidate.text().map(|text| disguise::forms(text, config.disguises)).unwrap_or_default();
    let mut broken = Vec::new();
    if forms.iter().any(|form| filter::contains(form)) {
        broken.push(&COMMON);
    }
    if forms.iter().any(|form| words.contains(form)) {
        broken.push(&LISTED);
    }
    broken
}

fn yes() -> bool {
    true
}

keymill_sdk::policy!(Dictionary);

#[cfg(test)]
mod tests {
    #[test]
    fn cases_hold() {
        let ran = keymill_sdk::testing::policy_cases::<super::Dictionary>(include_str!("../cases.yaml"));
        assert_eq!(ran, Ok(26));
    }
}
