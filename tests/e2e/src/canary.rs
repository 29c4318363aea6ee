//! No secret value in any log, event, status or error: generated and pushed values are searched for in all that people see.

use std::time::Duration;

use base64::Engine;
use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, ListParams};

use crate::dev::Place;

/// The forms in which a value could stand somewhere.
fn forms(value: &str) -> Vec<String> {
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let encoded = base64::engine::general_purpose::STANDARD.encode(value);
    let reversed: String = value.chars().rev().collect();
    vec![value.to_owned(), encoded.trim_end_matches('=').to_owned(), hex, reversed]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_is_seen_outside_the_secrets() {
    let place = Place::example("cloudnative-pg");
    place.edit("external-secret.yaml", "refreshInterval: \"24h\"", "refreshInterval: \"2s\"");
    place.write(
        "failing.yaml",
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: failing}\nspec:\n  refreshInterval: 1h\n  \
         target: {template: {data: {a: \"{{ .password | fromJson | toString }}{{ fail .password }}\", b: \"{{ .nothing }}\"}}}\n  \
         dataFrom:\n  - sourceRef: {generatorRef: {kind: Password, name: pg-password-generator}}\n",
    );
    let dev = place.start_loud().await;
    let mut canaries = vec!["FirstPasswordMadeByCloudNativePG".to_owned()];
    for _ in 0..3 {
        let seen = dev
            .secret_when("cluster-example-app", "another value", |seen| {
                canaries.iter().all(|known| known != seen.key("password"))
            })
            .await;
        canaries.push(seen.key("password").to_owned());
    }
    dev.ready_when(&dev.external_secrets(), "failing", "SecretSyncedError").await;
    tokio::time::sleep(Duration::from_millis(500)).await;

    let mut visible = dev.program.output();
    let events: Api<Event> = Api::all(dev.client.clone());
    let events = events.list(&ListParams::default()).await.unwrap();
    assert!(!events.items.is_empty(), "there are no events to search");
    visible.push_str(&serde_json::to_string(&events.items).unwrap());
    for (api_version, kind, plural) in [
        ("external-secrets.io/v1", "ExternalSecret", "externalsecrets"),
        ("external-secrets.io/v1", "SecretStore", "secretstores"),
        ("external-secrets.io/v1alpha1", "PushSecret", "pushsecrets"),
        ("generators.external-secrets.io/v1alpha1", "Password", "passwords"),
    ] {
        let objects = dev.objects(api_version, kind, plural).list(&ListParams::default()).await.unwrap();
        visible.push_str(&serde_json::to_string(&objects.items).unwrap());
    }
    for canary in &canaries {
        for form in forms(canary) {
            assert!(!visible.contains(&form), "a value was seen outside the Secrets");
        }
    }
}

/// At rest the state is encrypted: no value stands in it as it is.
#[tokio::test(flavor = "multi_thread")]
async fn no_value_stands_in_the_state_folder() {
    let place = Place::example("cloudnative-pg");
    let dev = place.start().await;
    let seen = dev
        .secret_when("cluster-example-app", "a new value", |seen| {
            seen.key("password") != "FirstPasswordMadeByCloudNativePG"
        })
        .await;
    let password = seen.key("password").to_owned();
    dev.program.kill().unwrap();
    for entry in std::fs::read_dir(place.state()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            for form in forms(&password) {
                let found = bytes.windows(form.len()).any(|window| window == form.as_bytes());
                assert!(!found, "{} holds a value", path.display());
            }
        }
    }
}
