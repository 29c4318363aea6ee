//! What a template draws where nothing is generated.

use super::*;

fn with_template(text: &str) -> Json {
    let mut spec = stored("1h");
    spec["target"] = json!({"template": {"data": {"drawn": text}}});
    spec
}

async fn drawing() -> World {
    settled(with_template("[draw] [now] <k>")).await
}

/// The value after something happened and the next look.
async fn after(happening: Happening) -> (World, String) {
    let mut world = drawing().await;
    happening(&mut world);
    world.sync().await;
    let value = world.value("drawn").unwrap();
    (world, value)
}

#[tokio::test]
async fn an_ordinary_template_records_nothing() {
    let mut world = settled(with_template("<k> [now]")).await;
    assert_eq!(world.record, Found::Missing);
    assert_eq!(world.value("drawn").unwrap(), "v1 0");
    assert!(!world.view().annotations.contains_key("keymill.dev/rotation"));
    world.now = at(7200);
    world.sync().await;
    assert_eq!(world.record, Found::Missing);
    assert_eq!(world.value("drawn").unwrap(), "v1 7200", "its present is the refresh's");
}

#[tokio::test]
async fn the_first_rendering_is_a_rotation() {
    let mut world = drawing().await;
    assert_eq!(world.rotated, [Occasion::Initial]);
    let Found::Found(record) = world.record.clone() else { panic!("nothing is recorded") };
    let id = record.rotation_id().unwrap();
    assert_eq!(world.view().annotations["keymill.dev/rotation"], id.to_string());
    assert!(record.entries().all(|(key, entry)| *key == EntryKey::template() && entry.rotated_at == at(0)));
}

#[tokio::test]
async fn rendering_again_gives_the_same_bytes() {
    let (_, first) = after(|_| {}).await;
    let keeps: &[(&str, Happening)] = &[
        ("slot due", |world| world.now = at(7200)),
        ("restart, with the status lost", |world| world.status = Status::default()),
        ("target edited", |world| {
            world.view().data.insert("drawn".to_owned(), Value::from("hacked"));
        }),
        ("target deleted", |world| world.target = Found::Missing),
        ("label changed", |world| {
            world.meta.labels.insert("team".to_owned(), "a".to_owned());
        }),
    ];
    for (what, happening) in keeps {
        let (mut world, value) = after(*happening).await;
        assert_eq!(value, first, "{what}");
        assert!(world.rotated.is_empty(), "{what}");
        let version = world.view().resource_version.clone();
        world.now = at(36_000);
        let record = world.record.clone();
        world.sync().await;
        assert_eq!(world.view().resource_version, version, "{what}: a refresh without change writes nothing");
        assert_eq!(world.record, record, "{what}");
    }
}

#[tokio::test]
async fn force_sync_draws_anew() {
    let (_, first) = after(|_| {}).await;
    let (mut world, forced) = after(|world| {
        world.now = at(60);
        world.annotate("external-secrets.io/force-sync", "1");
    })
    .await;
    assert_ne!(forced, first);
    assert!(forced.ends_with(" 60 v1"), "{forced}");
    assert_eq!(world.rotated, [Occasion::Forced]);
    world.now = at(7200);
    world.sync().await;
    assert_eq!(world.value("drawn").unwrap(), forced);
    // The same value may ask again once the annotation was removed.
    world.meta.annotations.clear();
    world.sync().await;
    assert_eq!(world.value("drawn").unwrap(), forced);
    world.annotate("external-secrets.io/force-sync", "1");
    world.sync().await;
    assert_ne!(world.value("drawn").unwrap(), forced);
}

#[tokio::test]
async fn force_sync_is_the_cause() {
    let mut world = drawing().await;
    world.annotate("external-secrets.io/force-sync", "1");
    assert_eq!(decided(&world), "forced: forced");
    let mut once = with_template("[draw]");
    once["refreshPolicy"] = json!("CreatedOnce");
    let mut world = settled(once).await;
    world.annotate("external-secrets.io/force-sync", "1");
    assert_eq!(decided(&world), "wait");
}

/// The target tells the id; the time is lost with the record.
#[tokio::test]
async fn a_lost_record_is_written_again_from_the_target() {
    let (_, first) = after(|_| {}).await;
    let (world, value) = after(|world| {
        world.record = Found::Missing;
        world.now = at(7200);
    })
    .await;
    assert_eq!(value, first.replace(" 0 ", " 7200 "));
    assert!(matches!(&world.record, Found::Found(record) if !record.is_empty()));
    assert!(world.rotated.is_empty());
}

#[tokio::test]
async fn what_lost_record_and_target_draws_anew() {
    let (_, first) = after(|_| {}).await;
    let (world, value) = after(|world| {
        world.record = Found::Missing;
        world.target = Found::Missing;
    })
    .await;
    assert_ne!(value, first);
    assert_eq!(world.rotated, [Occasion::Initial]);
}

#[tokio::test]
async fn a_template_that_draws_again_draws_the_same() {
    let mut world = drawing().await;
    let first = world.value("drawn");
    for text in ["<k>", "[draw] [now] <k>"] {
        world.respec(with_template(text));
        world.sync().await;
        assert!(matches!(world.decide(), Decision::Wait { .. }), "{text}");
    }
    assert_eq!(world.value("drawn"), first);
}

#[tokio::test]
async fn generators_and_templates_come_and_go() {
    let mut world = drawing().await;
    let mut generating = generated("1h");
    generating["target"] = json!({"template": {"data": {"drawn": "[draw]"}}});
    for (spec, template_only) in [
        (generating.clone(), false),
        (with_template("[draw] <k>"), true),
        (stored("1h"), false),
        (generating, false),
    ] {
        world.respec(spec.clone());
        world.sync().await;
        assert!(matches!(world.decide(), Decision::Wait { .. }), "{spec}");
        let Found::Found(record) = &world.record else { panic!("{spec}") };
        let keys: Vec<_> = record.entries().map(|(key, _)| key.clone()).collect();
        assert_eq!(keys == [EntryKey::template()], template_only || !spec["data"].is_null(), "{spec}");
    }
}
