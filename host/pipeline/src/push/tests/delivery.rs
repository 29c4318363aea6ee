use super::*;

#[tokio::test]
async fn other_properties_keep_their_text_and_other_peoples_secrets_stay() {
    let more = |policy: &str| json!({"updatePolicy": policy, "data": [entry(Some("pw"), "r", Some("p"))]});
    for (policy, there, managed, want, failure) in [
        (
            "Replace",
            r#"{"q":1.50,"p":"theirs","n":{"z":1,"a":[]}}"#,
            true,
            r#"{"q":1.50,"p":"s3cret","n":{"z":1,"a":[]}}"#,
            None,
        ),
        ("Replace", r#"{"p":5}"#, true, r#"{"p":"s3cret"}"#, None),
        (
            "Replace",
            r#"{"p":"theirs"}"#,
            false,
            r#"{"p":"theirs"}"#,
            Some("a secret is there that is not marked managed-by: external-secrets"),
        ),
        ("IfNotExists", r#"{"p":"theirs"}"#, false, r#"{"p":"theirs"}"#, None),
        ("IfNotExists", r#"{"q":"theirs"}"#, true, r#"{"q":"theirs","p":"s3cret"}"#, None),
        ("IfNotExists", r#"{"q":"theirs"}"#, false, r#"{"q":"theirs"}"#, Some("is not marked")),
        ("Replace", "text", true, "text", Some("what is there is not a JSON object")),
    ] {
        let mut pushing = Pushing::new(more(policy));
        pushing.vault.put("r", json_document(there), managed);
        pushing.sync().await;
        assert_eq!(pushing.at("r").as_deref(), Some(want), "{policy} {there}");
        let failed = pushing.failures.first().cloned().unwrap_or_default();
        assert_eq!(failed.is_empty(), failure.is_none(), "{failed}");
        assert!(failed.contains(failure.unwrap_or_default()), "{failed}");
    }
}

#[test]
fn documents_are_compared_by_what_they_mean() {
    let map = |pairs: &[(&str, &str)]| Document::Map(fields(pairs));
    let bytes = |text: &str| Document::Bytes(Value::from(text));
    for (there, wanted, want) in [
        (json_document(r#"{"a":1.0,"b":[1,{"c":2}]}"#), bytes(r#"{ "b": [1, {"c": 2e0}], "a": 1 }"#), true),
        (json_document(r#"{"a":[1,2]}"#), bytes(r#"{"a":[2,1]}"#), false),
        (json_document(r#"{"a":12345678901234567890}"#), bytes(r#"{"a":12345678901234567891}"#), false),
        (json_document(r#"{"a":"1"}"#), bytes(r#"{"a":1}"#), false),
        (json_document(r#"{"a":"1"}"#), map(&[("a", "1")]), true),
        (json_document(r#"{"a":"1","b":"2"}"#), map(&[("a", "1")]), false),
        (map(&[("a", "1"), ("o", r#"{"x":1}"#)]), bytes(r#"{"a":"1","o":{"x":1}}"#), true),
        (bytes("1.0"), bytes("1"), false),
        (bytes("text"), bytes("text"), true),
    ] {
        assert_eq!(remote::same(&there, &wanted), want, "{there:?} {wanted:?}");
    }
}

#[tokio::test]
async fn what_is_not_wanted_any_more_is_deleted_if_that_is_the_policy() {
    let list = json!([
        entry(Some("pw"), "r", Some("p")),
        entry(Some("user"), "r", Some("u")),
        entry(None, "s", None)
    ]);
    for (policy, left) in [
        ("Delete", [Some(r#"{"u":"ada"}"#), None]),
        ("None", [Some(r#"{"p":"s3cret","u":"ada"}"#), Some(r#"{"pw":"s3cret","user":"ada"}"#)]),
    ] {
        let mut pushing = Pushing::new(json!({"deletionPolicy": policy, "data": list}));
        pushing.sync().await;
        pushing.spec = checked_push(spec(
            json!({"deletionPolicy": policy, "data": [entry(Some("user"), "r", Some("u"))]}),
        ));
        pushing.meta.generation = 2;
        pushing.sync().await;
        assert_eq!([pushing.at("r").as_deref(), pushing.at("s").as_deref()], left, "{policy}");
        assert_eq!(pushing.names(), ["SecretStore/vault: r/u"], "{policy}");
    }
}

#[tokio::test]
async fn what_is_not_managed_or_gone_is_not_deleted() {
    let mut pushing = Pushing::new(
        json!({"deletionPolicy": "Delete", "data": [entry(Some("pw"), "r", None), entry(Some("user"), "s", Some("u"))]}),
    );
    pushing.sources = vec![source("1", &[("pw", "{}"), ("user", "ada")])];
    pushing.sync().await;
    pushing.vault.put("r", json_document("{}"), false);
    pushing.vault.secrets.lock().unwrap().remove("s");
    let delivered = withdraw_all(&pushing.stores(), &pushing.meta, &pushing.synced).await;
    assert!(delivered.failures.is_empty() && delivered.synced.is_empty());
    assert_eq!((delivered.written, pushing.at("r").as_deref()), (0, Some("{}")));
}

#[tokio::test]
async fn a_race_is_won_by_reading_again_and_not_without_end() {
    let mut pushing = Pushing::new(json!({"data": [entry(Some("pw"), "r", Some("p"))]}));
    pushing.vault.races.store(2, Ordering::Relaxed);
    assert_eq!(pushing.sync().await, 1);
    assert!(pushing.failures.is_empty());
    let mut pushing = Pushing::new(json!({"data": [entry(Some("pw"), "r", Some("p"))]}));
    pushing.vault.races.store(3, Ordering::Relaxed);
    pushing.sync().await;
    assert_eq!(pushing.failures, ["failed to write key r in SecretStore/vault: changed since it was read"]);
}

#[tokio::test]
async fn a_store_that_fails_holds_up_no_other_and_is_remembered() {
    let stores = json!([{"name": "vault"}, {"name": "other"}]);
    let mut pushing = Pushing::new(
        json!({"secretStoreRefs": stores, "deletionPolicy": "Delete", "data": [entry(Some("pw"), "r", Some("p"))]}),
    );
    assert_eq!(pushing.sync().await, 2);
    *pushing.vault.down.lock().unwrap() = true;
    pushing.sources = vec![source("2", &[("pw", "new")])];
    pushing.sync().await;
    assert_eq!(pushing.failures, ["failed to read key r in SecretStore/vault: no answer"]);
    assert_eq!(pushing.other.document("r"), Some(Document::Map(fields(&[("p", "new")]))));
    assert_eq!(pushing.names(), ["SecretStore/other: r/p", "SecretStore/vault: r/p"]);
    *pushing.vault.down.lock().unwrap() = false;
    pushing.failures.clear();
    assert_eq!(pushing.sync().await, 1, "the other one has it already");
}

#[test]
fn a_withdrawal_takes_no_more_than_what_is_not_wanted() {
    let synced = |entries: &[Json]| -> SyncedPushSecrets {
        let data = entries.iter().map(|entry| serde_json::from_value(entry.clone()).unwrap());
        let named = data.map(|data: api::push_secret::PushSecretData| (withdraw::status_name(&data), data));
        [("SecretStore/vault".to_owned(), named.collect())].into()
    };
    let before =
        synced(&[entry(Some("a"), "r", Some("p")), entry(Some("b"), "r", Some("q")), entry(None, "s", None)]);
    let gone = |after: &[Json]| {
        let list = withdrawals(&before, &synced(after));
        list.iter()
            .map(|one| {
                format!(
                    "{} {:?}",
                    one.key,
                    one.properties.clone().map(|all| all.into_iter().collect::<Vec<_>>())
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(gone(&[]), [r#"r Some(["p", "q"])"#, "s None"]);
    assert_eq!(gone(&[entry(Some("a"), "r", Some("p"))]), [r#"r Some(["q"])"#, "s None"]);
    assert_eq!(
        gone(&[entry(Some("a"), "s", Some("p"))]),
        [r#"r Some(["p", "q"])"#],
        "a part of it is wanted now"
    );
    let whole = &withdrawals(&before, &SyncedPushSecrets::new())[1];
    let remote = |managed| Remote {
        document: Found::Found(json_document("{}")),
        managed,
        marks: BTreeMap::new(),
        revision: Revision::Unsupported,
    };
    assert_eq!(
        (whole.plan(&remote(true)), whole.plan(&remote(false))),
        (RemotePlan::Delete, RemotePlan::Keep)
    );
}

#[tokio::test]
async fn an_older_value_is_not_put_over_a_newer_one() {
    let mut pushing = Pushing::new(json!({"data": [entry(Some("pw"), "r", Some("p"))]}));
    pushing.vault.put("r", json_document(r#"{"p":"newer"}"#), true);
    pushing.guard.changed.store(true, Ordering::Relaxed);
    assert_eq!(pushing.sync().await, 0);
    assert_eq!(pushing.at("r").as_deref(), Some(r#"{"p":"newer"}"#));
    assert!(
        pushing.failures[0].contains("the source has changed since it was read"),
        "{:?}",
        pushing.failures
    );
    pushing.guard.changed.store(false, Ordering::Relaxed);
    assert_eq!(pushing.sync().await, 1);
    assert_eq!(pushing.at("r").as_deref(), Some(r#"{"p":"s3cret"}"#));
}

#[tokio::test]
async fn only_a_write_asks_for_the_source_again() {
    let mut pushing = Pushing::new(json!({"data": [entry(Some("pw"), "r", Some("p"))]}));
    pushing.sync().await;
    assert_eq!(pushing.guard.asked.load(Ordering::Relaxed), 1);
    pushing.now += 7200;
    pushing.sync().await;
    assert_eq!(pushing.guard.asked.load(Ordering::Relaxed), 1);
}

#[test]
fn what_may_be_taken_back_is_said_before_it_is_pushed() {
    let pushed = |key: &str| {
        let data: api::push_secret::PushSecretData = serde_json::from_value(entry(None, key, None)).unwrap();
        PushEntry { content: Content::Whole(fields(&[])), data }
    };
    let name = StoreName { kind: "SecretStore".to_owned(), name: "vault".to_owned() };
    let store = StoreView { name, labels: BTreeMap::new(), usable: true };
    let said = |key: &str| {
        SyncedPushSecrets::from([(
            "SecretStore/vault".to_owned(),
            BTreeMap::from([(key.to_owned(), pushed(key).data)]),
        )])
    };
    let wanted = [(store, vec![(pushed("b"), Default::default())])];
    let announced = |policy: &str, before: &SyncedPushSecrets| {
        let spec = checked_push(spec(json!({"deletionPolicy": policy, "data": [entry(None, "b", None)]})));
        let announced = announcement(&spec, before, &wanted)?;
        Some(announced["SecretStore/vault"].keys().cloned().collect::<Vec<_>>().join(","))
    };
    assert_eq!(announced("Delete", &SyncedPushSecrets::new()).as_deref(), Some("b"));
    assert_eq!(announced("Delete", &said("a")).as_deref(), Some("a,b"));
    assert_eq!(announced("Delete", &said("b")), None, "it is said already");
    assert_eq!(announced("None", &SyncedPushSecrets::new()), None, "nothing is taken back");
}
