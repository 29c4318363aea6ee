//! What a component may use: nothing, until a Grant says so, and then just that.

use api::{Component, ExternalSecret, Generator, Grant};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use serde_json::{Value as Json, json};

use crate::fixture::external_secret;
use crate::history::text;
use crate::world::{World, run};

/// A Component that reads what is under `seed`, a Generator, and an ExternalSecret with its values.
async fn populate(world: &World) {
    let bytes = STANDARD.encode(components::KEEPER);
    world
        .create::<ConfigMap>(json!({"metadata": {"name": "bytes"}, "binaryData": {"component.wasm": bytes}}))
        .await;
    let source = json!({"configMap": {"name": "bytes", "key": "component.wasm"}});
    world.create::<Component>(json!({"metadata": {"name": "keeper"}, "spec": {"source": source}})).await;
    let reference = json!({"kind": "Component", "name": "keeper"});
    world
        .create::<Generator>(json!({"metadata": {"name": "mine"}, "spec": {"componentRef": reference}}))
        .await;
    world.create::<Secret>(json!({"metadata": {"name": "seed"}, "stringData": {"word": "granted"}})).await;
    let mut object = external_secret("app", "Owner");
    let generator = json!({"apiVersion": "keymill.dev/v1alpha1", "kind": "Generator", "name": "mine"});
    object["spec"]["dataFrom"] = json!([{"sourceRef": {"generatorRef": generator}}]);
    object["spec"]["target"] = json!({"name": "app"});
    object["spec"]["refreshInterval"] = json!("1h");
    world.create::<ExternalSecret>(object).await;
}

fn grant(name: &str, label: &str, what: Json) -> Json {
    let mut spec = json!({"componentRef": {"kind": "Component", "name": "keeper"}, "label": label});
    spec.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
    json!({"metadata": {"name": name}, "spec": spec})
}

async fn complaint(world: &World) -> String {
    let status = world.all::<ExternalSecret>().get("app").await.unwrap().status.unwrap_or_default();
    status.conditions.into_iter().next().and_then(|one| one.message).unwrap_or_default()
}

/// The Ready condition of a Grant: its reason and its message.
async fn said(world: &World, name: &str) -> (String, String) {
    let status = world.all::<Grant>().get(name).await.unwrap().status.unwrap_or_default();
    let condition = status.conditions.into_iter().next();
    condition.map(|one| (one.reason.unwrap(), one.message.unwrap())).unwrap_or_default()
}

/// What the target has under a key.
async fn value(world: &World, key: &str) -> Option<String> {
    let target = world.secret("app").await?;
    text(&target).get(key).cloned()
}

#[test]
fn nothing_is_granted_that_no_grant_says() {
    run(async |world: World| {
        populate(&world).await;
        let seed = json!({"secret": {"name": "seed"}});
        // Another label, another component, another namespace: none of them is this one.
        world.create::<Grant>(grant("other-label", "sed", seed.clone())).await;
        let mut other = grant("other-component", "seed", seed.clone());
        other["spec"]["componentRef"] = json!({"kind": "ClusterComponent", "name": "keeper"});
        world.create::<Grant>(other).await;
        let over = json!({"secret": {"name": "seed"}, "expires": "2001-01-01T00:00:00Z"});
        world.create::<Grant>(grant("over", "seed", over)).await;
        let operator = world.start().await;
        world.until("denied", async || complaint(&world).await.contains("was denied")).await;
        assert!(world.secret("app").await.is_none());
        world.until("told", async || said(&world, "other-label").await.0 == "InvalidConfig").await;
        let (_, message) = said(&world, "other-label").await;
        assert!(
            message.contains(
                "grant kube under sed to Component default/keeper: it wants seed (kube), last (previous)"
            ),
            "{message}"
        );
        world.until("told", async || said(&world, "other-component").await.0 == "ComponentNotFound").await;
        world.create::<Grant>(grant("seed", "seed", seed)).await;
        world.ready::<Grant>("accepted", "seed").await;
        world.synced("app").await;
        assert_eq!(value(&world, "word").await.as_deref(), Some("granted"));
        assert_eq!(value(&world, "count").await.as_deref(), Some("1 after 0"));
        operator.stop().await;
    });
}

#[test]
fn what_was_made_last_is_given_only_where_that_is_granted() {
    run(async |world: World| {
        populate(&world).await;
        world.create::<Grant>(grant("seed", "seed", json!({"secret": {"name": "seed"}}))).await;
        let operator = world.start().await;
        world.synced("app").await;
        force(&world, "1", "1 after 0").await;
        world.create::<Grant>(grant("last", "last", json!({"previous": {}}))).await;
        world.ready::<Grant>("accepted", "last").await;
        force(&world, "2", "2 after 2").await;
        world.delete::<Grant>("last").await;
        world.settle(1).await;
        force(&world, "3", "1 after 0").await;
        operator.stop().await;
        // It is tried with a config that is in use, and has nothing then.
        let operator = world.start().await;
        force(&world, "4", "1 after 0").await;
        operator.stop().await;
    });
}

/// Rotates and waits for that count.
async fn force(world: &World, word: &str, expected: &str) {
    let rotated = async || {
        world.secret("app").await.unwrap().metadata.annotations.unwrap()["keymill.dev/rotation"].clone()
    };
    let before = rotated().await;
    world.annotate("app", "external-secrets.io/force-sync", word).await;
    world.until("rotated", async || rotated().await != before).await;
    assert_eq!(value(world, "count").await.as_deref(), Some(expected));
}

#[test]
fn a_quota_ends_it_for_an_hour() {
    run(async |world: World| {
        populate(&world).await;
        let spec = json!({"secret": {"name": "seed"}, "quota": {"perHour": 1}});
        world.create::<Grant>(grant("seed", "seed", spec)).await;
        let operator = world.start().await;
        // The trial of the component is granted nothing, so it costs nothing.
        world.synced("app").await;
        world.annotate("app", "external-secrets.io/force-sync", "1").await;
        world.until("spent", async || complaint(&world).await.contains("as often as it may")).await;
        assert_eq!(value(&world, "word").await.as_deref(), Some("granted"), "what was published stays");
        operator.stop().await;
    });
}

#[test]
fn a_config_map_is_read_and_a_token_is_not_data() {
    run(async |world: World| {
        populate(&world).await;
        world
            .create::<ConfigMap>(json!({"metadata": {"name": "seed"}, "data": {"word": "from a map"}}))
            .await;
        let token = json!({"serviceAccountToken": {"name": "default", "audiences": ["vault"]}});
        world.create::<Grant>(grant("seed", "seed", token)).await;
        let operator = world.start().await;
        world.until("denied", async || complaint(&world).await.contains("was denied")).await;
        world.delete::<Grant>("seed").await;
        world.create::<Grant>(grant("map", "seed", json!({"configMap": {"name": "seed"}}))).await;
        world.synced("app").await;
        assert_eq!(value(&world, "word").await.as_deref(), Some("from a map"));
        operator.stop().await;
    });
}
