//! The policy `entropy`: a floor under the bits that the host vouches for. The host knows them where it drew the value from a recipe:
//! exactly, or as a lower bound, which is just as good for a floor.
//!
//! It does not estimate: of a value whose making nobody knows, the text says nothing certain. The config says what then.

use keymill_sdk::{Candidate, Description, Policy, Problems, Rule, Schema, Verdict};
use serde::Deserialize;

/// The component.
#[derive(Debug)]
pub struct Entropy;

/// The floor, and what to do where the entropy is not known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(default = "default_min")]
    min: f64,
    #[serde(default)]
    unknown: Unknown,
}

/// What to do with a value that the host did not draw.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unknown {
    #[default]
    Refuse,
    Accept,
}

/// What is out of reach of guessing for as long as anyone plans.
const DEFAULT_MIN: u32 = 112;
/// The bits of 1 MiB: more than any Secret can hold.
const MOST: u32 = 8_388_608;

const TOO_WEAK: Rule = Rule::new(
    "too-weak",
    "The value has less entropy than the policy wants. Make it longer, or draw from more characters.",
);
const UNKNOWN: Rule = Rule::new(
    "unknown-entropy",
    "The host did not draw this value, so its entropy is not known. Let a generator draw it, or set 'unknown: accept'.",
);
const NO_FLOOR: Rule = Rule::new("no-floor", "min must be more than 0 and at most 8388608 bits.");

impl Policy for Entropy {
    type Config = Config;

    fn describe() -> Description {
        let min = "The least entropy in bits. 112 is out of reach of guessing; a password of 32 letters and digits has 190.";
        let unknown = "What to do with a value that the host did not draw.";
        Description::new("entropy", env!("CARGO_PKG_VERSION"), "A floor under the entropy of drawn values")
            .config(
                Schema::object()
                    .optional(
                        "min",
                        Schema::number()
                            .keyword("exclusiveMinimum", 0)
                            .max(MOST.into())
                            .default_value(i64::from(DEFAULT_MIN))
                            .about(min),
                    )
                    .optional(
                        "unknown",
                        Schema::one_of(&["refuse", "accept"]).default_value("refuse").about(unknown),
                    ),
            )
            .rules([&TOO_WEAK, &UNKNOWN, &NO_FLOOR])
    }

    fn validate(config: &Config, problems: &mut Problems) {
        problems.add_if(!(config.min > 0.0 && config.min <= MOST.into()), &NO_FLOOR, "/min");
    }

    fn evaluate(config: &Config, verdict: &mut Verdict<'_>) {
        verdict.each(|candidate| broken(config, candidate).into_iter().collect());
    }
}

fn broken(config: &Config, candidate: &Candidate) -> Option<&'static Rule> {
    match (candidate.bits, config.unknown) {
        (Some(bits), _) if bits >= config.min => None,
        (Some(_), _) => Some(&TOO_WEAK),
        (None, Unknown::Refuse) => Some(&UNKNOWN),
        (None, Unknown::Accept) => None,
    }
}

fn default_min() -> f64 {
    DEFAULT_MIN.into()
}

keymill_sdk::policy!(Entropy);

#[cfg(test)]
mod tests {
    use keymill_sdk::{Candidate, testing};

    use super::Entropy;

    #[test]
    fn cases_hold() {
        assert_eq!(testing::policy_cases::<Entropy>(include_str!("../cases.yaml")), Ok(14));
    }

    #[test]
    fn not_a_number_is_too_weak() {
        let candidate =
            Candidate { key: "k".into(), value: vec![1], bits: Some(f64::NAN), exact: true, reused: None };
        let found = testing::violations::<Entropy>("{}", &[candidate]);
        assert_eq!(found, [("too-weak".to_owned(), "k".to_owned())]);
    }
}
