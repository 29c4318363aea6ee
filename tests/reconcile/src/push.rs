//! PushSecrets: they follow their source, wait for stores, and take back what they pushed.

use std::time::Duration;

use api::{ExternalSecret, PushSecret, SecretStore};
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value as Json, json};

use crate::fixture::{INTERVAL, external_secret, push_secret, vault_store};
use crate::gate::{Fault, Gate, Refusal};
use crate::world::{Operator, World, run};

/// A synced `app`, pushed to the stores.
async fn pushed(world: &World, push: Json) -> Operator {
    world.give_token().await;
    world.create::<SecretStore>(vault_store("kv", "kv:8200")).await;
    world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
    world.create::<PushSecret>(push).await;
    let operator = world.start().await;
    world.synced("app").await;
    world.until("pushed", || world.is_ready::<PushSecret>("push")).await;
    assert_eq!(world.pushed_now("pushed").await.unwrap(), world.password("app").await);
    operator
}

fn plain() -> Json {
    push_secret("push", "app", &["kv"], "Delete")
}

#[test]
fn a_push_follows_its_source_within_a_second() {
    run(async |world: World| {
        let operator = pushed(&world, plain()).await;
        for forced in ["1", "2", "3"] {
            let before = world.password("app").await;
            world.annotate("app", "external-secrets.io/force-sync", forced).await;
            world.until("rotated", async || world.password("app").await != before).await;
            world.settle(1).await;
            assert_eq!(world.pushed_now("pushed").await.unwrap(), world.password("app").await, "{forced}");
        }
        let versions = world.pushed("pushed").await;
        assert_eq!(versions.len(), 4, "one write for each rotation");
        world.check().forward(&versions);
        operator.stop().await;
    });
}

#[test]
fn a_store_that_was_down_gets_the_last_value() {
    for refusal in [Refusal::Status(503, 0), Refusal::Closed, Refusal::Status(429, 1)] {
        run(async |world: World| {
            let operator = pushed(&world, plain()).await;
            operator.kv_gate.plan(move |_| Fault::Refuse(refusal));
            world.settle(INTERVAL + 10).await;
            let rotated = world.password("app").await;
            assert!(!world.is_ready::<PushSecret>("push").await, "Ready says the truth");
            assert_ne!(world.pushed_now("pushed").await.unwrap(), rotated);
            operator.kv_gate.plan(|_| Fault::None);
            world.until("pushed again", || world.is_ready::<PushSecret>("push")).await;
            assert_eq!(world.pushed_now("pushed").await.unwrap(), world.password("app").await);
            operator.stop().await;
        });
    }
}

#[test]
fn a_source_that_is_gone_is_withdrawn_and_pushed_again() {
    run(async |world: World| {
        world.give_token().await;
        world.create::<SecretStore>(vault_store("kv", "kv:8200")).await;
        world.create::<PushSecret>(push_secret("push", "own", &["kv"], "Delete")).await;
        let operator = world.start().await;
        for value in ["first", "second"] {
            world.settle(2).await;
            assert_eq!(world.pushed_now("pushed").await, None);
            assert!(!world.is_ready::<PushSecret>("push").await, "there is no source");
            world
                .create::<Secret>(json!({"metadata": {"name": "own"}, "stringData": {"password": value}}))
                .await;
            world.settle(1).await;
            assert_eq!(world.pushed_now("pushed").await.as_deref(), Some(value), "within a second");
            world.delete::<Secret>("own").await;
        }
        world.settle(1).await;
        assert_eq!(world.pushed_now("pushed").await, None, "withdrawn within a second");
        operator.stop().await;
    });
}

#[test]
fn the_end_of_a_push_takes_back_what_it_pushed() {
    for (deletion, left) in [("Delete", false), ("None", true)] {
        run(async |world: World| {
            let operator = pushed(&world, push_secret("push", "app", &["kv"], deletion)).await;
            world.delete::<PushSecret>("push").await;
            world
                .until("gone", async || world.all::<PushSecret>().get_opt("push").await.unwrap().is_none())
                .await;
            world.settle(1).await;
            assert_eq!(world.pushed_now("pushed").await.is_some(), left, "{deletion}");
            operator.stop().await;
        });
    }
}

#[test]
fn a_store_stays_until_what_was_pushed_to_it_is_taken_back() {
    for (deletion, stays) in [("Delete", true), ("None", false)] {
        run(async |world: World| {
            let operator = pushed(&world, push_secret("push", "app", &["kv"], deletion)).await;
            let is_there = async || world.all::<SecretStore>().get_opt("kv").await.unwrap().is_some();
            world.delete::<SecretStore>("kv").await;
            world.settle(60).await;
            assert_eq!(is_there().await, stays, "{deletion}");
            world.delete::<PushSecret>("push").await;
            world.settle(2).await;
            assert!(!is_there().await, "nobody holds it any more");
            assert!(world.all::<PushSecret>().get_opt("push").await.unwrap().is_none());
            assert_eq!(world.pushed_now("pushed").await.is_none(), stays, "{deletion}");
            operator.stop().await;
        });
    }
}

