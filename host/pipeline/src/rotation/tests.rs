use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::field::{Fields, Value};
use crate::fixture::{at, key_of, meta, texts};
use crate::ports::{Entropy, GeneratedField};

fn id(number: u8) -> RotationId {
    RotationId::parse(&format!("{number:032x}")).unwrap()
}

fn entry(values: &[(&str, &str)]) -> RecordEntry {
    let field = |value: &str| GeneratedField {
        value: Value::from(value),
        entropy: Some(Entropy { bits: 12.5, exact: true }),
    };
    RecordEntry {
        id: id(2),
        previous: Some(id(1)),
        held: Held::Values(Generated {
            fields: values.iter().map(|(key, value)| ((*key).to_owned(), field(value))).collect(),
            state: Some(Value::from("state")),
            expires_in: Some(Duration::from_millis(1500)),
        }),
        config_digest: "digest".to_owned(),
        occasion: Occasion::Forced,
        rotated_at: at(0),
        expires_at: Some(at(60)),
        force_sync: Some("now".to_owned()),
    }
}

fn record(values: &[(&str, &str)]) -> Record {
    let mut record = Record::default();
    record.set(key_of("db"), entry(values));
    record
}

#[test]
fn an_id_depends_on_object_entry_and_trigger_only() {
    let derive = |uid: &str, key: &str, trigger: &Trigger<'_>| RotationId::derive(uid, &key_of(key), trigger);
    let (one, two) = (id(1), id(2));
    let lost = ["a".to_owned(), "b".to_owned()];
    let ids = [
        derive("u", "db", &Trigger::Initial(None, 1)),
        derive("v", "db", &Trigger::Initial(None, 1)),
        derive("u", "other", &Trigger::Initial(None, 1)),
        derive("u", "db", &Trigger::Initial(Some(&one), 1)),
        derive("u", "db", &Trigger::Initial(Some(&one), 2)),
        derive("u", "db", &Trigger::Slot(&one)),
        derive("u", "db", &Trigger::Slot(&two)),
        derive("u", "db", &Trigger::Forced(Some(&one), "x")),
        derive("u", "db", &Trigger::Forced(Some(&one), "y")),
        derive("u", "db", &Trigger::Config(&one, "x")),
        derive("u", "db", &Trigger::Expiry(&one)),
        derive("u", "db", &Trigger::Lost(&lost)),
        derive("u", "db", &Trigger::Lost(&["ab".to_owned(), String::new()])),
    ];
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
    assert_eq!(ids[0], derive("u", "db", &Trigger::Initial(None, 1)));
    assert_eq!(RotationId::parse(ids[0].as_str()).as_ref(), Some(&ids[0]));
}

#[test]
fn an_id_that_was_written_down_is_32_hexadecimal_digits() {
    for (text, valid) in
        [("a".repeat(32), true), ("A".repeat(32), false), ("a".repeat(31), false), (String::new(), false)]
    {
        assert_eq!(RotationId::parse(&text).is_some(), valid, "{text}");
    }
}

#[test]
fn entries_are_named_by_generator_and_occurrence() {
    for (api_version, kind, occurrence, want) in [
        ("generators.external-secrets.io/v1alpha1", "Password", 0, "Password/db#0"),
        ("generators.external-secrets.io/v1alpha1", "Password", 1, "Password/db#1"),
        ("keymill.dev/v1alpha1", "Generator", 0, "Generator.keymill.dev/db#0"),
    ] {
        assert_eq!(EntryKey::new(api_version, kind, "db", occurrence).as_str(), want);
    }
}

#[test]
fn the_combined_id_is_that_of_the_only_entry_or_a_hash_over_all() {
    let mut record = record(&[]);
    assert_eq!(record.rotation_id(), Some(id(2)));
    record.set(key_of("other"), RecordEntry { id: id(3), ..entry(&[]) });
    let both = record.rotation_id().unwrap();
    assert!(both != id(2) && both != id(3));
    record.set(key_of("other"), RecordEntry { id: id(4), ..entry(&[]) });
    assert_ne!(record.rotation_id().unwrap(), both);
    assert_eq!(Record::default().rotation_id(), None);
}

#[test]
fn the_record_is_named_after_its_object() {
    assert_eq!(record_name("ExternalSecret", "app"), "keymill-rotation-externalsecret-app");
    let long = record_name("ExternalSecret", &"a".repeat(253));
    assert_eq!(long.len(), 253);
    assert_ne!(long, record_name("ExternalSecret", &format!("{}b", "a".repeat(252))));
}

