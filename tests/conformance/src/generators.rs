//! Runs generators/*/*.yaml as `keymill component test` does: what a config makes, how much of it is unknown, and what is refused. Values
//! are random, so each case is generated several times and must hold each time.

use std::collections::BTreeSet;

use ::cases::Cases;
use keymill_sdk::testing::{GeneratorCase, read_generator_cases};

use crate::builtin;

#[test]
fn the_folders_are_the_built_in_generators() {
    let folders = builtin::folders(&builtin::folder("tests/conformance/generators"));
    assert_eq!(folders, builtin::names("generator"));
}

#[test]
fn every_case_holds() {
    let mut misses = Vec::new();
    for name in builtin::names("generator") {
        misses.extend(builtin::misses("generator", &name, &Cases::Generator(cases(&name))));
    }
    assert!(misses.is_empty(), "\n{}", misses.join("\n"));
}

#[test]
fn every_declared_rule_is_broken_by_a_case() {
    for name in builtin::names("generator") {
        let component = builtin::load("generator", &name);
        let refused = cases(&name).into_iter().filter_map(|case| case.refused);
        let broken: BTreeSet<String> = refused.map(|refused| refused.rule).collect();
        let declared = builtin::own_rules(component.description());
        let untested: Vec<_> = declared.difference(&broken).collect();
        assert!(untested.is_empty(), "{name} has no case for {untested:?}");
    }
}

fn cases(name: &str) -> Vec<GeneratorCase> {
    let folder = builtin::folder("tests/conformance/generators").join(name);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    let cases = files.flat_map(|path| read_generator_cases(&std::fs::read_to_string(path).unwrap()).unwrap());
    let cases: Vec<_> = cases.collect();
    assert!(!cases.is_empty(), "{name} has no case");
    cases
}
