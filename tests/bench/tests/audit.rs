//! What a controller asks of the API server, from that one's own audit log, which is written before a request is answered.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use bench::sync::USER_AGENT;
use serde_json::Value as Json;
use servers::AuditLog;

/// The user of the kubeconfig that the controller has, and the bench too.
const USER: &str = "admin";
const QUIET: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(120);

/// Requests by namespace, verb and resource, such as `stored: patch externalsecrets/status`.
pub(crate) type Requests = BTreeMap<String, usize>;

/// An audit log that is counted bit by bit.
pub(crate) struct Audit {
    log: AuditLog,
    /// How many of its entries have been counted.
    counted: usize,
}

impl Audit {
    /// One in `folder`.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self { log: AuditLog::in_folder(folder).unwrap(), counted: 0 }
    }

    /// With which kube-apiserver writes it.
    pub(crate) fn flags(&self) -> Vec<String> {
        self.log.flags()
    }

    /// Waits until the controller has nothing more to ask; what it has asked since the last call.
    pub(crate) async fn when_quiet(&mut self) -> Requests {
        let deadline = Instant::now() + PATIENCE;
        let (mut seen, mut since) = (0, Instant::now());
        while since.elapsed() < QUIET {
            assert!(Instant::now() < deadline, "the controller asks on and on");
            tokio::time::sleep(Duration::from_millis(100)).await;
            let now = self.new_entries().len();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
        }
        let entries = self.new_entries();
        self.counted += entries.len();
        count(&entries)
    }

    fn new_entries(&self) -> Vec<Json> {
        let entries = self.log.entries().unwrap().into_iter();
        entries.filter(is_the_controllers).skip(self.counted).collect()
    }
}

fn is_the_controllers(entry: &Json) -> bool {
    let is = |pointer, text: &str| entry.pointer(pointer).is_some_and(|found| found == text);
    is("/user/username", USER) && !is("/userAgent", USER_AGENT)
}

/// A watch counts once, though it has an entry when it begins and one when it ends.
fn count(entries: &[Json]) -> Requests {
    let mut requests = Requests::new();
    let mut ids = HashSet::new();
    for entry in entries.iter().filter(|entry| ids.insert(text(entry, "/auditID"))) {
        let (namespace, verb) = (text(entry, "/objectRef/namespace"), text(entry, "/verb"));
        let resource = AuditLog::resource(entry);
        *requests.entry(format!("{namespace}: {verb} {resource}")).or_default() += 1;
    }
    requests
}

fn text<'a>(entry: &'a Json, pointer: &str) -> &'a str {
    entry.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
}
