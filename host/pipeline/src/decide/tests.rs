use std::time::Duration;

use serde_json::{Value as Json, json};

use super::*;
use crate::field::Value;
use crate::fixture::{World, at, controller, key_of, password};
use crate::rotation::Held;

mod adopt;
mod any_sequence;
mod drawing;

fn generated(interval: &str) -> Json {
    json!({"refreshInterval": interval, "dataFrom": [password("db")]})
}

fn stored(interval: &str) -> Json {
    json!({
        "refreshInterval": interval,
        "secretStoreRef": {"name": "vault"},
        "data": [{"secretKey": "k", "remoteRef": {"key": "k"}}],
    })
}

/// A world in which the spec was carried out at second 0.
async fn settled(spec: Json) -> World {
    let mut world = World::new(spec);
    world.store.put("k", crate::ports::Document::Bytes(Value::from("v1")), false);
    world.sync().await;
    assert!(matches!(world.decide(), Decision::Wait { .. }), "deciding on the result decides nothing");
    world
}

/// What is decided after something happened: the cause and the occasions, `wait` or `adopt`.
fn decided(world: &World) -> String {
    match world.decide() {
        Decision::Wait { .. } => "wait".to_owned(),
        Decision::Report { .. } => "report".to_owned(),
        Decision::Adopt(_) => "adopt".to_owned(),
        Decision::Refresh(refresh) => {
            let occasions: Vec<&str> = refresh.rotations().map(|(_, occasion)| occasion.as_str()).collect();
            format!(
                "{}: {}",
                refresh.cause.as_str(),
                if occasions.is_empty() { "keep".to_owned() } else { occasions.join(" ") }
            )
        }
    }
}

type Happening = fn(&mut World);

/// The table of events: what happens to an object with generated values, and what is decided.
const EVENTS: &[(&str, Happening, &str)] = &[
    ("nothing", |_| {}, "wait"),
    ("first sync", |world| *world = World::new(generated("1h")), "first-sync: initial"),
    ("slot due", |world| world.now = at(3600), "slot-due: scheduled"),
    ("a second before the slot", |world| world.now = at(3599), "wait"),
    ("ten slots missed", |world| world.now = at(36_000), "slot-due: scheduled"),
    ("force-sync", |world| world.annotate("external-secrets.io/force-sync", "1"), "forced: forced"),
    (
        "another generator",
        |world| world.respec(json!({"dataFrom": [password("other")]})),
        "generator-changed: initial",
    ),
    (
        "another entry beside it",
        |world| world.respec(json!({"dataFrom": [password("db"), password("db")]})),
        "generator-changed: initial",
    ),
    (
        "record and target lost",
        |world| {
            world.record = Found::Missing;
            world.target = Found::Missing;
        },
        "target-missing: value-lost",
    ),
    (
        "record lost and target edited",
        |world| {
            world.record = Found::Missing;
            world.view().data.insert("password".to_owned(), Value::from("hacked"));
        },
        "target-edited: value-lost",
    ),
    (
        "record lost and spec changed",
        |world| {
            world.record = Found::Missing;
            world.respec(
                json!({"dataFrom": [password("db")], "target": {"template": {"data": {"a": "<password>"}}}}),
            );
        },
        "value-lost: value-lost",
    ),
    ("record lost", |world| world.record = Found::Missing, "adopt"),
    (
        "template changed",
        |world| {
            world.respec(
                json!({"dataFrom": [password("db")], "target": {"template": {"data": {"a": "<password>"}}}}),
            )
        },
        "spec-changed: keep",
    ),
    ("interval changed", |world| world.respec(generated("2h")), "spec-changed: keep"),
    (
        "target renamed",
        |world| {
            world.respec(json!({"dataFrom": [password("db")], "target": {"name": "other"}}));
            world.target = Found::Missing;
        },
        "spec-changed: keep",
    ),
    (
        "label changed",
        |world| {
            world.meta.labels.insert("team".to_owned(), "a".to_owned());
        },
        "metadata-changed: keep",
    ),
    ("another annotation changed", |world| world.annotate("note", "hi"), "metadata-changed: keep"),
    (
        "target edited",
        |world| {
            world.view().data.insert("password".to_owned(), Value::from("hacked"));
        },
        "target-edited: keep",
    ),
    ("target's label removed", |world| world.view().labels.clear(), "target-edited: keep"),
    ("target deleted", |world| world.target = Found::Missing, "target-missing: keep"),
    ("status lost", |world| world.status = Status::default(), "status-lost: keep"),
    ("the last look failed, and all is well", |world| world.status.failed = true, "failed-before: keep"),
    (
        "the writer died between record and target",
        |world| {
            // Another id each time: an id that is written twice would itself stand for two values.
            let id = format!("{:032x}", world.now.as_second());
            world.view().annotations.insert("keymill.dev/rotation".to_owned(), id);
        },
        "unpublished: keep",
    ),
    (
        "the generator's config changed",
        |world| {
            world.config = "config-2".to_owned();
            world.config_digests.insert(key_of("db"), "config-2".to_owned());
        },
        "wait",
    ),
    (
        "the generator's config changed and the object asks to rotate then",
        |world| {
            world.config = "config-2".to_owned();
            world.config_digests.insert(key_of("db"), "config-2".to_owned());
            world.annotate("keymill.dev/rotate-on-config-change", "true");
        },
        "config-changed: config-changed",
    ),
    ("clock a day back", |world| world.now = at(-86_400), "clock-moved: keep"),
    ("clock a day ahead", |world| world.now = at(86_400), "slot-due: scheduled"),
    ("clock a second back", |world| world.now = at(-1), "wait"),
];

