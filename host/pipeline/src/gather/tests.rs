use std::sync::Mutex;

use serde_json::{Value as Json, json};

use super::*;
use crate::decide::Cause;
use crate::field::Value;
use crate::fixture::{
    Angles, Counter, Counters, MemoryStore, MemoryStores, World, at, checked, meta, password, texts,
};
use crate::ports::Document;

/// Two stores, `vault` and `other`, with what the cases read.
fn stores() -> MemoryStores {
    let vault = MemoryStore::default();
    for (key, text) in [
        ("cfg", r#"{"user":"ada","port":5432,"db":{"user":"deep"}}"#),
        ("a/b", "slash"),
        ("text", "just text"),
        ("app-a", r#"{"u":"1"}"#),
        ("app-b", r#"{"v":"2"}"#),
        ("enc", "aGVsbG8="),
        ("nul", "YQBi"),
        ("odd", r#"{"a/b":"1","c d":"2"}"#),
        ("clash", r#"{"a/b":"1","a:b":"2"}"#),
        ("bin", r#"{"x":"YQ=="}"#),
    ] {
        vault.put(key, Document::Bytes(Value::from(text)), false);
    }
    let other = MemoryStore::default();
    other.put("user", Document::Bytes(Value::from("from-other")), false);
    MemoryStores {
        stores: [("vault".to_owned(), vault.into()), ("other".to_owned(), other.into())].into(),
        ..MemoryStores::default()
    }
}

fn sources(stores: MemoryStores) -> (Sources, Arc<MemoryStores>) {
    let stores = Arc::new(stores);
    let generators = Arc::new(Counters(Arc::<Counter>::default(), Mutex::new("config".to_owned())));
    (Sources { stores: stores.clone(), generators, engine: Arc::new(Angles::default()) }, stores)
}

async fn gathered(spec: &Json) -> Result<Gathered, GatherError> {
    let (sources, _) = sources(stores());
    let mut spec = spec.clone();
    spec["secretStoreRef"] = json!({"name": "vault"});
    let refresh = Refresh { cause: Cause::FirstSync, entries: Vec::new(), drawing: None };
    gather(&sources, &checked(spec), &meta(), &Found::Missing, &refresh, at(5)).await
}

async fn check(spec: Json, want: Result<&[(&str, &str)], &str>) {
    match (gathered(&spec).await, want) {
        (Ok(got), Ok(want)) => {
            let want = want.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            assert_eq!(texts(&got.fields), want, "{spec}");
        }
        (Err(got), Err(want)) => {
            let message = crate::outcome::message(&got);
            assert!(message.starts_with(&format!("failed to {want}")), "{spec}: {message}");
        }
        (got, want) => panic!("{spec}: {got:?}, not {want:?}"),
    }
}

fn data(key: &str, remote: Json) -> Json {
    json!({"secretKey": key, "remoteRef": remote})
}

#[tokio::test]
async fn single_values() {
    for (remote, want) in [
        (json!({"key": "text"}), Ok("just text")),
        (json!({"key": "cfg", "property": "user"}), Ok("ada")),
        (json!({"key": "cfg", "property": "db.user"}), Ok("deep")),
        (json!({"key": "enc", "decodingStrategy": "Base64"}), Ok("hello")),
        (json!({"key": "nul", "decodingStrategy": "Base64"}), Ok("a\0b")),
        (
            json!({"key": "nul", "decodingStrategy": "Base64", "nullBytePolicy": "Fail"}),
            Err("shape nul of SecretStore/vault: accept the value of k: it has a null byte"),
        ),
        (
            json!({"key": "text", "decodingStrategy": "Base64"}),
            Err("shape text of SecretStore/vault: decode the value of k as Base64: it is not valid Base64"),
        ),
        (
            json!({"key": "cfg", "property": "nope"}),
            Err("shape cfg of SecretStore/vault: find property nope: there is no such property"),
        ),
        (
            json!({"key": "none"}),
            Err("read key none in SecretStore/vault: there is no such secret; create it"),
        ),
    ] {
        let want = want.map(|value| [("k", value)]);
        let want = want.as_ref().map(|want| want.as_slice()).map_err(|error| *error);
        check(json!({"data": [data("k", remote)]}), want).await;
    }
}

#[tokio::test]
async fn many_values() {
    for (entry, want) in [
        (
            json!({"extract": {"key": "cfg"}}),
            Ok(&[("user", "ada"), ("port", "5432"), ("db", r#"{"user":"deep"}"#)][..]),
        ),
        (json!({"extract": {"key": "cfg", "property": "db"}}), Ok(&[("user", "deep")])),
        (json!({"extract": {"key": "odd"}}), Ok(&[("a_b", "1"), ("c_d", "2")])),
        (
            json!({"extract": {"key": "odd", "conversionStrategy": "Unicode"}}),
            Ok(&[("a_U002f_b", "1"), ("c_U0020_d", "2")]),
        ),
        (json!({"extract": {"key": "bin", "decodingStrategy": "Base64"}}), Ok(&[("x", "a")])),
        (
            json!({"extract": {"key": "clash"}}),
            Err("shape clash of SecretStore/vault: convert the keys a/b and a:b: both become a_b"),
        ),
        (
            json!({"extract": {"key": "text"}}),
            Err("shape text of SecretStore/vault: read the value as a JSON object"),
        ),
        (
            json!({"find": {"name": {"regexp": "^app-"}}}),
            Ok(&[("app-a", r#"{"u":"1"}"#), ("app-b", r#"{"v":"2"}"#)]),
        ),
        (json!({"find": {"name": {"regexp": "^a/"}}}), Ok(&[("a_b", "slash")])),
        (
            json!({"find": {"name": {"regexp": "^app-"}}, "rewrite": [{"merge": {}}]}),
            Ok(&[("u", "1"), ("v", "2")]),
        ),
        (
            json!({"find": {"name": {"regexp": "^app-"}}, "rewrite": [{"regexp": {"source": "^app-(.)", "target": "$1.x"}}]}),
            Ok(&[("a.x", r#"{"u":"1"}"#), ("b.x", r#"{"v":"2"}"#)]),
        ),
        (
            json!({"find": {"name": {"regexp": "^app-a"}}, "rewrite": [{"transform": {"template": "<VALUE>_X"}}]}),
            Ok(&[("APP-A_X", r#"{"u":"1"}"#)]),
        ),
        (
            json!({"extract": {"key": "bin"}, "rewrite": [{"regexp": {"source": "x", "target": "x/y"}}]}),
            Err("shape bin of SecretStore/vault: use the key `x/y`"),
        ),
        (json!({"extract": {"key": "bin"}, "rewrite": [{"regexp": {"source": "x", "target": ""}}]}), Ok(&[])),
        (
            json!({"extract": {"key": "bin"}, "rewrite": [{"transform": {"template": "<nope>"}}]}),
            Err("shape bin of SecretStore/vault: render the new name of the key x: no such key"),
        ),
    ] {
        check(json!({"dataFrom": [entry]}), want).await;
    }
}

#[tokio::test]
async fn later_wins_and_data_wins_over_data_from() {
    let spec = json!({
        "dataFrom": [{"extract": {"key": "cfg"}}, {"extract": {"key": "cfg", "property": "db"}}],
        "data": [data("port", json!({"key": "text"}))],
    });
    check(spec, Ok(&[("user", "deep"), ("port", "just text"), ("db", r#"{"user":"deep"}"#)])).await;
}

#[tokio::test]
async fn each_store_is_opened_once() {
    let entry = |key: &str, store: &str| json!({"secretKey": key, "remoteRef": {"key": "user"}, "sourceRef": {"storeRef": {"name": store}}});
    let mut list = vec![entry("a", "other"), entry("b", "other")];
    list.push(
        json!({"secretKey": "c", "remoteRef": {"key": "text"}, "sourceRef": {"storeRef": {"name": "vault"}}}),
    );
    list.push(entry("d", "other"));
    let (sources, stores) = sources(stores());
    let refresh = Refresh { cause: Cause::FirstSync, entries: Vec::new(), drawing: None };
    let spec = checked(json!({"data": list}));
    let gathered = gather(&sources, &spec, &meta(), &Found::Missing, &refresh, at(0)).await.unwrap();
    assert_eq!(gathered.fields.len(), 4);
    assert_eq!(*stores.opened.lock().unwrap(), [("other".to_owned(), 1), ("vault".to_owned(), 1)].into());
}

#[tokio::test]
async fn what_is_missing_is_left_out_where_the_policy_says_so() {
    for policy in ["Delete", "Merge"] {
        let spec = json!({
            "target": {"deletionPolicy": policy},
            "data": [data("k", json!({"key": "text"})), data("j", json!({"key": "none"}))],
            "dataFrom": [{"extract": {"key": "gone"}}],
        });
        let gathered = gathered(&spec).await.unwrap();
        assert_eq!(texts(&gathered.fields), [("k".to_owned(), "just text".to_owned())].into());
        let missing: Vec<String> =
            gathered.missing.iter().map(|one| format!("{} {}", one.store, one.key)).collect();
        assert_eq!(missing, ["SecretStore/vault gone", "SecretStore/vault none"], "{policy}");
    }
    // A missing property is doubt, not absence.
    let spec = json!({
        "target": {"deletionPolicy": "Delete"},
        "data": [data("k", json!({"key": "cfg", "property": "nope"}))],
    });
    check(spec, Err("shape cfg of SecretStore/vault")).await;
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_never_taken_for_empty() {
    let stores = stores();
    *stores.stores["vault"].down.lock().unwrap() = true;
    let (sources, _) = sources(stores);
    let refresh = Refresh { cause: Cause::FirstSync, entries: Vec::new(), drawing: None };
    for entry in [json!({"extract": {"key": "cfg"}}), json!({"find": {}})] {
        let spec = json!({"secretStoreRef": {"name": "vault"}, "target": {"deletionPolicy": "Delete"}, "dataFrom": [entry]});
        let error =
            gather(&sources, &checked(spec), &meta(), &Found::Missing, &refresh, at(0)).await.unwrap_err();
        assert_eq!(error.reason(), Reason::StoreUnavailable);
    }
    let spec = json!({"secretStoreRef": {"name": "none"}, "data": [data("k", json!({"key": "k"}))]});
    let error =
        gather(&sources, &checked(spec), &meta(), &Found::Missing, &refresh, at(0)).await.unwrap_err();
    assert_eq!(error.to_string(), "open SecretStore/none");
    assert_eq!(error.reason(), Reason::StoreNotFound);
}

#[tokio::test]
async fn generated_values_are_kept_or_made_as_decided() {
    let mut world = World::new(json!({"dataFrom": [password("db"), password("missing")]}));
    world.spec = checked(
        json!({"dataFrom": [{"sourceRef": password("db")["sourceRef"], "rewrite": [{"transform": {"template": "DB_<VALUE>"}}]}]}),
    );
    let first = world.gather(&world.due()).await;
    assert_eq!(texts(&first.fields), [("DB_PASSWORD".to_owned(), "value-1".to_owned())].into());
    assert!(first.record_changed);
    assert_eq!(first.time, at(0));
    assert_eq!(first.rotated.len(), 1);
    assert_eq!(first.generated.len(), 1);
    world.record = Found::Found(first.record.clone());
    world.now = at(10);
    let again = world.gather(&world.due()).await;
    assert_eq!((again.record_changed, again.rotated.is_empty()), (false, true));
    assert_eq!(again.time, at(0), "templates see the time of the rotation");
    assert_eq!(again.fields, first.fields);
}

#[tokio::test]
async fn a_generator_that_does_not_exist_fails_the_whole() {
    let world = World::new(json!({"dataFrom": [password("missing")]}));
    let (sources, _) = sources(stores());
    let error =
        gather(&sources, &world.spec, &meta(), &Found::Missing, &world.due(), at(0)).await.unwrap_err();
    assert_eq!(error.to_string(), "open generator Password/missing");
    assert_eq!(error.reason(), Reason::GeneratorNotFound);
    // Nor is a value invented that the record should have.
    let world = World::new(json!({"dataFrom": [password("db")]}));
    let refresh = Refresh { cause: Cause::SpecChanged, entries: Vec::new(), drawing: None };
    let error = gather(&sources, &world.spec, &meta(), &Found::Missing, &refresh, at(0)).await.unwrap_err();
    assert_eq!(error.reason(), Reason::Internal);
}

#[tokio::test]
async fn a_config_that_did_not_change_after_all_rotates_nothing() {
    let mut world = World::new(json!({"dataFrom": [password("db")]}));
    world.sync().await;
    world.annotate("keymill.dev/rotate-on-config-change", "true");
    world.config_digests.insert(crate::fixture::key_of("db"), "stale".to_owned());
    let refresh = world.due();
    assert_eq!(refresh.rotations().count(), 1);
    let gathered = world.gather(&refresh).await;
    assert_eq!(texts(&gathered.fields), [("password".to_owned(), "value-1".to_owned())].into());
    assert!(gathered.rotated.is_empty() && !gathered.record_changed);
}
