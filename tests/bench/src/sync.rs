//! Many objects at once, seen from outside: what it costs a controller to make a Secret for each, how soon one more object has
//! its own, what a restart does, and how soon a changed Secret is in the store.
//!
//! The controller is a process on a real API server and a real Vault. One after the other has its turn on the same servers, in a
//! namespace of its own, and nothing of a turn is left for the next. Time and memory are measured here and never asserted; what
//! is gated is the number of requests (`tests/requests.rs`).

mod api;
mod controller;
mod figures;
mod objects;

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures::StreamExt as _;
use serde_json::{Value as Json, json};
use servers::{ExternalSecrets, Kubernetes, KubernetesOptions, Vault, VaultOptions};

pub use api::{Api, USER_AGENT};
pub use controller::{Controller, Cost};
pub use figures::{Figures, table};
pub use objects::{Namespace, generated, is_ready, stored};

use crate::Samples;
use objects::PUSHED;

/// Until all objects are Ready.
const PATIENCE: Duration = Duration::from_secs(600);
/// Until one is there, and until one change is in the store.
const SOON: Duration = Duration::from_secs(30);
const NEW_OBJECTS: usize = 40;
const CHANGES: usize = 100;
/// Events come after Ready.
const SETTLE: Duration = Duration::from_secs(3);
/// A controller's start and its first look at everything.
const RESTART: Duration = Duration::from_secs(12);

/// What is measured.
#[derive(Debug, Clone)]
pub enum Subject {
    /// `keymill run`: its binary, and the folder of its cache of compiled components.
    Keymill(PathBuf, PathBuf),
    /// External Secrets Operator 0.16.2 with these flags.
    ExternalSecrets(&'static [&'static str]),
}

/// The servers that all turns share.
#[derive(Debug)]
pub struct Servers {
    pub kubernetes: Kubernetes,
    pub vault: Vault,
    pub api: Api,
}

impl Servers {
    /// None where a server is missing. `flags` are more flags for kube-apiserver.
    ///
    /// # Errors
    /// When the API server cannot be asked.
    pub async fn start(flags: Vec<String>) -> Result<Option<Self>> {
        let options = KubernetesOptions { flags, ..KubernetesOptions::default() };
        let Some(kubernetes) = Kubernetes::start(&options) else { return Ok(None) };
        let Some(vault) = Vault::start(&VaultOptions::default()) else { return Ok(None) };
        let api = Api::connect(kubernetes.kubeconfig()).await?;
        Ok(Some(Self { kubernetes, vault, api }))
    }

    /// The subject, not started yet; its CRDs are applied, whosever were there before.
    ///
    /// # Errors
    /// When the subject cannot be had.
    pub fn controller(&self, subject: &Subject, log: &Path) -> Result<Controller> {
        let command = match subject {
            Subject::Keymill(binary, cache) => {
                self.kubernetes.apply_crds(&::api::crds_yaml()?);
                vec![binary.into(), "run".into(), "--cache".into(), cache.into()]
            }
            Subject::ExternalSecrets(flags) => {
                let binary = ExternalSecrets::install(self.kubernetes.kubeconfig());
                let mut command =
                    vec![binary.context("the peer is missing")?.into(), "--metrics-addr=127.0.0.1:0".into()];
                command.extend(flags.iter().map(OsString::from));
                command
            }
        };
        Ok(Controller::new(command, self.kubernetes.kubeconfig(), log.to_owned()))
    }
}

/// One turn: the figures of a subject with so many objects.
///
/// # Errors
/// When the subject does not do what it should, with the end of its log.
pub async fn measure(servers: &Servers, subject: &Subject, objects: usize, turn: &str) -> Result<Figures> {
    let log = servers.kubernetes.folder().join(format!("{turn}.log"));
    let controller = servers.controller(subject, &log)?;
    let mut turn = Turn { servers, controller, namespace: Namespace::new(turn) };
    let figures = turn.play(objects).await;
    let figures = figures.with_context(|| format!("the end of its log:\n{}", turn.controller.log_end()))?;
    turn.end().await?;
    Ok(figures)
}

/// A controller at work in its namespace.
struct Turn<'a> {
    servers: &'a Servers,
    controller: Controller,
    namespace: Namespace,
}

