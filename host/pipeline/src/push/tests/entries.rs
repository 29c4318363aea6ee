use super::*;

/// Pushes one source and looks at one remote key and at one entry of the status.
async fn check(more: Json, key: &str, want: &str, name: &str) {
    let doc = [
        ("doc", r#"{"a":"1","b":2}"#),
        ("db-a", r#"{"x":"1"}"#),
        ("db-b", r#"{"y":"2"}"#),
        ("a_U002f_b", "v"),
    ];
    let mut pushing = Pushing::new(more.clone());
    pushing.sources = vec![source("1", &doc)];
    pushing.sync().await;
    assert_eq!(pushing.at(key).as_deref(), Some(want), "{more}");
    assert_eq!(pushing.names().first().unwrap(), &format!("SecretStore/vault: {name}"), "{more}");
    let marked = |remote: &Remote| remote.marks["keymill.dev/source"] == "shop/source";
    assert!(pushing.vault.secrets.lock().unwrap().values().all(marked));
    assert_eq!(pushing.decided(), "wait", "{more}");
}

#[tokio::test]
async fn entries_go_where_they_are_sent() {
    for (more, key, want, name) in [
        (
            json!({"data": [entry(Some("db-a"), "r", Some("password"))]}),
            "r",
            r#"{"password":"{\"x\":\"1\"}"}"#,
            "r/password",
        ),
        (json!({"data": [entry(Some("doc"), "r", None)]}), "r", r#"{"a":"1","b":2}"#, "r"),
        (
            json!({"data": [entry(None, "r", None)]}),
            "r",
            r#"{"a_U002f_b":"v","db-a":"{\"x\":\"1\"}","db-b":"{\"y\":\"2\"}","doc":"{\"a\":\"1\",\"b\":2}"}"#,
            "r",
        ),
        (
            json!({"data": [{"match": entry(Some("a/b"), "r", Some("p"))["match"], "conversionStrategy": "ReverseUnicode"}]}),
            "r",
            r#"{"p":"v"}"#,
            "r/p",
        ),
    ] {
        check(more, key, want, name).await;
    }
}

#[tokio::test]
async fn matched_keys_go_where_their_names_say() {
    for (more, key, want, name) in [
        (
            json!({"dataTo": [{"storeRef": {"name": "vault"}, "match": {"regexp": "^db-"}, "rewrite": [{"regexp": {"source": "^db-", "target": "db/"}}]}]}),
            "db/b",
            r#"{"y":"2"}"#,
            "db/a",
        ),
        (
            json!({"dataTo": [{"storeRef": {"name": "vault"}, "match": {"regexp": "^doc$"}, "rewrite": [{"transform": {"template": "x/<VALUE>"}}]}]}),
            "x/DOC",
            r#"{"a":"1","b":2}"#,
            "x/DOC",
        ),
        (
            json!({"dataTo": [{"storeRef": {"name": "vault"}, "remoteKey": "r", "match": {"regexp": "^db-"}}]}),
            "r",
            r#"{"db-a":"{\"x\":\"1\"}","db-b":"{\"y\":\"2\"}"}"#,
            "r",
        ),
        (
            json!({"template": {"data": {"dsn": "<a_U002f_b>@db"}}, "data": [entry(Some("dsn"), "r", Some("dsn"))]}),
            "r",
            r#"{"dsn":"v@db"}"#,
            "r/dsn",
        ),
    ] {
        check(more, key, want, name).await;
    }
}

#[tokio::test]
async fn two_entries_of_one_remote_secret_are_one_write() {
    let list = json!([
        entry(Some("user"), "r", Some("u")),
        entry(Some("pw"), "r", Some("p")),
        entry(None, "s", Some("all"))
    ]);
    let mut pushing = Pushing::new(json!({"data": list}));
    assert_eq!(pushing.sync().await, 2);
    assert_eq!(pushing.at("r").as_deref(), Some(r#"{"p":"s3cret","u":"ada"}"#));
    assert_eq!(pushing.at("s").as_deref(), Some(r#"{"all":"{\"pw\":\"s3cret\",\"user\":\"ada\"}"}"#));
    assert_eq!(
        pushing.names(),
        ["SecretStore/vault: r/p", "SecretStore/vault: r/u", "SecretStore/vault: s/all"]
    );
    // The next slot finds everything as it is.
    pushing.now = 7200;
    assert_eq!(pushing.decided(), "slot-due");
    assert_eq!(pushing.sync().await, 0);
}

#[tokio::test]
async fn what_cannot_be_pushed_is_said() {
    let data_to = |target: &str| json!({"dataTo": [{"storeRef": {"name": target}, "rewrite": [{"regexp": {"source": ".*", "target": "same"}}]}]});
    for (more, want, reason) in [
        (
            json!({"data": [entry(Some("nope"), "r", None)]}),
            "push key nope: the source has no such key",
            Reason::ReferenceMissing,
        ),
        (data_to("vault"), "push pw and user: both go to the remote secret same", Reason::InvalidSpec),
        (
            data_to("unlisted"),
            "push to SecretStore/unlisted: it is not among spec.secretStoreRefs",
            Reason::InvalidSpec,
        ),
    ] {
        let pushing = Pushing::new(more.clone());
        let shaped = pushing.shaped(&pushing.sources[0].data).await.unwrap();
        let selected = selected_stores(&pushing.spec, &[]).unwrap();
        let error = entries(&pushing.spec, &shaped, &selected[0], &selected).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.reason()), (want, reason), "{more}");
    }
}

#[tokio::test]
async fn an_explicit_entry_replaces_that_of_data_to() {
    let more = json!({
        "dataTo": [{"storeRef": {"name": "vault"}, "rewrite": [{"regexp": {"source": "^", "target": "all/"}}]}],
        "data": [entry(Some("pw"), "explicit", None)],
    });
    let pushing = Pushing::new(more);
    let shaped = pushing.shaped(&pushing.sources[0].data).await.unwrap();
    let selected = selected_stores(&pushing.spec, &[]).unwrap();
    let found = entries(&pushing.spec, &shaped, &selected[0], &selected).unwrap();
    assert_eq!(found.iter().map(PushEntry::remote_key).collect::<Vec<_>>(), ["all/user", "explicit"]);
}

#[test]
fn stores_are_selected_by_name_and_by_labels() {
    let store = |kind: &str, name: &str, team: &str| StoreView {
        name: StoreName { kind: kind.to_owned(), name: name.to_owned() },
        labels: [("team".to_owned(), team.to_owned())].into(),
        usable: true,
    };
    let theirs = StoreView { usable: false, ..store("SecretStore", "theirs", "x") };
    let candidates = [
        theirs,
        store("SecretStore", "a", "x"),
        store("SecretStore", "b", "y"),
        store("ClusterSecretStore", "c", "x"),
    ];
    let expression = |operator: &str, values: Json| json!({"labelSelector": {"matchExpressions": [{"key": "team", "operator": operator, "values": values}]}});
    for (refs, want) in [
        (json!([{"name": "a"}]), "SecretStore/a"),
        (json!([{"name": "none"}]), "SecretStore/none"),
        (json!([{"labelSelector": {"matchLabels": {"team": "x"}}}]), "SecretStore/a"),
        (
            json!([{"labelSelector": {"matchLabels": {"team": "x"}}, "kind": "ClusterSecretStore"}]),
            "ClusterSecretStore/c",
        ),
        (json!([{"name": "b"}, {"labelSelector": {}}]), "SecretStore/b SecretStore/a"),
        (json!([expression("In", json!(["y", "z"]))]), "SecretStore/b"),
        (json!([expression("NotIn", json!(["y"]))]), "SecretStore/a"),
        (json!([expression("Exists", json!([]))]), "SecretStore/a SecretStore/b"),
        (json!([expression("DoesNotExist", json!([]))]), "push: no store matches spec.secretStoreRefs"),
    ] {
        let push = checked_push(spec(json!({"secretStoreRefs": refs})));
        let selected = match selected_stores(&push, &candidates) {
            Ok(stores) => stores.iter().map(|store| store.name.to_string()).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(selected, want, "{refs}");
    }
}
