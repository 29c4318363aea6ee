use std::collections::BTreeMap;
use std::sync::Mutex;

use http::{Request, Response};
use kube::client::Body;
use pipeline::{Marks, Value};
use serde_json::{Value as Json, json};

use super::*;
use crate::Clients;
use crate::fixture::{Answer, Cluster, Server, open};

type Script = Vec<(&'static str, u16, Json)>;
type Seen = Arc<Mutex<Vec<(String, Json)>>>;

/// A store whose API server answers each line with its next answer, and what it has seen.
fn store(script: Script) -> (KubernetesStore, Seen) {
    let seen = Seen::default();
    let script = Arc::new(Mutex::new(script));
    let service = tower::service_fn({
        let seen = Arc::clone(&seen);
        move |request: Request<Body>| {
            let (seen, script) = (Arc::clone(&seen), Arc::clone(&script));
            async move {
                let line = format!("{} {}", request.method(), request.uri());
                let body = request.into_body().collect_bytes().await.expect("a body");
                seen.lock()
                    .expect("a test")
                    .push((line.clone(), serde_json::from_slice(&body).unwrap_or(Json::Null)));
                let mut script = script.lock().expect("a test");
                let at = script.iter().position(|(expected, _, _)| *expected == line);
                let (_, status, body) = at.map_or(("", 418, json!({})), |at| script.remove(at));
                let answer =
                    Response::builder().status(status).body(Body::from(body.to_string().into_bytes()));
                Ok::<_, std::convert::Infallible>(answer.expect("an answer"))
            }
        }
    });
    let session = KubeSession::ready(kube::Client::new(service, "default"));
    (KubernetesStore { session, namespace: "remote".to_owned() }, seen)
}

fn secret(name: &str, version: &str, data: &[(&str, &str)]) -> Json {
    let encode = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    let data: BTreeMap<_, _> = data.iter().map(|(key, text)| (*key, encode(text))).collect();
    json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": data, "metadata":
        {"name": name, "namespace": "remote", "uid": "u", "resourceVersion": version, "labels": {"env": "prod"}}})
}

fn status(code: u16, details: Json) -> Json {
    let reason = if code == 404 { "NotFound" } else { "Other" };
    json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "message": "canary-text",
        "reason": reason, "details": details})
}

const GET: &str = "GET /api/v1/namespaces/remote/secrets/db";
const RULES: &str = "POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews?";
const ACCESS: &str = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews?";
const CREATE: &str = "POST /api/v1/namespaces/remote/secrets?&fieldManager=keymill";
const REPLACE: &str = "PUT /api/v1/namespaces/remote/secrets/db?&fieldManager=keymill";

fn shown(document: &Document) -> String {
    match document {
        Document::Map(fields) => {
            let shown = fields
                .iter()
                .map(|(key, value)| format!("{key}={}", String::from_utf8_lossy(value.expose())));
            shown.collect::<Vec<_>>().join(" ")
        }
        Document::Json(text) | Document::Bytes(text) => String::from_utf8_lossy(text.expose()).into_owned(),
    }
}

#[tokio::test]
async fn a_secret_is_read_as_separate_entries() {
    let (store, _) = store(vec![(GET, 200, secret("db", "7", &[("user", "ada"), ("pw", "x")]))]);
    let found = store.read("db", &ReadOptions::default()).await.expect("an answer").ok().expect("found");
    assert_eq!(shown(&found), "pw=x user=ada");
}