#[tokio::test]
async fn generated_values_rotate_for_these_causes_and_no_other() {
    for (what, happen, want) in EVENTS {
        let mut world = settled(generated("1h")).await;
        happen(&mut world);
        assert_eq!(decided(&world), *want, "{what}");
    }
}

#[tokio::test]
async fn a_failure_of_what_is_synced_once_is_made_good_in_the_status_only() {
    for (what, mut spec) in [("a store's value", stored("1h")), ("a generated one", generated("1h"))] {
        spec["refreshPolicy"] = json!("CreatedOnce");
        let mut world = settled(spec).await;
        world.status.failed = true;
        assert_eq!(decided(&world), "report", "{what}");
        world.sync().await;
        assert_eq!(decided(&world), "wait", "{what}");
    }
}

#[tokio::test]
async fn every_event_ends_in_a_state_in_which_nothing_is_due() {
    let rows: &[(&str, Happening)] = &[
        ("slot", |world| world.now = at(3600)),
        ("forced", |world| world.annotate("external-secrets.io/force-sync", "1")),
        ("generator", |world| world.respec(json!({"dataFrom": [password("other"), password("db")]}))),
        ("record", |world| world.record = Found::Missing),
        ("status", |world| world.status = Status::default()),
        ("deleted", |world| world.target = Found::Missing),
        ("clock", |world| world.now = at(-86_400)),
        ("edited", |world| {
            world.view().data.insert("password".to_owned(), Value::from("hacked"));
        }),
    ];
    for (what, happen) in rows {
        let mut world = settled(generated("1h")).await;
        happen(&mut world);
        world.sync().await;
        let again = world.decide();
        assert!(matches!(again, Decision::Wait { next: Some(_) }), "{what}: {again:?}");
    }
}

#[tokio::test]
async fn what_is_not_a_rotation_restores_the_same_value() {
    let mut world = settled(generated("1h")).await;
    assert_eq!(world.value("password").as_deref(), Some("value-1"));
    world.view().data.insert("password".to_owned(), Value::from("hacked"));
    world.sync().await;
    assert_eq!(world.value("password").as_deref(), Some("value-1"));
    world.target = Found::Missing;
    world.sync().await;
    assert_eq!(world.value("password").as_deref(), Some("value-1"));
    world.now = at(3600);
    world.sync().await;
    assert_eq!(world.value("password").as_deref(), Some("value-2"));
}

#[tokio::test]
async fn a_retry_and_a_second_replica_name_the_same_rotation() {
    let mut world = settled(generated("1h")).await;
    let id = |world: &World| world.due().entries[0].action.clone();
    world.now = at(3600);
    let first = id(&world);
    world.now = at(3700);
    assert_eq!(id(&world), first, "the clock is not in it");
    world.sync().await;
    world.now = at(9000);
    assert_ne!(id(&world), first);
}

#[tokio::test]
async fn a_generator_that_comes_back_is_another_rotation() {
    let mut world = settled(generated("1h")).await;
    let first = world.view().annotations["keymill.dev/rotation"].clone();
    world.respec(json!({"dataFrom": [password("other")]}));
    world.sync().await;
    world.respec(generated("1h"));
    world.sync().await;
    assert_eq!(world.value("password").as_deref(), Some("value-3"));
    assert_ne!(world.view().annotations["keymill.dev/rotation"], first);
}

