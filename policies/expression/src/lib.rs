//! The policy `expression`: what a value must be, as an expression of the Common Expression Language (CEL) in the config. For a rule that
//! no other policy has, without a compiler: `length >= 20 && digits >= 2 && bits >= 112.0`.
//!
//! An expression sees what can be counted of a value, not the value. What is not true refuses: false, a mistake, a type that does not fit.
//! The parser and its work are bounded by the fuel and the stack of the call; 1024 characters are enough for what can be asked.
//! Regular expressions and times are absent, and so are names that the expression introduces itself (in `all`, `exists`, `map`, `filter`).

mod facts;

use cel::{Program, Value};
use keymill_sdk::{Candidate, Description, Policy, Problems, Rule, Schema, Verdict};
use serde::Deserialize;

/// The component.
#[derive(Debug)]
pub struct Expression;

/// What must be true of every value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    expression: String,
}

const LONGEST: usize = 1024;

const NOT_TRUE: Rule = Rule::new(
    "not-true",
    "The policy's expression is not true of the value. Its config says what it asks for.",
);
const NOT_TEXT: Rule = Rule::new("not-text", "The value is not UTF-8, so it has no characters to count.");
const TOO_LONG: Rule =
    Rule::new("too-long", "The expression has more than 1024 characters. Make two policies of it.");
const NOT_CEL: Rule = Rule::new(
    "not-cel",
    "This is no expression of the Common Expression Language, such as: length >= 20 && digits >= 2.",
);
const UNKNOWN_NAME: Rule = Rule::new(
    "unknown-name",
    "The expression has a name that nothing is known of. The policy's description lists those that there are.",
);
const NOT_BOOLEAN: Rule = Rule::new(
    "not-boolean",
    "For an ordinary password the expression comes neither to true nor to false: the types do not fit, or there is no such function.",
);

impl Policy for Expression {
    type Config = Config;

    fn describe() -> Description {
        let names = facts::NAMES.iter().map(|(name, about)| format!("{name} ({about})")).collect::<Vec<_>>();
        let about = format!("What must be true, in CEL, of: {}.", names.join(", "));
        Description::new(
            "expression",
            env!("CARGO_PKG_VERSION"),
            "What a CEL expression says of length, classes and bits",
        )
        .config(Schema::object().required(
            "expression",
            Schema::string().keyword("minLength", 1).keyword("maxLength", 1024).about(&about),
        ))
        .rules([&NOT_TRUE, &NOT_TEXT, &TOO_LONG, &NOT_CEL, &UNKNOWN_NAME, &NOT_BOOLEAN])
    }

    fn validate(config: &Config, problems: &mut Problems) {
        if let Some(problem) = problem(&config.expression) {
            problems.add(problem, "/expression");
        }
    }

    fn evaluate(config: &Config, verdict: &mut Verdict<'_>) {
        let program = Program::compile(&config.expression).ok();
        verdict.each(|candidate| broken(program.as_ref(), candidate).into_iter().collect());
    }
}

fn problem(expression: &str) -> Option<&'static Rule> {
    if expression.chars().nth(LONGEST).is_some() {
        return Some(&TOO_LONG);
    }
    let Ok(program) = Program::compile(expression) else {
        return Some(&NOT_CEL);
    };
    let is_known = |name: &&str| facts::NAMES.iter().any(|(known, _)| known == name);
    if !program.references().variables().iter().all(is_known) {
        return Some(&UNKNOWN_NAME);
    }
    (truth(&program, &ordinary(), ORDINARY).is_none()).then_some(&NOT_BOOLEAN)
}

const ORDINARY: &str = "mX7q-2ZpvL_w81rtK0aBcDeF";

/// A password of the kind that generators make, to try an expression with.
fn ordinary() -> Candidate {
    Candidate { key: "password".into(), value: ORDINARY.into(), bits: Some(142.9), exact: true, reused: None }
}

fn broken(program: Option<&Program>, candidate: &Candidate) -> Option<&'static Rule> {
    let Some(text) = candidate.text() else {
        return Some(&NOT_TEXT);
    };
    let truth = program.and_then(|program| truth(program, candidate, text));
    (truth != Some(true)).then_some(&NOT_TRUE)
}

/// None if it comes to nothing, or to something else than true or false.
fn truth(program: &Program, candidate: &Candidate, text: &str) -> Option<bool> {
    match program.execute(&facts::context(candidate, text)) {
        Ok(Value::Bool(truth)) => Some(truth),
        _ => None,
    }
}

keymill_sdk::policy!(Expression);

#[cfg(test)]
mod tests {
    use keymill_sdk::testing;

    use super::Expression;

    #[test]
    fn cases_hold() {
        assert_eq!(testing::policy_cases::<Expression>(include_str!("../cases.yaml")), Ok(26));
    }

    /// Whatever stands in a config, a parser that others wrote must answer and not panic.
    #[test]
    fn every_piece_of_an_expression_is_answered() {
        let whole = r#"!(length >= 20 && "a\u00e4b".size() < 3u) ? bits / 2.0 > 1e3 : key in ["x", 'y'] || {"a": -1}["a"] == length % 3"#;
        let mut refused = 0;
        for (at, character) in whole.char_indices() {
            let (before, after) = whole.split_at(at);
            let rest = &after[character.len_utf8()..];
            for piece in [before, after, &format!("{before}{rest}"), &format!("{before}\0\u{e4}{after}")] {
                refused += usize::from(super::problem(piece).is_some());
            }
        }
        assert!(super::problem(whole).is_none());
        assert!(refused > whole.len(), "{refused} refused");
    }
}
