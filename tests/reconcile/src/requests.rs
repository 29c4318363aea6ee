//! What a sync costs in requests: exact numbers, so that one more is noticed.

use api::{ExternalSecret, PushSecret, SecretStore};
use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use crate::fixture::{INTERVAL, external_secret, foreign_target, push_secret, vault_store};
use crate::world::{Operator, World, run};

/// The requests since the last time, watches and events aside, sorted.
fn asked(operator: &Operator) -> Vec<String> {
    let log = operator.gate.take_log();
    let log = log.iter().filter(|seen| !seen.watch && !seen.path.contains("/events"));
    // Informers list all namespaces when they start.
    let mut texts: Vec<String> =
        log.filter(|seen| seen.path.contains("/namespaces/")).map(|seen| seen.text()).collect();
    texts.sort();
    texts
}

/// An operator that has started and found nothing.
async fn started(world: &World) -> Operator {
    let operator = world.start().await;
    world.settle(2).await;
    operator.gate.take_log();
    operator
}

#[test]
fn an_owned_target() {
    run(async |world: World| {
        let operator = started(&world).await;
        world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
        world.synced("app").await;
        let first = [
            "GET secrets",
            "PATCH externalsecrets",
            "PATCH externalsecrets/status",
            "POST secrets",
            "POST secrets",
        ];
        assert_eq!(asked(&operator), first, "a first sync, with the finalizer");
        world.settle(INTERVAL).await;
        let rotation = [
            "GET externalsecrets",
            "GET secrets",
            "GET secrets",
            "PATCH externalsecrets/status",
            "PUT secrets",
            "PUT secrets",
        ];
        assert_eq!(asked(&operator), rotation, "a rotation");
        world.annotate("app", "note", "x").await;
        world.settle(2).await;
        assert_eq!(
            asked(&operator),
            ["GET secrets", "GET secrets", "PATCH externalsecrets/status"],
            "a refresh without change"
        );
        operator.stop().await;
    });
}

#[test]
fn values_of_a_store() {
    run(async |world: World| {
        let operator = started(&world).await;
        let data = json!([{"key": "db", "value": "{\"password\":\"p\"}"}]);
        world
            .create::<SecretStore>(
                json!({"metadata": {"name": "fake"}, "spec": {"provider": {"fake": {"data": data}}}}),
            )
            .await;
        world.settle(2).await;
        assert_eq!(asked(&operator), ["PATCH secretstores/status"]);
        world
            .create::<ExternalSecret>(json!({"metadata": {"name": "plain"}, "spec": {
                "refreshInterval": "60s",
                "secretStoreRef": {"name": "fake", "kind": "SecretStore"},
                "dataFrom": [{"extract": {"key": "db"}}],
            }}))
            .await;
        world.settle(2).await;
        let first = ["GET secrets", "PATCH externalsecrets", "PATCH externalsecrets/status", "POST secrets"];
        let found = asked(&operator);
        // A slot may lie within the first seconds: its phase is the object's.
        assert_eq!(found.iter().filter(|text| !first.contains(&text.as_str())).count(), 0, "{found:?}");
        world.settle(5 * 60).await;
        let slots = asked(&operator);
        let writes: Vec<&String> = slots.iter().filter(|text| !text.starts_with("GET")).collect();
        assert!((4..=6).contains(&writes.len()), "{slots:?}");
        assert!(writes.iter().all(|text| *text == "PATCH externalsecrets/status"), "{slots:?}");
        assert_eq!(slots.len(), 2 * writes.len(), "one look at the target for each slot: {slots:?}");
        operator.stop().await;
    });
}

#[test]
fn a_push() {
    run(async |world: World| {
        let operator = started(&world).await;
        world.give_token().await;
        world.create::<SecretStore>(vault_store("kv", "kv:8200")).await;
        world.create::<Secret>(foreign_target("source")).await;
        world.settle(2).await;
        asked(&operator);
        operator.kv_gate.take_log();
        world.create::<PushSecret>(push_secret("push", "source", &["kv"], "None")).await;
        world.settle(2).await;
        assert_eq!(
            asked(&operator),
            ["GET secrets", "GET secrets", "GET secrets", "PATCH pushsecrets/status"],
            "the source, the store's token, and the source's version before the write"
        );
        let log = operator.kv_gate.take_log();
        let kv: Vec<String> = log.iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect();
        println!("a first push asks the store: {kv:?}");
        assert_eq!(log.iter().filter(|seen| seen.write > 0 && seen.is_of("data")).count(), 1, "{kv:?}");
        world.edit("source", json!({"metadata": {"labels": {"a": "b"}}})).await;
        world.settle(2).await;
        let kv = operator.kv_gate.take_log();
        assert!(kv.iter().all(|seen| seen.write == 0), "the same values are not written again: {kv:?}");
        operator.stop().await;
    });
}

#[test]
fn a_restart_with_everything_synced() {
    run(async |world: World| {
        crate::crashes::populate(&world).await;
        // No slot comes in between.
        world.patch::<ExternalSecret>("merged", json!({"spec": {"refreshInterval": "0s"}})).await;
        let operator = world.start().await;
        world.synced("merged").await;
        world.settle(5).await;
        operator.stop().await;
        // A source that was written at about the time of its push may have been written after it: the store is compared once more, and
        // when that is a minute later it is known.
        world.settle(60).await;
        for expected in [vec!["PATCH pushsecrets/status"], vec![]] {
            let operator = world.start().await;
            world.settle(5).await;
            assert_eq!(operator.kv_gate.writes(), 0, "to the store");
            let log = operator.gate.take_log();
            let writes: Vec<String> =
                log.iter().filter(|seen| seen.write > 0).map(|seen| seen.text()).collect();
            assert_eq!(writes, expected);
            let asked_for =
                |name: &str| log.iter().filter(|seen| seen.path.ends_with(&format!("/{name}"))).count();
            assert_eq!(asked_for("merged"), 1, "as the source of the PushSecret, not as the target");
            assert_eq!(asked_for("keymill-rotation-externalsecret-merged"), 0);
            operator.stop().await;
        }
    });
}
