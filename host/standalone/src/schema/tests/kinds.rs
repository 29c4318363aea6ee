use serde_json::{Value, json};

use super::lines;
use crate::resource::ResourceInfo;
use crate::schema::definitions;

fn check(kind: &str, object: Value, expected: &[&str]) {
    let info =
        ResourceInfo::builtins().iter().find(|info| info.kind == kind && info.version == "v1").unwrap();
    let found = info.schema.as_ref().unwrap().validate(&object, None);
    assert_eq!(lines(&found), expected, "{object}");
}

#[test]
fn secrets_have_the_keys_of_their_type() {
    let secret = |kind: &str, data: Value| json!({"metadata": {"name": "s"}, "type": kind, "data": data});
    check("Secret", secret("Opaque", json!({"a.b-c_D": "djE="})), &[]);
    check("Secret", secret("kubernetes.io/basic-auth", json!({"password": ""})), &[]);
    check(
        "Secret",
        secret("kubernetes.io/basic-auth", json!({})),
        &["data[password]: Required value", "data[username]: Required value"],
    );
    check("Secret", secret("kubernetes.io/tls", json!({"tls.key": ""})), &["data[tls.crt]: Required value"]);
    check("Secret", secret("kubernetes.io/ssh-auth", json!({})), &["data[ssh-privatekey]: Required value"]);
    check(
        "Secret",
        secret("kubernetes.io/dockerconfigjson", json!({})),
        &["data[.dockerconfigjson]: Required value"],
    );
    check("Secret", secret("kubernetes.io/dockerconfigjson", json!({".dockerconfigjson": "e30="})), &[]);
    check(
        "Secret",
        secret("kubernetes.io/service-account-token", json!({})),
        &["metadata.annotations[kubernetes.io/service-account.name]: Required value"],
    );
}

#[test]
fn problems_of_secrets_do_not_show_values() {
    // "hunter2" in base64, where JSON must be.
    let object = json!({"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "aHVudGVyMg==", "bad key": "aHVudGVyMg=="}});
    let info = ResourceInfo::builtins().iter().find(|info| info.kind == "Secret").unwrap();
    let found = lines(&info.schema.as_ref().unwrap().validate(&object, None));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("<secret contents redacted>"), "{found:?}");
    assert!(
        found[1].starts_with("data[bad key]: Invalid value: \"bad key\": a valid config key must consist of"),
        "{found:?}"
    );
    assert!(!found.iter().any(|line| line.contains("aHVudGVyMg") || line.contains("hunter2")));
    for value in [json!("hunter2!"), json!(4_815_162_342_u64), json!({"hunter2": 1}), json!(["hunter2"])] {
        let object = json!({"kind": "Secret", "data": {"k": value}, "type": "Opaque"});
        let found = lines(&info.schema.as_ref().unwrap().validate(&object, None));
        assert_eq!(found.len(), 1, "{found:?}");
        let misfit = info.misfit(&object).unwrap();
        assert!(found[0].starts_with("data: Invalid value: ") && found[0].ends_with(&misfit), "{found:?}");
        assert!(!misfit.contains("hunter2") && !misfit.contains("4815162342"), "{misfit}");
    }
}

#[test]
fn other_kinds_have_rules_of_their_own() {
    check(
        "ConfigMap",
        json!({"data": {"k": ""}, "binaryData": {"k": ""}}),
        &["data[k]: Invalid value: \"k\": duplicate of key present in binaryData"],
    );
    check(
        "Lease",
        json!({"spec": {"leaseDurationSeconds": 0}}),
        &["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"],
    );
    check(
        "Namespace",
        json!({"spec": {"finalizers": ["odd"]}}),
        &[
            "spec.finalizers[0]: Invalid value: \"odd\": name is neither a standard finalizer name nor is it fully qualified",
        ],
    );
    let event = |namespace: &str| json!({"metadata": {"namespace": namespace}, "involvedObject": {"namespace": "a", "name": "x"}});
    check("Event", event("a"), &[]);
    check(
        "Event",
        event("b"),
        &["involvedObject.namespace: Invalid value: \"a\": does not match event.namespace"],
    );
}

#[test]
fn typed_fields_of_another_type_are_misfits() {
    let secret = ResourceInfo::builtins().iter().find(|info| info.kind == "Secret").unwrap();
    assert_eq!(secret.misfit(&json!({"data": {"k": "djE="}, "immutable": null})), None);
    assert_eq!(
        secret.misfit(&json!({"type": 5})).unwrap(),
        "json: cannot unmarshal number into Go struct field Secret.type of type string"
    );
    assert_eq!(
        secret.misfit(&json!({"metadata": {"labels": {"a": 1}}})).unwrap(),
        "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"
    );
}

#[test]
fn every_built_in_kind_has_a_schema() {
    assert!(definitions().len() > 60);
    for info in ResourceInfo::builtins() {
        let schema = info.schema.as_ref().unwrap();
        assert!(schema.field().property("metadata").property("name").is_known(), "{}", info.kind);
        let mut object =
            json!({"apiVersion": info.api_version(), "kind": info.kind, "metadata": {"name": "x"}, "odd": 1});
        assert_eq!(schema.prune(&mut object), ["odd"], "{}", info.kind);
    }
}
