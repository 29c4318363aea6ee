//! Every manifest under `deploy/examples` is read into its type, loses nothing on the way and has no problems.

use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    ClusterGenerator, ClusterPolicy, ClusterSecretStore, Component, ExternalSecret, Fake, Generator, Grant,
    Password, Policy, Problem, PushSecret, SecretStore, Uuid,
};

#[test]
fn manifests_have_no_problems() {
    let mut count = 0;
    for path in manifests() {
        let text = std::fs::read_to_string(&path).unwrap();
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for document in documents {
            let problems = check(&path, document);
            assert!(problems.is_empty(), "{}: {problems:#?}", path.display());
            count += 1;
        }
    }
    assert!(count >= 12, "only {count} manifests were found");
}

fn manifests() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/examples");
    let entries = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml");
    entries(&folder)
        .iter()
        .filter(|path| path.is_dir())
        .flat_map(|path| entries(path))
        .filter(is_yaml)
        .collect()
}

/// Reads a document into the type of its kind.
fn check(path: &Path, document: Value) -> Vec<Problem> {
    let kind = document["kind"].as_str().unwrap_or_default().to_owned();
    match kind.as_str() {
        "ExternalSecret" => read::<ExternalSecret>(path, document).validate(),
        "SecretStore" => read::<SecretStore>(path, document).validate(),
        "ClusterSecretStore" => read::<ClusterSecretStore>(path, document).validate(),
        "PushSecret" => read::<PushSecret>(path, document).validate(),
        "ClusterGenerator" => read::<ClusterGenerator>(path, document).validate(),
        "Generator" => none(read::<Generator>(path, document)),
        "Policy" => none(read::<Policy>(path, document)),
        "Component" => none(read::<Component>(path, document)),
        "Grant" => none(read::<Grant>(path, document)),
        "ClusterPolicy" => none(read::<ClusterPolicy>(path, document)),
        "Password" => none(read::<Password>(path, document)),
        "UUID" => none(read::<Uuid>(path, document)),
        "Fake" => none(read::<Fake>(path, document)),
        "Secret" => none(read::<Secret>(path, document)),
        _ => panic!("{}: no type for kind `{kind}`", path.display()),
    }
}

/// Kinds whose problems only the server or the component knows.
fn none<K>(_: K) -> Vec<Problem> {
    Vec::new()
}

fn read<K: DeserializeOwned + Serialize>(path: &Path, document: Value) -> K {
    let object: K = serde_json::from_value(document.clone())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let written = serde_json::to_value(&object).unwrap();
    check_kept(path, "", &document, &written);
    object
}

/// A field that the type does not have would be lost silently; here it is a mistake in the manifest.
fn check_kept(path: &Path, place: &str, document: &Value, written: &Value) {
    match (document, written) {
        (Value::Object(document), Value::Object(written)) => {
            for (name, value) in document {
                // What has its zero value is not written.
                let Some(kept) = written.get(name) else {
                    assert_eq!(value, &Value::Bool(false), "{}: {place}.{name} is no field", path.display());
                    continue;
                };
                check_kept(path, &format!("{place}.{name}"), value, kept);
            }
        }
        (Value::Array(document), Value::Array(written)) => {
            assert_eq!(document.len(), written.len(), "{}: {place}", path.display());
            document.iter().zip(written).for_each(|(value, kept)| check_kept(path, place, value, kept));
        }
        _ => {}
    }
}

/// The correct example renders all keys that hold the password, with symbols that nothing escapes.
#[test]
fn the_correct_example_is_correct() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/examples/cloudnative-pg-correct");
    let text = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let object: ExternalSecret = serde_saphyr::from_str(&text("external-secret.yaml")).unwrap();
    let before: Secret = serde_saphyr::from_str(&text("cluster-example-app.yaml")).unwrap();
    let password = "FirstPasswordMadeByCloudNativePG";
    let template = object.spec.target.template.unwrap();
    let rendered: Vec<(&String, String)> =
        template.data.iter().map(|(key, text)| (key, text.replace("{{ .password }}", password))).collect();
    let wanted: Vec<(&String, String)> = before
        .string_data
        .iter()
        .flatten()
        .filter(|(_, value)| value.contains(password))
        .map(|(key, value)| (key, value.clone()))
        .collect();
    assert_eq!(rendered, wanted, "with the same password each key is what CloudNativePG has written");
    let generator: Password = serde_saphyr::from_str(&text("password-generator.yaml")).unwrap();
    assert_eq!(generator.spec.symbol_characters.as_deref(), Some("-._~"));
}
