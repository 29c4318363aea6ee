//! Kubeconfigs: one server, one CA, one token.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use data_encoding::BASE64;
use serde_json::{Value as Json, json};

/// Writes a kubeconfig for `server`, that trusts `ca` (PEM) and sends `token`. Only the owner can read the file.
///
/// # Errors
/// When the file cannot be written.
pub fn write_kubeconfig(path: &Path, server: &str, ca: &str, token: &str) -> Result<()> {
    let text = kubeconfig(server, ca, token).to_string();
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("write {}", path.display()))
}

/// JSON is YAML, so this is what `kubectl` reads.
fn kubeconfig(server: &str, ca: &str, token: &str) -> Json {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": "test",
            "cluster": {"server": server, "certificate-authority-data": BASE64.encode(ca.as_bytes())},
        }],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": "default"}}],
        "current-context": "test",
    })
}
