//! A config's problems, as the host tells them, against the rules and places that a case expects.
//!
//! The host tells the schema's problems first, without a rule, and leaves out what the component says of the same place. The schema
//! says of the object that holds it what a component says of an unknown key. Nothing else may differ.

use bundle::sdk::testing::RuleAt;
use runtime::Problem;

/// What is not as expected, one line each.
pub(crate) fn misses(expected: &[RuleAt], found: &[Problem]) -> Vec<String> {
    let untold = expected.iter().filter(|expected| !found.iter().any(|found| tells(found, expected)));
    let untold = untold
        .map(|expected| format!("is not refused: expected {}", rule_at(&expected.rule, &expected.path)));
    let unexpected = found.iter().filter(|found| !is_expected(found, expected));
    let unexpected = unexpected.map(|found| {
        let rule = found.rule.as_deref().unwrap_or_default();
        format!("is refused: {}: {}", rule_at(rule, &found.path), found.message)
    });
    untold.chain(unexpected).collect()
}

/// A rule and a place in words.
pub(crate) fn rule_at(rule: &str, path: &str) -> String {
    let rule = if rule.is_empty() { "the schema" } else { rule };
    if path.is_empty() { format!("{rule}, of the whole config") } else { format!("{rule} at {path}") }
}

fn tells(found: &Problem, expected: &RuleAt) -> bool {
    found.path == expected.path && found.rule.as_ref().is_none_or(|rule| *rule == expected.rule)
}

fn is_expected(found: &Problem, expected: &[RuleAt]) -> bool {
    let of_the_schema = found.rule.is_none();
    expected
        .iter()
        .any(|expected| tells(found, expected) || (of_the_schema && found.path == parent(&expected.path)))
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_missed() {
        let problem = |rule: Option<&str>, path: &str| Problem {
            path: path.to_owned(),
            rule: rule.map(str::to_owned),
            message: "It is wrong.".to_owned(),
        };
        let check_rule = |expected: &str, found: &[Problem], missed: usize| {
            let expected = RuleAt { rule: expected.to_owned(), path: "/a/b".to_owned() };
            let misses = misses(&[expected], found);
            assert_eq!(misses.len(), missed, "{misses:?}");
        };
        let check = |found: &[Problem], missed: usize| check_rule("odd", found, missed);
        check(&[problem(Some("odd"), "/a/b")], 0);
        check(&[problem(None, "/a/b")], 0);
        check(&[problem(None, "/a"), problem(Some("odd"), "/a/b")], 0);
        check(&[], 1);
        check(&[problem(None, "/a")], 1);
        check(&[problem(Some("even"), "/a/b")], 2);
        check(&[problem(Some("odd"), "/a")], 2);
        check(&[problem(Some("odd"), "/a/b"), problem(None, "")], 1);
        check_rule("", &[problem(None, "/a/b")], 0);
        check_rule("", &[problem(Some("odd"), "/a/b")], 2);
    }
}