#[test]
fn a_store_that_eso_has_held_goes() {
    run(async |world: World| {
        let operator = pushed(&world, push_secret("push", "app", &["kv"], "None")).await;
        let finalizers = json!({"metadata": {"finalizers": ["secretstore.externalsecrets.io/finalizer"]}});
        world.patch::<SecretStore>("kv", finalizers).await;
        world.delete::<SecretStore>("kv").await;
        world.settle(2).await;
        assert!(world.all::<SecretStore>().get_opt("kv").await.unwrap().is_none());
        operator.stop().await;
    });
}

#[test]
fn a_crash_between_the_store_and_the_status_leaves_nothing_behind() {
    run(async |world: World| {
        world.give_token().await;
        world.create::<SecretStore>(vault_store("kv", "kv:8200")).await;
        world.create::<Secret>(json!({"metadata": {"name": "own"}, "stringData": {"password": "x"}})).await;
        world.create::<PushSecret>(push_secret("push", "own", &["kv"], "Delete")).await;
        let kv_gate = Gate::open();
        kv_gate.plan(|seen| match seen.write > 0 && seen.is_of("data") {
            true => Fault::DieAfter,
            false => Fault::None,
        });
        let operator = world.start_behind(Gate::open(), kv_gate).await;
        world.settle(5).await;
        operator.crash();
        assert_eq!(world.pushed_now("pushed").await.as_deref(), Some("x"), "it was written");
        assert!(!world.is_ready::<PushSecret>("push").await, "and nobody knows");
        world.delete::<PushSecret>("push").await;
        let operator = world.start().await;
        world
            .until("gone", async || world.all::<PushSecret>().get_opt("push").await.unwrap().is_none())
            .await;
        assert_eq!(world.pushed_now("pushed").await, None);
        operator.stop().await;
    });
}

#[test]
fn a_crash_after_a_push_that_was_overtaken_leaves_no_old_value() {
    run(async |world: World| {
        world.create::<Secret>(json!({"metadata": {"name": "own"}, "stringData": {"password": "x"}})).await;
        let (gate, kv_gate) = (Gate::open(), Gate::open());
        world.give_token().await;
        world.create::<SecretStore>(vault_store("kv", "kv:8200")).await;
        world.create::<PushSecret>(push_secret("push", "own", &["kv"], "Delete")).await;
        let operator = world.start_behind(gate.clone(), kv_gate.clone()).await;
        world.until("pushed", || world.is_ready::<PushSecret>("push")).await;
        // What was read before waits long; what is reported of it is the last that the process does.
        kv_gate.plan(|seen| match seen.write > 0 && seen.is_of("data") {
            true => Fault::Wait(Duration::from_secs(10)),
            false => Fault::None,
        });
        gate.plan(|seen| match seen.text() == "PATCH pushsecrets/status" {
            true => Fault::DieAfter,
            false => Fault::None,
        });
        world.edit("own", json!({"stringData": {"password": "second"}})).await;
        world.settle(5).await;
        world.edit("own", json!({"stringData": {"password": "third"}})).await;
        world.settle(10).await;
        operator.crash();
        assert_eq!(world.pushed_now("pushed").await.as_deref(), Some("second"));
        let operator = world.start().await;
        world.settle(5).await;
        assert_eq!(world.pushed("pushed").await, ["x", "second", "third"]);
        operator.stop().await;
    });
}

#[test]
fn a_slow_replica_puts_no_older_value_over_a_newer_one() {
    run(async |world: World| {
        world.give_token().await;
        world.create::<SecretStore>(vault_store("kv", "kv:8200")).await;
        world
            .create::<Secret>(json!({"metadata": {"name": "own"}, "stringData": {"password": "first"}}))
            .await;
        world.create::<PushSecret>(push_secret("push", "own", &["kv"], "Delete")).await;
        let (slow_gate, mut first) = (Gate::open(), true);
        slow_gate.plan(move |seen| match seen.is_of("pushed") && std::mem::take(&mut first) {
            true => Fault::Wait(Duration::from_secs(10)),
            false => Fault::None,
        });
        let slow = world.start_behind(Gate::open(), slow_gate).await;
        world.settle(2).await;
        assert_eq!(
            world.pushed_now("pushed").await,
            None,
            "the slow one has read the source and looks at the store"
        );
        let quick = world.start().await;
        world.settle(2).await;
        world.edit("own", json!({"stringData": {"password": "second"}})).await;
        world.settle(20).await;
        assert_eq!(world.pushed("pushed").await, ["first", "second"]);
        slow.stop().await;
        quick.stop().await;
    });
}

