//! A generator's case: what a config makes, how much of it is unknown, and what is refused. Values are random, so a case without a seed is
//! generated several times and must hold each time.

use std::collections::BTreeSet;

use bundle::sdk::testing::{EntropyFloor, FieldCase, GeneratorCase};
use runtime::{
    CallError, Entropy, GenerateRequest, Generated, GeneratedField, GeneratorComponent, Occasion, Problem,
};
use secrecy::ExposeSecret as _;

use crate::{Ran, SeededRandom, call, problem};

const ROUNDS: u64 = 20;
/// With so many bits a repeat within the rounds is a defect and not chance.
const UNREPEATABLE_BITS: f64 = 64.0;
/// How much an exact entropy may exceed the floor that its case rounds it down to.
const ROUNDED_BITS: f64 = 0.1;

pub(crate) fn ran(
    generator: &GeneratorComponent,
    case: &GeneratorCase,
    random: Option<&SeededRandom>,
) -> Ran {
    let expected = case.refused.as_slice();
    let misses = match generator.validate(&case.config) {
        Ok(problems) => {
            let mut misses = BTreeSet::from_iter(problem::misses(expected, &problems));
            if !expected.is_empty() {
                misses.extend(refused_miss(generator, case, &problems));
            } else if problems.is_empty() {
                misses.extend(generated_misses(generator, case, random));
            }
            misses.into_iter().collect()
        }
        Err(error) => vec![format!("is not validated: {error}")],
    };
    Ran { name: case.name.clone(), misses }
}

/// One call, as the case says.
pub(crate) fn generate(generator: &GeneratorComponent, case: &GeneratorCase) -> Result<Generated, CallError> {
    generator.generate(&call(occasion(case)), GenerateRequest::new(&case.config))
}

pub(crate) const fn occasion(case: &GeneratorCase) -> Occasion {
    match case.occasion {
        bundle::sdk::Occasion::Initial => Occasion::Initial,
        bundle::sdk::Occasion::Scheduled => Occasion::Scheduled,
        bundle::sdk::Occasion::Forced => Occasion::Forced,
        bundle::sdk::Occasion::ConfigChanged => Occasion::ConfigChanged,
        bundle::sdk::Occasion::Expired => Occasion::Expired,
        bundle::sdk::Occasion::ValueLost => Occasion::ValueLost,
    }
}

/// Who generates without asking `validate` first is refused all the same, and told no less.
fn refused_miss(
    generator: &GeneratorComponent,
    case: &GeneratorCase,
    problems: &[Problem],
) -> Option<String> {
    match generate(generator, case) {
        Err(CallError::InvalidConfig(told)) => {
            let known = told.iter().all(|problem| problems.contains(problem));
            let differs = told.is_empty() || !known;
            differs.then(|| "generate refuses it for other problems than validate".to_owned())
        }
        Ok(_) => Some("generate does not refuse it".to_owned()),
        Err(error) => Some(format!("generate does not refuse it as an invalid config, but: {error}")),
    }
}

fn generated_misses(
    generator: &GeneratorComponent,
    case: &GeneratorCase,
    random: Option<&SeededRandom>,
) -> BTreeSet<String> {
    let mut misses = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let seeds = case.seed.map_or(0..ROUNDS, |seed| seed..seed.saturating_add(1));
    for (round, seed) in (1..).zip(seeds) {
        let generated = match random {
            Some(random) => random.with(seed, || generate(generator, case)),
            None => generate(generator, case),
        };
        let generated = match generated {
            Ok(generated) => generated,
            Err(error) => return BTreeSet::from([format!("is not generated: {error}")]),
        };
        // The first round that does not hold says it all, and shows its own value.
        if misses.is_empty() {
            misses.extend(round_misses(case, &generated, random.is_some()));
        }
        seen.insert(values(&generated));
        let bits = entropy(&generated, None).bits;
        if bits >= UNREPEATABLE_BITS && seen.len() < round {
            misses.insert(format!("repeats a value of {bits} bits"));
        }
    }
    misses
}

fn round_misses(case: &GeneratorCase, generated: &Generated, seeded: bool) -> Vec<String> {
    let mut misses = Vec::new();
    for (key, expected) in &case.fields {
        match generated.fields.iter().find(|field| field.key == *key) {
            Some(field) => misses.extend(field_misses(field, expected, case, seeded)),
            None => misses.push(format!("has no field {key}")),
        }
    }
    let unexpected = generated.fields.iter().filter(|field| !case.fields.contains_key(&field.key));
    misses.extend(unexpected.map(|field| format!("has an unexpected field {}", field.key)));
    let values: BTreeSet<_> = generated.fields.iter().map(|field| field.value.expose_secret()).collect();
    if case.different && values.len() < generated.fields.len() {
        misses.push("has equal fields".to_owned());
    }
    if let Some(floor) = &case.entropy {
        misses.extend(entropy_miss(floor, entropy(generated, floor.of.as_deref())));
    }
    misses
}

/// A value of a seed is compared where there is one; without it, what the case says of it can never hold.
fn field_misses(
    field: &GeneratedField,
    expected: &FieldCase,
    case: &GeneratorCase,
    seeded: bool,
) -> Vec<String> {
    let value = expected.value.clone().filter(|_| seeded || case.seed.is_none());
    let expected = FieldCase { value, ..expected.clone() };
    let came = field.value.expose_secret();
    let misses = expected.misses(came).into_iter();
    if seeded {
        let came = String::from_utf8_lossy(came);
        misses.map(|miss| format!("{} {miss}: {came:?} came", field.key)).collect()
    } else {
        misses.map(|miss| format!("{} {miss}", field.key)).collect()
    }
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
    let word = |exact: bool| if exact { "exactly" } else { "at least" };
    let (found_word, expected_word) = (word(found.exact), word(expected.exact));
    (!holds).then(|| {
        let (found, expected) = (found.bits, expected.at_least);
        format!("has {found_word} {found:.2} bits of entropy, not {expected_word} {expected:.2}")
    })
}

fn values(generated: &Generated) -> Vec<(String, Vec<u8>)> {
    let fields = generated.fields.iter();
    fields.map(|field| (field.key.clone(), field.value.expose_secret().to_vec())).collect()
}
