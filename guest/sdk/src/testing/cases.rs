//! Case files: what a generator makes of a config, and what a policy accepts and rejects. Data, so that the same file is run
//! here natively and by the host through the compiled component. The formats are described beside the files, in
//! tests/conformance/generators/README.md and policies/README.md.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;

use super::{Filled, Misses, NoValue, check_description, entry, expect::FieldCase};
use crate::{Candidate, Description, Generator, Occasion, Policy, Problem};

/// One config of a generator, and what comes of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorCase {
    /// What it shows.
    pub name: String,
    /// The config.
    pub config: Value,
    /// Why the host asks.
    #[serde(default = "initial", deserialize_with = "occasion")]
    pub occasion: Occasion,
    /// What the host draws from, so that a field's `value` can be said; without it the host draws anew each time. Only the host has it.
    pub seed: Option<u64>,
    /// The fields, all of them.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldCase>,
    /// Whether all fields must differ from one another.
    #[serde(default)]
    pub different: bool,
    /// The entropy of the fields together, or of one. Only the host knows it.
    pub entropy: Option<EntropyFloor>,
    /// The problem that the config has instead.
    pub refused: Option<RuleAt>,
}

/// The least entropy, in bits, and whether the host must call it exact.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntropyFloor {
    /// The key of the one field that this is about; all together if not said. Needed where fields share a draw.
    pub of: Option<String>,
    /// At least so many bits.
    pub at_least: f64,
    /// Exact, or a lower bound.
    pub exact: bool,
}

/// A problem: a rule and a JSON Pointer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleAt {
    /// The rule's name; the schema is broken, by no rule of the component's own, if not said.
    #[serde(default)]
    pub rule: String,
    /// Where; the whole config if not said.
    #[serde(default)]
    pub path: String,
}

/// One config of a policy, with the values that it accepts and rejects, or with the config's problems.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyCases {
    /// The config.
    pub config: Value,
    /// Values that pass.
    #[serde(default)]
    pub accept: Vec<PolicyCase>,
    /// Values that do not, each with all its violations.
    #[serde(default)]
    pub reject: Vec<PolicyCase>,
    /// All problems of the config.
    #[serde(default)]
    pub invalid: Vec<RuleAt>,
}

/// Candidates that are judged together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyCase {
    /// What it shows.
    pub name: String,
    /// Keys and values that are text.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Keys and values that are not, as standard base64.
    #[serde(default)]
    pub base64: BTreeMap<String, String>,
    /// The entropy that the host vouches for.
    pub bits: Option<f64>,
    /// Whether it is exact.
    #[serde(default)]
    pub exact: bool,
    /// How many rotations ago the value was published.
    pub reused: Option<u32>,
    /// What a rejected case violates, all of it.
    #[serde(default)]
    pub violations: Vec<RuleOf>,
}

/// A violation: a rule and the key of a candidate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleOf {
    /// The rule's name.
    pub rule: String,
    /// The candidate's key.
    pub key: String,
}

impl PolicyCase {
    /// The candidates, texts first, each in the order of the keys.
    ///
    /// # Errors
    /// The key whose base64 is none.
    pub fn candidates(&self) -> Result<Vec<Candidate>, String> {
        let texts = self.fields.iter().map(|(key, text)| Ok((key, text.clone().into_bytes())));
        let bytes = self.base64.iter().map(|(key, text)| match BASE64.decode(text.as_bytes()) {
            Ok(bytes) => Ok((key, bytes)),
            Err(_) => Err(format!("{key} is not base64")),
        });
        let candidate = |(key, value): (&String, Vec<u8>)| Candidate {
            key: key.clone(),
            value,
            bits: self.bits,
            exact: self.exact,
            reused: self.reused,
        };
        texts.chain(bytes).map(|field| field.map(candidate)).collect()
    }
}

/// Reads a generator's case file.
///
/// # Errors
/// Where the file is not one, and why.
pub fn read_generator_cases(text: &str) -> Result<Vec<GeneratorCase>, Misses> {
    read(text)
}

/// Reads a policy's case file.
///
/// # Errors
/// Where the file is not one, and why.
pub fn read_policy_cases(text: &str) -> Result<Vec<PolicyCases>, Misses> {
    read(text)
}

/// Runs a generator's case file natively, all but `entropy` and the fields that need the host's cryptography, and checks its
/// description. Returns how many cases ran.
///
/// # Errors
/// Everything that is not as the file says.
pub fn generator_cases<G: Generator>(text: &str) -> Result<usize, Misses> {
    check_description(G::describe())?;
    let cases = read_generator_cases(text)?;
    let declared = declared(G::describe());
    let mut misses = Vec::new();
    for case in &cases {
        let found = run_generator_case::<G>(case, &declared);
        misses.extend(found.into_iter().map(|miss| format!("{}: {miss}", case.name)));
    }
    Misses(misses).or(cases.len())
}

