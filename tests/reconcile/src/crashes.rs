//! A crash at every write: the controllers die before or after the n-th write takes effect, start again, and must come to the same end.

use api::{ExternalSecret, PushSecret, SecretStore};
use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use crate::fixture::{INTERVAL, external_secret, foreign_target, push_secret, vault_store};
use crate::gate::{Fault, Gate};
use crate::world::{Operator, World, run};

/// Objects of every kind that writes: an owned and a shared target, and a push of the shared one.
pub(crate) async fn populate(world: &World) {
    world.give_token().await;
    world.create::<SecretStore>(vault_store("kv", "kv:8200")).await;
    world.create::<Secret>(foreign_target("merged")).await;
    world.create::<ExternalSecret>(external_secret("merged", "Merge")).await;
    world.create::<PushSecret>(push_secret("push", "merged", &["kv"], "Delete")).await;
}

/// A first sync, a rotation by its slot, and a new template. `between` is called where somebody may have to be raised from the dead.
pub(crate) async fn story(
    world: &World,
    mut operator: Operator,
    between: impl AsyncFn(&World, Operator) -> Operator,
) -> Operator {
    for seconds in [5, 5, INTERVAL, 2, 2] {
        world.settle(seconds).await;
        operator = between(world, operator).await;
    }
    world
        .patch::<ExternalSecret>(
            "merged",
            json!({"spec": {"target": {"template": {"data": {"extra": "x={{ .password }}"}}}}}),
        )
        .await;
    for seconds in [5, 5] {
        world.settle(seconds).await;
        operator = between(world, operator).await;
    }
    operator
}

/// Everything is Ready, agrees, and has rotated as often as the time says.
pub(crate) async fn converged(world: &World, what: &str) {
    let rendered =
        async || crate::history::text(&world.secret("merged").await.unwrap()).contains_key("extra");
    world.until(&format!("{what}: the new template"), rendered).await;
    world.ready::<ExternalSecret>(what, "merged").await;
    world.ready::<PushSecret>(what, "push").await;
    world.settle(2).await;
    let (known, now) = (world.check(), world.password("merged").await);
    let occasions: Vec<&str> = known.order.iter().map(|id| known.occasions[id].as_str()).collect();
    let slots = usize::try_from(world.age() / INTERVAL).unwrap();
    assert!((2..=slots + 1).contains(&occasions.len()), "{what}: {occasions:?} within {slots} slots");
    assert_eq!(occasions[0], "Initial", "{what}");
    assert!(occasions[1..].iter().all(|occasion| *occasion == "Scheduled"), "{what}: {occasions:?}");
    assert_eq!(known.values[known.order.last().unwrap()], now, "{what}: the target has the last value");
    let pushed = world.pushed("pushed").await;
    known.forward(&pushed);
    assert_eq!(pushed.last(), Some(&now), "{what}: the store has the last value");
}

/// Whether the crash came before the story was over.
fn dies_at(write: usize, fault: Fault, in_store: bool) -> bool {
    let died = std::cell::Cell::new(false);
    run(async |world: World| {
        populate(&world).await;
        let (gate, kv_gate) = (Gate::open(), Gate::open());
        let planned = if in_store { &kv_gate } else { &gate };
        planned.plan(move |seen| if seen.write == write { fault } else { Fault::None });
        let operator = world.start_behind(gate, kv_gate).await;
        let operator = story(&world, operator, async |world, operator| {
            if !operator.gate.is_dead() && !operator.kv_gate.is_dead() {
                return operator;
            }
            died.set(true);
            operator.crash();
            world.start().await
        })
        .await;
        converged(&world, &format!("{fault:?} at write {write}")).await;
        operator.stop().await;
    });
    died.get()
}

fn dies_everywhere(fault: Fault, in_store: bool) {
    let deaths = (1..).take_while(|write| dies_at(*write, fault, in_store)).count();
    let least = if in_store { 3 } else { 10 };
    assert!(deaths >= least, "only {deaths} writes were there to die at");
}

/// A process that dies again and again gets on: what the one before has recorded is read, and not met as a conflict.
#[test]
fn after_the_record_the_next_one_writes_the_target_at_once() {
    run(async |world: World| {
        world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
        let gate = Gate::open();
        gate.plan(|seen| match seen.method == http::Method::POST && seen.is_of("secrets") {
            true => Fault::DieAfter,
            false => Fault::None,
        });
        let operator = world.start_behind(gate, Gate::open()).await;
        world.settle(2).await;
        assert!(operator.gate.is_dead() && world.secret("app").await.is_none());
        operator.crash();
        let operator = world.start().await;
        world.synced("app").await;
        let log = operator.gate.take_log();
        let made = log.iter().filter(|seen| seen.method == http::Method::POST && seen.is_of("secrets"));
        assert_eq!(made.count(), 1, "the target, and nothing else");
        operator.stop().await;
    });
}

#[test]
fn before_each_write_to_the_cluster() {
    dies_everywhere(Fault::Die, false);
}

#[test]
fn after_each_write_to_the_cluster() {
    dies_everywhere(Fault::DieAfter, false);
}

#[test]
fn before_and_after_each_write_to_the_store() {
    dies_everywhere(Fault::Die, true);
    dies_everywhere(Fault::DieAfter, true);
}
