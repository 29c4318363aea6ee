//! The API server, slow.

use std::time::Duration;

use faults::Fault;

use crate::world::{World, cluster};

#[test]
fn slow_by_two_seconds_a_call() {
    let (Some(cluster), Some(vault)) = (cluster(), servers::vault()) else { return };
    let world = World::start(cluster, vault, "api-slow");
    let before = world.kept(vault);
    world.api.set(Fault::Slow(Duration::from_secs(2)));
    std::thread::sleep(Duration::from_secs(5));
    world.create_generated("newcomer");
    world.write_remote(vault, "second");
    std::thread::sleep(Duration::from_secs(5));
    world.recovers("second", "newcomer", || world.mend());
    assert_eq!(world.kept(vault), before, "a slow answer made it write what was right");
}
