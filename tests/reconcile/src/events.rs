//! The table of events: what rotates, and what renders again or repairs from the record.

use api::{ExternalSecret, Password, SecretStore};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use crate::fixture::{FOREIGN, INTERVAL, external_secret, foreign_target, password};
use crate::world::{Operator, World, run};

const RECORD: &str = "keymill-rotation-externalsecret-app";

/// What an event is expected to do to an object that is synced.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Expect {
    /// A new value, with this occasion.
    Rotated(&'static str),
    /// The same value, and the target as it was before the event.
    Repaired,
    /// The same value, another rendering.
    Rendered,
    /// Not a single write.
    Untouched,
}

/// Syncs `app`, lets the event happen, and compares.
fn check(expect: Expect, event: impl AsyncFn(&World, Operator) -> Operator) {
    run(async |world: World| {
        world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
        let operator = world.start().await;
        world.synced("app").await;
        let (before, first) = (world.secret("app").await.unwrap(), world.password("app").await);
        assert_eq!(world.check().order.len(), 1);
        let operator = event(&world, operator).await;
        world.settle(3).await;
        world.until("app Ready again", || world.is_ready::<ExternalSecret>("app")).await;
        let (known, now) = (world.check(), world.password("app").await);
        let same_data = world.secret("app").await.unwrap().data == before.data;
        let versions = world.history.of("app").len();
        let found = match known.order.get(1) {
            Some(id) if known.order.len() == 2 && now != first => {
                format!("Rotated({:?})", known.occasions[id])
            }
            Some(_) => format!("{} rotations", known.order.len()),
            None if now != first => "another value without a rotation".to_owned(),
            None if !same_data => "Rendered".to_owned(),
            None if versions > 1 => "Repaired".to_owned(),
            None => "Untouched".to_owned(),
        };
        assert_eq!(found, format!("{expect:?}"));
        // Whatever happened, it is over: only the time makes anything happen again.
        operator.gate.take_log();
        world.settle(20).await;
        let writes: Vec<String> =
            operator.gate.take_log().iter().filter(|seen| seen.write > 0).map(|seen| seen.text()).collect();
        assert!(writes.is_empty(), "it does not come to rest: {writes:?}");
    });
}

async fn spec(world: &World, patch: serde_json::Value) {
    world.patch::<ExternalSecret>("app", json!({"spec": patch})).await;
}

#[test]
fn a_first_sync_makes_one_value() {
    check(Expect::Untouched, async |_, operator| operator);
}

#[test]
fn a_slot_that_is_due_rotates() {
    check(Expect::Rotated("Scheduled"), async |world, operator| {
        world.settle(INTERVAL).await;
        operator
    });
}

#[test]
fn missed_slots_are_one() {
    check(Expect::Rotated("Scheduled"), async |world, operator| {
        world.time.skew(24 * 3600);
        // At once: no timer is waited for, which would know nothing of the jump.
        world.settle(5).await;
        operator
    });
}

#[test]
fn a_clock_that_is_set_back_rotates_nothing() {
    check(Expect::Untouched, async |world, operator| {
        world.time.skew(-3600);
        operator.stop().await;
        world.start().await
    });
}

#[test]
fn force_sync_rotates_once() {
    check(Expect::Rotated("Forced"), async |world, operator| {
        world.annotate("app", "external-secrets.io/force-sync", "1").await;
        operator
    });
}

#[test]
fn another_generator_rotates() {
    check(Expect::Rotated("Initial"), async |world, operator| {
        world.create::<Password>(password("other")).await;
        let generator = json!({"apiVersion": "generators.external-secrets.io/v1alpha1", "kind": "Password", "name": "other"});
        spec(world, json!({"dataFrom": [{"sourceRef": {"generatorRef": generator}}]})).await;
        operator
    });
}

#[test]
fn a_value_that_nobody_has_is_lost() {
    check(Expect::Rotated("ValueLost"), async |world, operator| {
        operator.stop().await;
        world.delete::<Secret>(RECORD).await;
        world.delete::<Secret>("app").await;
        world.start().await
    });
}

#[test]
fn a_record_that_is_lost_alone_rotates_nothing() {
    check(Expect::Untouched, async |world, operator| {
        world.delete::<Secret>(RECORD).await;
        operator
    });
}

#[test]
fn a_new_template_renders_the_same_value() {
    check(Expect::Rendered, async |world, operator| {
        spec(world, json!({"target": {"template": {"data": {"extra": "x={{ .password }}"}}}})).await;
        operator
    });
}

