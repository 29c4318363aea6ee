use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::{Delays, Fault, InstanceManager, Mode, RELOAD, Settings};
use crate::database::{Database, FIRST};
use crate::dev::{Dev, Place, SOON};

const QUICK: Delays = Delays {
    notice: Duration::from_millis(10),
    react: Duration::from_millis(10),
    tick: Duration::from_millis(500),
    retry: Duration::from_millis(50),
};

/// Nothing happens without an event.
const PATIENT: Delays = Delays { tick: Duration::from_secs(3600), ..QUICK };

/// A database, an API without controllers, and as many roles as a test wants.
struct Bench {
    database: Database,
    dev: Dev,
    _place: Place,
}

/// One role with its Secret and who manages it.
struct Role<'a> {
    bench: &'a Bench,
    name: String,
    manager: InstanceManager,
}

impl Bench {
    async fn start() -> Option<Self> {
        let database = Database::start().await?;
        let place = Place::empty();
        let dev = place.start_with(&["--no-controllers"]).await;
        Some(Self { database, dev, _place: place })
    }

    /// A role whose Secret has the first password and the label.
    async fn role(&self, name: &str, mode: Mode, delays: Delays) -> Role<'_> {
        let name = format!("{name}-{mode:?}").to_lowercase();
        self.database.add_role(&name).await;
        self.put(&name, json!({"username": name, "password": FIRST}), &[RELOAD]).await;
        self.manage(&name, mode, delays)
    }

    fn manage(&self, name: &str, mode: Mode, delays: Delays) -> Role<'_> {
        let settings = Settings {
            namespace: "default".to_owned(),
            secret: name.to_owned(),
            role: name.to_owned(),
            mode,
            delays,
        };
        let manager = InstanceManager::start(self.dev.client.clone(), self.database.superuser(), settings);
        Role { bench: self, name: name.to_owned(), manager }
    }

    async fn put(&self, name: &str, data: serde_json::Value, labels: &[&str]) {
        let labels: BTreeMap<&str, &str> = labels.iter().map(|label| (*label, "")).collect();
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": labels}, "stringData": data,
        });
        let secrets: Api<Secret> = Api::namespaced(self.dev.client.clone(), "default");
        let parameters = PatchParams::apply("test").force();
        secrets.patch(name, &parameters, &Patch::Apply(&secret)).await.unwrap();
    }
}