#[tokio::test]
async fn metadata_are_labels_and_annotations() {
    let (store, _) = store(vec![(GET, 200, secret("db", "7", &[]))]);
    let options = ReadOptions { version: None, metadata: true };
    let found = store.read("db", &options).await.expect("an answer").ok().expect("found");
    assert_eq!(shown(&found), r#"{"annotations":{},"labels":{"env":"prod"}}"#);
}

#[tokio::test]
async fn only_404_is_missing_and_each_doubt_has_its_class() {
    use std::time::Duration;
    let canary = |code| status(code, json!({"retryAfterSeconds": 4}));
    for (code, expected) in [
        (404, None),
        (401, Some((Reason::StoreDenied, Retry::WhenChanged))),
        (403, Some((Reason::StoreDenied, Retry::Backoff))),
        (409, Some((Reason::StoreConflict, Retry::Backoff))),
        (410, Some((Reason::StoreUnavailable, Retry::Backoff))),
        (422, Some((Reason::InvalidValue, Retry::WhenChanged))),
        (429, Some((Reason::StoreUnavailable, Retry::After(Duration::from_secs(4))))),
        (500, Some((Reason::StoreUnavailable, Retry::Backoff))),
        (503, Some((Reason::StoreUnavailable, Retry::Backoff))),
    ] {
        let (store, _) = store(vec![(GET, code, canary(code))]);
        let result = store.read("db", &ReadOptions::default()).await;
        match (&result, expected) {
            (Ok(found), None) => assert_eq!(*found, Found::Missing),
            (Err(failure), Some(expected)) => {
                assert_eq!((failure.reason(), failure.retry()), expected, "{code}");
                assert!(!format!("{failure:?}").contains("canary"), "{code}");
                assert!(failure.to_string().starts_with("read Secret remote/db of the store"), "{failure}");
            }
            _ => panic!("{code}: {result:?}"),
        }
    }
}

#[tokio::test]
async fn a_404_of_a_proxy_is_doubt() {
    let (store, _) = store(vec![(GET, 404, json!({"message": "no such route"}))]);
    let failure = store.read("db", &ReadOptions::default()).await.expect_err("no API server said so");
    assert_eq!(failure.reason(), Reason::StoreInvalidReply);
}

#[tokio::test]
async fn an_answer_that_is_no_secret_is_not_quoted() {
    let (store, _) = store(vec![(GET, 200, json!({"metadata": {"name": 1}, "data": "canary"}))]);
    let failure = store.read("db", &ReadOptions::default()).await.expect_err("no Secret");
    assert_eq!(failure.reason(), Reason::StoreInvalidReply);
    assert!(!format!("{failure:?}").contains("canary"));
}

#[tokio::test]
async fn rotation_records_are_neither_shown_nor_touched() {
    let mut record = secret("db", "7", &[("x", "y")]);
    record["type"] = "keymill.dev/rotation".into();
    let list = "GET /api/v1/namespaces/remote/secrets?&limit=100";
    let items = json!({"metadata": {}, "items": [record.clone(), secret("other", "1", &[("a", "b")])]});
    let again = || (GET, 200, record.clone());
    let (store, seen) = store(vec![again(), again(), again(), again(), (list, 200, items)]);
    assert_eq!(store.read("db", &ReadOptions::default()).await.expect("an answer"), Found::Missing);
    let listed = store.list(&ListQuery::default()).await.expect("a list");
    assert_eq!(listed.iter().map(|listed| &*listed.key).collect::<Vec<_>>(), ["other"]);
    let (document, expected) = (Document::Map(Default::default()), Revision::Unsupported);
    let write =
        Write { key: "db", document: &document, marks: &Marks::new(), expected: &expected, metadata: None };
    let refusals = [
        store.inspect("db").await.map(|_| ()),
        store.write(write).await.map(|_| ()),
        store.delete("db", &expected).await,
    ];
    for refused in refusals {
        assert_eq!(refused.map_err(|failure| failure.reason()), Err(Reason::RemoteNotManaged));
    }
    assert!(seen.lock().expect("a test").iter().all(|(line, _)| line.starts_with("GET ")));
}

#[tokio::test]
async fn a_list_pages_and_asks_the_server_for_labels() {
    let first = "GET /api/v1/namespaces/remote/secrets?&labelSelector=env%3Dprod&limit=100";
    let second = "GET /api/v1/namespaces/remote/secrets?&labelSelector=env%3Dprod&limit=100&continue=next";
    let page = |name: &str, next: &str| json!({"metadata": {"continue": next}, "items": [secret(name, "1", &[("k", name)])]});
    let (store, _) = store(vec![(first, 200, page("b", "next")), (second, 200, page("a", ""))]);
    let query = ListQuery { tags: [("env".to_owned(), "prod".to_owned())].into(), ..ListQuery::default() };
    let listed = store.list(&query).await.expect("a list");
    let listed: Vec<_> =
        listed.iter().map(|listed| format!("{}: {}", listed.key, shown(&listed.document))).collect();
    assert_eq!(listed, ["a: k=a", "b: k=b"]);
}

#[tokio::test]
async fn a_write_creates_or_replaces_what_was_read() {
    let mut theirs = secret("db", "7", &[("old", "x")]);
    theirs["metadata"]["annotations"] = json!({"note": "keep"});
    let (store, seen) = store(vec![
        (GET, 404, status(404, json!({}))),
        (CREATE, 201, secret("db", "1", &[])),
        (GET, 200, theirs),
        (REPLACE, 200, secret("db", "8", &[])),
    ]);
    let document = Document::Map([("pw".to_owned(), Value::from("new"))].into());
    let marks: Marks = [("keymill.dev/rotation".to_owned(), "r1".to_owned())].into();
    for (expected, next) in [(Revision::Absent, "1"), (Revision::At("7".into()), "8")] {
        let write =
            Write { key: "db", document: &document, marks: &marks, expected: &expected, metadata: None };
        assert_eq!(store.write(write).await.expect("written"), Revision::At(next.to_owned()));
    }
    let seen = seen.lock().expect("a test");
    let created = &seen.iter().find(|(line, _)| line == CREATE).expect("a create").1;
    assert_eq!(created["data"], json!({"pw": "bmV3"}));
    assert_eq!((&created["type"], created["metadata"].get("labels")), (&json!("Opaque"), None));
    assert_eq!(created["metadata"]["annotations"], json!({"keymill.dev/rotation": "r1"}));
    let replaced = &seen.iter().find(|(line, _)| line == REPLACE).expect("a replace").1;
    assert_eq!(replaced["data"], json!({"pw": "bmV3"}));
    assert_eq!(replaced["metadata"]["resourceVersion"], "7");
    assert_eq!(replaced["metadata"]["labels"], json!({"env": "prod"}));
    assert_eq!(replaced["metadata"]["annotations"], json!({"keymill.dev/rotation": "r1", "note": "keep"}));
}

#[tokio::test]
async fn a_stale_writer_changes_nothing() {
    for (now, expected) in [
        (Some("8"), Revision::At("7".into())),
        (Some("8"), Revision::Absent),
        (None, Revision::At("7".into())),
    ] {
        let answer = now.map_or((404, status(404, json!({}))), |now| (200, secret("db", now, &[])));
        let (store, seen) = store(vec![(GET, answer.0, answer.1)]);
        let document = Document::Map(Default::default());
        let write = Write {
            key: "db",
            document: &document,
            marks: &Marks::new(),
            expected: &expected,
            metadata: None,
        };
        assert_eq!(store.write(write).await.map_err(|failure| failure.reason()), Err(Reason::StoreConflict));
        assert_eq!(seen.lock().expect("a test").len(), 1, "{expected:?}");
    }
}

#[tokio::test]
async fn a_delete_is_bound_to_what_was_read() {
    let delete = "DELETE /api/v1/namespaces/remote/secrets/db?";
    for (code, expected) in [(200, Ok(())), (404, Ok(())), (409, Err(Reason::StoreConflict))] {
        let (store, seen) =
            store(vec![(GET, 200, secret("db", "7", &[])), (delete, code, status(code, json!({})))]);
        let deleted = store.delete("db", &Revision::At("7".into())).await;
        assert_eq!(deleted.map_err(|failure| failure.reason()), expected, "{code}");
        let seen = seen.lock().expect("a test");
        assert_eq!(
            seen.last().expect("a delete").1["preconditions"],
            json!({"resourceVersion": "7", "uid": "u"})
        );
    }
    let (store, _) = store(vec![(GET, 404, status(404, json!({})))]);
    store.delete("db", &Revision::At("7".into())).await.expect("deleting nothing succeeds");
}

#[tokio::test]
async fn names_that_are_none_are_refused_before_anything_is_sent() {
    let (store, seen) = store(Vec::new());
    for key in ["../configmaps/x", "a b", ""] {
        let failure = store.read(key, &ReadOptions::default()).await.expect_err(key);
        assert_eq!(failure.reason(), Reason::InvalidValue);
    }
    assert!(seen.lock().expect("a test").is_empty());
}

#[tokio::test]
async fn a_check_wants_the_right_to_get_secrets() {
    let rules = |rules: Json| json!({"metadata": {}, "spec": {}, "status": {"incomplete": false, "nonResourceRules": [], "resourceRules": rules}});
    let get = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]);
    let access = |allowed: bool| json!({"metadata": {}, "spec": {}, "status": {"allowed": allowed}});
    for (listed, asked, expected) in [
        ((201, rules(get)), None, Ok(Validity::Valid)),
        ((201, rules(json!([]))), Some((201, access(true))), Ok(Validity::Valid)),
        ((403, status(403, json!({}))), Some((201, access(true))), Ok(Validity::Valid)),
        ((201, rules(json!([]))), Some((201, access(false))), Err(Reason::StoreDenied)),
        ((500, status(500, json!({}))), Some((500, status(500, json!({})))), Err(Reason::StoreUnavailable)),
    ] {
        let asked = asked.map(|(code, body)| (ACCESS, code, body));
        let script = [(RULES, listed.0, listed.1)].into_iter().chain(asked).collect();
        let (store, seen) = store(script);
        assert_eq!(store.validate().await.map_err(|failure| failure.reason()), expected);
        let seen = seen.lock().expect("a test");
        assert_eq!(seen.first().expect("a review").1["spec"]["namespace"], "remote");
    }
}

