//! A policy's cases: which values pass under a config, which rules the others violate at which key, and which configs are refused.

use bundle::sdk::testing::{PolicyCase, PolicyCases, RuleOf};
use runtime::{CallError, Candidate, Entropy, Occasion, PolicyComponent};
use serde_json::Value;

use crate::{Ran, call, problem};

/// The config of a set, and its values.
pub(crate) fn ran(policy: &PolicyComponent, set: &PolicyCases) -> Vec<Ran> {
    let of_config = config_misses(policy, set);
    let mut ran = Vec::new();
    if !set.invalid.is_empty() || !of_config.is_empty() {
        ran.push(Ran { name: format!("config {}", set.config), misses: of_config });
    }
    let accepted = set.accept.iter().map(|case| (case, Vec::new()));
    let rejected = set.reject.iter().map(|case| (case, case.violations.clone()));
    for (case, expected) in accepted.chain(rejected) {
        let misses = case_misses(policy, &set.config, case, expected);
        ran.push(Ran { name: case.name.clone(), misses });
    }
    let silent = set.reject.iter().filter(|case| case.violations.is_empty());
    ran.extend(silent.map(|case| Ran {
        name: case.name.clone(),
        misses: vec!["is to be rejected, but no violation is expected".to_owned()],
    }));
    ran
}

/// The candidates of a case.
///
/// # Errors
/// The key whose base64 is none.
pub(crate) fn candidates(case: &PolicyCase) -> Result<Vec<Candidate>, String> {
    let candidate = |candidate: bundle::sdk::Candidate| Candidate {
        key: candidate.key,
        value: candidate.value.into(),
        entropy: candidate.bits.map(|bits| Entropy { bits, exact: candidate.exact }),
        reused: candidate.reused,
    };
    Ok(case.candidates()?.into_iter().map(candidate).collect())
}

fn config_misses(policy: &PolicyComponent, set: &PolicyCases) -> Vec<String> {
    let problems = match policy.validate(&set.config) {
        Ok(problems) => problems,
        Err(error) => return vec![format!("is not validated: {error}")],
    };
    let mut misses = problem::misses(&set.invalid, &problems);
    let breaks_the_schema = problems.iter().any(|problem| problem.rule.is_none());
    let judged = policy.evaluate(&call(Occasion::Initial), &set.config, &[]);
    if breaks_the_schema && !matches!(judged, Err(CallError::InvalidConfig(_))) {
        misses.push("judges by a config that breaks the schema".to_owned());
    }
    if set.invalid.is_empty() && (set.accept.is_empty() || set.reject.is_empty()) {
        misses.push("needs both a value that passes and one that does not".to_owned());
    }
    misses
}

fn case_misses(
    policy: &PolicyComponent,
    config: &Value,
    case: &PolicyCase,
    expected: Vec<RuleOf>,
) -> Vec<String> {
    let candidates = match candidates(case) {
        Ok(candidates) => candidates,
        Err(miss) => return vec![miss],
    };
    let violations = match policy.evaluate(&call(Occasion::Initial), config, &candidates) {
        Ok(violations) => violations,
        Err(error) => return vec![format!("is not judged: {error}")],
    };
    let found: Vec<RuleOf> =
        violations.into_iter().map(|violation| RuleOf { rule: violation.rule, key: violation.key }).collect();
    let said = |violation: &RuleOf| format!("{} breaks {}", violation.key, violation.rule);
    let untold = expected.iter().filter(|one| !found.contains(one)).map(said);
    let unexpected = found.iter().filter(|one| !expected.contains(one)).map(said);
    let untold = untold.map(|one| format!("expected that {one}: it does not"));
    untold.chain(unexpected.map(|one| format!("{one}, which is not expected"))).collect()
}
