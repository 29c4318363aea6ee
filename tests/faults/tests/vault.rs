//! Vault: sealed, restarted empty, its token revoked; down, slow, overloaded, failing, cutting connections.

use std::time::Duration;

use faults::Fault;
use serde_json::{Value as Json, json};
use servers::{Vault, VaultOptions};

use crate::world::{PUSH, READ, STORE, World, base64, cluster, together};

/// What happens, and what everything that needs Vault says then.
const DAYS: [(&str, Fault, &str); 6] = [
    ("vault-down", Fault::Down, "the server cannot be reached"),
    ("vault-429", Fault::Answer { status: 429, retry_after: Some(2) }, "the server asks for fewer requests"),
    ("vault-500", Fault::Answer { status: 500, retry_after: None }, "the server failed with status 500"),
    ("vault-cut", Fault::Cut, "the server cannot be reached"),
    ("vault-lose", Fault::Lose, "the server cannot be reached"),
    ("vault-cut-body", Fault::CutBody(20), "the server"),
];

/// The fault begins, everything that needs Vault says so, and then it ends.
#[test]
fn every_fault_of_it() {
    let (Some(cluster), Some(vault)) = (cluster(), servers::vault()) else { return };
    together(DAYS, |(name, fault, words)| {
        let world = World::start(cluster, vault, name);
        let before = world.kept(vault);
        world.kv.set(fault);
        for named in [STORE, READ, PUSH] {
            world.complains(named, &["http://127.0.0.1", words]);
        }
        // Long enough for any back-off to grow.
        std::thread::sleep(Duration::from_secs(8));
        world.create_generated("newcomer");
        world.write_remote(vault, "second");
        assert_eq!(world.read(), Some(json!(base64("first"))), "the old value stays");
        world.recovers("second", "newcomer", || world.mend());
        assert_eq!(world.kept(vault), before, "{name} wrote what was right");
    });
}

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
fn sealed_and_unsealed() {
    let (Some(cluster), Some(vault)) = (cluster(), Vault::start(&VaultOptions::default())) else { return };
    let world = World::start(cluster, &vault, "vault-sealed");
    let before = world.kept(&vault);
    vault.seal();
    for named in [STORE, READ, PUSH] {
        world.complains(named, &["sealed"]);
    }
    std::thread::sleep(Duration::from_secs(8));
    world.create_generated("newcomer");
    vault.unseal();
    world.recovers("second", "newcomer", || world.write_remote(&vault, "second"));
    assert_eq!(world.kept(&vault), before);
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

#[test]
fn its_token_revoked() {
    let (Some(cluster), Some(vault)) = (cluster(), servers::vault()) else { return };
    let world = World::start(cluster, vault, "vault-revoked");
    let token = || {
        let (status, created) =
            vault.request("POST", "/v1/auth/token/create", Some(&json!({"policies": ["root"]})));
        assert_eq!(status, 200, "{created}");
        created.pointer("/auth/client_token").and_then(Json::as_str).unwrap().to_owned()
    };
    let give = |token: &str| {
        world
            .replace("v1", "secrets", "vault-token", |secret| secret["data"]["token"] = json!(base64(token)));
    };
    let (first, second) = (token(), token());
    give(&first);
    world.write_remote(vault, "by-the-first-token");
    world.read_is("by-the-first-token");
    let before = world.kept(vault);
    let (status, _) = vault.request("POST", "/v1/auth/token/revoke", Some(&json!({"token": first})));
    assert_eq!(status, 204);
    for named in [STORE, READ, PUSH] {
        world.complains(named, &["permission denied"]);
    }
    std::thread::sleep(Duration::from_secs(8));
    world.create_generated("newcomer");
    world.write_remote(vault, "second");
    world.recovers("second", "newcomer", || give(&second));
    assert_eq!(world.kept(vault), before);
}
