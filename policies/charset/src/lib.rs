//! The policy `charset`: which characters a value may have, must have, and must not have. A set is classes, characters, or both.
//!
//! Made for consumers that choke on characters, not for strength: required classes make a random value no stronger.
//! Classes are ASCII; any other character can be named. What is not text is refused.

mod set;

use keymill_sdk::{Candidate, Description, Policy, Problems, Rule, Schema, Verdict, pointer};
use serde::Deserialize;
use set::Set;

/// The component.
#[derive(Debug)]
pub struct Charset;

/// What is allowed, required and forbidden.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    allowed: Option<Set>,
    forbidden: Option<Set>,
    #[serde(default)]
    required: Vec<Required>,
}

/// A set of which so many must be there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Required {
    of: Set,
    #[serde(default = "one")]
    min: u32,
}

const NOT_ALLOWED: Rule =
    Rule::new("not-allowed", "The value has a character that the policy does not allow.");
const FORBIDDEN: Rule = Rule::new("forbidden", "The value has a character that the policy forbids.");
const MISSING: Rule =
    Rule::new("required-missing", "The value has too few characters of a set that the policy requires.");
const NOT_TEXT: Rule = Rule::new("not-text", "The value is not UTF-8, so it has no characters.");
const EMPTY_SET: Rule = Rule::new("empty-set", "The set has neither classes nor characters.");
const NO_RULE: Rule = Rule::new(
    "no-rule",
    "The policy has neither allowed, forbidden nor required, so it would accept anything.",
);
const IMPOSSIBLE: Rule = Rule::new(
    "required-impossible",
    "No character of this required set is allowed, so nothing could be accepted.",
);

impl Policy for Charset {
    type Config = Config;

    fn describe() -> Description {
        let required = Schema::object()
            .required("of", set::schema("The set."))
            .optional("min", Schema::integer().min(1).default_value(1).about("How many of it, at least."));
        Description::new("charset", env!("CARGO_PKG_VERSION"), "Which characters a value may and must have")
            .config(
                Schema::object()
                    .optional("allowed", set::schema("Every character must be one of these."))
                    .optional("forbidden", set::schema("No character may be one of these."))
                    .optional(
                        "required",
                        Schema::array(required).about("Sets of which the value must have characters."),
                    )
                    .keyword("minProperties", 1),
            )
            .rules([&NOT_ALLOWED, &FORBIDDEN, &MISSING, &NOT_TEXT, &EMPTY_SET, &NO_RULE, &IMPOSSIBLE])
    }

    fn validate(config: &Config, problems: &mut Problems) {
        let is_empty = |set: &Option<Set>| set.as_ref().is_some_and(Set::is_empty);
        problems.add_if(is_empty(&config.allowed), &EMPTY_SET, "/allowed");
        problems.add_if(is_empty(&config.forbidden), &EMPTY_SET, "/forbidden");
        for (index, required) in config.required.iter().enumerate() {
            let path = pointer(["required", &index.to_string(), "of"]);
            if required.of.is_empty() {
                problems.add(&EMPTY_SET, path);
            } else {
                problems.add_if(
                    required.min > 0 && !required.of.any(|c| config.allows(c)),
                    &IMPOSSIBLE,
                    path,
                );
            }
        }
        let has_rule = config.allowed.is_some() || config.forbidden.is_some() || !config.required.is_empty();
        problems.add_if(!has_rule, &NO_RULE, "");
    }

    fn evaluate(config: &Config, verdict: &mut Verdict<'_>) {
        verdict.each(|candidate| broken(config, candidate));
    }
}

impl Config {
    fn allows(&self, character: char) -> bool {
        self.allowed.as_ref().is_none_or(|set| set.contains(character)) && !self.forbids(character)
    }

    fn forbids(&self, character: char) -> bool {
        self.forbidden.as_ref().is_some_and(|set| set.contains(character))
    }
}

fn broken(config: &Config, candidate: &Candidate) -> Vec<&'static Rule> {
    let Some(text) = candidate.text() else {
        return vec![&NOT_TEXT];
    };
    let enough = |required: &Required| {
        let count = text.chars().filter(|c| required.of.contains(*c)).count();
        u32::try_from(count).is_ok_and(|count| count >= required.min)
    };
    let mut broken = Vec::new();
    if let Some(allowed) = &config.allowed
        && !text.chars().all(|c| allowed.contains(c))
    {
        broken.push(&NOT_ALLOWED);
    }
    if text.chars().any(|c| config.forbids(c)) {
        broken.push(&FORBIDDEN);
    }
    if !config.required.iter().all(enough) {
        broken.push(&MISSING);
    }
    broken
}

fn one() -> u32 {
    1
}

keymill_sdk::policy!(Charset);

#[cfg(test)]
mod tests {
    #[test]
    fn cases_hold() {
        let ran = keymill_sdk::testing::policy_cases::<super::Charset>(include_str!("../cases.yaml"));
        assert_eq!(ran, Ok(29));
    }
}
