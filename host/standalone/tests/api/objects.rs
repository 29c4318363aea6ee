//! Create, read, update and patch, and their errors.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use kube::api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::server::{SECRETS, START, Server, secret};

#[tokio::test]
async fn a_secret_lives_and_dies_through_the_kube_client() {
    let server = Server::start();
    let secrets: Api<Secret> = Api::default_namespaced(server.client());
    let new = Secret {
        metadata: ObjectMeta { name: Some("db".to_owned()), ..ObjectMeta::default() },
        string_data: Some(BTreeMap::from([("password".to_owned(), "one".to_owned())])),
        ..Secret::default()
    };
    let made = secrets.create(&PostParams::default(), &new).await.unwrap();
    assert_eq!(made.type_.as_deref(), Some("Opaque"));
    assert_eq!(made.data.as_ref().unwrap()["password"].0, b"one");
    assert!(made.string_data.is_none() && made.uid().is_some() && made.metadata.generation.is_none());

    let again = secrets.create(&PostParams::default(), &new).await.unwrap_err();
    let kube::Error::Api(status) = again else { panic!("{again}") };
    assert_eq!((status.code, status.reason.as_str()), (409, "AlreadyExists"));
    assert_eq!(status.message, "secrets \"db\" already exists");

    let patch = json!({"stringData": {"user": "app"}, "metadata": {"labels": {"app": "db"}}});
    let patched = secrets.patch("db", &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
    assert_eq!(patched.data.as_ref().unwrap().len(), 2);
    let mut stale = made.clone();
    stale.string_data = Some(BTreeMap::from([("x".to_owned(), "y".to_owned())]));
    let conflict = secrets.replace("db", &PostParams::default(), &stale).await.unwrap_err();
    let kube::Error::Api(status) = conflict else { panic!("{conflict}") };
    assert_eq!(
        status.message,
        "Operation cannot be fulfilled on secrets \"db\": the object has been modified; please apply your changes to \
         the latest version and try again"
    );
    let mut fresh = patched;
    fresh.metadata.resource_version = None;
    assert!(
        secrets.replace("db", &PostParams::default(), &fresh).await.is_ok(),
        "a Secret may be replaced blindly"
    );

    assert!(secrets.delete("db", &DeleteParams::default()).await.unwrap().is_right());
    assert!(secrets.get_opt("db").await.unwrap().is_none());
}

#[tokio::test]
async fn the_server_sets_its_own_fields() {
    let server = Server::start();
    let given = json!({
        "kind": "Secret",
        "metadata": {
            "name": "db", "uid": "mine", "generation": 7, "creationTimestamp": "2000-01-01T00:00:00Z",
            "deletionTimestamp": "2000-01-01T00:00:00Z", "labels": {}, "annotations": null,
        },
        "data": null,
    });
    let (status, made) = server.post(&format!("{SECRETS}?fieldManager=me"), &given).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_ne!(made["metadata"]["uid"], "mine");
    let expected = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": "db", "namespace": "default", "uid": made["metadata"]["uid"], "creationTimestamp": START,
            "generation": 7,
            "resourceVersion": made["metadata"]["resourceVersion"],
            "managedFields": [{
                "manager": "me", "operation": "Update", "apiVersion": "v1", "time": START, "fieldsType": "FieldsV1",
                "fieldsV1": {"f:type": {}},
            }],
        },
        "type": "Opaque",
    });
    assert_eq!(made, expected);
}

