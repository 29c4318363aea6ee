//! Templates that draw for an object without a generator: the first rendering is a rotation, which lasts over restarts and replicas until
//! somebody asks for another. An object whose template draws nothing pays nothing for that.

use std::collections::BTreeMap;
use std::time::Duration;

use api::{ExternalSecret, PushSecret, SecretStore};
use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use crate::fixture::{push_secret, vault_store};
use crate::gate::{Fault, Gate};
use crate::history::text;
use crate::world::{Operator, World, run};

const RECORD: &str = "keymill-rotation-externalsecret-app";
const FORCE_SYNC: &str = "external-secrets.io/force-sync";
const DRAWS: &str =
    "{{ bcrypt .password }} {{ (genSelfSignedCert \"x\" nil nil 1).Cert }} {{ now | unixEpoch }}";

/// `app`, with a template over a value of a store.
async fn create(world: &World, template: &str) {
    let data = json!([{"key": "db", "value": "{\"password\":\"p\"}"}]);
    world
        .create::<SecretStore>(
            json!({"metadata": {"name": "fake"}, "spec": {"provider": {"fake": {"data": data}}}}),
        )
        .await;
    world
        .create::<ExternalSecret>(json!({"metadata": {"name": "app"}, "spec": {
            "refreshInterval": "60s",
            "secretStoreRef": {"name": "fake", "kind": "SecretStore"},
            "target": {"template": {"data": {"drawn": template}}},
            "dataFrom": [{"extract": {"key": "db"}}],
        }}))
        .await;
}

async fn drawn(world: &World) -> BTreeMap<String, String> {
    world.secret("app").await.as_ref().map(text).unwrap_or_default()
}

/// Every request but for the status, since the last time.
fn asked(operator: &Operator, name: &str) -> usize {
    operator.gate.take_log().iter().filter(|seen| !seen.watch && seen.path.ends_with(name)).count()
}

/// What a template draws is the same after the event, and stays so for five intervals without a write to target or record.
fn keeps(event: impl AsyncFn(&World, Operator) -> Operator) {
    run(async |world: World| {
        create(&world, DRAWS).await;
        let operator = world.start().await;
        world.synced("app").await;
        let first = drawn(&world).await;
        assert!(first["drawn"].starts_with("$2a$10$"), "{first:?}");
        world.settle(90).await;
        let operator = event(&world, operator).await;
        world.settle(10).await;
        assert_eq!(drawn(&world).await, first);
        let versions = world.history.of("app").len() + world.history.of(RECORD).len();
        world.settle(300).await;
        assert_eq!(drawn(&world).await, first);
        let after = world.history.of("app").len() + world.history.of(RECORD).len();
        assert_eq!(after, versions, "a refresh without change writes nothing");
        operator.stop().await;
    });
}

#[test]
fn refreshing_draws_the_same() {
    keeps(async |_, operator| operator);
}

#[test]
fn a_restart_draws_the_same() {
    keeps(async |world, operator| {
        operator.crash();
        world.start().await
    });
}

#[test]
fn a_deleted_target_is_drawn_the_same() {
    keeps(async |world, operator| {
        world.delete::<Secret>("app").await;
        operator
    });
}

#[test]
fn a_target_that_was_deleted_meanwhile_is_drawn_the_same() {
    keeps(async |world, operator| {
        operator.stop().await;
        world.delete::<Secret>("app").await;
        world.start().await
    });
}

#[test]
fn force_sync_draws_anew() {
    run(async |world: World| {
        create(&world, DRAWS).await;
        let operator = world.start().await;
        world.synced("app").await;
        let first = drawn(&world).await;
        world.settle(70).await;
        world.annotate("app", FORCE_SYNC, "1").await;
        world.until("drawn anew", async || drawn(&world).await != first).await;
        let second = drawn(&world).await;
        world.settle(150).await;
        operator.crash();
        let operator = world.start().await;
        world.settle(150).await;
        assert_eq!(drawn(&world).await, second);
        assert_eq!(world.history.of("app").len(), 2);
        operator.stop().await;
    });
}

