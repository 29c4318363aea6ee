//! Faults that nobody dies of: lost replies, conflicts, throttling, errors, delays and broken watches, one at each write and many at random.

use std::time::Duration;

use api::ExternalSecret;
use serde_json::json;

use crate::crashes::{converged, populate, story};
use crate::fixture::{INTERVAL, external_secret};
use crate::gate::{Fault, Gate, Refusal};
use crate::world::{World, run};

const FAULTS: [Fault; 8] = [
    Fault::Lose(Refusal::Status(504, 0)),
    Fault::Lose(Refusal::Closed),
    Fault::Lose(Refusal::Status(409, 0)),
    Fault::Refuse(Refusal::Status(409, 0)),
    Fault::Refuse(Refusal::Status(429, 2)),
    Fault::Refuse(Refusal::Status(500, 0)),
    Fault::Refuse(Refusal::Closed),
    Fault::Wait(Duration::from_secs(3)),
];

fn one(write: usize, fault: Fault) -> bool {
    let met = std::cell::Cell::new(false);
    run(async |world: World| {
        populate(&world).await;
        let gate = Gate::open();
        gate.plan(move |seen| if seen.write == write { fault } else { Fault::None });
        let operator = world.start_behind(gate, Gate::open()).await;
        let operator = story(&world, operator, async |_, operator| operator).await;
        converged(&world, &format!("{fault:?} at write {write}")).await;
        met.set(operator.gate.writes() > write);
        operator.stop().await;
    });
    met.get()
}

#[test]
fn one_at_each_write() {
    let faults_of =
        |write: usize| if support::is_full() { FAULTS.to_vec() } else { vec![FAULTS[write % FAULTS.len()]] };
    let every = |write: &usize| faults_of(*write).into_iter().all(|fault| one(*write, fault));
    assert!((1..).take_while(every).count() >= 10);
}

fn many(seed: u64) {
    run(async |world: World| {
        populate(&world).await;
        let (gate, kv_gate) = (Gate::open(), Gate::open());
        for (gate, seed) in [(&gate, seed), (&kv_gate, seed + 1_000_000)] {
            let mut next = support::numbers(seed);
            gate.plan(move |_| match next() % 5 {
                0 => FAULTS[usize::try_from(next()).unwrap() % FAULTS.len()],
                _ => Fault::None,
            });
        }
        let operator = world.start_behind(gate, kv_gate).await;
        let operator = story(&world, operator, async |_, operator| {
            operator.gate.cut(operator.gate.writes() % 2 == 0);
            operator
        })
        .await;
        operator.gate.plan(|_| Fault::None);
        operator.kv_gate.plan(|_| Fault::None);
        converged(&world, &format!("seed {seed}")).await;
        operator.stop().await;
    });
}

#[test]
fn many_at_random() {
    let seeds = if support::is_full() { 300 } else { 12 };
    (0..seeds).for_each(many);
}

#[test]
fn a_watch_that_lost_its_place_misses_nothing() {
    for expired in [false, true] {
        run(async |world: World| {
            world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
            let operator = world.start().await;
            world.synced("app").await;
            let first = world.password("app").await;
            operator.gate.hold(Some("secrets"));
            operator.gate.cut(expired);
            world.edit("app", json!({"stringData": {"password": "by-hand"}})).await;
            world.settle(1).await;
            operator.gate.hold(None);
            world.until("repaired", async || world.password("app").await == first).await;
            assert_eq!(world.check().order.len(), 1);
            operator.gate.hold(Some("externalsecrets"));
            operator.gate.cut(expired);
            world.create::<ExternalSecret>(external_secret("newcomer", "Owner")).await;
            world.settle(1).await;
            operator.gate.hold(None);
            world.synced("newcomer").await;
            operator.stop().await;
        });
    }
}

#[test]
fn watches_that_begin_again_write_nothing() {
    run(async |world: World| {
        populate(&world).await;
        let operator = world.start().await;
        world.synced("merged").await;
        world.settle(5).await;
        operator.gate.take_log();
        operator.kv_gate.take_log();
        operator.gate.cut(true);
        world.settle(10).await;
        let log = operator.gate.take_log();
        assert!(log.iter().any(|seen| seen.watch), "the watches came back");
        let writes: Vec<String> = log.iter().filter(|seen| seen.write > 0).map(|seen| seen.text()).collect();
        assert!(writes.is_empty(), "{writes:?}");
        assert!(operator.kv_gate.take_log().is_empty(), "no store was asked");
        operator.stop().await;
    });
}

#[test]
fn retry_after_is_obeyed() {
    run(async |world: World| {
        world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
        let gate = Gate::open();
        gate.plan(|seen| match seen.method {
            http::Method::POST if seen.is_of("secrets") => Fault::Refuse(Refusal::Status(429, 20)),
            http::Method::PATCH if seen.path.ends_with("app/status") => {
                Fault::Refuse(Refusal::Status(429, 20))
            }
            _ => Fault::None,
        });
        let operator = world.start_behind(gate, Gate::open()).await;
        world.settle(15).await;
        let tries = operator.gate.take_log();
        let posts = tries.iter().filter(|seen| seen.text() == "POST secrets").count();
        let reports = tries.iter().filter(|seen| seen.text() == "PATCH externalsecrets/status").count();
        assert_eq!((posts, reports), (1, 1), "within 15 of 20 seconds");
        operator.gate.plan(|_| Fault::None);
        world.settle(INTERVAL / 2).await;
        world.synced("app").await;
        assert_eq!(world.check().order.len(), 1);
        operator.stop().await;
    });
}
