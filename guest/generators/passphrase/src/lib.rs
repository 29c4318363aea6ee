//! The generator `passphrase`: words of EFF's long list (`words.txt`, which names its licence), for people who type or read out.
//!
//! 7772 words of 3 to 9 letters, none of which begins another, so whatever separates them they can be read back and the host knows
//! the entropy exactly: 12.92 bits a word. Capitals and digits are for those who ask for them; a capital adds no entropy.

use keymill_sdk::{
    Description, Failure, Generator, Output, Picks, Problems, Recipe, Request, Rule, Schema, Sensitivity,
};
use serde::Deserialize;

/// The component.
#[derive(Debug)]
pub struct Passphrase;

/// How many words, and what stands between and after them.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    words: u32,
    separator: String,
    capitalize: bool,
    digits: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { words: 6, separator: "-".to_owned(), capitalize: false, digits: 0 }
    }
}

const LIST: &str = include_str!("../words.txt");

const LEAST_WORDS: u32 = 5;
const MOST_WORDS: u32 = 64;
const MOST_DIGITS: u32 = 16;
const LONGEST_SEPARATOR: usize = 8;

const TOO_FEW: Rule = Rule::new(
    "too-few-words",
    "Fewer than 5 words (64 bits) can be guessed by who has stolen a hash. Raise words.",
);
const TOO_MANY: Rule = Rule::new("too-many-words", "A passphrase has at most 64 words. Lower words.");
const DIGITS: Rule =
    Rule::new("too-many-digits", "At most 16 digits are added. Lower digits, or raise words.");
const LONG_SEPARATOR: Rule = Rule::new("separator-too-long", "The separator has more than 8 characters.");
const CONTROL: Rule = Rule::new(
    "separator-control",
    "The separator has a control character, such as a line break, which many consumers cut off or refuse.",
);
const LETTER: Rule = Rule::new(
    "separator-letter",
    "The separator has a letter, so nobody could see where a word ends. Use a blank or punctuation.",
);

impl Generator for Passphrase {
    type Config = Config;

    fn describe() -> Description {
        let words = "How many words. Each is worth 12.92 bits: 6 are 77, 9 are 116.";
        let separator =
            "What stands between the words. It may be empty: with capitalize the words can still be seen.";
        let capitalize = "The first letter of each word in upper case, for consumers that demand one.";
        let digits = "So many digits after the last separator, for consumers that demand one.";
        let number = |least: u32, most: u32| Schema::integer().min(least.into()).max(most.into());
        Description::new("passphrase", env!("CARGO_PKG_VERSION"), "Words that a person can type and read out")
            .config(
                Schema::object()
                    .optional("words", number(LEAST_WORDS, MOST_WORDS).default_value(6).about(words))
                    .optional(
                        "separator",
                        Schema::string().keyword("maxLength", 8).default_value("-").about(separator),
                    )
                    .optional("capitalize", Schema::boolean().default_value(false).about(capitalize))
                    .optional("digits", number(0, MOST_DIGITS).default_value(0).about(digits)),
            )
            .field("passphrase", Sensitivity::Secret, "The words, and the digits if there are any.")
            .rules([&TOO_FEW, &TOO_MANY, &DIGITS, &LONG_SEPARATOR, &CONTROL, &LETTER])
    }

    fn validate(config: &Config, problems: &mut Problems) {
        let separator = || config.separator.chars();
        problems.add_if(config.words < LEAST_WORDS, &TOO_FEW, "/words");
        problems.add_if(config.words > MOST_WORDS, &TOO_MANY, "/words");
        problems.add_if(config.digits > MOST_DIGITS, &DIGITS, "/digits");
        problems.add_if(separator().count() > LONGEST_SEPARATOR, &LONG_SEPARATOR, "/separator");
        problems.add_if(separator().any(char::is_control), &CONTROL, "/separator");
        problems.add_if(separator().any(char::is_alphabetic), &LETTER, "/separator");
    }

    fn generate(request: Request<Config>) -> Result<Output, Failure> {
        let Config { words, separator, capitalize, digits } = request.config;
        let mut recipe = Recipe::new();
        let list = list().map(str::to_owned).collect();
        let phrase = recipe.words(list, words, &separator, capitalize);
        if digits == 0 {
            recipe.field("passphrase", phrase);
        } else {
            let digits = recipe.picks(Picks::new().pick("0123456789", digits));
            recipe.field("passphrase", (phrase, separator, digits));
        }
        Ok(recipe.finish())
    }
}

/// The words, without the lines that say where they come from.
fn list() -> impl Iterator<Item = &'static str> {
    LIST.lines().filter(|line| !line.starts_with('#'))
}

keymill_sdk::generator!(Passphrase);

#[cfg(test)]
mod tests {
    use keymill_sdk::testing::{self, NoValue};

    use super::{Passphrase, list};

    #[test]
    fn cases_hold() {
        let cases = include_str!("../../../../tests/conformance/generators/passphrase/cases.yaml");
        assert_eq!(testing::generator_cases::<Passphrase>(cases), Ok(14));
    }

    #[test]
    fn the_list_is_what_its_documentation_says() {
        let mut words: Vec<&str> = list().collect();
        assert_eq!(words.len(), 7772);
        for word in &words {
            assert!((3..=9).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase()), "{word}");
        }
        words.sort_unstable();
        for pair in words.windows(2) {
            assert!(!pair[1].starts_with(pair[0]), "{pair:?}");
        }
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let config = r#"{"words": 65, "separator": "and\nor and", "digits": 17}"#;
        let Err(NoValue::Invalid(problems)) = testing::generate::<Passphrase>(config, 1) else {
            panic!("this must be refused")
        };
        let told: Vec<_> = problems.iter().map(|problem| problem.rule.as_str()).collect();
        let all = [
            "too-many-words",
            "too-many-digits",
            "separator-too-long",
            "separator-control",
            "separator-letter",
        ];
        assert_eq!(told, all);
    }
}