#[tokio::test]
async fn errors_are_worded_as_kubernetes_words_them() {
    let server = Server::start();
    server.post(SECRETS, &secret("db")).await;
    let check = async |method: Method, path: &str, body: Value, code: u16, reason: &str, message: &str| {
        let (status, answer) = server.send(method, path, "application/json", &body.to_string()).await;
        assert_eq!((status.as_u16(), &answer["code"]), (code, &json!(code)), "{answer}");
        assert_eq!(
            (answer["reason"].as_str().unwrap_or(""), answer["message"].as_str().unwrap()),
            (reason, message)
        );
    };
    let one = format!("{SECRETS}/db");
    let other = format!("{SECRETS}/other");
    check(Method::GET, &other, Value::Null, 404, "NotFound", "secrets \"other\" not found").await;
    check(Method::PUT, &other, secret("other"), 404, "NotFound", "secrets \"other\" not found").await;
    check(
        Method::PUT,
        &one,
        secret("other"),
        400,
        "BadRequest",
        "the name of the object (other) does not match the name on the URL (db)",
    )
    .await;
    check(
        Method::POST,
        "/api/v1/namespaces/nowhere/secrets",
        secret("a"),
        404,
        "NotFound",
        "namespaces \"nowhere\" not found",
    )
    .await;
    check(
        Method::POST,
        SECRETS,
        json!({"metadata": {"name": "a", "namespace": "other"}}),
        400,
        "BadRequest",
        "the namespace of the provided object does not match the namespace sent on the request",
    )
    .await;
    check(
        Method::POST,
        SECRETS,
        json!({}),
        422,
        "Invalid",
        "Secret \"\" is invalid: metadata.name: Required value: name or generateName is required",
    )
    .await;
    check(
        Method::POST,
        SECRETS,
        json!({"metadata": {"name": "a", "resourceVersion": "1"}}),
        500,
        "",
        "resourceVersion should not be set on objects to be created",
    )
    .await;
    check(
        Method::PUT,
        &one,
        json!({"metadata": {"name": "db"}, "type": "other"}),
        422,
        "Invalid",
        "Secret \"db\" is invalid: type: Invalid value: \"other\": field is immutable",
    )
    .await;
    check(
        Method::POST,
        "/api/v1/secrets",
        secret("a"),
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
    )
    .await;
}

#[tokio::test]
async fn names_are_generated() {
    let server = Server::start();
    let (_, made) = server.post(SECRETS, &json!({"metadata": {"generateName": "db-"}})).await;
    let name = made["metadata"]["name"].as_str().unwrap();
    assert!(name.len() == 8 && name.starts_with("db-"), "{name}");
}

