//! Server-side apply: ownership, conflicts, removal.

use http::StatusCode;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::server::{SECRETS, Server};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn map(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": data})
}

#[tokio::test]
async fn apply_makes_changes_and_lets_go() {
    let server = Server::start();
    let maps: Api<ConfigMap> = Api::default_namespaced(server.client());
    let params = PatchParams::apply("me");
    maps.patch("m", &params, &Patch::Apply(map(json!({"a": "1", "b": "2"})))).await.unwrap();
    let second = maps.patch("m", &params, &Patch::Apply(map(json!({"b": "3"})))).await.unwrap();
    let data = second.data.unwrap();
    assert_eq!((data.len(), data["b"].as_str()), (1, "3"));
    let managed = second.metadata.managed_fields.unwrap();
    assert_eq!(managed.len(), 1);
    assert_eq!(managed[0].operation.as_deref(), Some("Apply"));
    assert_eq!(managed[0].fields_v1.as_ref().unwrap().0, json!({"f:data": {"f:b": {}}}));
}

#[tokio::test]
async fn a_conflict_names_the_field_and_its_manager() {
    let server = Server::start();
    let path = format!("{MAPS}/m");
    server.post(MAPS, &map(json!({"a": "1", "b": "1"}))).await;
    let (status, conflict) = server.apply(&path, "fieldManager=me", &map(json!({"a": "2"}))).await;
    let expected = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "Apply failed with 1 conflict: conflict with \"tester\" using v1: .data.a",
        "reason": "Conflict",
        "details": {"causes": [
            {"reason": "FieldManagerConflict", "message": "conflict with \"tester\" using v1", "field": ".data.a"},
        ]},
        "code": 409,
    });
    assert_eq!((status, conflict), (StatusCode::CONFLICT, expected));
    let (_, conflicts) = server.apply(&path, "fieldManager=me", &map(json!({"a": "2", "b": "2"}))).await;
    assert_eq!(
        conflicts["message"],
        "Apply failed with 2 conflicts: conflicts with \"tester\" using v1:\n- .data.a\n- .data.b"
    );
    let (status, forced) = server.apply(&path, "fieldManager=me&force=true", &map(json!({"a": "2"}))).await;
    assert_eq!((status, &forced["data"]), (StatusCode::OK, &json!({"a": "2", "b": "1"})));
    let (status, _) = server.apply(&path, "fieldManager=other", &map(json!({"a": "2"}))).await;
    assert_eq!(status, StatusCode::OK, "the same value is shared");
}

#[tokio::test]
async fn apply_needs_a_manager_and_known_fields() {
    let server = Server::start();
    let path = format!("{MAPS}/m");
    let check = async |query: &str, body: Value, code: u16, message: &str| {
        let (status, answer) = server.apply(&path, query, &body).await;
        assert_eq!((status.as_u16(), answer["message"].as_str().unwrap()), (code, message));
    };
    check(
        "",
        map(json!({})),
        422,
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
    )
    .await;
    let mut unknown = map(json!({}));
    unknown["colour"] = json!("red");
    check(
        "fieldManager=me", unknown, 500,
        "failed to create typed patch object (/m; /v1, Kind=ConfigMap): .colour: field not declared in schema",
    )
    .await;
    let mut managed = map(json!({}));
    managed["metadata"]["managedFields"] = json!([]);
    check("fieldManager=me", managed, 400, "metadata.managedFields must be nil").await;
    let mut expected = map(json!({}));
    expected["metadata"]["uid"] = json!("u");
    check(
        "fieldManager=me",
        expected,
        409,
        "Operation cannot be fulfilled on configmaps \"m\": uid mismatch: the provided object specified uid u, and no \
         existing object was found",
    )
    .await;
    let (status, _) = server.merge(&format!("{path}?force=true"), &json!({})).await;
    assert_eq!(status.as_u16(), 422);
}

#[tokio::test]
async fn apply_takes_yaml() {
    let server = Server::start();
    let yaml = "# a comment\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata:\n  text: |\n    two\n    lines\n";
    let path = format!("{MAPS}/m?fieldManager=me");
    let (status, made) = server.send(http::Method::PATCH, &path, "application/apply-patch+yaml", yaml).await;
    assert_eq!((status, &made["data"]["text"]), (StatusCode::CREATED, &json!("two\nlines\n")));
    let (status, wrong) =
        server.send(http::Method::PATCH, &path, "application/apply-patch+yaml", "a: [secret").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(!wrong.to_string().contains("secret"));
}

#[tokio::test]
async fn the_keys_of_a_secret_are_owned_one_by_one() {
    let server = Server::start();
    let path = format!("{SECRETS}/db");
    let secret =
        |data: Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": data});
    server.apply(&path, "fieldManager=eso", &secret(json!({"a": "MQ=="}))).await;
    let (_, merged) = server.merge(&path, &json!({"data": {"b": "Mg=="}})).await;
    let owners: Vec<(&str, &str, &Value)> = merged["metadata"]["managedFields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (entry["manager"].as_str().unwrap(), entry["operation"].as_str().unwrap(), &entry["fieldsV1"])
        })
        .collect();
    let eso = json!({"f:data": {"f:a": {}}});
    let tester = json!({"f:data": {"f:b": {}}});
    assert_eq!(owners, [("eso", "Apply", &eso), ("tester", "Update", &tester)]);
    let (_, made) = server
        .post(
            SECRETS,
            &json!({"metadata": {"name": "made", "ownerReferences": [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "m", "uid": "u-1"},
    ], "finalizers": ["example.com/f"]}, "stringData": {"k": "v"}}),
        )
        .await;
    let expected = json!({
        "f:data": {".": {}, "f:k": {}},
        "f:metadata": {
            "f:finalizers": {".": {}, "v:\"example.com/f\"": {}},
            "f:ownerReferences": {".": {}, "k:{\"uid\":\"u-1\"}": {}},
        },
        "f:type": {},
    });
    assert_eq!(made["metadata"]["managedFields"][0]["fieldsV1"], expected);
}

#[tokio::test]
async fn a_repeated_apply_of_plain_texts_writes_nothing() {
    let server = Server::start();
    let path = format!("{SECRETS}/db");
    let secret = crate::server::secret("db");
    let (_, first) = server.apply(&path, "fieldManager=me", &secret).await;
    server.clock.advance(60);
    let (_, second) = server.apply(&path, "fieldManager=me", &secret).await;
    assert_eq!(first, second);
    assert_eq!(first["data"], json!({"password": "Y2FuYXJ5"}));
}
