use std::collections::BTreeSet;

use keymill_sdk::testing::{self, NoValue};

use super::Password;

#[test]
fn cases_hold() {
    let ran = testing::generator_cases::<Password>(include_str!(
        "../../../../tests/conformance/generators/password/cases.yaml"
    ));
    assert!(ran.expect("every case holds") > 30);
}

#[test]
fn every_seed_can_be_filled_at_the_edge_of_what_is_possible() {
    // Letters may use up all but one of the symbols that are letters.
    let edges = [
        r#"{"length": 52, "digits": 0, "symbols": 0}"#,
        r#"{"length": 92, "digits": 10, "symbols": 30}"#,
        r#"{"length": 6, "digits": 0, "symbols": 3, "symbolCharacters": "abcdef"}"#,
        r#"{"length": 5, "digits": 2, "symbols": 1, "symbolCharacters": "a01!"}"#,
    ];
    for config in edges {
        for seed in 0..200 {
            testing::generate::<Password>(config, seed).expect(config);
        }
    }
}

#[test]
fn a_password_differs_from_seed_to_seed() {
    let drawn = (0..100).map(|seed| {
        let filled = testing::generate::<Password>("{}", seed).expect("the defaults work");
        filled.text("password").expect("text").to_owned()
    });
    assert_eq!(drawn.collect::<BTreeSet<_>>().len(), 100);
}

#[test]
fn all_problems_are_told_at_once() {
    let config = r#"{"length": 9223372036854775807, "digits": -9223372036854775808, "symbols": -1, "secretKeys": ["a", "", "a"]}"#;
    let Err(NoValue::Invalid(problems)) = testing::generate::<Password>(config, 1) else {
        panic!("this must be refused")
    };
    let told: Vec<_> =
        problems.iter().map(|problem| (problem.rule.as_str(), problem.path.as_str())).collect();
    let expected = [
        ("negative-count", "/digits"),
        ("negative-count", "/symbols"),
        ("too-long", "/length"),
        ("empty-key", "/secretKeys/1"),
        ("duplicate-key", "/secretKeys/2"),
    ];
    assert_eq!(told, expected);
}