#[test]
fn two_replicas_draw_the_same() {
    for late in 1..4 {
        run(async |world: World| {
            create(&world, DRAWS).await;
            let gate = Gate::open();
            gate.plan(move |_| Fault::Wait(Duration::from_millis(late * 7)));
            let other = world.start_behind(gate, Gate::open()).await;
            let operator = world.start().await;
            world.synced("app").await;
            world.settle(90).await;
            world.annotate("app", FORCE_SYNC, "1").await;
            world.settle(150).await;
            let ids = |name: &str| {
                let versions = world.history.of(name);
                let data = versions.iter().filter_map(|version| version.secret.as_ref()?.data.clone());
                data.collect::<std::collections::BTreeSet<_>>().len()
            };
            assert_eq!((ids(RECORD), ids("app")), (2, 2), "{late}");
            operator.stop().await;
            other.stop().await;
        });
    }
}

#[test]
fn a_template_that_begins_to_draw_is_recorded_once() {
    run(async |world: World| {
        create(&world, "{{ .password }}").await;
        let operator = world.start().await;
        world.synced("app").await;
        world.settle(200).await;
        assert_eq!(asked(&operator, RECORD), 0, "nobody asks for a record that no template needs");
        assert!(world.secret(RECORD).await.is_none());
        assert!(
            !world
                .secret("app")
                .await
                .unwrap()
                .metadata
                .annotations
                .unwrap()
                .contains_key("keymill.dev/rotation")
        );
        let template = json!({"spec": {"target": {"template": {"data": {"drawn": DRAWS}}}}});
        world.patch::<ExternalSecret>("app", template).await;
        world.until("drawn", async || drawn(&world).await["drawn"].starts_with("$2a$10$")).await;
        let first = drawn(&world).await;
        world.settle(200).await;
        assert_eq!(drawn(&world).await, first);
        assert_eq!(world.history.of(RECORD).len(), 1);
        operator.stop().await;
    });
}

const PUSH_RECORD: &str = "keymill-rotation-pushsecret-push";

/// `push`, whose template draws over a Secret.
async fn create_push(world: &World, template: &str) {
    world.give_token().await;
    world.create::<SecretStore>(vault_store("kv", "kv:8200")).await;
    world.create::<Secret>(json!({"metadata": {"name": "own"}, "stringData": {"password": "p"}})).await;
    let mut push = push_secret("push", "own", &["kv"], "None");
    push["spec"]["template"] = json!({"data": {"password": template}});
    world.create::<PushSecret>(push).await;
}

#[test]
fn what_a_push_draws_is_recorded_and_stays_until_somebody_asks() {
    run(async |world: World| {
        create_push(&world, DRAWS).await;
        let operator = world.start().await;
        world.until("pushed", || world.is_ready::<PushSecret>("push")).await;
        let first = world.pushed_now("pushed").await.unwrap();
        assert!(first.starts_with("$2a$10$"), "{first}");
        assert!(world.secret(PUSH_RECORD).await.is_some());
        world.edit("own", json!({"metadata": {"labels": {"a": "b"}}})).await;
        world.settle(70).await;
        operator.crash();
        let operator = world.start().await;
        world.edit("own", json!({"metadata": {"labels": {"a": "c"}}})).await;
        world.settle(5).await;
        assert_eq!(
            world.pushed("pushed").await,
            [first.as_str()],
            "it was rendered again, to the same bytes"
        );
        let ask = async |word: &str| {
            let asked = json!({"metadata": {"annotations": {FORCE_SYNC: word}}});
            world.patch::<PushSecret>("push", asked).await;
            world.settle(5).await;
            world.pushed_now("pushed").await.unwrap()
        };
        let second = ask("1").await;
        assert_ne!(second, first);
        assert_ne!(ask("2").await, second);
        assert_eq!(world.pushed("pushed").await.len(), 3, "one write for each");
        operator.stop().await;
    });
}

#[test]
fn a_push_that_draws_nothing_records_nothing() {
    run(async |world: World| {
        create_push(&world, "{{ .password | upper }}").await;
        let operator = world.start().await;
        world.until("pushed", || world.is_ready::<PushSecret>("push")).await;
        assert_eq!(world.pushed_now("pushed").await.as_deref(), Some("P"));
        assert!(world.secret(PUSH_RECORD).await.is_none());
        operator.stop().await;
    });
}
