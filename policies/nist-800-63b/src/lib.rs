//! The policy `nist-800-63b`: what NIST SP 800-63B-4 (2025), section 3.1.1.2, asks of a password: a least length, a blocklist of what is
//! expected, and no composition rules. For what people choose; a drawn value passes easily, and `entropy` says more of it.
//!
//! Lengths count Unicode code points. The whole value is compared, as the standard wants, and not what stands in it: it is refused if it
//! is nothing but context words (the owner's names, and those of the config) with digits and punctuation, or nothing but runs of equal or
//! consecutive characters (the standard's revision 3 names these; revision 4 does not, and does not forbid it). Known passwords are the policy `dictionary`'s; a value may be given to several policies.

mod expected;

use keymill_sdk::{Candidate, Description, Policy, Problems, Rule, Schema, Verdict, pointer};
use serde::Deserialize;

/// The component.
#[derive(Debug)]
pub struct Nist80063b;

/// How it is used, and which words an attacker would try first.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    #[serde(default)]
    factors: Factors,
    min_length: Option<u32>,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default = "yes")]
    owner_names: bool,
}

/// Whether the password is all that is asked for.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Factors {
    #[default]
    Single,
    Multi,
}

impl Factors {
    fn least_length(self) -> u32 {
        match self {
            Self::Single => 15,
            Self::Multi => 8,
        }
    }
}

const MOST_WORDS: usize = 256;

const TOO_SHORT: Rule = Rule::new(
    "too-short",
    "The value has fewer characters than SP 800-63B asks for: 15, or 8 as one of several factors.",
);
const CONTEXT: Rule = Rule::new(
    "context-words",
    "The value is nothing but words that an attacker tries first (the owner's name, or those of the policy) with digits and punctuation.",
);
const PREDICTABLE: Rule = Rule::new(
    "predictable",
    "The value is nothing but runs of equal or consecutive characters, such as aaaa or 1234.",
);
const NOT_TEXT: Rule = Rule::new("not-text", "The value is not UTF-8, so it has no characters to count.");
const BELOW_STANDARD: Rule = Rule::new(
    "below-standard",
    "minLength is less than SP 800-63B asks for: 15, or 8 with 'factors: multi'. Leave it out, or use the policy length.",
);
const EMPTY_WORD: Rule = Rule::new("empty-word", "A word has no letter, so it would refuse nothing.");
const TOO_MANY: Rule = Rule::new("too-many-words", "There are more than 256 words.");

impl Policy for Nist80063b {
    type Config = Config;

    fn describe() -> Description {
        let factors = "single: the password alone lets its owner in (15 characters); multi: something else is asked for too (8).";
        let least = "More characters than the standard asks for.";
        let words = "Words that must not make up a password: the names of the service, the company, the product. Case does not matter.";
        let owner = "Whether the namespace and name of the object that owns the value, and the parts of them, are such words too.";
        let word = Schema::string().keyword("minLength", 1);
        Description::new(
            "nist-800-63b",
            env!("CARGO_PKG_VERSION"),
            "Length and blocklist of NIST SP 800-63B, without composition rules",
        )
        .config(
            Schema::object()
                .optional(
                    "factors",
                    Schema::one_of(&["single", "multi"]).default_value("single").about(factors),
                )
                .optional("minLength", Schema::integer().min(8).about(least))
                .optional("words", Schema::array(word).keyword("maxItems", 256).about(words))
                .optional("ownerNames", Schema::boolean().default_value(true).about(owner)),
        )
        .rules([
            &TOO_SHORT,
            &CONTEXT,
            &PREDICTABLE,
            &NOT_TEXT,
            &BELOW_STANDARD,
            &EMPTY_WORD,
            &TOO_MANY,
        ])
    }

    fn validate(config: &Config, problems: &mut Problems) {
        let below = config.min_length.is_some_and(|least| least < config.factors.least_length());
        problems.add_if(below, &BELOW_STANDARD, "/minLength");
        if config.words.len() > MOST_WORDS {
            return problems.add(&TOO_MANY, "/words");
        }
        for (index, word) in config.words.iter().enumerate() {
            let path = pointer(["words", &index.to_string()]);
            problems.add_if(expected::folded(word).next().is_none(), &EMPTY_WORD, path);
        }
    }

    fn evaluate(config: &Config, verdict: &mut Verdict<'_>) {
        let owner = verdict.owner;
        let names = [owner.namespace.as_str(), &owner.name].into_iter().filter(|_| config.owner_names);
        let words = expected::words(config.words.iter().map(String::as_str).chain(names));
        verdict.each(|candidate| broken(config, &words, candidate));
    }
}

fn broken(config: &Config, words: &[String], candidate: &Candidate) -> Vec<&'static Rule> {
    let Some(text) = candidate.text() else {
        return vec![&NOT_TEXT];
    };
    let least = config.min_length.unwrap_or_else(|| config.factors.least_length());
    let is_short = u32::try_from(text.chars().count()).is_ok_and(|count| count < least);
    let found = [
        (is_short, &TOO_SHORT),
        (expected::is_words(text, words), &CONTEXT),
        (expected::is_runs(text), &PREDICTABLE),
    ];
    found.into_iter().filter(|(is_broken, _)| *is_broken).map(|(_, rule)| rule).collect()
}

fn yes() -> bool {
    true
}

keymill_sdk::policy!(Nist80063b);

#[cfg(test)]
mod tests {
    #[test]
    fn cases_hold() {
        let ran = keymill_sdk::testing::policy_cases::<super::Nist80063b>(include_str!("../cases.yaml"));
        assert_eq!(ran, Ok(30));
    }
}
