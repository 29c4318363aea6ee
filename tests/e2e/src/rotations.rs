//! The story on real servers: CloudNativePG's published manifests and our correct ones, with `keymill run` under the rights that are
//! shipped, a real API server, Vault and PostgreSQL, and a stand-in for CloudNativePG that takes the passwords over.
//!
//! After each rotation a separate observer logs in through every key. Between the publication of a password and the moment at which
//! the stand-in has applied it, the Secret is ahead of the database: then, and only then, is a reader of the Secret refused, and the
//! password before is still accepted. That window is CloudNativePG's; it is measured and printed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use support::Program;

use crate::cloudnative_pg::{Delays, Fault, InstanceManager, Mode, Settings};
use crate::cluster::{self, Cluster};
use crate::database::{Database, FIRST};
use crate::dev::SOON;
use crate::form::{self, Durations};
use crate::login::{Answer, Data, KEYS, Observer};

const SECRET: &str = "cluster-example-app";
const EXTERNAL_SECRET: &str = "cluster-example-app-secret";
const ROLE: &str = "app";

/// CloudNativePG takes seconds; here it is as fast as two hops can be, so that a thousand rotations end in minutes.
const DELAYS: Delays = Delays {
    notice: Duration::from_millis(20),
    react: Duration::from_millis(20),
    tick: Duration::from_secs(1),
    retry: Duration::from_millis(100),
};

/// Everything that takes part.
struct Story {
    cluster: Cluster,
    database: Database,
    observer: Arc<Observer>,
    operator: Program,
    secrets: Api<Secret>,
    tally: Tally,
}

/// What was measured.
#[derive(Default)]
struct Tally {
    rotations: usize,
    logins: BTreeMap<&'static str, usize>,
    windows: Durations,
    refusals: usize,
    vault: Durations,
}

impl Story {
    /// The manifests of an example as they are; only the token, which is a placeholder there, is the Vault's own.
    async fn start(example: &str) -> Option<Self> {
        let database = Database::start().await?;
        let cluster = Cluster::start().await?;
        cluster.mount("secrets").await;
        for file in cluster::manifests(&support::root().join("host/deploy/examples").join(example)) {
            cluster.apply_text(&std::fs::read_to_string(file).unwrap()).await;
        }
        let secrets: Api<Secret> = Api::default_namespaced(cluster.client.clone());
        let token = json!({"stringData": {"token": cluster.kv.token()}});
        secrets.patch("vault-token", &PatchParams::default(), &Patch::Merge(&token)).await.unwrap();
        let observer = Arc::new(Observer::new(database.address()).unwrap());
        let operator = cluster.run(&cluster.resolve("vault.vault.svc:8200"));
        Some(Self { cluster, database, observer, operator, secrets, tally: Tally::default() })
    }

    fn instance_manager(&self, mode: Mode) -> InstanceManager {
        let settings = Settings {
            namespace: "default".to_owned(),
            secret: SECRET.to_owned(),
            role: ROLE.to_owned(),
            mode,
            delays: DELAYS,
        };
        InstanceManager::start(self.cluster.client.clone(), self.database.superuser(), settings)
    }

    /// The Secret, once its password is another than `before`.
    async fn published(&self, before: &str) -> Data {
        let found = support::until("a new password is published", SOON, async || {
            let secret = self.secrets.get(SECRET).await?;
            let data: Data = secret
                .data
                .unwrap_or_default()
                .into_iter()
                .map(|(key, value)| (key, String::from_utf8_lossy(&value.0).into_owned()))
                .collect();
            Ok((data.get("password").map(String::as_str) != Some(before)).then_some(data))
        });
        found.await.unwrap_or_else(|error| panic!("{error:#}\n{}", self.operator.output()))
    }