/// Runs a policy's case file natively, and checks its description. Returns how many cases ran.
///
/// # Errors
/// Everything that is not as the file says.
pub fn policy_cases<P: Policy>(text: &str) -> Result<usize, Misses> {
    check_description(P::describe())?;
    let declared = declared(P::describe());
    let mut misses = Vec::new();
    let mut count = 0;
    for set in read_policy_cases(text)? {
        let config = set.config.to_string();
        let problems = super::policy_problems::<P>(&config);
        check_problems(&problems, &set.invalid, &declared, &mut misses);
        if set.invalid.is_empty() && (set.accept.is_empty() || set.reject.is_empty()) {
            misses.push(format!("{config}: needs both a value that passes and one that does not"));
        }
        count += usize::from(!set.invalid.is_empty());
        for case in set.accept.iter().chain(&set.reject) {
            count += 1;
            let found = run_policy_case::<P>(&config, case, &declared);
            misses.extend(found.map(|miss| format!("{}: {miss}", case.name)));
        }
        let silent = set.reject.iter().filter(|case| case.violations.is_empty());
        misses.extend(silent.map(|case| format!("{}: is rejected without a violation", case.name)));
    }
    Misses(misses).or(count)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, Misses> {
    serde_saphyr::from_str(text).map_err(|error| Misses(vec![format!("the case file: {error}")]))
}

const fn initial() -> Occasion {
    Occasion::Initial
}

fn occasion<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Occasion, D::Error> {
    Ok(match String::deserialize(deserializer)?.as_str() {
        "initial" => Occasion::Initial,
        "scheduled" => Occasion::Scheduled,
        "forced" => Occasion::Forced,
        "config-changed" => Occasion::ConfigChanged,
        "expired" => Occasion::Expired,
        "value-lost" => Occasion::ValueLost,
        _ => {
            return Err(D::Error::custom(
                "occasion is initial, scheduled, forced, config-changed, expired or value-lost",
            ));
        }
    })
}

fn declared(description: Description) -> BTreeSet<String> {
    description.into_contract().rules.into_iter().map(|rule| rule.name).collect()
}

fn run_generator_case<G: Generator>(case: &GeneratorCase, declared: &BTreeSet<String>) -> Vec<String> {
    let mut misses = Vec::new();
    match (super::generate_for::<G>(&case.config.to_string(), case.occasion, 1), &case.refused) {
        (Ok(filled), None) => check_filled(case, &filled, &mut misses),
        (Ok(_), Some(refused)) => misses.push(format!("is not refused by {}", refused.rule)),
        (Err(NoValue::Invalid(problems)), refused) => {
            check_problems(&problems, refused.as_slice(), declared, &mut misses);
        }
        (Err(no_value), _) => misses.push(format!("{no_value:?}")),
    }
    misses
}

fn check_filled(case: &GeneratorCase, filled: &Filled, misses: &mut Vec<String>) {
    for (key, expected) in &case.fields {
        match entry(&filled.fields, key) {
            Some(_) if filled.marked.contains(key) => {}
            Some(found) => {
                // What is drawn from a seed is the host's secret.
                let value = expected.value.clone().filter(|_| case.seed.is_none());
                let found = FieldCase { value, ..expected.clone() }.misses(&found.value);
                misses.extend(found.into_iter().map(|miss| format!("{key} {miss}")));
            }
            None => misses.push(format!("has no field {key}")),
        }
    }
    let unexpected = filled.fields.iter().filter(|found| !case.fields.contains_key(&found.key));
    misses.extend(unexpected.map(|found| format!("has an unexpected field {}", found.key)));
    let values: BTreeSet<_> = filled.fields.iter().map(|found| &found.value).collect();
    if case.different && values.len() < filled.fields.len() {
        misses.push("has equal fields".to_owned());
    }
}

fn check_problems(
    found: &[Problem],
    expected: &[RuleAt],
    declared: &BTreeSet<String>,
    misses: &mut Vec<String>,
) {
    let of_the_schema = |p: &Problem| expected.iter().any(|one| one.rule.is_empty() && one.path == p.path);
    let rule = |p: &Problem| if of_the_schema(p) { String::new() } else { p.rule.clone() };
    let undeclared = found.iter().filter(|problem| !declared.contains(&problem.rule));
    misses.extend(undeclared.map(|problem| format!("names the undeclared rule {}", problem.rule)));
    let found: Vec<_> = found.iter().map(|p| RuleAt { rule: rule(p), path: p.path.clone() }).collect();
    if BTreeSet::from_iter(&found) != BTreeSet::from_iter(expected) {
        misses.push(format!("has the problems {found:?}, not {expected:?}"));
    }
}

fn run_policy_case<P: Policy>(
    config: &str,
    case: &PolicyCase,
    declared: &BTreeSet<String>,
) -> Option<String> {
    let candidates = match case.candidates() {
        Ok(candidates) => candidates,
        Err(miss) => return Some(miss),
    };
    let found = super::violations::<P>(config, &candidates);
    let found: Vec<_> = found.into_iter().map(|(rule, key)| RuleOf { rule, key }).collect();
    if let Some(undeclared) = found.iter().find(|violation| !declared.contains(&violation.rule)) {
        return Some(format!("names the undeclared rule {}", undeclared.rule));
    }
    let differs = BTreeSet::from_iter(&found) != BTreeSet::from_iter(&case.violations);
    differs.then(|| format!("violates {found:?}, not {:?}", case.violations))
}

#[cfg(test)]
mod tests {
    use crate::{Output, Picks, Recipe, Request, Rule, Schema, Verdict, testing};

    use super::*;

    const TOO_MANY: Rule = Rule::new("too-many", "At most nine digits.");
    const ODD: Rule = Rule::new("odd", "The value has an odd length.");

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        digits: u32,
    }

    struct Pin;

    impl Generator for Pin {
        type Config = Config;

        fn describe() -> Description {
            let digits = Schema::integer().about("How many.");
            Description::new("pin", "1", "A pin")
                .config(Schema::object().required("digits", digits))
                .rules([&TOO_MANY])
        }

        fn validate(config: &Config, problems: &mut crate::Problems) {
            problems.add_if(config.digits > 9, &TOO_MANY, "/digits");
        }

        fn generate(request: Request<Config>) -> Result<Output, crate::Failure> {
            let mut recipe = Recipe::new();
            let pin = recipe.picks(Picks::new().pick("0123456789", request.config.digits));
            recipe.field("pin", pin);
            Ok(recipe.finish())
        }
    }

    struct Even;

    impl Policy for Even {
        type Config = BTreeMap<String, String>;

        fn describe() -> Description {
            Description::new("even", "1", "Even lengths").rules([&ODD])
        }

        fn evaluate(_: &Self::Config, verdict: &mut Verdict<'_>) {
            verdict.each(|candidate| if candidate.value.len() % 2 == 0 { vec![] } else { vec![&ODD] });
        }
    }

    #[test]
    fn generator_cases_hold_or_are_missed() {
        let check = |case: &str, expected: Result<usize, &str>| {
            let found = testing::generator_cases::<Pin>(case);
            assert_eq!(found, expected.map_err(|miss| Misses(vec![miss.to_owned()])), "{case}");
        };
        check("[{name: a, config: {digits: 4}, fields: {pin: {length: 4, digits: 4}}}]", Ok(1));
        check("[{name: a, config: {digits: 10}, refused: {rule: too-many, path: /digits}}]", Ok(1));
        check(
            "[{name: a, config: {digits: 4}, fields: {pin: {length: 5}}}]",
            Err("a: pin has 4 characters, not 5"),
        );
        check("[{name: a, config: {digits: 4}}]", Err("a: has an unexpected field pin"));
        check(
            "[{name: a, config: {digits: 9}, refused: {rule: too-many}}]",
            Err("a: is not refused by too-many"),
        );
    }

    #[test]
    fn policy_cases_hold_or_are_missed() {
        let check = |cases: &str, expected: Result<usize, &str>| {
            let found = testing::policy_cases::<Even>(cases);
            assert_eq!(found, expected.map_err(|miss| Misses(vec![miss.to_owned()])), "{cases}");
        };
        let reject = "reject: [{name: r, base64: {k: /w==}, violations: [{rule: odd, key: k}]}]";
        check(&format!("[{{config: {{}}, accept: [{{name: a, fields: {{k: ab}}}}], {reject}}}]"), Ok(2));
        let wrong = format!("[{{config: {{}}, accept: [{{name: a, fields: {{k: abc}}}}], {reject}}}]");
        check(&wrong, Err(r#"a: violates [RuleOf { rule: "odd", key: "k" }], not []"#));
        check(
            &format!("[{{config: {{}}, {reject}}}]"),
            Err("{}: needs both a value that passes and one that does not"),
        );
    }

    #[test]
    fn a_policy_with_a_bad_config_lets_nothing_through() {
        let candidate =
            Candidate { key: "k".into(), value: b"ab".to_vec(), bits: None, exact: false, reused: None };
        let found = testing::violations::<Even>(r#"{"a": 1}"#, &[candidate]);
        assert_eq!(found, [("config-invalid".to_owned(), "k".to_owned())]);
    }
}