impl Role<'_> {
    async fn set(&self, password: &str) {
        self.bench.put(&self.name, json!({"username": self.name, "password": password}), &[RELOAD]).await;
    }

    async fn accepts(&self, password: &str) -> bool {
        self.bench.database.accepts(&self.name, password).await
    }

    async fn accepts_soon(&self, password: &str) {
        let what = format!("{} has its new password", self.name);
        support::until(&what, SOON, async || Ok(self.accepts(password).await.then_some(()))).await.unwrap();
    }

    /// Waits until the stand-in has heard of the Secret and has nothing more to do.
    async fn settles(&self) {
        let settled = async || {
            let observed = self.manager.world.observed.borrow().clone();
            Ok((observed.is_some() && self.manager.status().looked_after == observed).then_some(()))
        };
        support::until("the stand-in has nothing to do", SOON, settled).await.unwrap();
    }

    /// Waits until it has reconciled once more, whatever came of it.
    async fn reconciles(&self) {
        let before = self.manager.status().completed;
        let done = async || Ok((self.manager.status().completed > before).then_some(()));
        support::until("a reconcile", SOON, done).await.unwrap();
    }

    async fn alter(&self, password: &str) {
        let alter = format!("ALTER ROLE \"{}\" PASSWORD '{password}'", self.name);
        self.bench.database.admin().await.batch_execute(&alter).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mode_takes_a_change_over_and_acknowledges_as_it_does() {
    let Some(bench) = Bench::start().await else { return };
    for mode in Mode::ALL {
        let role = bench.role("plain", mode, PATIENT).await;
        role.settles().await;
        role.set("second-password").await;
        role.accepts_soon("second-password").await;
        assert!(!role.accepts(FIRST).await, "{mode:?}");
        let told = support::until("the acknowledgement", Duration::from_millis(300), async || {
            Ok(role.manager.status().applied)
        });
        assert_eq!(told.await.is_ok(), mode != Mode::App, "{mode:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mode_has_its_own_idea_of_whitespace_and_of_errors() {
    let Some(bench) = Bench::start().await else { return };
    for mode in Mode::ALL {
        let role = bench.role("edges", mode, QUICK).await;
        role.settles().await;
        role.set("trailing-space ").await;
        let (taken, other) = match mode {
            Mode::App => ("trailing-space ", "trailing-space"),
            Mode::ManagedRole | Mode::DatabaseRole => ("trailing-space", "trailing-space "),
        };
        role.accepts_soon(taken).await;
        assert!(!role.accepts(other).await, "{mode:?}");

        bench.put(&role.name, json!({"username": "somebody-else", "password": "never"}), &[RELOAD]).await;
        if mode == Mode::App {
            // The failure ends the whole reconcile, so what comes after the password does not happen.
            tokio::time::sleep(QUICK.tick).await;
            let before = role.manager.status().completed;
            tokio::time::sleep(QUICK.tick * 3).await;
            assert_eq!(role.manager.status().completed, before);
        } else {
            let says = async || Ok(role.manager.status().problem);
            let problem = support::until("a problem", SOON, says).await.unwrap();
            assert!(problem.contains("username"), "{problem}");
        }
        assert!(role.accepts(taken).await, "{mode:?}");

        // PostgreSQL takes an empty password for none, and CloudNativePG reports success.
        role.set("").await;
        support::until("nobody can log in", SOON, async || Ok((!role.accepts(taken).await).then_some(())))
            .await
            .unwrap();
        role.reconciles().await;
        assert_eq!(role.manager.status().problem, None, "{mode:?}");

        // SASLprep refuses a BEL; PostgreSQL itself would not.
        role.set("bell\u{7}").await;
        tokio::time::sleep(QUICK.tick).await;
        assert!(!role.accepts("bell\u{7}").await, "{mode:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_do_to_the_role_is_undone_by_what_each_mode_remembers() {
    let Some(bench) = Bench::start().await else { return };
    for mode in Mode::ALL {
        let role = bench.role("undone", mode, QUICK).await;
        role.settles().await;
        role.accepts_soon(FIRST).await;
        role.alter("by-hand").await;
        role.reconciles().await;
        role.reconciles().await;
        assert_eq!(role.accepts(FIRST).await, mode == Mode::ManagedRole, "{mode:?} by itself");
        role.manager.restart();
        role.reconciles().await;
        role.reconciles().await;
        assert_eq!(role.accepts(FIRST).await, mode != Mode::DatabaseRole, "{mode:?} after a restart");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_without_the_label_is_seen_late_and_a_missing_one_is_told_of_or_not() {
    let Some(bench) = Bench::start().await else { return };
    for mode in Mode::ALL {
        let role = bench.role("quiet", mode, PATIENT).await;
        role.settles().await;
        bench.put(&role.name, json!({"username": role.name, "password": "unlabelled"}), &[]).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(role.accepts(FIRST).await, "{mode:?} reacted to a Secret without the label");
        let name = role.name.clone();
        drop(role);
        let role = bench.manage(&name, mode, QUICK);
        role.accepts_soon("unlabelled").await;

        let missing = bench.manage(&format!("missing-{mode:?}").to_lowercase(), mode, QUICK);
        missing.reconciles().await;
        assert_eq!(missing.manager.status().problem.is_none(), mode == Mode::App, "{mode:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_mishap_the_newest_password_is_applied() {
    let Some(bench) = Bench::start().await else { return };
    for fault in [Fault::MissedEvent, Fault::StaleRead, Fault::CrashBeforeCommit, Fault::CrashAfterCommit] {
        for mode in Mode::ALL {
            let role = bench.role(&format!("{fault:?}"), mode, QUICK).await;
            role.settles().await;
            role.manager.inject(fault);
            role.set("after-the-mishap").await;
            role.accepts_soon("after-the-mishap").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_event_is_missed_until_something_else_happens() {
    let Some(bench) = Bench::start().await else { return };
    let role = bench.role("missed", Mode::App, PATIENT).await;
    role.settles().await;
    role.manager.inject(Fault::MissedEvent);
    role.set("not-seen").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(role.accepts(FIRST).await, "the event was seen");
    role.set("seen").await;
    role.accepts_soon("seen").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_changed_meanwhile_is_an_error_and_tried_again() {
    let Some(bench) = Bench::start().await else { return };
    let role = bench.role("tuple", Mode::ManagedRole, PATIENT).await;
    role.settles().await;
    let mut admin = bench.database.admin().await;
    let other = admin.transaction().await.unwrap();
    other.batch_execute(&format!("ALTER ROLE \"{}\" CONNECTION LIMIT 7", role.name)).await.unwrap();
    role.set("after-the-conflict").await;
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    support::until("the stand-in waits for the row", SOON, async || {
        let waiting: i64 = bench.database.admin().await.query_one(waits, &[]).await?.try_get(0)?;
        Ok((waiting > 0).then_some(()))
    })
    .await
    .unwrap();
    let completed = role.manager.status().completed;
    other.commit().await.unwrap();
    role.accepts_soon("after-the-conflict").await;
    let tried = async || Ok((role.manager.status().completed >= completed + 2).then_some(()));
    support::until("a failure and a success", SOON, tried).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_hangs_leaves_the_password_before_in_force() {
    let Some(bench) = Bench::start().await else { return };
    let role = bench.role("hang", Mode::App, QUICK).await;
    role.settles().await;
    bench.database.hold_commits().await;
    // The server notices its new settings a little later, so the first of these may get through.
    let mut before = FIRST.to_owned();
    let mut number = 0;
    let hanging = support::until("a commit hangs", SOON, async || {
        Ok((bench.database.waiting_commits().await? > 0).then_some(()))
    });
    tokio::pin!(hanging);
    let next = loop {
        number += 1;
        let next = format!("hanging-{number}");
        role.set(&next).await;
        tokio::select! {
            found = &mut hanging => {
                found.unwrap();
                break next;
            }
            () = role.accepts_soon(&next) => before = next,
        }
    };
    assert!(role.accepts(&before).await);
    assert!(!role.accepts(&next).await);
    bench.database.release_commits().await;
    role.accepts_soon(&next).await;
    assert!(!role.accepts(&before).await);
}
