//! The audit log of a kube-apiserver: who asked it for what, in its own words.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value as Json, json};

/// An audit log, which one API server writes.
#[derive(Debug)]
pub struct AuditLog {
    policy: PathBuf,
    log: PathBuf,
}

impl AuditLog {
    /// One in `folder`, with the metadata of every request: no body and so no value.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        let policy = folder.join("policy.json");
        let text = json!({
            "apiVersion": "audit.k8s.io/v1", "kind": "Policy",
            "omitStages": ["RequestReceived"], "rules": [{"level": "Metadata"}],
        });
        std::fs::write(&policy, text.to_string()).with_context(|| format!("write {}", policy.display()))?;
        Ok(Self { policy, log: folder.join("audit.log") })
    }

    /// The flags with which kube-apiserver writes it, each line before it answers.
    #[must_use]
    pub fn flags(&self) -> Vec<String> {
        vec![
            format!("--audit-policy-file={}", self.policy.display()),
            format!("--audit-log-path={}", self.log.display()),
            "--audit-log-mode=blocking".to_owned(),
        ]
    }

    /// All entries so far, `audit.k8s.io/v1` `Event`s. A watch has one when it begins and one when it ends.
    ///
    /// # Errors
    /// When the API server has not begun it.
    pub fn entries(&self) -> Result<Vec<Json>> {
        let text =
            std::fs::read_to_string(&self.log).with_context(|| format!("read {}", self.log.display()))?;
        // The last line may be half written.
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// What an entry is about, such as `externalsecrets/status`; empty when it is no resource.
    #[must_use]
    pub fn resource(entry: &Json) -> String {
        let text = |pointer| entry.pointer(pointer).and_then(Json::as_str);
        let resource = text("/objectRef/resource").unwrap_or_default();
        match text("/objectRef/subresource") {
            Some(subresource) => format!("{resource}/{subresource}"),
            None => resource.to_owned(),
        }
    }
}
