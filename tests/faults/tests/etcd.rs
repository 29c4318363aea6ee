//! etcd compacted while the operator was cut off: its watches have lost their place (410) and must list again.

use std::time::Duration;

use faults::Fault;
use servers::{Kubernetes, KubernetesOptions};

use crate::world::{World, apply_crds};

#[test]
fn compacted_while_the_watches_were_cut() {
    // Without a cache of the API server's own, a watch is etcd's.
    let flags = vec!["--watch-cache=false".to_owned()];
    let options = KubernetesOptions { flags, ..KubernetesOptions::default() };
    let (Some(cluster), Some(vault)) = (Kubernetes::start(&options), servers::vault()) else { return };
    apply_crds(&cluster);
    let world = World::start(&cluster, vault, "compacted");
    let before = world.kept(vault);
    world.api.set(Fault::Down);
    world.create_generated("newcomer");
    world.write_remote(vault, "second");
    cluster.compact_etcd();
    std::thread::sleep(Duration::from_secs(1));
    drop(world.api.take_seen());
    world.recovers("second", "newcomer", || world.mend());
    assert_eq!(world.kept(vault), before);
}