#[test]
fn a_template_source_that_changes_renders_the_same_value() {
    check(Expect::Rendered, async |world, operator| {
        world
            .create::<ConfigMap>(json!({"metadata": {"name": "t"}, "data": {"extra": "y={{ .password }}"}}))
            .await;
        let from = json!([{"configMap": {"name": "t", "items": [{"key": "extra"}]}}]);
        spec(world, json!({"target": {"template": {"templateFrom": from}}})).await;
        world.settle(2).await;
        world.patch::<ConfigMap>("t", json!({"data": {"extra": "z={{ .password }}"}})).await;
        world.settle(2).await;
        let extra = crate::history::text(&world.secret("app").await.unwrap()).remove("extra").unwrap();
        assert!(extra.starts_with("z="), "the template as it is now");
        operator
    });
}

#[test]
fn labels_rotate_nothing() {
    check(Expect::Untouched, async |world, operator| {
        world.patch::<ExternalSecret>("app", json!({"metadata": {"labels": {"a": "b"}}})).await;
        world.annotate("app", "note", "x").await;
        operator
    });
}

#[test]
fn another_interval_rotates_nothing() {
    check(Expect::Untouched, async |world, operator| {
        spec(world, json!({"refreshInterval": "2h"})).await;
        operator
    });
}

#[test]
fn another_target_name_moves_the_value() {
    run(async |world: World| {
        world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
        let _operator = world.start().await;
        world.synced("app").await;
        let first = world.password("app").await;
        spec(&world, json!({"target": {"name": "moved"}})).await;
        world.until("the new target", async || world.secret("moved").await.is_some()).await;
        world.settle(2).await;
        assert_eq!(world.password("moved").await, first);
        assert!(world.secret("app").await.is_none(), "the old target is cleaned up");
        assert_eq!(world.check().order.len(), 1);
    });
}

#[test]
fn an_edited_target_is_put_back() {
    check(Expect::Repaired, async |world, operator| {
        world.edit("app", json!({"stringData": {"password": "by-hand"}})).await;
        operator
    });
}

#[test]
fn an_edit_while_nobody_runs_is_put_back() {
    check(Expect::Repaired, async |world, operator| {
        operator.stop().await;
        world.edit("app", json!({"data": {"uri": null}})).await;
        world.start().await
    });
}

#[test]
fn a_deleted_target_is_made_again() {
    check(Expect::Repaired, async |world, operator| {
        world.delete::<Secret>("app").await;
        operator
    });
}

#[test]
fn a_status_that_is_lost_is_written_again() {
    check(Expect::Untouched, async |world, operator| {
        let gone = json!({"status": {"refreshTime": null, "syncedResourceVersion": null, "conditions": null, "binding": null}});
        let objects = world.all::<ExternalSecret>();
        objects.patch_status("app", &PatchParams::default(), &Patch::Merge(gone)).await.unwrap();
        operator
    });
}

#[test]
fn a_restart_writes_nothing() {
    check(Expect::Untouched, async |world, operator| {
        operator.stop().await;
        let operator = world.start().await;
        world.settle(3).await;
        assert_eq!(operator.gate.writes(), 0);
        operator
    });
}

#[test]
fn a_new_config_waits_for_the_slot() {
    check(Expect::Untouched, async |world, operator| {
        world.patch::<Password>("pw", json!({"spec": {"digits": 6}})).await;
        operator
    });
}

#[test]
fn a_new_config_rotates_at_once_where_it_is_asked_for() {
    check(Expect::Rotated("ConfigChanged"), async |world, operator| {
        world.annotate("app", "keymill.dev/rotate-on-config-change", "true").await;
        world.settle(2).await;
        world.patch::<Password>("pw", json!({"spec": {"digits": 6}})).await;
        operator
    });
}

#[test]
fn a_shared_target_keeps_what_is_not_ours() {
    run(async |world: World| {
        world.create::<Secret>(foreign_target("merged")).await;
        world.create::<ExternalSecret>(external_secret("merged", "Merge")).await;
        let operator = world.start().await;
        world.synced("merged").await;
        let first = world.password("merged").await;
        world.edit("merged", json!({"stringData": {"username-2": "bob"}})).await;
        world.edit("merged", json!({"stringData": {"password": "by-hand"}})).await;
        world.until("repaired", async || world.password("merged").await == first).await;
        world.settle(INTERVAL).await;
        let data = crate::history::text(&world.secret("merged").await.unwrap());
        assert_eq!((data["username-2"].as_str(), data[FOREIGN.0].as_str()), ("bob", FOREIGN.1));
        assert_ne!(data["password"], first, "the slot was due");
        assert_eq!(world.check().order.len(), 2);
        operator.stop().await;
    });
}