#[tokio::test]
async fn a_dry_run_answers_and_stores_nothing() {
    let server = Server::start();
    let before = server.api.resource_version();
    let (status, made) = server.post(&format!("{SECRETS}?dryRun=All"), &secret("db")).await;
    assert_eq!(status, StatusCode::CREATED);
    assert!(made["metadata"]["uid"].is_string() && made["metadata"]["resourceVersion"].is_null());
    assert_eq!(server.get(&format!("{SECRETS}/db")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(server.api.resource_version(), before);
}

#[tokio::test]
async fn a_write_that_changes_nothing_writes_nothing() {
    let server = Server::start();
    let (_, made) = server.post(SECRETS, &secret("db")).await;
    server.clock.advance(60);
    let path = format!("{SECRETS}/db");
    let (_, replaced) = server.put(&path, &made).await;
    let (_, patched) = server.merge(&path, &json!({"type": "Opaque"})).await;
    assert_eq!((&made, &made), (&replaced, &patched));
}

#[tokio::test]
async fn unknown_fields_are_ignored_warned_of_or_refused() {
    let server = Server::start();
    let body = json!({"metadata": {"name": "db"}, "colour": "red"}).to_string();
    let check = async |validation: &str, code: u16, warning: Option<&str>| {
        let path = format!("{SECRETS}?dryRun=All&fieldValidation={validation}");
        let (status, headers, body) = server.send_full(Method::POST, &path, "application/json", &body).await;
        assert_eq!(status.as_u16(), code, "{body:?}");
        assert_eq!(headers.get("warning").map(|value| value.to_str().unwrap()), warning);
        body
    };
    check("Ignore", 201, None).await;
    check("Warn", 201, Some("299 - \"unknown field \\\"colour\\\"\"")).await;
    check("", 201, Some("299 - \"unknown field \\\"colour\\\"\"")).await;
    let refused: Value = serde_json::from_slice(&check("Strict", 400, None).await).unwrap();
    assert_eq!(
        refused["message"],
        "Secret in version \"v1\" cannot be handled as a Secret: strict decoding error: unknown field \"colour\""
    );
}

#[tokio::test]
async fn immutable_objects_stay_as_they_are() {
    let server = Server::start();
    let mut given = secret("db");
    given["immutable"] = json!(true);
    server.post(SECRETS, &given).await;
    let path = format!("{SECRETS}/db");
    let (status, refused) = server.merge(&path, &json!({"data": {"x": "eA=="}, "immutable": false})).await;
    assert_eq!(status.as_u16(), 422);
    assert_eq!(
        refused["message"],
        "Secret \"db\" is invalid: [immutable: Forbidden: field is immutable when `immutable` is set, data: Forbidden: \
         field is immutable when `immutable` is set]"
    );
    let (status, _) = server.merge(&path, &json!({"metadata": {"labels": {"a": "b"}}})).await;
    assert_eq!(status, StatusCode::OK);
    let maps: Api<ConfigMap> = Api::default_namespaced(server.client());
    let made = json!({"metadata": {"name": "m"}, "immutable": true, "data": {"a": "1"}});
    maps.create(&PostParams::default(), &serde_json::from_value(made).unwrap()).await.unwrap();
    let patch = json!({"data": {"a": "2"}});
    assert!(maps.patch("m", &PatchParams::default(), &Patch::Merge(&patch)).await.is_err());
}

#[tokio::test]
async fn a_mebibyte_is_the_most_that_a_secret_holds() {
    let server = Server::start();
    let of_size =
        |bytes: usize| json!({"metadata": {"generateName": "s"}, "stringData": {"a": "x".repeat(bytes)}});
    assert_eq!(server.post(SECRETS, &of_size(1 << 20)).await.0, StatusCode::CREATED);
    let (status, refused) = server.post(SECRETS, &of_size((1 << 20) + 1)).await;
    assert_eq!(status.as_u16(), 422);
    assert!(
        refused["message"].as_str().unwrap().ends_with("data: Too long: may not be more than 1048576 bytes")
    );
    assert_eq!(server.post(SECRETS, &of_size(4 << 20)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_service_account_gets_tokens_that_can_be_verified() {
    let server = Server::start();
    let accounts: Api<ServiceAccount> = Api::default_namespaced(server.client());
    let account = serde_json::from_value(json!({"metadata": {"name": "eso"}})).unwrap();
    accounts.create(&PostParams::default(), &account).await.unwrap();
    let request =
        serde_json::from_value(json!({"spec": {"audiences": ["vault"], "expirationSeconds": 600}})).unwrap();
    let answer = accounts.create_token_request("eso", &PostParams::default(), &request).await.unwrap();
    let status = answer.status.unwrap();
    assert_eq!(status.expiration_timestamp.unwrap().0.to_string(), "2026-11-24T12:10:00Z");
    let claims = server.api.verify_token(status.token.as_ref().unwrap(), "vault").unwrap();
    assert_eq!(claims.user(), "system:serviceaccount:default:eso");
    assert_eq!(server.api.verify_token(status.token.as_ref().unwrap(), ""), None, "another audience");
    server.clock.advance(600);
    assert_eq!(server.api.verify_token(status.token.as_ref().unwrap(), "vault"), None, "expired");
    server.clock.advance(-600);
    accounts.delete("eso", &DeleteParams::default()).await.unwrap();
    accounts.create(&PostParams::default(), &account).await.unwrap();
    assert_eq!(
        server.api.verify_token(status.token.as_ref().unwrap(), "vault"),
        None,
        "another account of that name"
    );

    let path = "/api/v1/namespaces/default/serviceaccounts/eso/token";
    let (code, _) = server.post(path, &json!({"spec": {"expirationSeconds": 60}})).await;
    assert_eq!(code.as_u16(), 422);
}

#[tokio::test]
async fn events_have_two_groups_and_one_store() {
    let server = Server::start();
    let event = json!({
        "metadata": {"name": "e"}, "regarding": {"kind": "Secret", "name": "db", "namespace": "default"},
        "note": "text", "reason": "Updated", "type": "Normal", "action": "a", "reportingController": "keymill",
        "reportingInstance": "i", "eventTime": "2026-11-24T12:00:00.000000Z",
    });
    let (status, made) = server.post("/apis/events.k8s.io/v1/namespaces/default/events", &event).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let path = "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Ddb";
    let (_, list) = server.get(path).await;
    assert_eq!(list["items"][0]["message"], "text");
    let (_, other) = server.get("/apis/events.k8s.io/v1/namespaces/default/events/e").await;
    assert_eq!((&other["note"], &other["apiVersion"]), (&json!("text"), &json!("events.k8s.io/v1")));
}

#[tokio::test]
async fn one_can_ask_who_one_is_and_what_one_may() {
    let server = Server::start();
    let (_, who) = server.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &json!({})).await;
    assert_eq!(who["status"]["userInfo"]["username"], "keymill:administrator");
    let asked = json!({"spec": {"resourceAttributes": {"verb": "get", "resource": "secrets"}}});
    let (status, may) = server.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &asked).await;
    assert_eq!((status, &may["status"]["allowed"]), (StatusCode::CREATED, &json!(true)));
}