impl Turn<'_> {
    async fn play(&mut self, objects: usize) -> Result<Figures> {
        self.servers.api.create(&self.namespace.basis()).await?;
        self.warm_up().await?;
        let all = (0..objects).map(|number| generated(&format!("e{number}")));
        self.servers.api.create_many(&self.namespace.external_secrets(), all).await?;
        let started = Instant::now();
        self.controller.start()?;
        self.until_ready(objects).await?;
        let (cold, cold_cost) = (started.elapsed(), self.controller.cost()?);
        tokio::time::sleep(SETTLE).await;
        let settled = self.controller.cost()?;
        let new = self.new_objects().await?;
        let (restart_writes, restart_changes, restart) = self.restart().await?;
        let push = self.push().await?;
        let deaths = self.controller.deaths();
        Ok(Figures { cold, cold_cost, settled, new, restart_writes, restart_changes, restart, push, deaths })
    }

    /// Once for one object, so that whatever the subject caches on disk is there.
    async fn warm_up(&mut self) -> Result<()> {
        let path = self.namespace.external_secrets();
        self.servers.api.create(&[(path, generated("warm-up"))]).await?;
        self.controller.start()?;
        self.until_ready(1).await?;
        self.controller.stop().await?;
        self.clear().await
    }

    async fn until_ready(&mut self, wanted: usize) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        // To list all objects again and again would be as much work for the API server as the controller is.
        let events = self.servers.api.watch(&self.namespace.external_secrets()).await?;
        let mut events = std::pin::pin!(events);
        let mut ready = HashSet::new();
        let mut minder = tokio::time::interval(Duration::from_millis(100));
        while ready.len() < wanted {
            tokio::select! {
                event = events.next() => {
                    let object = event.context("the watch has ended")??;
                    let name = api::name(&object).unwrap_or_default().to_owned();
                    if objects::is_ready(&object) { ready.insert(name) } else { ready.remove(&name) };
                }
                _ = minder.tick() => {
                    self.controller.keep_alive()?;
                    if Instant::now() > deadline {
                        bail!("{} of {wanted} are Ready after {PATIENCE:?}", ready.len());
                    }
                }
            }
        }
        Ok(())
    }

    async fn new_objects(&mut self) -> Result<Samples> {
        let mut times = Vec::with_capacity(NEW_OBJECTS);
        for number in 0..NEW_OBJECTS {
            let name = format!("new-{number}");
            let target = format!("{}/{name}", self.namespace.secrets());
            self.servers.api.create(&[(self.namespace.external_secrets(), generated(&name))]).await?;
            let api = self.servers.api.clone();
            let took = self.until(async || Ok(api.find(&target).await?.is_some())).await?;
            times.push(took.with_context(|| format!("{name} has no Secret after {SOON:?}"))?);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(Samples::of(times))
    }

    /// How many Secrets another start has written, how many of their data differ, and what it has cost.
    async fn restart(&mut self) -> Result<(usize, usize, Cost)> {
        let before = self.secrets().await?;
        self.controller.stop().await?;
        self.controller.start()?;
        tokio::time::sleep(RESTART).await;
        let cost = self.controller.cost()?;
        let after = self.secrets().await?;
        let differ = |field: fn(&Secret) -> &Json| {
            before.iter().filter(|(name, secret)| after.get(*name).map(field) != Some(field(secret))).count()
        };
        Ok((differ(|secret| &secret.version), differ(|secret| &secret.data), cost))
    }

    async fn secrets(&self) -> Result<HashMap<String, Secret>> {
        let items = self.servers.api.list(&self.namespace.secrets()).await?;
        let at = |item: &Json, field| item.pointer(field).cloned().unwrap_or_default();
        let secrets = items.iter().filter_map(|item| {
            let secret = Secret { version: at(item, "/metadata/resourceVersion"), data: at(item, "/data") };
            Some((api::name(item)?.to_owned(), secret))
        });
        Ok(secrets.collect())
    }

    /// The refreshInterval is an hour: a controller that does not watch its source is given up at the first change.
    async fn push(&mut self) -> Result<Option<Samples>> {
        let (vault, api) = (&self.servers.vault, self.servers.api.clone());
        api.create(&self.namespace.pushed(vault.url(), vault.token())).await?;
        let remote = self.namespace.remote();
        let has = |value: &str| {
            let (_, answer) = vault.request("GET", &remote, None);
            answer
                .pointer("/data/data")
                .and_then(|data| data.get(PUSHED.1))
                .is_some_and(|found| found == value)
        };
        self.until(async || Ok(has("0"))).await?.context("the first push did not come")?;
        let source = format!("{}/{}", self.namespace.secrets(), PUSHED.0);
        let mut times = Vec::with_capacity(CHANGES);
        for number in 1..=CHANGES {
            let value = number.to_string();
            api.merge(&source, &json!({"stringData": {PUSHED.1: value}})).await?;
            match self.until(async || Ok(has(&value))).await? {
                Some(took) => times.push(took),
                None => return Ok(None),
            }
        }
        Ok(Some(Samples::of(times)))
    }

    /// How long it takes until it is so; nothing when that is too long.
    async fn until(&mut self, question: impl AsyncFn() -> Result<bool>) -> Result<Option<Duration>> {
        let started = Instant::now();
        while !question().await? {
            if started.elapsed() > SOON {
                return Ok(None);
            }
            self.controller.keep_alive()?;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(Some(started.elapsed()))
    }

    async fn end(mut self) -> Result<()> {
        self.controller.stop().await?;
        self.clear().await
    }

    async fn clear(&self) -> Result<()> {
        for path in
            [self.namespace.external_secrets(), self.namespace.push_secrets(), self.namespace.secrets()]
        {
            self.servers.api.delete_all(&path).await?;
        }
        Ok(())
    }
}

struct Secret {
    version: Json,
    data: Json,
}