#[test]
fn several_objects_share_the_annotation_of_a_target() {
    let own = meta();
    let text = |annotation: Option<&str>, id: Option<&RotationId>| publish(annotation, &own, id, true);
    let (one, two) = (id(1), id(2));
    let alone = text(None, Some(&one)).unwrap();
    assert_eq!(published(&alone, "app"), Some(one.as_str()));
    let both = text(Some("other:x"), Some(&two)).unwrap();
    assert_eq!(published(&both, "app"), Some(two.as_str()));
    assert_eq!(published(&both, "other"), Some("x"));
    assert_eq!(published(&both, "third"), None);
    assert_eq!(text(Some(&both), None).as_deref(), Some("other:x"));
    assert_eq!(text(Some("app:1"), None), None);
    assert_eq!(publish(Some("x"), &own, Some(&one), false).as_deref(), Some(one.as_str()));
    assert_eq!(published(one.as_str(), "app"), Some(one.as_str()));
}

#[test]
fn a_record_is_a_secret_with_one_document_per_entry() {
    let encoded = record(&[("password", "s3cret")]).encode().unwrap();
    let documents = texts(&encoded);
    let (key, document) = documents.first_key_value().unwrap();
    assert!(key.starts_with("entry-") && key.len() == 38);
    let want = concat!(
        r#"{"version":1,"entry":"Password/db#0","id":"00000000000000000000000000000002","#,
        r#""previous":"00000000000000000000000000000001","values":{"fields":{"password":{"value":"czNjcmV0","bits":12.5,"exact":true}},"#,
        r#""state":"c3RhdGU=","lives":1500},"configDigest":"digest","occasion":"forced","#,
        r#""rotatedAt":"2027-01-15T08:00:00Z","expiresAt":"2027-01-15T08:01:00Z","forceSync":"now"}"#
    );
    assert_eq!(document, want);
    assert!(!format!("{:?}", record(&[("password", "s3cret")])).contains("s3cret"));
}

/// Reading what `change` makes of a good record.
fn damaged(change: impl Fn(String) -> String) -> String {
    let encoded = record(&[("password", "s3cret")]).encode().unwrap();
    let data: Fields =
        texts(&encoded).into_iter().map(|(key, text)| (key, Value::from(change(text)))).collect();
    match Record::decode(&data) {
        Ok(_) => "it can be read".to_owned(),
        Err(error) => error.to_string().split_once(": ").unwrap().1.to_owned(),
    }
}

#[test]
fn a_damaged_record_is_an_error_and_never_no_record() {
    type Change = fn(String) -> String;
    let part = "a part is missing or not valid";
    let rows: &[(Change, &str)] = &[
        (|text| text, "it can be read"),
        (|_| String::new(), "it is not a JSON object with a version"),
        (|text| text[..text.len() - 1].to_owned(), "it is not a JSON object with a version"),
        (
            |text| text.replace("\"version\":1", "\"version\":2"),
            "it has version 2 and this keymill reads version 1",
        ),
        (
            |text| text.replace("\"occasion\":\"forced\"", "\"occasion\":\"whim\""),
            "its occasion is none that is known",
        ),
        (|text| text.replace("czNjcmV0", "czNjcmV"), part),
        (|text| text.replace("\"configDigest\":\"digest\",", ""), part),
        (|text| text.replace("\"state\"", "\"more\""), part),
        (|text| text.replace("00000002", "xyz"), "an id is not 32 hexadecimal digits"),
        (|text| text.replace(",\"exact\":true", ""), "the entropy of a field is half there"),
        (
            |text| text.replace("Password/db#0", "Password/db#1"),
            "it is stored under the key of another entry",
        ),
    ];
    for (change, want) in rows {
        assert_eq!(damaged(change), *want);
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        values: std::collections::BTreeMap<String, Vec<u8>>,
        state: Option<Vec<u8>>,
        bits in proptest::option::of(0.0_f64..1e6),
        force_sync: Option<String>,
        held: bool,
    ) {
        let entropy = bits.map(|bits| Entropy { bits, exact: false });
        let fields = values.into_iter().map(|(key, value)| (key, GeneratedField { value: Value::new(value), entropy }));
        let generated = Generated { fields: fields.collect(), state: state.map(Value::new), expires_in: None };
        let held = if held { Held::Values(generated) } else { Held::OnTarget };
        let mut record = Record::default();
        for name in ["a", "b"] {
            record.set(key_of(name), RecordEntry { held: held.clone(), force_sync: force_sync.clone(), ..entry(&[]) });
        }
        prop_assert_eq!(Record::decode(&record.encode().unwrap()).unwrap(), record);
    }
}
