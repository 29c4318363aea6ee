use super::*;

const OURS: &str = r#"{"managed-by":"external-secrets"}"#;

fn metadata(version: u64, marks: &str) -> String {
    format!(r#"{{"data":{{"current_version":{version},"custom_metadata":{marks},"versions":{{}}}}}}"#)
}

fn written(version: u64) -> String {
    format!(r#"{{"data":{{"version":{version},"custom_metadata":null}}}}"#)
}

#[tokio::test]
async fn a_404_is_missing_only_where_it_means_that() {
    let deleted = r#"{"data":{"data":null,"metadata":{"version":3,"deletion_time":"2026-01-01T00:00:00Z","destroyed":false}}}"#;
    let destroyed = r#"{"data":{"data":null,"metadata":{"version":3,"deletion_time":"","destroyed":true}}}"#;
    for (version, status, body, missing) in [
        ("v2", 404, NOTHING, true),
        ("v2", 404, deleted, true),
        ("v2", 404, destroyed, true),
        ("v2", 200, deleted, true),
        ("v2", 404, "<html>", false),
        ("v1", 404, "", false),
        ("v1", 404, NOTHING, true),
        (
            "v2",
            404,
            r#"{"errors":["no handler for route \"secret/data/app\". route entry not found."]}"#,
            false,
        ),
        (
            "v1",
            404,
            r#"{"warnings":["Invalid path for a versioned K/V secrets engine."],"errors":[]}"#,
            false,
        ),
    ] {
        let line = if version == "v2" { "GET /v1/secret/data/app" } else { "GET /v1/secret/app" };
        let server = Server::start(&answers(&[(line, status, body)])).await;
        let found = read(&store(&server, version).await, "app").await;
        assert_eq!(found.as_ref().is_ok_and(Option::is_none), missing, "{version} {status} {body}");
        assert_eq!(found.is_err(), !missing, "{version} {status} {body}");
    }
}

#[tokio::test]
async fn a_version_is_asked_for_and_its_scalars_come_as_they_are() {
    let body = r#"{"request_id":"x","data":{"data":{"n":1.50,"big":12345678901234567890,"o":{"b":[1,"\u003c"]}},"metadata":{"version":2}}}"#;
    let server = Server::start(&answers(&[("GET /v1/secret/data/app?version=2", 200, body)])).await;
    let options = ReadOptions { version: Some("2".to_owned()), metadata: false };
    let found = store(&server, "v2").await.read("app", &options).await.expect("an answer");
    assert_eq!(
        shown(found).as_deref(),
        Some(r#"{"big":12345678901234567890,"n":1.50,"o":{"b":[1,"\u003c"]}}"#)
    );
}

#[tokio::test]
async fn metadata_is_shown_as_eso_shows_it() {
    let body = r#"{"data":{"current_version":4,"created_time":"T","delete_version_after":"0s","custom_metadata":{"owner":"a"}}}"#;
    let server = Server::start(&answers(&[
        ("GET /v1/secret/metadata/app", 200, body),
        ("GET /v1/secret/metadata/none", 404, NOTHING),
    ]))
    .await;
    let fetch = ReadOptions { version: None, metadata: true };
    let store2 = store(&server, "v2").await;
    let found = shown(store2.read("app", &fetch).await.expect("an answer"));
    assert_eq!(
        found.as_deref(),
        Some(r#"{"created_time":"T","current_version":"4","delete_version_after":"0s","owner":"a"}"#)
    );
    assert_eq!(shown(store2.read("none", &fetch).await.expect("an answer")), None);
    let failure = store(&server, "v1").await.read("app", &fetch).await.expect_err("no metadata");
    assert_eq!(failure.reason(), Reason::InvalidSpec);
}

/// What inspecting tells when reading the data and the metadata is answered like that: document, managed, revision; requests.
async fn check_inspect(data: (u16, &str), meta: Option<String>, expected: &str) {
    let meta = meta.map_or((404, NOTHING.to_owned()), |meta| (200, meta));
    let script =
        [("GET /v1/secret/data/app", data.0, data.1), ("GET /v1/secret/metadata/app", meta.0, &meta.1)];
    let server = Server::start(&answers(&script)).await;
    let remote = store(&server, "v2").await.inspect("app").await.expect("an answer");
    let document = shown(remote.document).unwrap_or_default();
    let told = format!("{document} {} {:?}; {}", remote.managed, remote.revision, server.lines().len());
    assert_eq!(told, expected, "{data:?}");
}

#[tokio::test]
async fn a_writer_learns_all_that_it_has_to_know() {
    let with = |marks: &str| {
        format!(r#"{{"data":{{"data":{{"p":"x"}},"metadata":{{"version":3,"custom_metadata":{marks}}}}}}}"#)
    };
    let old_server = r#"{"data":{"data":{"p":"x"},"metadata":{"version":3}}}"#;
    let deleted = r#"{"data":{"data":null,"metadata":{"version":3,"custom_metadata":null}}}"#;
    check_inspect((200, &with(OURS)), None, r#"{"p":"x"} true At("3"); 1"#).await;
    check_inspect((200, &with("null")), None, r#"{"p":"x"} false At("3"); 1"#).await;
    check_inspect((200, &with(r#"{"managed-by":"me"}"#)), None, r#"{"p":"x"} false At("3"); 1"#).await;
    check_inspect((200, old_server), Some(metadata(3, OURS)), r#"{"p":"x"} true At("3"); 2"#).await;
    check_inspect((404, deleted), None, r#" false At("3"); 1"#).await;
    check_inspect((404, NOTHING), None, " false Absent; 2").await;
    check_inspect((404, NOTHING), Some(metadata(0, OURS)), r#" true At("0"); 2"#).await;
}

/// Writes `{"p":"new"}` with the mark `k: r2` over what the script says, expecting `expected`.
async fn write(server: &Server, expected: Revision) -> Result<Revision, BoxFailure> {
    let (document, marks) = (json_document(r#"{"p":"new"}"#), marks(&[("k", "r2")]));
    let write = Write { key: "app", document: &document, marks: &marks, expected: &expected, metadata: None };
    store(server, "v2").await.write(write).await
}

#[tokio::test]
async fn a_new_secret_is_marked_then_written_then_its_marks_follow() {
    let server = Server::start(&answers(&[
        ("GET /v1/secret/metadata/app", 404, NOTHING),
        ("POST /v1/secret/metadata/app", 204, ""),
        ("POST /v1/secret/data/app", 200, &written(1)),
    ]))
    .await;
    assert_eq!(write(&server, Revision::Absent).await.expect("written"), Revision::At("1".into()));
    assert_eq!(
        server.bodies(),
        [
            r#"POST /v1/secret/metadata/app {"custom_metadata":{"managed-by":"external-secrets"}}"#,
            r#"POST /v1/secret/data/app {"options":{"cas":0},"data":{"p":"new"}}"#,
            r#"POST /v1/secret/metadata/app {"custom_metadata":{"k":"r2","managed-by":"external-secrets"}}"#,
        ]
    );
    assert!(
        server
            .seen()
            .iter()
            .filter(|request| !request.body.is_empty())
            .all(|request| { request.header("content-type") == Some("application/json") })
    );
}

#[tokio::test]
async fn an_update_keeps_the_metadata_of_others_and_writes_none_without_need() {
    let server = Server::start(&answers(&[
        (
            "GET /v1/secret/metadata/app",
            200,
            &metadata(4, r#"{"managed-by":"external-secrets","owner":"team","k":"r1"}"#),
        ),
        ("GET /v1/secret/metadata/app", 200, &metadata(5, r#"{"managed-by":"external-secrets","k":"r2"}"#)),
        ("POST /v1/secret/data/app", 200, &written(5)),
        ("POST /v1/secret/data/app", 200, &written(6)),
        ("POST /v1/secret/metadata/app", 204, ""),
    ]))
    .await;
    assert_eq!(write(&server, Revision::At("4".into())).await.expect("written"), Revision::At("5".into()));
    assert_eq!(write(&server, Revision::At("5".into())).await.expect("written"), Revision::At("6".into()));
    assert_eq!(
        server.bodies(),
        [
            r#"POST /v1/secret/data/app {"options":{"cas":4},"data":{"p":"new"}}"#,
            r#"POST /v1/secret/metadata/app {"custom_metadata":{"k":"r2","managed-by":"external-secrets","owner":"team"}}"#,
            r#"POST /v1/secret/data/app {"options":{"cas":5},"data":{"p":"new"}}"#,
        ]
    );
}

#[tokio::test]
async fn a_stale_writer_changes_nothing() {
    for (now, expected) in
        [(Some(5), Revision::At("4".into())), (Some(5), Revision::Absent), (None, Revision::At("1".into()))]
    {
        let (status, body) = now.map_or((404, NOTHING.to_owned()), |now| (200, metadata(now, OURS)));
        let server = Server::start(&answers(&[("GET /v1/secret/metadata/app", status, &body)])).await;
        let failure = write(&server, expected.clone()).await.expect_err("a conflict");
        assert_eq!(
            (failure.reason(), failure.retry()),
            (Reason::StoreConflict, Retry::Backoff),
            "{expected:?}"
        );
        assert_eq!(server.bodies(), [""; 0], "{expected:?}");
    }
}

/// The bodies that a writer sends who loses the race for a secret with the marks `before`, when the marks are `after` then.
async fn lose_the_race(before: Option<&str>, after: &str) -> Vec<String> {
    let conflict = r#"{"errors":["check-and-set parameter did not match the current version"]}"#;
    let (status, body) = before.map_or((404, NOTHING.to_owned()), |marks| (200, metadata(0, marks)));
    let server = Server::start(&answers(&[
        ("GET /v1/secret/metadata/app", status, &body),
        ("GET /v1/secret/metadata/app", 200, &metadata(1, after)),
        ("POST /v1/secret/metadata/app", 204, ""),
        ("POST /v1/secret/data/app", 400, conflict),
    ]))
    .await;
    let failure = write(&server, Revision::Absent).await.expect_err("a conflict");
    assert_eq!(failure.reason(), Reason::StoreConflict);
    server.bodies()
}

#[tokio::test]
async fn whoever_loses_the_race_takes_the_mark_back() {
    for (before, after, restored) in [
        (None, OURS, "{}"),
        (
            Some(r#"{"owner":"team"}"#),
            r#"{"managed-by":"external-secrets","owner":"team"}"#,
            r#"{"owner":"team"}"#,
        ),
    ] {
        let expected = format!(r#"POST /v1/secret/metadata/app {{"custom_metadata":{restored}}}"#);
        assert_eq!(lose_the_race(before, after).await.last(), Some(&expected));
    }
}

#[tokio::test]
async fn a_race_lost_to_one_of_us_leaves_the_mark() {
    let theirs = r#"{"keymill.dev/rotation":"r1","managed-by":"external-secrets"}"#;
    let bodies = lose_the_race(None, theirs).await;
    assert!(bodies.last().is_some_and(|last| last.starts_with("POST /v1/secret/data/app")), "{bodies:?}");
}

#[tokio::test]
async fn a_secret_that_was_ours_before_keeps_its_mark_after_a_conflict() {
    let conflict = r#"{"errors":["check-and-set parameter did not match the current version"]}"#;
    let server = Server::start(&answers(&[
        ("GET /v1/secret/metadata/app", 200, &metadata(4, OURS)),
        ("POST /v1/secret/data/app", 400, conflict),
    ]))
    .await;
    assert!(write(&server, Revision::At("4".into())).await.is_err());
    assert_eq!(server.bodies().len(), 1, "the data only");
}

#[tokio::test]
async fn only_objects_are_written() {
    let server = Server::start(&[]).await;
    for text in ["canary-text", "[1]", "\"canary\""] {
        let (document, expected) = (json_document(text), Revision::Absent);
        let write = Write {
            key: "app",
            document: &document,
            marks: &Marks::new(),
            expected: &expected,
            metadata: None,
        };
        let failure = store(&server, "v2").await.write(write).await.expect_err("no object");
        assert_eq!(failure.reason(), Reason::InvalidValue);
        assert!(!printed(&failure).contains("canary"));
    }
    assert_eq!(server.lines(), [""; 0]);
}

#[tokio::test]
async fn a_delete_takes_everything_if_nobody_wrote_meanwhile() {
    for (now, expected, requests, deleted) in [
        (Some(3), Revision::At("3".into()), 2, true),
        (Some(4), Revision::At("3".into()), 1, false),
        (Some(3), Revision::Unsupported, 2, true),
        (None, Revision::At("3".into()), 1, true),
    ] {
        let (status, body) = now.map_or((404, NOTHING.to_owned()), |now| (200, metadata(now, OURS)));
        let server = Server::start(&answers(&[
            ("GET /v1/secret/metadata/app", status, &body),
            ("DELETE /v1/secret/metadata/app", 204, ""),
        ]))
        .await;
        let result = store(&server, "v2").await.delete("app", &expected).await;
        assert_eq!(
            result.map_err(|failure| failure.reason()),
            if deleted { Ok(()) } else { Err(Reason::StoreConflict) }
        );
        assert_eq!(server.lines().len(), requests, "{now:?} {expected:?}");
    }
}

#[tokio::test]
async fn version_1_keeps_its_mark_inside_the_secret_and_adds_no_other() {
    let theirs = r#"{"data":{"old":"x","custom_metadata":{"owner":"team","managed-by":"external-secrets"}}}"#;
    let server = Server::start(&answers(&[
        ("GET /v1/secret/app", 200, theirs),
        ("POST /v1/secret/app", 204, ""),
        ("GET /v1/secret/new", 404, NOTHING),
        ("POST /v1/secret/new", 204, ""),
        ("DELETE /v1/secret/app", 204, ""),
        ("DELETE /v1/secret/none", 404, NOTHING),
    ]))
    .await;
    let store = store(&server, "v1").await;
    let remote = store.inspect("app").await.expect("an answer");
    assert_eq!((shown(remote.document).as_deref(), remote.managed), (Some(r#"{"old":"x"}"#), true));
    assert_eq!(remote.revision, Revision::Unsupported);
    assert_eq!(store.inspect("new").await.expect("an answer").revision, Revision::Absent);
    let (document, marks) = (json_document(r#"{"p":"new"}"#), marks(&[("k", "r2")]));
    for (key, expected) in [("app", Revision::Unsupported), ("new", Revision::Absent)] {
        let write = Write { key, document: &document, marks: &marks, expected: &expected, metadata: None };
        assert_eq!(store.write(write).await.expect("written"), Revision::Unsupported, "{key}");
    }
    let write =
        Write { key: "app", document: &document, marks: &marks, expected: &Revision::Absent, metadata: None };
    assert_eq!(store.write(write).await.map_err(|failure| failure.reason()), Err(Reason::StoreConflict));
    assert_eq!(
        server.bodies(),
        [
            r#"POST /v1/secret/app {"custom_metadata":{"managed-by":"external-secrets","owner":"team"},"p":"new"}"#,
            r#"POST /v1/secret/new {"custom_metadata":{"managed-by":"external-secrets"},"p":"new"}"#,
        ]
    );
    for key in ["app", "none"] {
        store.delete(key, &Revision::Unsupported).await.expect("deleted");
    }
}

fn folder(names: &[&str]) -> String {
    json!({"data": {"keys": names}}).to_string()
}

fn value(text: &str) -> String {
    json!({"data": {"data": {"u": text}, "metadata": {"version": 1}}}).to_string()
}

#[tokio::test]
async fn a_list_walks_the_folders_and_reads_what_matches() {
    let (root, sub, prod) =
        (folder(&["a", "b", "gone", "sub/", "a/"]), folder(&["c"]), metadata(1, r#"{"env":"prod"}"#));
    let script = [
        ("GET /v1/secret/metadata/team?list=true", 200, &*root),
        ("GET /v1/secret/metadata/team/sub?list=true", 200, &*sub),
        ("GET /v1/secret/metadata/team/a?list=true", 404, NOTHING),
        ("GET /v1/secret/metadata/none?list=true", 404, NOTHING),
        ("GET /v1/secret/data/team/a", 200, &*value("1")),
        ("GET /v1/secret/data/team/b", 200, &*value("2")),
        ("GET /v1/secret/data/team/gone", 404, NOTHING),
        ("GET /v1/secret/data/team/sub/c", 200, &*value("3")),
        ("GET /v1/secret/metadata/team/a", 404, NOTHING),
        ("GET /v1/secret/metadata/team/b", 200, &*prod),
        ("GET /v1/secret/metadata/team/gone", 200, &*prod),
        ("GET /v1/secret/metadata/team/sub/c", 200, &*prod),
    ];
    for (path, name, env, expected) in [
        ("team", None, None, "team/a=1 team/b=2 team/sub/c=3"),
        ("team/", Some("/(a|c)$"), None, "team/a=1 team/sub/c=3"),
        ("secret/team", None, Some("prod"), "team/b=2 team/sub/c=3"),
        ("team", Some("b"), Some("prod"), "team/b=2 team/sub/c=3"),
        ("team", None, Some("dev"), ""),
        ("none", None, None, ""),
    ] {
        let server = Server::start(&answers(&script)).await;
        let query = ListQuery {
            path: Some(path.to_owned()),
            name: name.map(|name| regex::Regex::new(name).expect("a pattern")),
            tags: env.map(|env| ("env".to_owned(), env.to_owned())).into_iter().collect(),
        };
        let listed = store(&server, "v2").await.list(&query).await.expect("a list");
        let shown: Vec<_> = listed
            .iter()
            .map(|listed| {
                let text = shown(Found::Found(listed.document.clone())).unwrap_or_default();
                format!("{}={}", listed.key, text.replace(r#"{"u":""#, "").replace("\"}", ""))
            })
            .collect();
        assert_eq!(shown.join(" "), expected, "{path} {name:?} {env:?}");
    }
}

#[tokio::test]
async fn a_list_is_whole_or_fails() {
    let root = folder(&["a", "sub/"]);
    let script = [
        ("GET /v1/secret/metadata?list=true", 200, &*root),
        ("GET /v1/secret/metadata/sub?list=true", 403, DENIED),
        ("GET /v1/secret/data/a", 200, &*value("1")),
    ];
    let server = Server::start(&answers(&script)).await;
    let failure =
        store(&server, "v2").await.list(&ListQuery::default()).await.expect_err("a folder is denied");
    assert_eq!(failure.reason(), Reason::StoreDenied);
}

#[tokio::test]
async fn version_1_lists_by_name_only() {
    let root = folder(&["a", "b"]);
    let server = Server::start(&answers(&[
        ("GET /v1/secret?list=true", 200, &*root),
        ("GET /v1/secret/b", 200, r#"{"data":{"u":"2"}}"#),
    ]))
    .await;
    let store = store(&server, "v1").await;
    let query = ListQuery { name: Some(regex::Regex::new("b").expect("a pattern")), ..ListQuery::default() };
    let listed = store.list(&query).await.expect("a list");
    assert_eq!(listed.iter().map(|listed| &*listed.key).collect::<Vec<_>>(), ["b"]);
    let query = ListQuery { tags: marks(&[("a", "b")]), ..ListQuery::default() };
    assert_eq!(
        store.list(&query).await.map(|_| ()).map_err(|failure| failure.reason()),
        Err(Reason::InvalidSpec)
    );
}
