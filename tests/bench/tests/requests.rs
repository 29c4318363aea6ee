//! The gate of many objects: the requests that keymill makes of a real API server for the first sync, for a refresh that finds
//! nothing new and for a restart. They do not depend on the machine, as times do.

use std::time::{Duration, Instant};

use bench::sync::{Controller, Namespace, Servers, Subject, generated, is_ready, stored};
use serde_json::{Value as Json, json};

use crate::audit::{Audit, Requests};

const OBJECTS: usize = 100;
/// In each namespace.
const STORES: usize = 1;
const PATIENCE: Duration = Duration::from_secs(120);

/// Half of the objects have a generated value, half one of a store.
struct Play {
    servers: Servers,
    keymill: Controller,
    audit: Audit,
    generated: Namespace,
    stored: Namespace,
}

impl Play {
    async fn start(folder: &std::path::Path) -> Option<Self> {
        let audit = Audit::in_folder(folder);
        let servers = Servers::start(audit.flags()).await.unwrap()?;
        let subject = Subject::Keymill(support::keymill().unwrap(), support::component_cache().unwrap());
        let keymill = servers.controller(&subject, &folder.join("keymill.log")).unwrap();
        let (generated, stored) = (Namespace::new("generated"), Namespace::new("stored"));
        Some(Self { servers, keymill, audit, generated, stored })
    }

    async fn create(&self, namespace: &Namespace, object: fn(&str) -> Json) {
        self.servers.api.create(&namespace.basis()).await.unwrap();
        let objects = (0..OBJECTS).map(|number| object(&format!("e{number}")));
        self.servers.api.create_many(&namespace.external_secrets(), objects).await.unwrap();
    }

    /// Waits until every object of both namespaces is as `wanted`; the requests of that.
    async fn until_all(&mut self, wanted: fn(&Json) -> bool) -> Requests {
        let deadline = Instant::now() + PATIENCE;
        for namespace in [&self.generated, &self.stored] {
            let path = namespace.external_secrets();
            while !self.servers.api.list(&path).await.unwrap().iter().all(wanted) {
                self.keymill.keep_alive().unwrap();
                assert!(Instant::now() < deadline, "not within {PATIENCE:?}:\n{}", self.keymill.log_end());
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        self.audit.when_quiet().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_sync_a_restart_and_a_refresh_make_so_many_requests() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut play) = Play::start(folder.path()).await else { return };
    play.create(&play.generated, generated).await;
    play.create(&play.stored, stored).await;

    play.keymill.start().unwrap();
    let first = play.until_all(is_ready).await;
    // The record and the target; the finalizer; Ready; an event for the target and what was made for it.
    check(
        &writes(&first, "generated"),
        &[
            ("create events", OBJECTS + STORES),
            ("create secrets", 2 * OBJECTS),
            ("patch externalsecrets", OBJECTS),
            ("patch externalsecrets/status", OBJECTS),
            ("patch secretstores/status", STORES),
        ],
    );
    check(
        &writes(&first, "stored"),
        &[
            ("create events", OBJECTS + STORES),
            ("create secrets", OBJECTS),
            ("patch externalsecrets", OBJECTS),
            ("patch externalsecrets/status", OBJECTS),
            ("patch secretstores/status", STORES),
        ],
    );
    // One for the target, and no other: what an object writes does not wake it.
    for namespace in ["generated", "stored"] {
        assert_eq!(reads_of(&first, namespace), OBJECTS, "{namespace}\n{first:#?}");
    }

    play.keymill.stop().await.unwrap();
    play.audit.when_quiet().await;
    play.keymill.start().unwrap();
    let restart = play.until_all(is_ready).await;
    // Eighteen watches, each with its lists of at most 100 objects, and the Secrets once more to see that nothing is due. Nothing is asked
    // for a single object, and nothing written.
    check(&by_verb(&restart), &[("get", 1), ("list", 26), ("watch", 18)]);

    let path = play.stored.external_secrets();
    let paths = (0..OBJECTS).map(|number| format!("{path}/e{number}")).collect();
    let patch = json!({"metadata": {"annotations": {"force-sync": "1"}}});
    play.servers.api.merge_many(paths, &patch).await.unwrap();
    let refresh = play.audit.when_quiet().await;
    let expected = [("stored: get secrets", OBJECTS), ("stored: patch externalsecrets/status", OBJECTS)];
    check(&refresh, &expected);
    assert_eq!(play.keymill.deaths(), 0);
}

#[track_caller]
fn check(found: &Requests, expected: &[(&str, usize)]) {
    let expected: Requests = expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    assert_eq!(found, &expected);
}

/// The writes in a namespace, without its name.
fn writes(requests: &Requests, namespace: &str) -> Requests {
    let prefix = format!("{namespace}: ");
    let within = requests.iter().filter_map(|(name, count)| Some((name.strip_prefix(&prefix)?, *count)));
    let writes = within.filter(|(name, _)| !is_read(name));
    writes.map(|(name, count)| (name.to_owned(), count)).collect()
}

fn reads_of(requests: &Requests, namespace: &str) -> usize {
    let prefix = format!("{namespace}: ");
    let within = requests.iter().filter_map(|(name, count)| Some((name.strip_prefix(&prefix)?, *count)));
    within.filter(|(name, _)| is_read(name)).map(|(_, count)| count).sum()
}

fn is_read(name: &str) -> bool {
    ["get ", "list ", "watch "].iter().any(|verb| name.starts_with(verb))
}

fn by_verb(requests: &Requests) -> Requests {
    let mut verbs = Requests::new();
    for (name, count) in requests {
        let (_, request) = name.split_once(": ").unwrap();
        let (verb, _) = request.split_once(' ').unwrap();
        *verbs.entry(verb.to_owned()).or_default() += count;
    }
    verbs
}
