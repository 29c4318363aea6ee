//! Vault: its KV, its seal, its storage, TLS.

use serde_json::{Value as Json, json};
use servers::{Storage, Vault, VaultOptions};

const PATH: &str = "/v1/secret/data/a";

fn write(vault: &Vault, value: &str) {
    let (status, answer) = vault.request("POST", PATH, Some(&json!({"data": {"key": value}})));
    assert_eq!(status, 200, "{answer}");
}

fn read(vault: &Vault) -> (u16, Option<String>) {
    let (status, answer) = vault.request("GET", PATH, None);
    (status, answer.pointer("/data/data/key").and_then(Json::as_str).map(str::to_owned))
}

fn found(value: &str) -> (u16, Option<String>) {
    (200, Some(value.to_owned()))
}

#[test]
fn dev_mode_serves_version_2_at_secret() {
    let Some(vault) = servers::vault() else { return };
    write(vault, "one");
    assert_eq!(read(vault), found("one"));
    let (_, health) = vault.request("GET", "/v1/sys/health", None);
    assert_eq!(health.pointer("/version"), Some(&json!("1.13.1")));
    let (status, keys) = vault.request("LIST", "/v1/secret/metadata", None);
    assert_eq!((status, keys.pointer("/data/keys")), (200, Some(&json!(["a"]))));
    assert_eq!(vault.request("DELETE", PATH, None), (204, Json::Null));
}

#[test]
fn dev_mode_can_be_sealed_and_restarted_empty() {
    let Some(mut vault) = Vault::start(&VaultOptions::default()) else { return };
    write(&vault, "one");
    vault.seal();
    assert_eq!(read(&vault).0, 503);
    vault.unseal();
    assert_eq!(read(&vault), found("one"));
    let (url, token) = (vault.url().to_owned(), vault.token().to_owned());
    vault.restart_empty();
    assert_eq!((vault.url(), vault.token()), (url.as_str(), token.as_str()));
    assert_eq!(read(&vault), (404, None));
}

#[test]
fn files_with_tls_are_sealed_at_start_and_keep_what_they_are_told() {
    let options = VaultOptions { storage: Storage::File, tls: true, sealed: true };
    let Some(mut vault) = Vault::start(&options) else { return };
    assert!(vault.url().starts_with("https://"));
    assert!(vault.ca_pem().is_some_and(|ca| ca.contains("BEGIN CERTIFICATE")));
    assert_eq!(read(&vault).0, 503);
    vault.unseal();
    write(&vault, "one");
    vault.stop();
    assert!(vault.processes().is_empty());
    vault.start_again();
    assert_eq!(read(&vault), found("one"));
    let token = vault.token().to_owned();
    vault.restart_empty();
    assert_ne!(vault.token(), token, "an empty Vault has another root token");
    assert_eq!(read(&vault).0, 503, "set up as at its start: sealed");
    vault.unseal();
    assert_eq!(read(&vault), (404, None));
}

#[test]
fn raft_keeps_what_it_is_told() {
    let options = VaultOptions { storage: Storage::Raft, ..VaultOptions::default() };
    let Some(mut vault) = Vault::start(&options) else { return };
    write(&vault, "one");
    vault.start_again();
    assert_eq!(read(&vault), found("one"));
}