#[tokio::test]
async fn an_entry_that_comes_back_beside_another_is_another_rotation() {
    let two = json!({"dataFrom": [password("db"), password("db")]});
    let mut world = settled(two.clone()).await;
    let first = world.view().annotations["keymill.dev/rotation"].clone();
    assert_eq!(world.value("password").as_deref(), Some("value-2"));
    world.respec(generated("1h"));
    world.sync().await;
    assert_eq!(world.value("password").as_deref(), Some("value-1"));
    world.respec(two);
    world.sync().await;
    assert_eq!(world.value("password").as_deref(), Some("value-3"));
    assert_ne!(world.view().annotations["keymill.dev/rotation"], first);
}

#[tokio::test]
async fn another_change_hides_no_edit_of_a_value_that_only_the_target_has() {
    let mut world = settled(generated("1h")).await;
    world.record = Found::Missing;
    world.sync().await;
    world.meta.labels.insert("team".to_owned(), "a".to_owned());
    world.sync().await;
    world.view().data.insert("password".to_owned(), Value::from("hacked"));
    assert_eq!(decided(&world), "metadata-changed: value-lost");
    world.sync().await;
    assert_eq!(world.value("password").as_deref(), Some("value-2"));
}

#[tokio::test]
async fn reordered_entries_keep_their_values() {
    let two = |first: &str, second: &str| {
        json!({"dataFrom": [
            {"sourceRef": password(first)["sourceRef"], "rewrite": [{"regexp": {"source": ".*", "target": first}}]},
            {"sourceRef": password(second)["sourceRef"], "rewrite": [{"regexp": {"source": ".*", "target": second}}]},
        ]})
    };
    let mut world = settled(two("a", "b")).await;
    assert_eq!(
        (world.value("a"), world.value("b")),
        (Some("value-1".to_owned()), Some("value-2".to_owned()))
    );
    let id = world.view().annotations["keymill.dev/rotation"].clone();
    world.respec(two("b", "a"));
    world.sync().await;
    assert_eq!(
        (world.value("a"), world.value("b")),
        (Some("value-1".to_owned()), Some("value-2".to_owned()))
    );
    assert_eq!(world.view().annotations["keymill.dev/rotation"], id);
}

#[tokio::test]
async fn an_expiry_rotates_after_two_thirds_of_the_life() {
    let mut world = World::new(generated("24h"));
    *world.counter.expires_in.lock().unwrap() = Some(Duration::from_secs(900));
    world.sync().await;
    assert_eq!(world.decide(), Decision::Wait { next: Some(at(600)) });
    world.now = at(600);
    assert_eq!(decided(&world), "expired: expired");
    let mut once = World::new(json!({"refreshInterval": "0", "dataFrom": [password("db")]}));
    *once.counter.expires_in.lock().unwrap() = Some(Duration::ZERO);
    once.sync().await;
    assert_eq!(once.decide(), Decision::Wait { next: Some(at(10)) }, "no loop");
}

#[tokio::test]
async fn without_an_interval_and_with_other_policies() {
    let forced: Happening = |world| world.annotate("external-secrets.io/force-sync", "1");
    let later: Happening = |world| world.now = at(86_400);
    for (spec, happen, want) in [
        (generated("0"), later, "wait"),
        (generated("0"), forced, "forced: forced"),
        (
            json!({"refreshPolicy": "CreatedOnce", "refreshInterval": "1s", "dataFrom": [password("db")]}),
            later,
            "wait",
        ),
        (json!({"refreshPolicy": "CreatedOnce", "dataFrom": [password("db")]}), forced, "wait"),
        (
            json!({"refreshPolicy": "OnChange", "refreshInterval": "1s", "dataFrom": [password("db")]}),
            later,
            "wait",
        ),
        (json!({"refreshPolicy": "OnChange", "dataFrom": [password("db")]}), forced, "forced: forced"),
        (
            json!({"refreshInterval": "1s", "target": {"immutable": true}, "dataFrom": [password("db")]}),
            later,
            "wait",
        ),
        (stored("0"), later, "wait"),
        (stored("0"), forced, "metadata-changed: keep"),
    ] {
        let mut world = settled(spec.clone()).await;
        happen(&mut world);
        assert_eq!(decided(&world), want, "{spec}");
        if let Decision::Wait { next } = world.decide() {
            assert_eq!(next, None, "{spec}: nothing will ever be due");
        }
    }
}