    /// Asks for the next rotation, as a person does.
    async fn force(&self) {
        let annotation = json!({"external-secrets.io/force-sync": self.tally.rotations.to_string()});
        let patch = json!({"metadata": {"annotations": annotation}});
        let objects = self.cluster.objects("external-secrets.io/v1", "ExternalSecret", "default");
        objects.patch(EXTERNAL_SECRET, &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
    }

    /// From one password to the next; the Secret that has it, and which keys let the observer in.
    async fn rotate(&mut self, before: &str) -> (Data, BTreeMap<&'static str, Answer>) {
        let data = self.published(before).await;
        let published = Instant::now();
        self.wait_until_applied(before, &data).await;
        self.tally.windows.add(published.elapsed());
        let answers = self.observer.log_in_everywhere(&data).await;
        assert!(!self.database.accepts(ROLE, before).await, "the password before is still accepted");
        self.wait_until_pushed(&data).await;
        self.tally.vault.add(published.elapsed());
        self.tally.rotations += 1;
        for (key, answer) in &answers {
            *self.tally.logins.entry(key).or_default() += usize::from(*answer == Answer::In(ROLE.to_owned()));
        }
        (data, answers)
    }

    /// The window: a reader of the Secret is refused as long as the password before is accepted, and not a moment longer.
    async fn wait_until_applied(&mut self, before: &str, data: &Data) {
        let now = data.get("password").unwrap();
        let deadline = Instant::now() + SOON;
        while !self.database.accepts(ROLE, now).await {
            self.tally.refusals += 1;
            let has_a_way_in =
                self.database.accepts(ROLE, before).await || self.database.accepts(ROLE, now).await;
            assert!(has_a_way_in, "neither the password in the Secret nor the one before is accepted");
            assert!(Instant::now() < deadline, "the password was never applied");
        }
    }

    async fn wait_until_pushed(&self, data: &Data) {
        let pushed = support::until("Vault has the Secret's values", SOON, async || {
            Ok(self.cluster.kv.data("secrets", SECRET).await?.filter(|there| there == data))
        });
        pushed.await.unwrap_or_else(|error| panic!("{error:#}\n{}", self.operator.output()));
    }

    fn report(&mut self, example: &str, took: Duration) {
        let total = self.tally.rotations;
        let seconds = took.as_secs_f64();
        let jdbc = self.observer.jdbc();
        form::say(&format!("{example}: {total} rotations in {seconds:.0} s, jdbc keys through {jdbc}"));
        for key in KEYS {
            let logins = self.tally.logins.get(key).copied().unwrap_or_default();
            let share = 100.0 * logins as f64 / total.max(1) as f64;
            form::say(&format!(
                "{example}: {key} logs in after {logins} of {total} rotations ({share:.1} %)"
            ));
        }
        let (windows, vault) = (self.tally.windows.summary(), self.tally.vault.summary());
        form::say(&format!("{example}: published to applied {windows}; {} refusals", self.tally.refusals));
        form::say(&format!("{example}: published to every key tried and Vault read {vault}"));
    }
}

/// How many rotations in all.
fn length() -> usize {
    if support::is_full() { 1000 } else { 100 }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_example_on_real_servers_and_its_faults() {
    let example = "cloudnative-pg";
    let Some(mut story) = Story::start(example).await else { return };
    let _manager = story.instance_manager(Mode::App);
    let started = Instant::now();
    let mut before = FIRST.to_owned();
    for turn in 0..length() {
        if turn > 0 {
            story.force().await;
        }
        let (data, answers) = story.rotate(&before).await;
        before = data.get("password").unwrap().clone();
        // In a URI an `@` ends the password, and the template does not escape it.
        for (key, works) in [
            ("password", true),
            ("pgpass", true),
            ("jdbc-uri", true),
            ("uri", !before.contains('@')),
            ("fqdn-uri", false),
            ("fqdn-jdbc-uri", false),
        ] {
            assert_eq!(answers.get(key), Some(&expected(works)), "{key} in turn {turn}");
        }
    }
    story.report(example, started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_correct_example_logs_in_through_every_key_after_every_rotation() {
    let example = "cloudnative-pg-correct";
    let Some(mut story) = Story::start(example).await else { return };
    let started = Instant::now();
    let mut before = FIRST.to_owned();
    let mut turn = 0;
    // Most of them as the application's Secret, the last tenths as the two kinds of managed role.
    for (mode, until) in [
        (Mode::App, length() * 8 / 10),
        (Mode::ManagedRole, length() * 9 / 10),
        (Mode::DatabaseRole, length()),
    ] {
        let manager = story.instance_manager(mode);
        while turn < until {
            if turn > 0 {
                story.force().await;
            }
            mishap(&manager, turn);
            let (data, answers) = story.rotate(&before).await;
            before = data.get("password").unwrap().clone();
            for key in KEYS {
                assert_eq!(answers.get(key), Some(&expected(true)), "{key} in turn {turn}, {mode:?}");
            }
            turn += 1;
        }
    }
    story.report(example, started.elapsed());
}

/// Now and then the stand-in dies in the middle: its next life applies what the Secret has.
fn mishap(manager: &InstanceManager, turn: usize) {
    match turn % 20 {
        7 => manager.inject(Fault::CrashBeforeCommit),
        13 => manager.inject(Fault::CrashAfterCommit),
        _ => {}
    }
}

fn expected(works: bool) -> Answer {
    if works { Answer::In(ROLE.to_owned()) } else { Answer::Refused }
}
