use keymill_sdk::testing::{self, NoValue};

use super::Pattern;

#[test]
fn cases_hold() {
    let cases = include_str!("../../../../tests/conformance/generators/pattern/cases.yaml");
    assert_eq!(testing::generator_cases::<Pattern>(cases), Ok(27));
}

#[test]
fn all_problems_are_told_at_once() {
    let config = r#"{"length": 0, "classes": [{"of": {"classes": ["digit"]}, "min": 3, "max": 2}, {"of": {"characters": "O0"}}],
        "exclude": "O0", "first": {"characters": "\n"}, "last": {}, "forbidden": ["a", ""]}"#;
    let Err(NoValue::Invalid(problems)) = testing::generate::<Pattern>(config, 1) else {
        panic!("this must be refused")
    };
    let told: Vec<_> =
        problems.iter().map(|problem| (problem.rule.as_str(), problem.path.as_str())).collect();
    let expected = [
        ("invalid-length", "/length"),
        ("min-exceeds-max", "/classes/0/min"),
        ("empty-set", "/classes/1/of"),
        ("control-character", "/first"),
        ("in-no-class", "/first"),
        ("empty-set", "/last"),
        ("empty-text", "/forbidden/1"),
    ];
    assert_eq!(told, expected);
}

/// Looking at each of so many would end the call for its fuel, and the host counts no more than 4096.
#[test]
fn too_many_characters_are_told_at_once() {
    let many: String = ('\u{4e00}'..).take(20_000).collect();
    let set = format!(r#"{{"characters": "{many}"}}"#);
    let config = format!(
        r#"{{"classes": [{{"of": {set}}}, {{"of": {set}}}], "exclude": "{many}", "first": {set}, "last": {set}}}"#
    );
    let problems = testing::problems::<Pattern>(&config);
    let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/classes/0/of/characters",
            "/classes/1/of/characters",
            "/first/characters",
            "/last/characters",
            "/exclude"
        ]
    );
    assert!(problems.iter().all(|problem| problem.rule == "too-many-characters"));
}

/// Every small config is possible exactly if trying all strings finds one.
#[test]
fn feasible_is_what_trying_all_strings_says() {
    let sets = [r#"{"characters": "ab"}"#, r#"{"characters": "bc"}"#];
    let mut possible = 0;
    let mut impossible = 0;
    for (length, min, max, neighbours) in all_of() {
        for forbidden in [&[][..], &["a"], &["ab", "ba"], &["bc", "cb", "cc"], &["aa", "abb", "bab", "bb"]] {
            let classes: Vec<_> = sets
                .iter()
                .zip([(0, max), (min, 9)])
                .map(|(set, (min, max))| format!(r#"{{"of": {set}, "min": {min}, "max": {max}}}"#))
                .collect();
            let config = format!(
                r#"{{"length": {length}, "classes": [{}], "last": {}, "noEqualNeighbours": {neighbours}, "forbidden": {forbidden:?}}}"#,
                classes.join(","),
                sets[0]
            );
            let exists = strings(length).iter().any(|text| {
                let count = |set: &str| text.chars().filter(|c| set.contains(*c)).count();
                let equal = text.as_bytes().windows(2).any(|pair| pair[0] == pair[1]);
                count("ab") <= max
                    && count("bc") >= min
                    && text.ends_with(['a', 'b'])
                    && !(neighbours && equal)
                    && !forbidden.iter().any(|forbidden| text.contains(forbidden))
            });
            let found = testing::problems::<Pattern>(&config);
            let rules: Vec<_> = found.iter().map(|problem| problem.rule.as_str()).collect();
            assert_eq!(rules, if exists { vec![] } else { vec!["contradiction"] }, "{config}");
            *(if exists { &mut possible } else { &mut impossible }) += 1;
        }
    }
    assert!(possible > 50 && impossible > 50, "{possible} possible, {impossible} not");
}

fn all_of() -> impl Iterator<Item = (usize, usize, usize, bool)> {
    (1..=4).flat_map(|length| {
        (0..=3).flat_map(move |min| {
            [1, 2, 4]
                .into_iter()
                .flat_map(move |max| [false, true].map(|neighbours| (length, min, max, neighbours)))
        })
    })
}

fn strings(length: usize) -> Vec<String> {
    let longer = |strings: Vec<String>| {
        strings.iter().flat_map(|text| ["a", "b", "c"].map(|c| format!("{text}{c}"))).collect()
    };
    (0..length).fold(vec![String::new()], |strings, _| longer(strings))
}
