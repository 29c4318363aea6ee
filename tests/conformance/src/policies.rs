//! Runs policies/*/cases.yaml as `keymill component test` does: which values pass under a config, which rules the others violate at which key, and which configs are
//! refused.

use std::collections::BTreeSet;

use ::cases::Cases;
use keymill_sdk::testing::{PolicyCases, read_policy_cases};

use crate::builtin;

#[test]
fn every_case_holds() {
    let mut misses = Vec::new();
    for name in builtin::names("policy") {
        misses.extend(builtin::misses("policy", &name, &Cases::Policy(cases(&name))));
    }
    assert!(misses.is_empty(), "\n{}", misses.join("\n"));
}

#[test]
fn every_declared_rule_is_broken_by_a_case() {
    for name in builtin::names("policy") {
        let component = builtin::load("policy", &name);
        let sets = cases(&name);
        let invalid = sets.iter().flat_map(|set| &set.invalid).map(|problem| &problem.rule);
        let rejected = sets.iter().flat_map(|set| &set.reject).flat_map(|case| &case.violations);
        let broken: BTreeSet<String> =
            invalid.chain(rejected.map(|violation| &violation.rule)).cloned().collect();
        let declared = builtin::own_rules(component.description());
        let untested: Vec<_> = declared.difference(&broken).collect();
        assert!(untested.is_empty(), "{name} has no case for {untested:?}");
    }
}

fn cases(name: &str) -> Vec<PolicyCases> {
    let file = builtin::folder("policies").join(name).join("cases.yaml");
    let cases = read_policy_cases(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(!cases.is_empty(), "{name} has no case");
    cases
}
