//! The policy `postgres`: refuses passwords that PostgreSQL takes but that do not log in, or not everywhere.
//!
//! PostgreSQL sets an empty password to NULL, stores what looks like a hash as a hash, and cannot be sent a NUL; clients cannot
//! write a newline into a pgpass file; some operators trim white space and others do not; and what SASLprep (RFC 4013)
//! forbids is treated differently by server, clients and operators. Strength is another policy's matter.

mod saslprep;

use keymill_sdk::{Candidate, Description, Policy, Rule, Verdict};
use serde::Deserialize;

/// The component.
#[derive(Debug)]
pub struct Postgres;

/// There is nothing to configure.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {}

const EMPTY: Rule =
    Rule::new("empty", "The password is empty. PostgreSQL then has none, and nobody can log in.");
const NOT_UTF8: Rule = Rule::new("not-utf8", "The password is not UTF-8.");
const NUL: Rule = Rule::new("contains-nul", "The password has a NUL, which cannot be sent to PostgreSQL.");
const NEWLINE: Rule =
    Rule::new("contains-newline", "The password has a line break, so no pgpass line can hold it.");
const EDGE_SPACE: Rule = Rule::new(
    "edge-whitespace",
    "The password begins or ends with white space, which some operators and tools trim and others do not.",
);
const MD5: Rule = Rule::new(
    "md5-shaped",
    "The password looks like an MD5 hash (md5 and 32 hex digits), so PostgreSQL would store it as one.",
);
const SCRAM: Rule = Rule::new(
    "scram-shaped",
    "The password looks like a SCRAM verifier (SCRAM-SHA-256$...), so PostgreSQL would store it as one.",
);
const PROHIBITED: Rule = Rule::new(
    "saslprep-prohibited",
    "The password has a character that SASLprep prohibits, such as a control character.",
);
const BIDI: Rule = Rule::new(
    "saslprep-bidi",
    "The password mixes left-to-right and right-to-left text in a way that SASLprep prohibits.",
);
const UNASSIGNED: Rule = Rule::new(
    "saslprep-unassigned",
    "The password has a character that SASLprep does not know (assigned after Unicode 3.2), such as an emoji.",
);

const RULES: [&Rule; 10] =
    [&EMPTY, &NOT_UTF8, &NUL, &NEWLINE, &EDGE_SPACE, &MD5, &SCRAM, &PROHIBITED, &BIDI, &UNASSIGNED];

impl Policy for Postgres {
    type Config = Config;

    fn describe() -> Description {
        Description::new(
            "postgres",
            env!("CARGO_PKG_VERSION"),
            "Passwords that log in to PostgreSQL everywhere",
        )
        .rules(RULES)
    }

    fn evaluate(_: &Config, verdict: &mut Verdict<'_>) {
        verdict.each(broken);
    }
}

fn broken(candidate: &Candidate) -> Vec<&'static Rule> {
    let Some(text) = candidate.text() else {
        return vec![&NOT_UTF8];
    };
    let rules = [
        (text.is_empty(), &EMPTY),
        (text.contains('\0'), &NUL),
        (text.contains(['\n', '\r']), &NEWLINE),
        (text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace), &EDGE_SPACE),
        (is_md5_shaped(text), &MD5),
        (text.starts_with("SCRAM-SHA-256$"), &SCRAM),
    ];
    let simple = rules.into_iter().filter_map(|(broken, rule)| broken.then_some(rule));
    simple.chain(saslprep::forbids(text).map(rule_of)).collect()
}

/// In either case, though PostgreSQL takes lower case only: poolers and operators have their own idea.
fn is_md5_shaped(text: &str) -> bool {
    text.strip_prefix("md5")
        .is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn rule_of(forbidden: saslprep::Forbidden) -> &'static Rule {
    match forbidden {
        saslprep::Forbidden::Empty => &EMPTY,
        saslprep::Forbidden::Prohibited => &PROHIBITED,
        saslprep::Forbidden::Bidirectional => &BIDI,
        saslprep::Forbidden::Unassigned => &UNASSIGNED,
    }
}

keymill_sdk::policy!(Postgres);

#[cfg(test)]
mod tests {
    #[test]
    fn cases_hold() {
        let ran = keymill_sdk::testing::policy_cases::<super::Postgres>(include_str!("../cases.yaml"));
        assert_eq!(ran, Ok(47));
    }
}