#[tokio::test]
async fn store_values_refresh_at_slots_of_their_own_phase() {
    let world = settled(stored("1h")).await;
    let Decision::Wait { next: Some(slot) } = world.decide() else { panic!("no slot") };
    assert!(slot > at(0) && slot <= at(3600));
    let mut restarted = settled(stored("1h")).await;
    restarted.now = slot;
    assert_eq!(decided(&restarted), "slot-due: keep");
    restarted.sync().await;
    let Decision::Wait { next: Some(next) } = restarted.decide() else { panic!("no slot") };
    assert_eq!(next.duration_since(slot).as_secs(), 3600);
    restarted.now = at(-86_400);
    assert_eq!(decided(&restarted), "clock-moved: keep");
}

#[tokio::test]
async fn a_target_that_is_gone_is_made_again_where_the_policy_says_so() {
    for (policy, gone, edited) in [
        ("Owner", "target-missing: keep", "target-edited: keep"),
        ("CreateOrMerge", "target-missing: keep", "target-edited: keep"),
        ("Orphan", "wait", "wait"),
        ("None", "wait", "wait"),
    ] {
        let mut spec = stored("1h");
        spec["target"] = json!({"creationPolicy": policy});
        let mut world = settled(spec.clone()).await;
        world.target = Found::Missing;
        assert_eq!(decided(&world), gone, "{policy}");
        let mut world = settled(spec).await;
        if let Found::Found(view) = &mut world.target {
            view.data.insert("k".to_owned(), Value::from("hacked"));
        }
        assert_eq!(decided(&world), edited, "{policy}");
    }
}

#[tokio::test]
async fn merge_waits_for_its_target_and_takes_it_when_it_comes() {
    let mut spec = stored("1h");
    spec["target"] = json!({"creationPolicy": "Merge"});
    let mut world = settled(spec).await;
    assert_eq!(world.value("k"), None);
    world.target = Found::Found(TargetView { resource_version: "1".to_owned(), ..TargetView::default() });
    assert_eq!(decided(&world), "target-edited: keep");
    world.sync().await;
    assert_eq!(world.value("k").as_deref(), Some("v1"));
}

#[tokio::test]
async fn a_target_of_somebody_else_is_refused_before_anything_is_generated() {
    let mut world = World::new(generated("1h"));
    let owner = controller("external-secrets.io/v1", "ExternalSecret", "first", "uid-0");
    world.target = Found::Found(TargetView { owners: vec![owner], ..TargetView::default() });
    let inputs = Inputs {
        spec: &world.spec,
        meta: &world.meta,
        status: &world.status,
        record: &world.record,
        target: &world.target,
        config_digests: &world.config_digests,
        nudge: None,
        now: world.now,
    };
    let error = decide(&inputs).unwrap_err().to_string();
    assert_eq!(error, "write Secret shop/app: it is owned by another ExternalSecret, first");
}

#[tokio::test]
async fn windows_hold_back_slots_and_nothing_else() {
    let windows = json!({"kind": "deny", "windows": [{"schedule": "0 0 * * *", "duration": "24h"}]});
    for mut spec in [generated("1h"), stored("1h")] {
        spec["syncWindows"] = windows.clone();
        let mut world = settled(spec).await;
        assert_eq!(world.decide(), Decision::Wait { next: None }, "the window never closes");
        world.now = at(7200);
        assert_eq!(decided(&world), "wait");
        world.target = Found::Missing;
        assert_eq!(decided(&world), "target-missing: keep");
    }
}

#[tokio::test]
async fn a_force_sync_that_was_taken_away_may_ask_again() {
    let mut world = settled(generated("1h")).await;
    for number in 2..4 {
        world.annotate("external-secrets.io/force-sync", "now");
        world.sync().await;
        assert_eq!(world.value("password"), Some(format!("value-{number}")));
        world.meta.annotations.clear();
        world.sync().await;
    }
}

#[tokio::test]
async fn a_store_that_loses_every_value_takes_the_target_along_once() {
    let mut spec = stored("1h");
    spec["target"] = json!({"deletionPolicy": "Delete", "template": {"data": {"a": "<k>"}}});
    let mut world = settled(spec).await;
    assert_eq!(world.value("a").as_deref(), Some("v1"));
    world.store.secrets.lock().unwrap().clear();
    world.now = at(3600);
    world.sync().await;
    assert_eq!(world.target, Found::Missing);
    assert_eq!(decided(&world), "wait", "its absence is no fault");
}