#[tokio::test]
async fn a_minted_token_that_is_not_accepted_is_replaced_once() {
    let answer = |code: u16, body: Json| {
        Answer::new(code, &body.to_string()).header("content-type", "application/json")
    };
    let unauthorized = || answer(401, status(401, json!({})));
    for (answers, found, sent) in [
        (vec![unauthorized(), answer(200, secret("db", "7", &[]))], true, ["Bearer jwt-1", "Bearer jwt-2"]),
        (vec![unauthorized(), unauthorized()], false, ["Bearer jwt-1", "Bearer jwt-2"]),
    ] {
        let script: Vec<_> = answers.into_iter().map(|answer| (GET, answer)).collect();
        let server = Server::start(&script).await;
        let cluster = Cluster::of(&[]);
        let spec = json!({"kubernetes": {"remoteNamespace": "remote", "server": {"url": server.url()},
            "auth": {"serviceAccount": {"name": "reader", "audiences": ["a"]}}}});
        let store = open(spec, &cluster, &Clients::new(Default::default())).await.expect("the store opens");
        assert_eq!(store.read("db", &ReadOptions::default()).await.is_ok(), found);
        let tokens: Vec<_> =
            server.seen().iter().map(|request| request.header("authorization").map(str::to_owned)).collect();
        assert_eq!(tokens, sent.map(|token| Some(token.to_owned())));
        let minted = cluster.minted.lock().expect("a test");
        let minted: Vec<_> =
            minted.iter().map(|request| (&*request.namespace, &*request.service_account)).collect();
        assert_eq!(minted, [("app", "reader"); 2]);
    }
}

#[tokio::test]
async fn the_token_of_a_secret_is_sent_as_it_is_and_not_replaced() {
    let denied = Answer::new(401, &status(401, json!({})).to_string());
    let server = Server::start(&[(GET, denied)]).await;
    let cluster = Cluster::of(&[("app/creds", &[("token", "k8s-token\n")])]);
    let clients = Clients::new([("api.example:6443".to_owned(), server.address)].into());
    let spec = json!({"kubernetes": {"remoteNamespace": "remote", "server": {"url": "http://api.example:6443"},
        "auth": {"token": {"bearerToken": {"name": "creds", "key": "token"}}}}});
    let store = open(spec, &cluster, &clients).await.expect("the store opens");
    let failure = store.read("db", &ReadOptions::default()).await.expect_err("not accepted");
    assert_eq!((failure.reason(), failure.retry()), (Reason::StoreDenied, Retry::WhenChanged));
    let tokens: Vec<_> =
        server.seen().iter().map(|request| request.header("authorization").map(str::to_owned)).collect();
    assert_eq!(tokens, [Some("Bearer k8s-token".to_owned())]);
}
