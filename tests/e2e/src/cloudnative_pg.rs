//! A stand-in for CloudNativePG's instance manager: takes the password of one role over from a Secret into a real PostgreSQL.
//!
//! Built after what CloudNativePG does, its blind spots included: it reacts to Secrets by the presence of a label; seeing a change
//! and applying it are two hops, so a value may be skipped; it applies the same SQL in the same transaction with the same hash; it
//! never logs in to see whether that worked and never gives a password away. In three modes (`mode`), which differ in what they
//! trim, what they remember and what they acknowledge.
//!
//! Absent: the Cluster and DatabaseRole objects. Their status is a value in this process that outlives the stand-in's own restarts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, ResourceExt};
use tokio::sync::watch;
use tokio::task::JoinSet;

mod faults;
mod instance;
mod mode;
mod role;
#[cfg(test)]
mod tests;

pub(crate) use faults::Fault;
pub(crate) use mode::Mode;

/// The label whose presence makes CloudNativePG look at a Secret.
const RELOAD: &str = "cnpg.io/reload";

/// What is managed, and how.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) namespace: String,
    pub(crate) secret: String,
    pub(crate) role: String,
    pub(crate) mode: Mode,
    pub(crate) delays: Delays,
}

/// How long things take. CloudNativePG needs seconds when all is well, minutes for a Secret without the label, and 30 s before a
/// DatabaseRole is tried again; a test shortens that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delays {
    /// From a Secret's event to the status that tells of it.
    pub(crate) notice: Duration,
    /// From that status to the look at the Secret.
    pub(crate) react: Duration,
    /// Between looks for which nothing has happened.
    pub(crate) tick: Duration,
    /// Before the first repetition of what failed; doubles each time.
    pub(crate) retry: Duration,
}

/// What the Cluster's or DatabaseRole's status says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Status {
    /// What was applied: the acknowledgement. In mode `App` there is none.
    pub(crate) applied: Option<Applied>,
    /// Why the role is not as the Secret wants it, in the modes that say so.
    pub(crate) problem: Option<String>,
    /// Reconciles that came to their end: what else CloudNativePG does comes after the password.
    pub(crate) completed: u64,
    /// The newest version that was seen before the last reconcile began.
    looked_after: Option<String>,
}

/// Which version of the Secret was applied, and the version of the role's row after that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) resource_version: String,
    pub(crate) row: String,
}

/// A running stand-in; it ends with this handle.
pub(crate) struct InstanceManager {
    world: Arc<World>,
    status: watch::Receiver<Status>,
    restart: watch::Sender<u64>,
    _tasks: JoinSet<()>,
}

/// What its parts share.
struct World {
    client: Client,
    database: tokio_postgres::Config,
    settings: Settings,
    /// The resource version that the operator has seen: a status field in CloudNativePG, so a restart does not lose it.
    observed: watch::Sender<Option<String>>,
    status: watch::Sender<Status>,
    faults: Mutex<Vec<Fault>>,
    /// What the last GET answered, for a stale one.
    last_read: Mutex<Option<Secret>>,
}

impl InstanceManager {
    /// Starts one; `database` is a superuser's connection.
    pub(crate) fn start(client: Client, database: tokio_postgres::Config, settings: Settings) -> Self {
        let (status_sender, status) = watch::channel(Status::default());
        let (restart, restarts) = watch::channel(0);
        let world = Arc::new(World {
            client,
            database,
            settings,
            observed: watch::channel(None).0,
            status: status_sender,
            faults: Mutex::default(),
            last_read: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(observe(Arc::clone(&world)));
        tasks.spawn(look_now_and_then(Arc::clone(&world)));
        tasks.spawn(instance::run(Arc::clone(&world), restarts));
        Self { world, status, restart, _tasks: tasks }
    }

    /// The status as it is.
    pub(crate) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// A promotion or a restart: what it remembered is gone.
    pub(crate) fn restart(&self) {
        self.restart.send_modify(|count| *count += 1);
    }

    /// Lets this happen, once, when it next can.
    pub(crate) fn inject(&self, fault: Fault) {
        self.world.faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }
}

impl World {
    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.settings.namespace)
    }

    /// Whether the fault was asked for; it happens once.
    fn strikes(&self, fault: Fault) -> bool {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let place = faults.iter().position(|one| *one == fault);
        place.map(|place| faults.remove(place)).is_some()
    }

    /// The Secret, as a GET answers.
    async fn read(&self) -> Result<Option<Secret>, kube::Error> {
        if self.strikes(Fault::StaleRead) {
            let last = self.last_read.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if last.is_some() {
                return Ok(last);
            }
        }
        let secret = self.secrets().get_opt(&self.settings.secret).await?;
        self.last_read.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&secret);
        Ok(secret)
    }
}

/// The operator's half: an event of the Secret, or of one that its Cluster owns, becomes a line in the status.
async fn observe(world: Arc<World>) {
    let (seen, mut newest) = watch::channel(None);
    let only = watcher::Config::default().fields(&format!("metadata.name={}", world.settings.secret));
    let mut events = watcher::watcher(world.secrets(), only).boxed();
    let write_status = async {
        while newest.changed().await.is_ok() {
            tokio::time::sleep(world.settings.delays.notice).await;
            let version = newest.borrow_and_update().clone();
            world.observed.send_replace(version);
        }
    };
    let watch = async {
        while let Some(event) = events.next().await {
            // An error is followed by a new watch.
            if let Ok(Event::Apply(secret) | Event::InitApply(secret)) = event
                && is_watched(&secret)
                && !world.strikes(Fault::MissedEvent)
            {
                seen.send_replace(secret.resource_version());
            }
        }
    };
    futures::future::join(write_status, watch).await;
}

/// Without a label CloudNativePG looks only when it reconciles for another reason.
async fn look_now_and_then(world: Arc<World>) {
    loop {
        tokio::time::sleep(world.settings.delays.tick).await;
        // An API server that does not answer is asked again at the next tick.
        if let Ok(Some(secret)) = world.secrets().get_opt(&world.settings.secret).await {
            world.observed.send_if_modified(|observed| {
                let version = secret.resource_version();
                let differs = *observed != version;
                *observed = version;
                differs
            });
        }
    }
}

fn is_watched(secret: &Secret) -> bool {
    secret.labels().contains_key(RELOAD)
        || secret.owner_references().iter().any(|owner| owner.kind == "Cluster")
}
