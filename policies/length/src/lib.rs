//! The policy `length`: at least and at most so many characters. Characters are Unicode scalar values; what is not text is refused.
//!
//! Length says little of strength: for that, see the policy `entropy`.

use keymill_sdk::{Candidate, Description, Policy, Problems, Rule, Schema, Verdict};
use serde::Deserialize;

/// The component.
#[derive(Debug)]
pub struct Length;

/// The bounds, at least one of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    min: Option<u32>,
    max: Option<u32>,
}

const TOO_SHORT: Rule = Rule::new("too-short", "The value has fewer characters than the policy wants.");
const TOO_LONG: Rule = Rule::new("too-long", "The value has more characters than the policy allows.");
const NOT_TEXT: Rule = Rule::new("not-text", "The value is not UTF-8, so it has no characters to count.");
const NO_BOUND: Rule =
    Rule::new("no-bound", "The policy has neither min nor max, so it would accept anything.");
const MIN_EXCEEDS_MAX: Rule =
    Rule::new("min-exceeds-max", "min is more than max, so nothing could be accepted.");

impl Policy for Length {
    type Config = Config;

    fn describe() -> Description {
        Description::new("length", env!("CARGO_PKG_VERSION"), "Bounds the number of characters")
            .config(
                Schema::object()
                    .optional("min", Schema::integer().min(0).about("The fewest characters."))
                    .optional("max", Schema::integer().min(0).about("The most characters."))
                    .keyword("minProperties", 1),
            )
            .rules([&TOO_SHORT, &TOO_LONG, &NOT_TEXT, &NO_BOUND, &MIN_EXCEEDS_MAX])
    }

    fn validate(config: &Config, problems: &mut Problems) {
        match (config.min, config.max) {
            (None, None) => problems.add(&NO_BOUND, ""),
            (Some(min), Some(max)) => problems.add_if(min > max, &MIN_EXCEEDS_MAX, "/min"),
            _ => {}
        }
    }

    fn evaluate(config: &Config, verdict: &mut Verdict<'_>) {
        verdict.each(|candidate| broken(config, candidate).into_iter().collect());
    }
}

fn broken(config: &Config, candidate: &Candidate) -> Option<&'static Rule> {
    let Some(text) = candidate.text() else {
        return Some(&NOT_TEXT);
    };
    let count = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    if config.min.is_some_and(|min| count < min) {
        Some(&TOO_SHORT)
    } else if config.max.is_some_and(|max| count > max) {
        Some(&TOO_LONG)
    } else {
        None
    }
}

keymill_sdk::policy!(Length);

#[cfg(test)]
mod tests {
    #[test]
    fn cases_hold() {
        let ran = keymill_sdk::testing::policy_cases::<super::Length>(include_str!("../cases.yaml"));
        assert_eq!(ran, Ok(17));
    }
}
