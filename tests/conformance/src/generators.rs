//! Runs generators/*/*.yaml: what a config makes, how much of it is unknown, and what is refused. Values are random, so each case is
//! generated several times and must hold each time.

use std::collections::BTreeSet;

use keymill_sdk::testing::{EntropyFloor, GeneratorCase, read_generator_cases};
use runtime::{CallError, Entropy, GenerateRequest, Generated, GeneratedField, GeneratorComponent, Problem};
use secrecy::ExposeSecret as _;

use crate::{builtin, refusal};

const ROUNDS: usize = 20;
/// With so many bits a repeat within the rounds is a defect of the host and not chance.
const UNREPEATABLE_BITS: f64 = 64.0;
/// How much an exact entropy may exceed the floor that its case rounds it down to.
const ROUNDED_BITS: f64 = 0.1;

#[test]
fn the_folders_are_the_built_in_generators() {
    let folders = builtin::folders(&builtin::folder("tests/conformance/generators"));
    assert_eq!(folders, builtin::names("generator"));
}

#[test]
fn every_case_holds() {
    let mut misses = Vec::new();
    for name in builtin::names("generator") {
        let generator = builtin::load("generator", &name).generator().unwrap();
        for case in cases(&name) {
            let found = case_misses(&generator, &case);
            misses.extend(found.into_iter().map(|miss| format!("{name}, {}: {miss}", case.name)));
        }
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

fn case_misses(generator: &GeneratorComponent, case: &GeneratorCase) -> BTreeSet<String> {
    let expected = case.refused.as_slice();
    let problems = generator.validate(&case.config).unwrap();
    let mut misses = BTreeSet::from_iter(refusal::misses(expected, &problems));
    if expected.is_empty() {
        misses.extend(generated_misses(generator, case));
    } else {
        misses.extend(refused_miss(generator, case, &problems));
    }
    misses
}

/// Who generates without asking `validate` first is refused all the same, and told no less.
fn refused_miss(
    generator: &GeneratorComponent,
    case: &GeneratorCase,
    problems: &[Problem],
) -> Option<String> {
    match generator.generate(&builtin::call(), GenerateRequest::new(&case.config)) {
        Err(CallError::InvalidConfig(told)) => {
            let known = told.iter().all(|problem| problems.contains(problem));
            (told.is_empty() || !known).then(|| format!("is refused for {told:?}, not for {problems:?}"))
        }
        Ok(_) => Some("is generated all the same".to_owned()),
        Err(error) => Some(format!("is not refused as an invalid config: {error:?}")),
    }
}

fn generated_misses(generator: &GeneratorComponent, case: &GeneratorCase) -> BTreeSet<String> {
    let mut misses = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for round in 0..ROUNDS {
        let generated = match generator.generate(&builtin::call(), GenerateRequest::new(&case.config)) {
            Ok(generated) => generated,
            Err(error) => return BTreeSet::from([format!("is not generated: {error}")]),
        };
        misses.extend(field_misses(case, &generated.fields));
        let of = case.entropy.as_ref().and_then(|floor| floor.of.as_deref());
        let entropy = entropy(&generated, of);
        misses.extend(case.entropy.as_ref().and_then(|floor| entropy_miss(floor, entropy)));
        seen.insert(values(&generated));
        if entropy.bits >= UNREPEATABLE_BITS && seen.len() <= round {
            misses.insert(format!("repeats a value of {} bits", entropy.bits));
        }
    }
    misses
}

fn field_misses(case: &GeneratorCase, fields: &[GeneratedField]) -> Vec<String> {
    let mut misses = Vec::new();
    for (key, expected) in &case.fields {
        match fields.iter().find(|field| field.key == *key) {
            Some(field) => {
                let found = expected.misses(field.value.expose_secret());
                misses.extend(found.into_iter().map(|miss| format!("{key} {miss}")));
            }
            None => misses.push(format!("has no field {key}")),
        }
    }
    let unexpected = fields.iter().filter(|field| !case.fields.contains_key(&field.key));
    misses.extend(unexpected.map(|field| format!("has an unexpected field {}", field.key)));
    let values: BTreeSet<_> = fields.iter().map(|field| field.value.expose_secret()).collect();
    if case.different && values.len() < fields.len() {
        misses.push("has equal fields".to_owned());
    }
    misses
}

/// Of one field, or of all together where no two share a draw. A field of which the host knows nothing adds nothing that is exact.
fn entropy(generated: &Generated, of: Option<&str>) -> Entropy {
    let fields = || generated.fields.iter().filter(|field| of.is_none_or(|of| field.key == of));
    let known = fields().filter_map(|field| field.entropy);
    let exact = fields().all(|field| field.entropy.is_some_and(|entropy| entropy.exact));
    Entropy { bits: known.map(|entropy| entropy.bits).sum(), exact }
}

fn entropy_miss(expected: &EntropyFloor, found: Entropy) -> Option<String> {
    let enough = found.bits >= expected.at_least;
    let too_much = expected.exact && found.bits > expected.at_least + ROUNDED_BITS;
    let holds = enough && !too_much && found.exact == expected.exact;
    (!holds).then(|| format!("has {found:?}, not {expected:?}"))
}

fn values(generated: &Generated) -> Vec<(String, Vec<u8>)> {
    let fields = generated.fields.iter();
    fields.map(|field| (field.key.clone(), field.value.expose_secret().to_vec())).collect()
}
