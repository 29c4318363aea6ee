use super::*;

/// The target of an ExternalSecret that ESO has synced, in a world without a record.
async fn from_eso(spec: Json) -> World {
    let mut world = settled(spec).await;
    world.record = Found::Missing;
    world.view().annotations.remove("keymill.dev/rotation");
    world
}

#[tokio::test]
async fn what_eso_generated_is_kept_until_the_next_slot() {
    let mut world = from_eso(generated("1h")).await;
    world.now = at(100);
    assert!(matches!(world.sync().await, Decision::Adopt(_)));
    let Found::Found(record) = &world.record else { panic!("no record") };
    assert_eq!(record.get(&key_of("db")).unwrap().held, Held::OnTarget);
    for (happen, want) in [
        ((|_| {}) as Happening, "wait"),
        (|world| world.annotate("note", "hi"), "wait"),
        (|world| world.now = at(3700), "slot-due: scheduled"),
        (|world| world.annotate("external-secrets.io/force-sync", "1"), "forced: forced"),
        (|world| world.target = Found::Missing, "target-missing: value-lost"),
        (|world| world.respec(generated("2h")), "spec-changed: value-lost"),
    ] {
        let mut world = from_eso(generated("1h")).await;
        world.now = at(100);
        world.sync().await;
        happen(&mut world);
        assert_eq!(decided(&world), want);
    }
}

#[tokio::test]
async fn what_eso_generated_without_an_interval_is_kept_for_good() {
    let mut world = from_eso(generated("0")).await;
    world.respec(json!({"refreshInterval": "0", "dataFrom": [password("db")], "target": {"name": "app"}}));
    assert_eq!(decided(&world), "adopt", "ESO ignores a new spec when there is no interval");
    world.sync().await;
    world.respec(generated("0"));
    world.now = at(1_000_000);
    assert_eq!(decided(&world), "wait");
}

#[tokio::test]
async fn a_foreign_edit_does_not_rotate_what_was_taken_over() {
    let mut spec = generated("1h");
    spec["target"] = json!({"creationPolicy": "CreateOrMerge"});
    let mut world = from_eso(spec).await;
    world.view().data.insert("foreign".to_owned(), Value::from("x"));
    assert_eq!(decided(&world), "adopt");
    world.sync().await;
    world.view().data.insert("foreign".to_owned(), Value::from("y"));
    assert_eq!(decided(&world), "wait");
}

#[tokio::test]
async fn an_object_that_was_created_again_takes_its_target_over() {
    let mut spec = generated("1h");
    spec["target"] = json!({"creationPolicy": "Orphan"});
    let mut world = settled(spec).await;
    world.record = Found::Missing;
    world.status = Status::default();
    world.meta.uid = "uid-new".to_owned();
    assert_eq!(decided(&world), "adopt");
    // With a template that the target was not made from, the values are needed.
    world.respec(json!({"target": {"creationPolicy": "Orphan", "template": {"data": {"dsn": "<password>"}}}, "dataFrom": [password("db")]}));
    assert_eq!(decided(&world), "first-sync: value-lost");
}
