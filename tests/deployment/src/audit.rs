//! What a process asked the API server for, from the server's own audit log.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value as Json;
use servers::AuditLog;

/// Group, resource with subresource, verb.
pub(crate) type Right = (String, String, String);

/// One audit log.
pub(crate) struct Audit(AuditLog);

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
    /// One in a folder.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self(AuditLog::in_folder(folder).unwrap())
    }

    /// The flags with which an API server writes it.
    pub(crate) fn flags(&self) -> Vec<String> {
        self.0.flags()
    }

    /// All requests with one token, which its id names, in the order in which they came. A watch is there when it begins and when it ends.
    pub(crate) fn of(&self, token_id: &str) -> Vec<Asked> {
        let own = self.0.entries().unwrap().into_iter().filter(|entry| {
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
    Some(Asked {
        right: (text(&object["apiGroup"]), AuditLog::resource(entry), text(&entry["verb"])),
        namespace: text(&object["namespace"]),
        code: entry["responseStatus"]["code"].as_u64()?,
        at: text(&entry["requestReceivedTimestamp"]),
    })
}
