//! Policies that lie about rules and keys.

use std::time::Duration;

use components::POLICY;
use runtime::{CallError, Candidate, Reason, Violation};
use serde_json::json;

use crate::attack::{CANARY, call, load, reason};

fn evaluate(deed: &str) -> Result<Vec<Violation>, CallError> {
    let candidate = Candidate {
        key: "password".to_owned(),
        value: CANARY.as_bytes().to_vec().into(),
        entropy: None,
        reused: None,
    };
    load(POLICY).policy()?.evaluate(&call(), &json!({"do": deed}), &[candidate])
}

#[test]
fn a_violation_names_only_rules_and_keys() {
    let within = Duration::from_secs(2);
    assert_eq!(reason(within, || evaluate("by-rule")), Reason::BadOutput);
    assert_eq!(reason(within, || evaluate("by-key")), Reason::BadOutput);
    assert_eq!(reason(within, || evaluate("flood")), Reason::BadOutput);
    assert_eq!(reason(within, || evaluate("abort")), Reason::GuestAbort);
}

#[test]
fn order_and_number_say_nothing() {
    let violations = evaluate("by-order").unwrap();
    let rules: Vec<_> = violations.iter().map(|violation| violation.rule.as_str()).collect();
    assert_eq!(rules, ["a-rule", "b-rule"]);
    assert_eq!(evaluate("nothing").unwrap(), vec![]);
}

#[test]
fn a_component_has_one_world() {
    let error = load(POLICY).generator().unwrap_err();
    assert_eq!(error.to_string(), "use a policy as a generator");
}
