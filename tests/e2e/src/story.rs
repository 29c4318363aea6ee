//! The main job: the published CloudNativePG manifests, as written, rotate a password and push it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use serde_json::{Value as Json, json};

use crate::dev::{Dev, Place, SOON, Seen};

const TARGET: &str = "cluster-example-app";
const FIRST: &str = "FirstPasswordMadeByCloudNativePG";

async fn rotated(dev: &Dev) -> Seen {
    dev.secret_when(TARGET, "the password has rotated", |seen| seen.key("password") != FIRST).await
}

fn check_password(password: &str) {
    let count = |wanted: fn(char) -> bool| password.chars().filter(|one| wanted(*one)).count();
    assert_eq!(password.len(), 42);
    assert_eq!(count(|one| one.is_ascii_digit()), 5);
    assert_eq!(count(|one| "-_$@".contains(one)), 5);
    assert_eq!(count(|one| one.is_ascii_alphabetic()), 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_manifests_rotate_and_push() {
    let place = Place::example("cloudnative-pg");
    let dev = place.start().await;
    let seen = rotated(&dev).await;
    let password = seen.key("password");
    check_password(password);
    assert_eq!(seen.key("pgpass"), format!("cluster-example-rw:5432:app:app:{password}"));
    assert_eq!(seen.key("uri"), format!("postgresql://app:{password}@cluster-example-rw.default:5432/app"));
    assert_eq!(
        seen.key("jdbc-uri"),
        format!("jdbc:postgresql://cluster-example-rw.default:5432/app?password={password}&user=app")
    );
    for (key, value) in
        [("username", "app"), ("dbname", "app"), ("host", "cluster-example-rw"), ("port", "5432")]
    {
        assert_eq!(seen.key(key), value);
    }
    assert!(seen.key("fqdn-uri").contains(FIRST), "a key that the manifests do not write was written");
    assert_eq!(seen.type_, "kubernetes.io/basic-auth");
    for (label, value) in
        [("cnpg.io/reload", "true"), ("cnpg.io/cluster", "cluster-example"), ("cnpg.io/userType", "app")]
    {
        assert_eq!(seen.labels.get(label).map(String::as_str), Some(value), "{label}");
    }
    check_ready(&dev).await;
    check_kv(&dev, &seen).await;
    let output = dev.program.output();
    assert!(output.contains("stands for http://vault.vault.svc:8200"), "{output}");
    assert!(
        output.contains("the URI of uri") && output.contains("fqdn-uri, fqdn-jdbc-uri"),
        "no lint:\n{output}"
    );
    assert!(!output.contains(password), "the password was printed");
}

async fn check_ready(dev: &Dev) {
    let stores = dev.objects("external-secrets.io/v1", "SecretStore", "secretstores");
    let pushes = dev.objects("external-secrets.io/v1alpha1", "PushSecret", "pushsecrets");
    let external = dev.external_secrets();
    for (objects, name, reason) in [
        (&external, "cluster-example-app-secret", "SecretSynced"),
        (&pushes, "pushsecret-example", "Synced"),
        (&stores, "vault-backend", "Valid"),
    ] {
        let [status, ..] = dev.ready_when(objects, name, reason).await;
        assert_eq!(status, "True", "{name}");
    }
}

async fn check_kv(dev: &Dev, seen: &Seen) {
    kv_follows(dev, seen, SOON).await;
    let metadata = dev.kv.get(&format!("secrets/metadata/{TARGET}")).await.unwrap().unwrap();
    let custom = metadata.pointer("/data/custom_metadata").and_then(Json::as_object).unwrap();
    assert_eq!(custom.get("managed-by"), Some(&json!("external-secrets")));
    assert!(custom.keys().any(|key| key.starts_with("keymill.dev/")), "{custom:?}");
}

async fn kv_follows(dev: &Dev, seen: &Seen, timeout: Duration) {
    let wanted: &BTreeMap<String, String> = &seen.data;
    let found = support::until("the KV has the Secret's values", timeout, async || {
        Ok(dev.kv.data("secrets", TARGET).await?.filter(|data| data == wanted))
    });
    found.await.unwrap_or_else(|error| panic!("{error:#}\n{}", dev.program.output()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_interval_rotates_on_time_and_the_kv_follows() {
    let place = Place::example("cloudnative-pg");
    place.edit("external-secret.yaml", "refreshInterval: \"24h\"", "refreshInterval: \"3s\"");
    let dev = place.start().await;
    let mut seen = rotated(&dev).await;
    for _ in 0..3 {
        let before = seen.key("password").to_owned();
        let started = Instant::now();
        seen = dev.secret_when(TARGET, "the next password", |seen| seen.key("password") != before).await;
        check_password(seen.key("password"));
        assert!(seen.key("uri").contains(seen.key("password")), "half-written");
        let took = started.elapsed();
        assert!(took < Duration::from_secs(5), "a rotation every 3 s took {took:?}");
        kv_follows(&dev, &seen, Duration::from_secs(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_and_a_second_start_change_nothing() {
    let place = Place::example("cloudnative-pg");
    let dev = place.start().await;
    let before = rotated(&dev).await;
    check_ready(&dev).await;
    kv_follows(&dev, &before, SOON).await;
    let version = kv_version(&dev).await;
    dev.program.kill().unwrap();

    let dev = place.start().await;
    check_ready(&dev).await;
    // Whatever the start does, it has done by then.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = dev.secret(TARGET).await.unwrap().unwrap();
    assert_eq!(before, after, "the restart wrote the Secret");
    kv_follows(&dev, &before, Duration::from_secs(1)).await;
    assert_eq!(kv_version(&dev).await, version, "the restart pushed again");
}

async fn kv_version(dev: &Dev) -> Option<u64> {
    let metadata = dev.kv.get(&format!("secrets/metadata/{TARGET}")).await.unwrap().unwrap();
    metadata.pointer("/data/current_version").and_then(Json::as_u64)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_put_back_to_the_same_value() {
    let place = Place::example("cloudnative-pg");
    let dev = place.start().await;
    let before = rotated(&dev).await;
    check_ready(&dev).await;

    dev.patch_secret(TARGET, json!({"stringData": {"password": "edited", "dbname": "other"}})).await;
    let after = dev
        .secret_when(TARGET, "our key is put back", |seen| seen.key("password") == before.key("password"))
        .await;
    assert_eq!(after.key("dbname"), "other", "a foreign key was touched");
    assert_ne!(after.resource_version, before.resource_version);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_while_it_was_down_is_put_back_too() {
    let place = Place::example("cloudnative-pg");
    let dev = place.start().await;
    let before = rotated(&dev).await;
    check_ready(&dev).await;
    // Stopped, not killed: the API lives in the same process, so the edit is made while the controllers are paused.
    drop(dev);
    let idle = place.start_with(&["--no-controllers"]).await;
    idle.patch_secret(TARGET, json!({"stringData": {"password": "edited"}})).await;
    drop(idle);
    let dev = place.start().await;
    let after = dev
        .secret_when(TARGET, "our key is put back", |seen| seen.key("password") == before.key("password"))
        .await;
    assert_eq!(after.data, before.data);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_template_renders_the_same_value() {
    let place = Place::example("cloudnative-pg");
    let dev = place.start().await;
    let before = rotated(&dev).await;
    check_ready(&dev).await;
    place.edit(
        "external-secret.yaml",
        "        password: \"{{ .password }}\"",
        "        password: \"{{ .password }}\"\n        copy: \"<{{ .password }}>\"",
    );
    let after = dev.secret_when(TARGET, "the new key is there", |seen| seen.data.contains_key("copy")).await;
    assert_eq!(after.key("password"), before.key("password"));
    assert_eq!(after.key("copy"), format!("<{}>", before.key("password")));
}

#[tokio::test(flavor = "multi_thread")]
async fn force_sync_rotates_once() {
    let place = Place::example("cloudnative-pg");
    let dev = place.start().await;
    let before = rotated(&dev).await;
    check_ready(&dev).await;
    let patch = json!({"metadata": {"annotations": {"external-secrets.io/force-sync": Timestamp::now().to_string()}}});
    dev.external_secrets()
        .patch("cluster-example-app-secret", &PatchParams::default(), &Patch::Merge(&patch))
        .await
        .unwrap();
    let after =
        dev.secret_when(TARGET, "a new value", |seen| seen.key("password") != before.key("password")).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(dev.secret(TARGET).await.unwrap().unwrap().data, after.data, "it rotated twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_correct_example_writes_every_key_that_holds_the_password() {
    let place = Place::example("cloudnative-pg-correct");
    let dev = place.start().await;
    let seen = rotated(&dev).await;
    let password = seen.key("password");
    for key in ["pgpass", "uri", "jdbc-uri", "fqdn-uri", "fqdn-jdbc-uri"] {
        assert!(seen.key(key).contains(password), "{key} does not hold the password");
        assert!(!seen.key(key).contains(FIRST), "{key} holds the old password");
    }
    assert!(password.chars().all(|one| one.is_ascii_alphanumeric() || "-._~".contains(one)));
    let output = dev.program.output();
    assert!(!output.contains("lint"), "the correct example has a lint:\n{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn once_ends_when_all_is_ready_or_says_what_is_not() {
    let place = Place::example("cloudnative-pg");
    let mut program = support::Program::start(place.command(&["--once", "--timeout", "20s"])).unwrap();
    let status = program.wait(SOON + Duration::from_secs(5)).unwrap();
    assert_eq!(status.code(), Some(0), "{}", program.output());

    let place = Place::example("cloudnative-pg");
    std::fs::remove_file(place.manifests().join("vault-token.yaml")).unwrap();
    let mut program = support::Program::start(place.command(&["--once", "--timeout", "3s"])).unwrap();
    let status = program.wait(SOON).unwrap();
    let output = program.output();
    assert_eq!(status.code(), Some(1), "{output}");
    let last: Vec<&str> = output.lines().filter(|line| line.contains("not Ready")).collect();
    assert!(
        last.iter().any(|line| line.contains("SecretStore/vault-backend") && line.contains("vault-token")),
        "{output}"
    );
    assert!(last.iter().any(|line| line.contains("PushSecret/pushsecret-example")), "{output}");
    assert!(!last.iter().any(|line| line.contains("ExternalSecret")), "{output}");
}
