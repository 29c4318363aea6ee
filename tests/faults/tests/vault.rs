//! Vault: slow; restarted empty.

use std::time::Duration;

use faults::Fault;
use serde_json::{Value as Json, json};
use servers::{Vault, VaultOptions};

use crate::world::{READ, World, base64, cluster};

#[test]
fn slow_by_two_seconds_a_call_is_no_failure() {
    let (Some(cluster), Some(vault)) = (cluster(), servers::vault()) else { return };
    let world = World::start(cluster, vault, "vault-slow");
    let before = world.kept(vault);
    world.kv.set(Fault::Slow(Duration::from_secs(2)));
    world.write_remote(vault, "second");
    world.read_is("second");
    world.all_is_well();
    world.write_remote(vault, "third");
    world.create_generated("newcomer");
    world.recovers("third", "newcomer", || world.mend());
    assert_eq!(world.kept(vault), before);
}

#[test]
fn restarted_empty() {
    let (Some(cluster), Some(mut vault)) = (cluster(), Vault::start(&VaultOptions::default())) else {
        return;
    };
    let world = World::start(cluster, &vault, "vault-empty");
    let before = world.kept(&vault);
    vault.restart_empty();
    world.complains(READ, &["vault-empty/read"]);
    assert_eq!(world.read(), Some(json!(base64("first"))), "the old value stays");
    world.until("the Secret is pushed again", Duration::from_secs(10), || {
        world.pushed_version(&vault) == Some(1)
    });
    let (_, pushed) = vault.request("GET", "/v1/secret/data/vault-empty/pushed", None);
    let generated = world.get("v1", "secrets", "generated").unwrap();
    let password = pushed.pointer("/data/data/password").and_then(Json::as_str).unwrap();
    assert_eq!(generated["data"]["password"], json!(base64(password)));
    world.create_generated("newcomer");
    world.recovers("second", "newcomer", || world.write_remote(&vault, "second"));
    assert_eq!(world.kept(&vault), before);
}