#[test]
fn what_eso_made_is_taken_over_until_the_slot() {
    run(async |world: World| {
        // What ESO leaves: a target with its hash, and a status that has carried this generation out; no record.
        let object: ExternalSecret = world.create(external_secret("app", "Owner")).await;
        let operator = world.start().await;
        world.synced("app").await;
        operator.stop().await;
        world.delete::<Secret>(RECORD).await;
        world.edit("app", json!({"metadata": {"annotations": {"keymill.dev/rotation": null}}})).await;
        let made = world.password("app").await;
        let versions = world.history.of("app").len();
        assert_eq!(object.metadata.generation, Some(1));
        let _operator = world.start().await;
        world.settle(10).await;
        assert_eq!(world.password("app").await, made);
        assert_eq!(world.history.of("app").len(), versions, "the target is left alone");
        assert!(world.secret(RECORD).await.is_some());
        assert_eq!(world.check().order.len(), 1);
        world.settle(INTERVAL).await;
        assert_ne!(world.password("app").await, made, "the slot was due");
        assert_eq!(world.check().order.len(), 2);
    });
}

#[test]
fn a_template_that_is_none_waits_for_a_change() {
    for wrong in ["{{ .password | nope }}", "{{ if }}"] {
        run(async |world: World| {
            let mut object = external_secret("app", "Owner");
            object["spec"]["target"]["template"]["data"]["password"] = json!(wrong);
            world.create::<ExternalSecret>(object).await;
            let operator = world.start().await;
            world.settle(5).await;
            assert!(!world.is_ready::<ExternalSecret>("app").await, "{wrong}");
            operator.gate.take_log();
            world.settle(10 * INTERVAL).await;
            let asked: Vec<String> =
                operator.gate.take_log().iter().filter(|seen| !seen.watch).map(|seen| seen.text()).collect();
            // Now and then, since not every change is one that is seen.
            let looks = asked.iter().filter(|asked| asked.ends_with("secrets/app")).count();
            assert!(looks <= 3, "{wrong}: {asked:?}");
            spec(&world, json!({"target": {"template": {"data": {"password": "{{ .password }}"}}}})).await;
            world.synced("app").await;
            operator.stop().await;
        });
    }
}

#[test]
fn what_was_reported_is_not_forgotten_while_the_watch_is_behind() {
    run(async |world: World| {
        let data = json!([{"key": "k", "value": "v"}]);
        let store = json!({"metadata": {"name": "s"}, "spec": {"provider": {"fake": {"data": data}}}});
        world.create::<SecretStore>(store.clone()).await;
        let refers = json!({"name": "s"});
        world
            .create::<ExternalSecret>(json!({
                "metadata": {"name": "app"},
                "spec": {
                    "refreshInterval": "1s", "secretStoreRef": refers,
                    "data": [{"secretKey": "k", "remoteRef": {"key": "k"}}],
                },
            }))
            .await;
        let operator = world.start().await;
        world.synced("app").await;
        operator.gate.hold(Some("externalsecrets"));
        world.delete::<SecretStore>("s").await;
        world.until("not ready", async || !world.is_ready::<ExternalSecret>("app").await).await;
        world.create::<SecretStore>(store).await;
        world.until("ready", || world.is_ready::<ExternalSecret>("app")).await;
        operator.gate.hold(None);
        operator.stop().await;
    });
}

#[test]
fn what_cannot_be_read_can_be_deleted() {
    run(async |world: World| {
        world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
        let operator = world.start().await;
        world.synced("app").await;
        let objects = world.all::<ExternalSecret>();
        let patch = Patch::Merge(json!({"spec": {"refreshInterval": "1x"}}));
        objects.patch_metadata("app", &PatchParams::default(), &patch).await.unwrap();
        world.settle(2).await;
        assert!(objects.get("app").await.is_err(), "it can be read");
        // The answer quotes the object, which cannot be read.
        drop(objects.delete("app", &DeleteParams::default()).await);
        world.until("gone", async || objects.get_metadata_opt("app").await.unwrap().is_none()).await;
        operator.stop().await;
    });
}

#[test]
fn the_end_of_an_object_of_another_class_is_not_ours() {
    run(async |world: World| {
        let store =
            json!({"controller": "other", "provider": {"fake": {"data": [{"key": "k", "value": "v"}]}}});
        world.create::<SecretStore>(json!({"metadata": {"name": "theirs"}, "spec": store})).await;
        world
            .create::<ExternalSecret>(json!({
                "metadata": {"name": "app", "finalizers": ["externalsecrets.external-secrets.io/externalsecret-cleanup"]},
                "spec": {
                    "secretStoreRef": {"name": "theirs"},
                    "data": [{"secretKey": "k", "remoteRef": {"key": "k"}}],
                },
            }))
            .await;
        let operator = world.start().await;
        world.settle(2).await;
        world.delete::<ExternalSecret>("app").await;
        world.settle(5).await;
        assert!(
            world.all::<ExternalSecret>().get_opt("app").await.unwrap().is_some(),
            "it waits for its own controller"
        );
        operator.stop().await;
    });
}
