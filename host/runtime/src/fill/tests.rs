use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::*;
use crate::bindings::generate::{Derivation, Pick, Picks, Transform};
use crate::bindings::types::{KeyAlgorithm, KeySpec};
use crate::description::FieldDoc;
use crate::random::SystemRandom;

fn description(fields: &[&str]) -> Description {
    let doc = |name: &&str| FieldDoc {
        name: (*name).to_owned(),
        about: "It.".to_owned(),
        sensitivity: Sensitivity::Derived,
    };
    Description {
        name: "probe".to_owned(),
        version: "1".to_owned(),
        summary: "Probes.".to_owned(),
        config_schema: Arc::new(serde_json::Value::Bool(true)),
        fields: fields.iter().map(doc).collect(),
        rules: vec![],
        wants: vec![],
    }
}

fn password() -> Source {
    let pick = Pick { alphabet: "abcd".to_owned(), count: 10 };
    Source::Draw(Draw::Picks(Picks { parts: vec![pick], shuffle: true, distinct: false }))
}

fn derived(via: Transform, parts: Vec<Segment>) -> Source {
    Source::Derive(Derivation { parts, via })
}

fn literal(text: &str) -> Segment {
    Segment::Literal(text.as_bytes().to_vec())
}

fn output(values: Vec<Source>, fields: Vec<(&str, Vec<Segment>)>) -> Output {
    let fields = fields.into_iter().map(|(key, value)| Field { key: key.to_owned(), value });
    Output { values, fields: fields.collect(), state: None, expires_in: None }
}

fn filled(output: &Output) -> Result<Vec<(String, String, Option<Entropy>)>, FillError> {
    let fields = fill(output, &description(&[]), &mut Random::new(&SystemRandom), 2)?;
    let shown = |field: GeneratedField| {
        let value = String::from_utf8(field.value.expose_secret().to_vec()).unwrap();
        (field.key, value, field.entropy)
    };
    Ok(fields.into_iter().map(shown).collect())
}

#[test]
fn one_password_stands_in_many_fields() {
    let fields = filled(&output(
        vec![password(), derived(Transform::UriUserinfo, vec![Segment::Value(0)])],
        vec![
            ("password", vec![Segment::Value(0)]),
            ("uri", vec![literal("postgres://app:"), Segment::Value(1), literal("@db/app")]),
            ("host", vec![literal("db")]),
        ],
    ))
    .unwrap();
    let password = &fields[0].1;
    assert_eq!(fields[1].1, format!("postgres://app:{password}@db/app"));
    let exact = Some(Entropy { bits: 20.0, exact: true });
    assert_eq!((fields[0].2, fields[1].2, fields[2].2), (exact, exact, None));
}

#[test]
fn a_password_and_its_digest_and_a_key_and_its_public_half() {
    let key = Source::Draw(Draw::Key(KeySpec { algorithm: KeyAlgorithm::Ed25519, bits: None }));
    let public = derived(Transform::OpensshPublic("me".to_owned()), vec![Segment::Value(0)]);
    let fields = filled(&output(vec![key, public], vec![("pub", vec![Segment::Value(1)])])).unwrap();
    assert!(fields[0].1.starts_with("ssh-ed25519 "));
}

fn check_bad(output: &Output, expected: &str) {
    match filled(output) {
        Err(FillError::Bad(fault)) => {
            assert!(fault.to_string().contains(expected), "{fault} lacks {expected:?}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn literals_may_be_empty_and_equal() {
    let fields = [("a", vec![literal("")]), ("b", vec![literal(""), literal("")]), ("c", vec![literal("")])];
    let fields = filled(&output(vec![], fields.into())).unwrap();
    assert!(fields.iter().all(|(_, value, entropy)| value.is_empty() && entropy.is_none()));
}

#[test]
fn lies_are_refused_by_position() {
    let field = |key| output(vec![], vec![(key, vec![literal("x")])]);
    check_bad(&field("a b"), "field 0: its key is not");
    check_bad(&field(""), "field 0: its key is not");
    check_bad(
        &output(vec![], vec![("a", vec![literal("x")]), ("b", vec![literal("x")]), ("a", vec![])]),
        "field 2 repeats the key of field 0",
    );
    check_bad(&output(vec![], vec![("a", vec![])]), "field 0: its value is empty");
    let nothing = derived(Transform::Join, vec![]);
    check_bad(
        &output(vec![nothing], vec![("a", vec![literal(""), Segment::Value(0)])]),
        "field 0: its value is empty",
    );
    check_bad(&output(vec![], vec![("a", vec![Segment::Value(0)])]), "field 0: it refers to a value");
    check_bad(
        &output(vec![derived(Transform::Join, vec![Segment::Value(0)])], vec![]),
        "value 0: refers to value 0, which does not stand before it",
    );
    check_bad(
        &output(vec![derived(Transform::Join, vec![Segment::Value(1)]), password()], vec![]),
        "value 0: refers to value 1",
    );
    let pairs: Vec<Source> = (0..257).map(|_| password()).collect();
    check_bad(&output(pairs, vec![]), "257 values and the limit is 256");
    let key = || Source::Draw(Draw::Key(KeySpec { algorithm: KeyAlgorithm::Ed25519, bits: None }));
    check_bad(&output(vec![key(), key(), key()], vec![]), "value 2: makes more keys");
}

#[test]
fn values_cannot_grow_without_end() {
    let mut values = vec![derived(Transform::Join, vec![Segment::Literal(vec![b'x'; 1 << 18])])];
    for i in 0..20 {
        values.push(derived(Transform::Join, vec![Segment::Value(i), Segment::Value(i)]));
    }
    check_bad(&output(values, vec![]), "longer than 1 MiB");
}

#[test]
fn declared_fields_are_the_only_ones() {
    let recipe = output(vec![], vec![("other", vec![literal("x")])]);
    let filled = fill(&recipe, &description(&["password"]), &mut Random::new(&SystemRandom), 0);
    assert_eq!(filled.err(), Some(FillError::Bad(invalid(0, "its key was not declared"))));
    let recipe = output(vec![], vec![("password", vec![literal("x")])]);
    let filled = fill(&recipe, &description(&["password"]), &mut Random::new(&SystemRandom), 0).unwrap();
    assert_eq!(filled[0].sensitivity, Sensitivity::Derived);
}

#[test]
fn wiping_leaves_no_literal() {
    let mut recipe = output(
        vec![derived(Transform::Join, vec![literal("hunter2")])],
        vec![("a", vec![literal("hunter2")])],
    );
    recipe.state = Some(b"hunter2".to_vec());
    wipe(&mut recipe);
    assert!(!format!("{recipe:?}").contains(&format!("{:?}", b"hunter2")));
}
