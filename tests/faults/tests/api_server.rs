//! The API server: down, slow, overloaded, failing, cutting connections.

use std::time::Duration;

use faults::Fault;

use crate::world::{World, cluster, together};

/// For how long each fault lasts.
const LASTS: Duration = Duration::from_secs(10);

/// What happens, and what the operator's log says then.
const DAYS: [(&str, Fault, &str); 7] = [
    ("api-down", Fault::Down, "the API server did not answer"),
    ("api-slow", Fault::Slow(Duration::from_secs(2)), "running"),
    (
        "api-429",
        Fault::Answer { status: 429, retry_after: Some(1) },
        "the API server asks for fewer requests",
    ),
    ("api-500", Fault::Answer { status: 500, retry_after: None }, "a fault on demand"),
    ("api-cut", Fault::Cut, "the API server did not answer"),
    ("api-lose", Fault::Lose, "the API server did not answer"),
    ("api-cut-body", Fault::CutBody(100), "the API server"),
];

/// The fault lasts, something changes meanwhile, and then it ends.
#[test]
fn every_fault_of_it() {
    let (Some(cluster), Some(vault)) = (cluster(), servers::vault()) else { return };
    together(DAYS, |(name, fault, said)| {
        let world = World::start(cluster, vault, name);
        let before = world.kept(vault);
        world.api.set(fault);
        std::thread::sleep(LASTS / 2);
        world.create_generated("newcomer");
        world.write_remote(vault, "second");
        std::thread::sleep(LASTS / 2);
        world.recovers("second", "newcomer", || world.mend());
        assert_eq!(world.kept(vault), before, "{name} wrote what was right");
        let output = world.operator.output();
        assert!(output.contains(said), "{name}: nothing says {said:?}:\n{output}");
    });
}
