use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use super::{Server, TOKEN};

#[tokio::test]
async fn version_2_keeps_versions() {
    let server = Server::start();
    assert_eq!(server.expect("GET", "secret/data/a", Value::Null, 404).await, json!({"errors": []}));
    let first = server.put("secret/data/a", json!({"k": "1"})).await;
    assert_eq!(
        first["data"],
        json!({"version": 1, "created_time": "2026-01-01T00:00:00Z", "deletion_time": "", "destroyed": false, "custom_metadata": null})
    );
    server.clock.advance(60);
    server.put("secret/data/a", json!({"k": "2", "n": 7, "b": true, "l": [1, null]})).await;
    let current = server.expect("GET", "secret/data/a", Value::Null, 200).await;
    assert_eq!(current["data"]["data"], json!({"k": "2", "n": 7, "b": true, "l": [1, null]}));
    assert_eq!(current["data"]["metadata"]["version"], 2);
    assert_eq!(current["lease_duration"], 0);
    assert_eq!(
        server.expect("GET", "secret/data/a?version=1", Value::Null, 200).await["data"]["data"],
        json!({"k": "1"})
    );
    assert_eq!(
        server.expect("GET", "secret/data/a?version=0", Value::Null, 200).await["data"]["data"]["k"],
        "2"
    );
    server.expect("GET", "secret/data/a?version=9", Value::Null, 404).await;
    server.expect("GET", "secret/data/a?version=x", Value::Null, 400).await;
    assert_eq!(
        server.expect("POST", "secret/data/a", json!({"options": {}}), 400).await["errors"],
        json!(["no data provided"])
    );
    let refused = server.expect("POST", "secret/data/a", json!({"data": "top-secret"}), 400).await;
    assert!(!refused.to_string().contains("top-secret"), "{refused}");
    let warned = server.expect("POST", "secret/data/a", json!({"data": {}, "extra": 1}), 200).await;
    assert_eq!(warned["warnings"], json!(["Endpoint ignored these unrecognized parameters: [extra]"]));
}

