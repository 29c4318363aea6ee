use super::*;

#[tokio::test]
async fn a_push_is_due_for_these_causes() {
    type Happening = fn(&mut Pushing);
    let rows: &[(&str, Happening, &str)] = &[
        ("nothing", |_| {}, "wait"),
        (
            "the source changed",
            |pushing| pushing.sources = vec![source("2", &[("pw", "new")])],
            "source-changed",
        ),
        (
            "an annotation changed",
            |pushing| drop(pushing.meta.annotations.insert("force".to_owned(), "1".to_owned())),
            "metadata-changed",
        ),
        ("the spec changed", |pushing| pushing.meta.generation = 2, "spec-changed"),
        ("the slot", |pushing| pushing.now = 3600, "slot-due"),
        ("a restart", |pushing| pushing.last_pushed = None, "wait"),
        (
            "a restart, and the source was written since",
            |pushing| {
                pushing.last_pushed = None;
                pushing.sources[0].changed_at = Some(at(5));
            },
            "source-changed",
        ),
        (
            "a restart, and the source was written shortly before, by the API server's clock",
            |pushing| {
                pushing.last_pushed = None;
                pushing.sources[0].changed_at = Some(at(-60));
            },
            "source-changed",
        ),
        (
            "a restart, and the source does not tell",
            |pushing| {
                pushing.last_pushed = None;
                pushing.sources[0].changed_at = None;
            },
            "source-changed",
        ),
        ("status lost", |pushing| pushing.status = Status::default(), "first-sync"),
        (
            "the source is gone",
            |pushing| pushing.sources.clear(),
            "read the source Secret shop/source: it does not exist",
        ),
        ("the clock went back", |pushing| pushing.now = -86_400, "clock-moved"),
    ];
    for (what, happen, want) in rows {
        let mut pushing = Pushing::new(json!({"data": [entry(Some("pw"), "r", Some("p"))]}));
        pushing.sync().await;
        happen(&mut pushing);
        assert_eq!(pushing.decided(), *want, "{what}");
    }
}

#[tokio::test]
async fn a_source_that_is_gone_takes_what_was_pushed_along() {
    let mut pushing =
        Pushing::new(json!({"deletionPolicy": "Delete", "data": [entry(Some("pw"), "r", Some("p"))]}));
    pushing.sync().await;
    pushing.sources.clear();
    assert_eq!(pushing.decided(), "withdraw");
    assert_eq!(pushing.sync().await, 1);
    assert_eq!(pushing.at("r"), None);
    assert!(pushing.synced.is_empty());
    assert_eq!(pushing.decided(), "wait");
    pushing.sources = vec![source("9", &[("pw", "back")])];
    pushing.sync().await;
    assert_eq!(pushing.at("r").as_deref(), Some(r#"{"p":"back"}"#));
}

#[tokio::test]
async fn a_generator_as_the_source_rotates_by_the_same_rule() {
    let generator = json!({"generatorRef": {"kind": "Password", "name": "pw"}});
    let mut pushing =
        Pushing::new(json!({"selector": generator, "data": [entry(Some("password"), "r", Some("p"))]}));
    pushing.sources.clear();
    assert_eq!(pushing.decided(), "first-sync initial");
    pushing.sync().await;
    assert_eq!(pushing.at("r").as_deref(), Some(r#"{"p":"value-1"}"#));
    assert_eq!(pushing.decided(), "wait");
    pushing.last_pushed = None;
    pushing.now = 10;
    pushing.sync().await;
    assert_eq!(pushing.at("r").as_deref(), Some(r#"{"p":"value-1"}"#), "a restart rotates nothing");
    pushing.now = 3600;
    assert_eq!(pushing.decided(), "slot-due scheduled");
    pushing.sync().await;
    assert_eq!(pushing.at("r").as_deref(), Some(r#"{"p":"value-2"}"#));
    // A record that was lost: the stores have the value until the next slot.
    pushing.record = Found::Missing;
    assert_eq!(pushing.decided(), "adopt");
    pushing.sync().await;
    assert_eq!(pushing.decided(), "wait");
    pushing.now = 7200;
    assert_eq!(pushing.decided(), "slot-due scheduled");
}
