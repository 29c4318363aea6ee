//! Two active controllers on one API, without leader election: the record is the only thing that they agree by.

use std::time::Duration;

use api::ExternalSecret;
use serde_json::json;

use crate::crashes::{converged, populate, story};
use crate::fixture::{INTERVAL, external_secret};
use crate::gate::{Fault, Gate, Refusal};
use crate::world::{World, run};

/// A gate behind which every request takes its own time.
fn slow(seed: u64) -> Gate {
    let gate = Gate::open();
    slow_down(&gate, seed);
    gate
}

fn slow_down(gate: &Gate, seed: u64) {
    let mut next = support::numbers(seed);
    gate.plan(move |_| Fault::Wait(Duration::from_millis(next() % 40)));
}

#[test]
fn two_make_one_value() {
    let seeds = if support::is_full() { 200 } else { 8 };
    for seed in 0..seeds {
        run(async |world: World| {
            populate(&world).await;
            // The very first push is one's alone: two that mark a new remote secret at once is a matter of the stores' tests.
            let later = Gate::open();
            later.plan(|_| Fault::Refuse(Refusal::Status(503, 0)));
            let other = world.start_behind(slow(seed + 1000), later).await;
            let operator = world.start_behind(slow(seed), slow(seed + 3000)).await;
            let operator = story(&world, operator, async |_, operator| {
                slow_down(&other.kv_gate, seed + 2000);
                operator
            })
            .await;
            converged(&world, &format!("seed {seed}")).await;
            operator.stop().await;
            other.stop().await;
        });
    }
}

/// One of two sees a kind of object late; what it decides on old knowledge must rotate nothing.
fn late(collection: &'static str, change: impl AsyncFn(&World)) {
    run(async |world: World| {
        world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
        world.annotate("app", "external-secrets.io/force-sync", "1").await;
        world.annotate("app", "keymill.dev/rotate-on-config-change", "true").await;
        let operator = world.start().await;
        let late = world.start().await;
        world.synced("app").await;
        world.settle(2).await;
        assert_eq!(world.check().order.len(), 1);
        late.gate.hold(Some(collection));
        change(&world).await;
        world.settle(5).await;
        world.edit("app", json!({"stringData": {"password": "by-hand"}})).await;
        world.settle(5).await;
        late.gate.hold(None);
        world.settle(5).await;
        let known = world.check();
        let occasions: Vec<&String> = known.order.iter().map(|id| &known.occasions[id]).collect();
        assert_eq!(known.order.len(), 2, "one change is one rotation: {occasions:?}");
        assert_eq!(world.password("app").await, known.values[&known.order[1]]);
        assert!(world.age() < INTERVAL);
        operator.stop().await;
        late.stop().await;
    });
}

#[test]
fn an_object_that_is_seen_late_rotates_once() {
    late("externalsecrets", async |world| world.annotate("app", "external-secrets.io/force-sync", "2").await);
}

#[test]
fn a_generator_that_is_seen_late_rotates_once() {
    late("passwords", async |world| {
        world.patch::<api::Password>("pw", json!({"spec": {"digits": 6}})).await;
    });
}

#[test]
fn an_old_record_is_not_published_over_a_new_one() {
    run(async |world: World| {
        world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
        let operator = world.start().await;
        world.synced("app").await;
        // The other one reads the target only after the record that it has read is out of date.
        let gate = Gate::open();
        gate.plan(|seen| {
            let target = seen.method == http::Method::GET && seen.path.ends_with("secrets/app");
            if target { Fault::Wait(Duration::from_secs(2)) } else { Fault::None }
        });
        let other = world.start_behind(gate, Gate::open()).await;
        world.settle(1).await;
        world.annotate("app", "external-secrets.io/force-sync", "1").await;
        world.settle(10).await;
        let known = world.check();
        let published: Vec<String> = world
            .history
            .of("app")
            .iter()
            .filter_map(|version| crate::history::text(version.secret.as_ref()?).remove("password"))
            .collect();
        known.forward(&published);
        assert_eq!(known.order.len(), 2);
        operator.stop().await;
        other.stop().await;
    });
}
