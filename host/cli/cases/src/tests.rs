use std::sync::Arc;

use runtime::{Engine, EngineConfig, LoadLimits};

use super::*;

/// What is missed of cases of a built-in, by case; those that hold are left out.
fn check(world: World, name: &str, text: &str, seeded: bool, expected: &[(&str, &[&str])]) {
    let random = Arc::new(SeededRandom::default());
    let config = EngineConfig { random: Arc::clone(&random) as _, ..EngineConfig::default() };
    let engine = Engine::new(config).unwrap();
    let built_in = bundle::builtin(world.as_str(), name).unwrap();
    let component = engine.load(built_in.bytes, &LoadLimits::default()).unwrap();
    let cases = Cases::read(world, text).unwrap();
    let ran = run(&component, &cases, seeded.then_some(random.as_ref())).unwrap();
    let missed = ran.iter().filter(|one| !one.misses.is_empty());
    let missed: Vec<(&str, Vec<&str>)> =
        missed.map(|one| (one.name.as_str(), one.misses.iter().map(String::as_str).collect())).collect();
    let expected: Vec<(&str, Vec<&str>)> = expected.iter().map(|(name, all)| (*name, all.to_vec())).collect();
    assert_eq!(missed, expected, "{text}");
}

#[test]
fn a_generators_cases_are_missed_with_what_came() {
    let text = r#"
- {name: holds, config: {length: 24, symbols: 0}, fields: {password: {length: 24, symbols: 0}}}
- {name: seeded, seed: 7, config: {length: 8, symbols: 0, digits: 0}, fields: {password: {value: x}}}
- {name: forced, occasion: forced, config: {length: 8}, fields: {other: {}}, entropy: {at_least: 999, exact: true}}
- {name: refused, config: {length: 8, digits: 9, symbols: 0}, fields: {}}
- {name: not refused, config: {length: 8}, refused: {rule: counts-exceed-length, path: /digits}}
"#;
    check(
        World::Generator,
        "password",
        text,
        true,
        &[
            ("seeded", &["password is not \"x\": \"clxdsJwp\" came"]),
            (
                "forced",
                &[
                    "has an unexpected field password",
                    "has exactly 47.60 bits of entropy, not exactly 999.00",
                    "has no field other",
                ],
            ),
            (
                "refused",
                &[
                    "is refused: counts-exceed-length at /digits: Digits and symbols together are more than the length. Raise length, or lower digits or symbols; one that is left out is a quarter of the length.",
                ],
            ),
            (
                "not refused",
                &["generate does not refuse it", "is not refused: expected counts-exceed-length at /digits"],
            ),
        ],
    );
}

/// Without a seed the values are secrets to everybody.
#[test]
fn what_no_seed_drew_is_not_shown() {
    let text = "[{name: a, config: {length: 8}, fields: {password: {length: 9}}}]";
    check(World::Generator, "password", text, false, &[("a", &["password has 8 characters, not 9"])]);
}

#[test]
fn a_policys_cases_are_missed_by_rule_and_key() {
    let text = r#"
- config: {min: 3}
  accept:
    - {name: too short, fields: {password: ab}}
  reject:
    - {name: long enough, fields: {password: abc}, violations: [{rule: too-short, key: password}]}
    - {name: silent, fields: {password: abc}}
- config: {min: 3}
  accept: [{name: holds, fields: {password: abc}}]
- {config: {min: 2, max: 1}, invalid: [{rule: no-bound}]}
"#;
    check(
        World::Policy,
        "length",
        text,
        true,
        &[
            ("too short", &["password breaks too-short, which is not expected"]),
            ("long enough", &["expected that password breaks too-short: it does not"]),
            ("silent", &["is to be rejected, but no violation is expected"]),
            ("config {\"min\":3}", &["needs both a value that passes and one that does not"]),
            (
                "config {\"min\":2,\"max\":1}",
                &[
                    "is not refused: expected no-bound, of the whole config",
                    "is refused: min-exceeds-max at /min: min is more than max, so nothing could be accepted.",
                ],
            ),
        ],
    );
}

#[test]
fn a_template_engines_cases_are_missed_with_what_came() {
    let text = r#"
- {name: holds, templates: {a: "{{ .x }}"}, data: {x: "1"}, rendered: {a: "1"}}
- {name: other, templates: {a: "{{ .x }}"}, data: {x: "1"}, rendered: {a: "2", b: "1"}}
- {name: no fault, templates: {a: "{{ .x }}"}, data: {x: "1"}, fault: {rule: no-such-rule, key: a, line: 1}}
- {name: nothing, templates: {a: "x"}}
"#;
    check(
        World::Template,
        "go",
        text,
        true,
        &[
            ("other", &["a is \"1\", not \"2\"", "has no key b"]),
            ("no fault", &["renders: expected no-such-rule in a, line 1"]),
            ("nothing", &["needs exactly one of rendered, fault and invalid"]),
        ],
    );
}

#[test]
fn a_file_without_cases_is_none() {
    for world in World::ALL {
        assert!(matches!(Cases::read(world, "[]"), Err(CasesError::Empty)), "{world}");
        assert!(matches!(Cases::read(world, "- {nam: x}"), Err(CasesError::Form { .. })), "{world}");
    }
}

#[test]
fn a_seed_gives_the_same_bytes_and_the_next_call_does_not() {
    let random = SeededRandom::default();
    let draw = || {
        let mut bytes = [0; 16];
        runtime::RandomSource::fill(&random, &mut bytes).unwrap();
        bytes
    };
    let seeded = random.with(3, draw);
    assert_eq!(random.with(3, draw), seeded);
    assert_ne!(random.with(4, draw), seeded);
    assert_ne!(draw(), draw());
}