#[test]
fn a_dead_store_does_not_touch_the_healthy_one() {
    run(async |world: World| {
        world.give_token().await;
        for (name, server) in [("kv", "kv:8200"), ("dead", "dead:8200")] {
            world.create::<SecretStore>(vault_store(name, server)).await;
        }
        world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
        world.create::<PushSecret>(push_secret("push", "app", &["dead", "kv"], "Delete")).await;
        let operator = world.start().await;
        world.synced("app").await;
        world.settle(INTERVAL / 2).await;
        assert_eq!(world.pushed("pushed").await, [world.password("app").await], "written once");
        assert!(!world.is_ready::<PushSecret>("push").await, "Ready says the truth");
        operator.stop().await;
    });
}

#[test]
fn a_start_withdraws_nothing_from_stores_that_it_has_not_seen_yet() {
    run(async |world: World| {
        let mut push = push_secret("push", "app", &[], "Delete");
        push["spec"]["secretStoreRefs"] =
            json!([{"kind": "SecretStore", "labelSelector": {"matchLabels": {"tier": "push"}}}]);
        let operator = pushed(&world, push).await;
        operator.stop().await;
        let gate = Gate::open();
        gate.hold(Some("secretstores"));
        let operator = world.start_behind(gate, Gate::open()).await;
        world.settle(5).await;
        world.annotate("app", "external-secrets.io/force-sync", "1").await;
        world.settle(5).await;
        operator.gate.hold(None);
        world
            .until("pushed again", async || {
                world.pushed_now("pushed").await == Some(world.password("app").await)
            })
            .await;
        let versions = world.pushed("pushed").await;
        assert_eq!(versions.len(), 2, "no version was deleted in between");
        operator.stop().await;
    });
}

#[test]
fn what_was_pushed_to_a_deleted_fake_store_is_forgotten() {
    run(async |world: World| {
        let operator = world.start().await;
        let held =
            async |count: usize| format!("{:?}", operator.clients).contains(&format!("fakes: {count}"));
        for _ in 0..2 {
            let fake = json!({"metadata": {"name": "fake"}, "spec": {"provider": {"fake": {"data": []}}}});
            world.create::<SecretStore>(fake).await;
            world.until("ready", || world.is_ready::<SecretStore>("fake")).await;
            world.until("held", || held(1)).await;
            world.delete::<SecretStore>("fake").await;
            world.until("forgotten", || held(0)).await;
        }
        operator.stop().await;
    });
}

#[test]
fn whoever_chooses_by_labels_is_woken_by_what_it_chooses() {
    run(async |world: World| {
        world.give_token().await;
        world.create::<SecretStore>(vault_store("kv", "kv:8200")).await;
        let secret = |name: &str, labels: Json| json!({"metadata": {"name": name, "labels": labels}, "stringData": {"password": name}});
        world.create::<Secret>(secret("chosen", json!({"push": "yes"}))).await;
        let mut push = push_secret("push", "", &["kv"], "Delete");
        push["spec"]["selector"] = json!({"secret": {"selector": {"matchLabels": {"push": "yes"}}}});
        world.create::<PushSecret>(push).await;
        let operator = world.start().await;
        world.until("pushed", || world.is_ready::<PushSecret>("push")).await;
        operator.gate.take_log();
        let lists =
            || operator.gate.take_log().iter().filter(|seen| seen.text() == "GET secrets (list)").count();
        for number in 0..10 {
            world.create::<Secret>(secret(&format!("other-{number}"), json!({"push": "no"}))).await;
        }
        world.settle(5).await;
        assert_eq!(lists(), 0, "none of them concerns it");
        world.edit("chosen", json!({"stringData": {"password": "changed"}})).await;
        world.settle(5).await;
        assert_eq!(world.pushed_now("pushed").await.as_deref(), Some("changed"));
        world.edit("chosen", json!({"metadata": {"labels": {"push": "no"}}})).await;
        world.settle(5).await;
        assert_eq!(world.pushed_now("pushed").await, None, "what is not chosen any more is taken back");
        world.edit("other-3", json!({"metadata": {"labels": {"push": "yes"}}})).await;
        world.settle(5).await;
        assert_eq!(world.pushed_now("pushed").await.as_deref(), Some("other-3"));
        operator.stop().await;
    });
}
