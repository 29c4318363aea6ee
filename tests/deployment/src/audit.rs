//! What a process asked the API server for, from the server's own audit log.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

/// Group, resource with subresource, verb.
pub(crate) type Right = (String, String, String);

/// One audit log.
pub(crate) struct Audit {
    path: PathBuf,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) right: Right,
    pub(crate) namespace: String,
    pub(crate) code: u64,
    /// When it came, as the server says it: these compare as text.
    pub(crate) at: String,
}

impl Asked {
    /// Whether it changes something, of the Lease aside.
    pub(crate) fn writes(&self) -> bool {
        let reads = ["get", "list", "watch"];
        !reads.contains(&self.right.2.as_str()) && self.right.1 != "leases" && self.code < 300
    }
}

impl Audit {
    /// The flags that make an API server write one in a folder.
    pub(crate) fn in_folder(folder: &Path) -> (Self, Vec<String>) {
        let policy = folder.join("policy.yaml");
        let level = json!({
            "apiVersion": "audit.k8s.io/v1", "kind": "Policy",
            "omitStages": ["RequestReceived"], "rules": [{"level": "Metadata"}],
        });
        std::fs::write(&policy, level.to_string()).unwrap();
        let path = folder.join("audit.log");
        let flags = vec![
            format!("--audit-policy-file={}", policy.display()),
            format!("--audit-log-path={}", path.display()),
            "--audit-log-mode=blocking".to_owned(),
        ];
        (Self { path }, flags)
    }

    /// All requests with one token, which its id names, in the order in which they came. A watch is there when it begins and when it ends.
    pub(crate) fn of(&self, token_id: &str) -> Vec<Asked> {
        let text = std::fs::read_to_string(&self.path).unwrap();
        let entries = text.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
        let own = entries.filter(|entry| {
            entry["user"]["extra"]["authentication.kubernetes.io/credential-id"][0]
                == format!("JTI={token_id}")
        });
        let mut all: Vec<Asked> = own.filter_map(|entry| asked(&entry)).collect();
        all.sort_by(|a, b| a.at.cmp(&b.at));
        all
    }
}

/// Every right that these requests needed.
pub(crate) fn needed(all: &[Asked]) -> BTreeSet<Right> {
    all.iter().map(|asked| asked.right.clone()).collect()
}

fn asked(entry: &Json) -> Option<Asked> {
    let object = &entry["objectRef"];
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let resource = match object["subresource"].as_str() {
        Some(sub) => format!("{}/{sub}", text(&object["resource"])),
        None => text(&object["resource"]),
    };
    Some(Asked {
        right: (text(&object["apiGroup"]), resource, text(&entry["verb"])),
        namespace: text(&object["namespace"]),
        code: entry["responseStatus"]["code"].as_u64()?,
        at: text(&entry["requestReceivedTimestamp"]),
    })
}
