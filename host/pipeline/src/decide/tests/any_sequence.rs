use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Plays events one after the other, a second apart, and carries each decision out.
fn play(events: &[usize]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut world = settled(generated("1h")).await;
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        for event in events {
            let (what, happen, _) = EVENTS[*event];
            if what == "first sync" {
                continue;
            }
            let before = world.now;
            if matches!(world.target, Found::Found(_)) {
                happen(&mut world);
            }
            world.now = world.now.max(before) + jiff::SignedDuration::from_secs(1);
            let adopts = matches!(world.decide(), Decision::Adopt(_));
            world.sync().await;
            if adopts {
                // What was taken over may be due in the same second.
                world.sync().await;
            }
            let again = world.decide();
            let Decision::Wait { next } = again else { panic!("after {what}: {again:?}") };
            assert!(next.is_none_or(|next| next > world.now), "after {what}: the next look is in the past");
            let Found::Found(view) = &world.target else {
                continue;
            };
            let Some(id) = view.annotations.get("keymill.dev/rotation").cloned() else {
                continue;
            };
            let Some(value) = world.value("password").or(world.value("a")) else {
                continue;
            };
            assert_eq!(
                values.entry(id).or_insert_with(|| value.clone()),
                &value,
                "one value per id, after {what}"
            );
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ends_in_a_state_in_which_nothing_is_due_and_gives_an_id_one_value(
        events in proptest::collection::vec(0..EVENTS.len(), 1..12),
    ) {
        play(&events);
    }
}
