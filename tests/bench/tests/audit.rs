//! What a controller asks of the API server, from that one's own audit log, which is written before a request is answered.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bench::sync::USER_AGENT;
use serde_json::Value as Json;

/// The user of the kubeconfig that the controller has, and the bench too.
const USER: &str = "admin";
const QUIET: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(120);

/// Requests by namespace, verb and resource, such as `stored: patch externalsecrets/status`.
pub(crate) type Requests = BTreeMap<String, usize>;

/// An audit log.
pub(crate) struct Audit {
    policy: PathBuf,
    log: PathBuf,
    /// How many of its lines have been counted.
    counted: usize,
}

impl Audit {
    /// One in `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        let policy = folder.join("policy.json");
        let text = r#"{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": [{"level": "Metadata"}]}"#;
        std::fs::write(&policy, text).unwrap();
        Self { policy, log: folder.join("audit.log"), counted: 0 }
    }

    /// With which kube-apiserver writes it.
    pub(crate) fn flags(&self) -> Vec<String> {
        vec![
            format!("--audit-policy-file={}", self.policy.display()),
            format!("--audit-log-path={}", self.log.display()),
            "--audit-log-mode=blocking".to_owned(),
        ]
    }

    /// Waits until the controller has nothing more to ask; what it has asked since the last call.
    pub(crate) async fn when_quiet(&mut self) -> Requests {
        let deadline = Instant::now() + PATIENCE;
        let (mut seen, mut since) = (0, Instant::now());
        while since.elapsed() < QUIET {
            assert!(Instant::now() < deadline, "the controller asks on and on");
            tokio::time::sleep(Duration::from_millis(100)).await;
            let now = self.new_lines().len();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
        }
        let lines = self.new_lines();
        self.counted += lines.len();
        count(&lines)
    }

    fn new_lines(&self) -> Vec<Json> {
        let text = std::fs::read_to_string(&self.log).unwrap();
        // The last line may be half written.
        let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        lines.filter(is_the_controllers).skip(self.counted).collect()
    }
}

fn is_the_controllers(line: &Json) -> bool {
    let is = |pointer, text: &str| line.pointer(pointer).is_some_and(|found| found == text);
    is("/user/username", USER) && !is("/userAgent", USER_AGENT)
}

/// A watch has a line when it starts and one when it ends.
fn count(lines: &[Json]) -> Requests {
    let mut requests = Requests::new();
    let mut ids = HashSet::new();
    for line in lines.iter().filter(|line| ids.insert(text(line, "/auditID"))) {
        let resource = match (text(line, "/objectRef/resource"), text(line, "/objectRef/subresource")) {
            (resource, "") => resource.to_owned(),
            (resource, subresource) => format!("{resource}/{subresource}"),
        };
        let namespace = text(line, "/objectRef/namespace");
        *requests.entry(format!("{namespace}: {} {resource}", text(line, "/verb"))).or_default() += 1;
    }
    requests
}

fn text<'a>(line: &'a Json, pointer: &str) -> &'a str {
    line.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
}