#[tokio::test]
async fn check_and_set_lets_one_of_two_writers_through() {
    let server = Server::start();
    let write = async |cas: Value| {
        server.call("POST", "secret/data/a", json!({"data": {"k": "v"}, "options": {"cas": cas}})).await
    };
    assert_eq!(write(json!(1)).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(write(json!(0)).await.0, StatusCode::OK);
    let (status, answer) = write(json!(0)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(answer, json!({"errors": ["check-and-set parameter did not match the current version"]}));
    assert_eq!(write(json!("1")).await.0, StatusCode::OK);
    assert_eq!(write(json!("x")).await.1["errors"], json!(["error parsing check-and-set parameter"]));
    server.expect("DELETE", "secret/data/a", Value::Null, 204).await;
    assert_eq!(write(json!(2)).await.0, StatusCode::OK, "a deleted version still counts");

    server.expect("POST", "secret/metadata/a", json!({"cas_required": true}), 204).await;
    let without = server.expect("POST", "secret/data/a", json!({"data": {}}), 400).await;
    assert_eq!(without["errors"], json!(["check-and-set parameter required for this call"]));
    server.expect("POST", "secret/config", json!({"cas_required": true}), 204).await;
    server.expect("POST", "secret/data/new", json!({"data": {}}), 400).await;
    let warned = server.expect("POST", "secret/metadata/b", json!({"cas_required": false}), 200).await;
    assert!(warned["warnings"][0].as_str().unwrap().contains("mandated by backend config"));

    let racing = futures::future::join_all((0..8).map(|_| write(json!(3)))).await;
    assert_eq!(racing.iter().filter(|(status, _)| *status == StatusCode::OK).count(), 1);
}

#[tokio::test]
async fn a_patch_merges_into_the_current_version() {
    let server = Server::start();
    let (status, body) = server.call("PATCH", "secret/data/a", json!({"data": {"k": "v"}})).await;
    assert_eq!((status, body), (StatusCode::NOT_FOUND, Value::Null));
    server.put("secret/data/a", json!({"k": "1", "deep": {"x": 1, "y": 2}, "gone": true})).await;
    let answer = server
        .expect("PATCH", "secret/data/a", json!({"data": {"deep": {"x": null, "z": 3}, "gone": null}}), 200)
        .await;
    assert_eq!(answer["data"]["version"], 2);
    let read = server.expect("GET", "secret/data/a", Value::Null, 200).await;
    assert_eq!(read["data"]["data"], json!({"k": "1", "deep": {"y": 2, "z": 3}}));
    server.expect("PATCH", "secret/data/a", json!({"data": {}, "options": {"cas": 1}}), 400).await;
    server.expect("DELETE", "secret/data/a", Value::Null, 204).await;
    let gone = server.expect("PATCH", "secret/data/a", json!({"data": {"k": "2"}}), 404).await;
    assert_eq!(gone["data"]["version"], 2);

    let request = Request::builder()
        .method("PATCH")
        .uri("/v1/secret/data/a")
        .header("X-Vault-Token", TOKEN)
        .header("Content-Type", "application/json");
    let (status, answer) = server.send(request.body(Full::from("{}")).unwrap()).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(
        answer["errors"],
        json!(["PATCH requires Content-Type of application/merge-patch+json, provided application/json"])
    );
}

#[tokio::test]
async fn deleted_destroyed_and_missing_are_told_apart() {
    let server = Server::start();
    for value in 1..=3 {
        server.put("secret/data/a", json!({"k": value})).await;
    }
    server.expect("DELETE", "secret/data/a", Value::Null, 204).await;
    let deleted = server.expect("GET", "secret/data/a", Value::Null, 404).await;
    assert_eq!(deleted["data"]["data"], Value::Null);
    assert_eq!(deleted["data"]["metadata"]["deletion_time"], "2026-01-01T00:00:00Z");
    assert_eq!(deleted["data"]["metadata"]["destroyed"], false);
    assert_eq!(deleted.get("errors"), None);

    server.expect("POST", "secret/undelete/a", json!({"versions": [3]}), 204).await;
    assert_eq!(server.expect("GET", "secret/data/a", Value::Null, 200).await["data"]["data"]["k"], 3);
    server.expect("POST", "secret/delete/a", json!({"versions": "1,2"}), 204).await;
    server.expect("GET", "secret/data/a?version=1", Value::Null, 404).await;
    server.expect("PUT", "secret/destroy/a", json!({"versions": [1]}), 204).await;
    server.expect("POST", "secret/undelete/a", json!({"versions": [1, 2]}), 204).await;
    let destroyed = server.expect("GET", "secret/data/a?version=1", Value::Null, 404).await;
    assert_eq!(destroyed["data"]["metadata"]["destroyed"], true);
    assert_eq!(
        server.expect("GET", "secret/data/a?version=2", Value::Null, 200).await["data"]["data"]["k"],
        2
    );
    assert_eq!(
        server.expect("POST", "secret/destroy/a", json!({}), 400).await["errors"],
        json!(["no version number provided"])
    );
    assert_eq!(
        server.expect("POST", "secret/delete/a", json!({}), 400).await["errors"],
        json!(["No version number provided"])
    );

    server.expect("DELETE", "secret/metadata/a", Value::Null, 204).await;
    assert_eq!(server.expect("GET", "secret/data/a", Value::Null, 404).await, json!({"errors": []}));
    assert_eq!(server.put("secret/data/a", json!({})).await["data"]["version"], 1);
}

#[tokio::test]
async fn metadata_is_read_changed_and_listed() {
    let server = Server::start();
    server.put("secret/data/a", json!({"k": "v"})).await;
    server.put("secret/data/a/b", json!({"k": "v"})).await;
    let change = json!({"custom_metadata": {"owner": "team", "n": 5}, "max_versions": 2, "delete_version_after": "3h25m19s"});
    server.expect("POST", "secret/metadata/a", change, 204).await;
    let read = server.expect("GET", "secret/metadata/a", Value::Null, 200).await["data"].clone();
    assert_eq!(read["custom_metadata"], json!({"owner": "team", "n": "5"}));
    assert_eq!(read["delete_version_after"], "3h25m19s");
    assert_eq!(
        (&read["current_version"], &read["oldest_version"], &read["max_versions"]),
        (&json!(1), &json!(0), &json!(2))
    );
    assert_eq!(read["versions"]["1"]["destroyed"], false);

    server.expect("PATCH", "secret/metadata/a", json!({"custom_metadata": {"n": null, "x": "y"}}), 204).await;
    let read = server.expect("GET", "secret/metadata/a", Value::Null, 200).await["data"].clone();
    assert_eq!(read["custom_metadata"], json!({"owner": "team", "x": "y"}));
    assert_eq!(read["max_versions"], 2, "a patch changes what it names");
    assert_eq!(
        server.expect("GET", "secret/data/a", Value::Null, 200).await["data"]["metadata"]["custom_metadata"]
            ["x"],
        "y"
    );

    for value in 2..=4 {
        let written = server.put("secret/data/a", json!({"k": value})).await;
        assert_eq!(written["data"]["deletion_time"], "2026-01-01T03:25:19Z");
    }
    let read = server.expect("GET", "secret/metadata/a", Value::Null, 200).await["data"].clone();
    assert_eq!(read["versions"].as_object().unwrap().keys().collect::<Vec<_>>(), ["3", "4"]);
    assert_eq!(read["oldest_version"], 3);
    server.expect("GET", "secret/data/a?version=2", Value::Null, 404).await;
    server.clock.advance(4 * 3600);
    assert_eq!(
        server.expect("GET", "secret/data/a", Value::Null, 404).await["data"]["data"],
        Value::Null,
        "its time is over"
    );

    assert_eq!(
        server.expect("LIST", "secret/metadata", Value::Null, 200).await["data"]["keys"],
        json!(["a", "a/"])
    );
    assert_eq!(
        server.expect("GET", "secret/metadata/a?list=true", Value::Null, 200).await["data"]["keys"],
        json!(["b"])
    );
    server.expect("LIST", "secret/metadata/none", Value::Null, 404).await;
    assert_eq!(
        server.expect("PATCH", "secret/metadata/none", json!({"max_versions": 1}), 404).await,
        Value::Null
    );
    server.expect("POST", "secret/metadata/only", json!({"max_versions": 3}), 204).await;
    assert_eq!(
        server.expect("GET", "secret/metadata/only", Value::Null, 200).await["data"]["current_version"],
        0
    );
    server.expect("GET", "secret/data/only", Value::Null, 404).await;
    let long = server.expect("POST", "secret/metadata/a", json!({"custom_metadata": {"k": ""}}), 400).await;
    assert_eq!(
        long["errors"],
        json!([
            "1 error occurred:\n\t* custom_metadata validation failed: length of value for key \"k\" is 0 but must be 0 < len(value) <= 512\n\n"
        ])
    );
}

#[tokio::test]
async fn subkeys_show_structure_without_values() {
    let server = Server::start();
    server.put("secret/data/a", json!({"x": {"y": {"z": "deep"}}, "k": "v", "e": {}})).await;
    let subkeys = async |query: &str| {
        server.expect("GET", &format!("secret/subkeys/a{query}"), Value::Null, 200).await["data"]["subkeys"]
            .clone()
    };
    assert_eq!(subkeys("").await, json!({"x": {"y": {"z": null}}, "k": null, "e": null}));
    assert_eq!(subkeys("?depth=1").await, json!({"x": null, "k": null, "e": null}));
    assert_eq!(subkeys("?depth=2").await, json!({"x": {"y": null}, "k": null, "e": null}));
    server.expect("GET", "secret/subkeys/none", Value::Null, 404).await;
}

#[tokio::test]
async fn the_configuration_of_a_mount_is_its_own() {
    let server = Server::start();
    let read = server.expect("GET", "secret/config", Value::Null, 200).await;
    assert_eq!(read["data"], json!({"cas_required": false, "delete_version_after": "0s", "max_versions": 0}));
    server
        .expect("POST", "secret/config", json!({"max_versions": 1, "delete_version_after": "-1s"}), 204)
        .await;
    let read = server.expect("GET", "secret/config", Value::Null, 200).await;
    assert_eq!(
        read["data"],
        json!({"cas_required": false, "delete_version_after": "-1s", "max_versions": 1})
    );
    assert_eq!(server.expect("GET", "teams/a/config", Value::Null, 200).await["data"]["max_versions"], 0);
}
