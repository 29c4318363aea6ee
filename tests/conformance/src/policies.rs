//! Runs policies/*/cases.yaml: which values pass under a config, which rules the others violate at which key, and which configs are
//! refused.

use std::collections::BTreeSet;

use keymill_sdk::testing::{PolicyCase, PolicyCases, RuleOf, read_policy_cases};
use runtime::{CallError, Candidate, Entropy, PolicyComponent};
use serde_json::Value;

use crate::{builtin, refusal};

#[test]
fn every_case_holds() {
    let mut misses = Vec::new();
    for name in builtin::names("policy") {
        let policy = builtin::load("policy", &name).policy().unwrap();
        for set in cases(&name) {
            let found = set_misses(&policy, &set);
            misses.extend(found.into_iter().map(|miss| format!("{name}, {}: {miss}", set.config)));
        }
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

fn set_misses(policy: &PolicyComponent, set: &PolicyCases) -> Vec<String> {
    let problems = policy.validate(&set.config).unwrap();
    let mut misses = refusal::misses(&set.invalid, &problems);
    let breaks_the_schema = problems.iter().any(|problem| problem.rule.is_none());
    let judged = policy.evaluate(&builtin::call(), &set.config, &[]);
    if breaks_the_schema && !matches!(judged, Err(CallError::InvalidConfig(_))) {
        misses.push(format!("judges by an invalid config: {judged:?}"));
    }
    if set.invalid.is_empty() && (set.accept.is_empty() || set.reject.is_empty()) {
        misses.push("needs both a value that passes and one that does not".to_owned());
    }
    let accepted = set.accept.iter().map(|case| (case, Vec::new()));
    let rejected = set.reject.iter().map(|case| (case, case.violations.clone()));
    for (case, expected) in accepted.chain(rejected) {
        misses.extend(case_miss(policy, &set.config, case, expected));
    }
    let silent = set.reject.iter().filter(|case| case.violations.is_empty());
    misses.extend(silent.map(|case| format!("{}: is rejected without a violation", case.name)));
    misses
}

fn case_miss(
    policy: &PolicyComponent,
    config: &Value,
    case: &PolicyCase,
    mut expected: Vec<RuleOf>,
) -> Option<String> {
    let violations = match policy.evaluate(&builtin::call(), config, &candidates(case)) {
        Ok(violations) => violations,
        Err(error) => return Some(format!("{}: is not judged: {error}", case.name)),
    };
    let mut found: Vec<_> =
        violations.into_iter().map(|violation| RuleOf { rule: violation.rule, key: violation.key }).collect();
    found.sort();
    expected.sort();
    (found != expected).then(|| format!("{}: violates {found:?}, not {expected:?}", case.name))
}

fn candidates(case: &PolicyCase) -> Vec<Candidate> {
    let candidates = case.candidates().unwrap();
    let candidates = candidates.into_iter().map(|candidate| Candidate {
        key: candidate.key,
        value: candidate.value.into(),
        entropy: candidate.bits.map(|bits| Entropy { bits, exact: candidate.exact }),
        reused: candidate.reused,
    });
    candidates.collect()
}
