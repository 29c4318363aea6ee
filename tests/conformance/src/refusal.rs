//! A config's problems, as the host tells them, against the rules and places that a case expects.
//!
//! The host tells the schema's problems first, without a rule, and leaves out what the component says of the same place. The schema
//! says of the object that holds it what a component says of an unknown key. Nothing else may differ.

use keymill_sdk::testing::RuleAt;
use runtime::Problem;

/// What is not as expected, one line each.
pub(crate) fn misses(expected: &[RuleAt], found: &[Problem]) -> Vec<String> {
    let untold = expected.iter().filter(|expected| !found.iter().any(|found| tells(found, expected)));
    let untold = untold.map(|expected| format!("is not refused by {} at {:?}", expected.rule, expected.path));
    let unexpected = found.iter().filter(|found| !is_expected(found, expected));
    let unexpected = unexpected.map(|found| format!("has the unexpected problem {found:?}"));
    untold.chain(unexpected).collect()
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

#[test]
fn differences_are_missed() {
    let problem = |rule: Option<&str>, path: &str| Problem {
        path: path.to_owned(),
        rule: rule.map(str::to_owned),
        message: "It is wrong.".to_owned(),
    };
    let check = |found: &[Problem], missed: usize| {
        let expected = RuleAt { rule: "odd".to_owned(), path: "/a/b".to_owned() };
        let misses = misses(&[expected], found);
        assert_eq!(misses.len(), missed, "{misses:?}");
    };
    check(&[problem(Some("odd"), "/a/b")], 0);
    check(&[problem(None, "/a/b")], 0);
    check(&[problem(None, "/a"), problem(Some("odd"), "/a/b")], 0);
    check(&[], 1);
    check(&[problem(None, "/a")], 1);
    check(&[problem(Some("even"), "/a/b")], 2);
    check(&[problem(Some("odd"), "/a")], 2);
    check(&[problem(Some("odd"), "/a/b"), problem(None, "")], 1);
}
