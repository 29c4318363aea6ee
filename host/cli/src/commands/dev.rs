//! `keymill dev DIR`: the whole of it on one machine, from manifests to rotated passwords.
//!
//! Starts the servers, applies the folder, runs the controllers, shows the table; applies again what changes in the folder.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use controller::{
    Clock, Context, Engines, Events, Leadership, Metrics, OperatorKey, Parts, Settings, SystemClock,
};
use kube::Client;
use pipeline::ObjectRef;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::args::{Dev, Resolve};
use crate::catalog::Components;
use crate::commands::compile;
use crate::dev::apply::{Applied, Applier};
use crate::dev::folder::Folder;
use crate::dev::rows::{self, Change};
use crate::dev::servers::Servers;
use crate::dev::state::State;
use crate::dev::table::{Row, Rows, Screen, Status};
use crate::dev::{lint, names};
use crate::ending::Ending;
use crate::environment;
use crate::manifest::{self, Manifest, Manifests};

/// A terminal's table is drawn anew this often, for the ages in it.
const REDRAW: Duration = Duration::from_secs(1);
/// All is Ready when nothing has happened for that long: a push follows its source within it.
const QUIET: Duration = Duration::from_millis(250);
/// How often it is asked whether all is Ready.
const ASK: Duration = Duration::from_millis(50);
/// How long a stop waits for reconciles in flight.
const GRACE: Duration = Duration::from_secs(3);
/// What takes longer is worth a line.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs until it is told to stop, or with `--once` until all is Ready.
pub(crate) async fn run(args: Dev) -> Result<ExitCode> {
    let started = Instant::now();
    if !args.dir.is_dir() {
        bail!("read the folder {}: it is not a folder", args.dir.display());
    }
    // Before the first look, so that no change falls between that look and the watch.
    let folder = Folder::watch(&args.dir)?;
    let manifests = manifest::read(&args.dir).with_context(|| format!("read {}", args.dir.display()))?;
    if args.once && manifests.good.is_empty() && manifests.bad.is_empty() {
        bail!("find a manifest in {}: no .yaml, .yml or .json file holds one", args.dir.display());
    }
    let state = State::open(&state_folder(&args)?)?;
    // The servers outlive the controllers: what a reconcile in flight still asks is answered.
    let (serving, controlling) = (CancellationToken::new(), CancellationToken::new());
    let servers = Servers::start(&args, &state, &names::demand(&manifests.good), &serving).await?;
    let mut session = Session::new(&args, servers);
    let mut applier = Applier::open(session.servers.client.clone()).await?;
    session.define(&mut applier).await?;
    session.introduce()?;
    session.apply(&mut applier, &manifests).await?;
    let mut controllers = match args.no_controllers {
        true => tokio::spawn(std::future::pending()),
        false => session.control(&state, &controlling)?,
    };
    let ended = session.watch(&args, &mut applier, folder, &mut controllers, started).await;
    controlling.cancel();
    if !args.no_controllers && !controllers.is_finished() {
        // What is still written is written under preconditions, so it may be cut off.
        let _ended = tokio::time::timeout(GRACE, controllers).await;
    }
    serving.cancel();
    ended
}

fn state_folder(args: &Dev) -> Result<PathBuf> {
    if let Some(state) = &args.state {
        return Ok(state.clone());
    }
    let states = environment::states().context("find a place for the state: give one with --state")?;
    let path = std::fs::canonicalize(&args.dir).with_context(|| format!("find {}", args.dir.display()))?;
    Ok(states.join(state_name(&path)))
}

/// The folder's name for people, a digest of its path against collisions.
fn state_name(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    let hex: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let name = path.file_name().map_or_else(|| "dev".to_owned(), |name| name.to_string_lossy().into_owned());
    format!("{name}-{hex}")
}

/// What `dev` has at hand while it runs.
struct Session {
    screen: Screen,
    rows: Rows,
    /// Rows of a kind that is being told anew, and were not told yet.
    untold: BTreeSet<(&'static str, String, String)>,
    /// Kinds whose rows are complete.
    told: BTreeSet<&'static str>,
    servers: Servers,
    /// Lines that were said: a remark is made once, however often the folder is read.
    said: BTreeSet<String>,
    /// Whether a manifest was refused or could not be read.
    failed: bool,
    /// The objects with a row that the manifests name.
    wanted: BTreeSet<(String, String, String)>,
    context: Option<Arc<Context>>,
    clients: Option<Arc<stores::Clients>>,
    engines: Option<Engines>,
}

impl Session {
    fn new(args: &Dev, servers: Servers) -> Self {
        Self {
            screen: Screen::new(std::io::stdout().is_terminal() && !args.plain),
            rows: Rows::new(),
            untold: BTreeSet::new(),
            told: BTreeSet::new(),
            servers,
            said: BTreeSet::new(),
            failed: false,
            wanted: BTreeSet::new(),
            context: None,
            clients: None,
            engines: None,
        }
    }

    fn introduce(&mut self) -> Result<()> {
        let kubeconfig = self.servers.kubeconfig.display().to_string();
        self.say(&format!("kubeconfig  {kubeconfig}"))?;
        self.say(&format!("            kubectl --kubeconfig {kubeconfig} get es,ps,ss"))?;
        self.say(&format!("API         https://{}", self.servers.api))?;
        self.say(&format!("KV          http://{}  token {}", self.servers.kv, self.servers.token))?;
        self.introduce_names()
    }

    /// For whom the KV stands; each is said once.
    fn introduce_names(&mut self) -> Result<()> {
        for server in self.servers.placement.embedded.clone() {
            self.remark(format!("            stands for {server}"))?;
        }
        for (server, address) in self.servers.placement.mapped.clone() {
            self.remark(format!("            {server} is at {address}"))?;
        }
        for server in self.servers.placement.refused.clone() {
            let (host, port) = (&server.host, server.port);
            self.remark(format!(
                "error: failed to resolve {server}; the embedded KV does not speak TLS: map it with --resolve {host}:{port}=ADDR:PORT"
            ))?;
        }
        Ok(())
    }

    fn say(&mut self, line: &str) -> Result<()> {
        self.screen.say(line, &mut std::io::stdout()).context("write to standard output")
    }

    fn remark(&mut self, line: String) -> Result<()> {
        if self.said.insert(line.clone()) { self.say(&line) } else { Ok(()) }
    }

    /// The CustomResourceDefinitions, before anything that is of their kinds.
    async fn define(&mut self, applier: &mut Applier) -> Result<()> {
        let definitions: Vec<Manifest> = api::crds()
            .into_iter()
            .zip(1..)
            .map(|(crd, number)| {
                let object = serde_json::to_value(crd).context("write a CustomResourceDefinition")?;
                Ok(Manifest { file: PathBuf::from("built in"), number, text: object.to_string(), object })
            })
            .collect::<Result<_>>()?;
        for (manifest, outcome) in applier.apply(&definitions, &mut |_, _| {}).await? {
            if let Applied::Refused(what) = outcome {
                bail!("apply {}: {what}", manifest.title());
            }
        }
        Ok(())
    }

    async fn apply(&mut self, applier: &mut Applier, manifests: &Manifests) -> Result<()> {
        self.failed = !manifests.bad.is_empty();
        for bad in &manifests.bad {
            self.remark(format!("error: failed to read {bad}"))?;
        }
        let kinds = ["ExternalSecret", "PushSecret", "SecretStore", "ClusterSecretStore"];
        let shown = manifests.good.iter().filter(|one| kinds.contains(&one.kind()));
        let namespace = |one: &Manifest| match one.kind() {
            "ClusterSecretStore" => String::new(),
            _ => one.namespace().to_owned(),
        };
        self.wanted =
            shown.map(|one| (one.kind().to_owned(), namespace(one), one.name().to_owned())).collect();
        let mut said = Instant::now();
        let mut progress = |done: usize, all: usize| {
            if said.elapsed() > PATIENCE {
                said = Instant::now();
                // Only a line for whoever waits; where it cannot be written, nobody does.
                let _told =
                    self.screen.say(&format!("applied {done} of {all} manifests"), &mut std::io::stdout());
            }
        };
        let outcomes = applier.apply(&manifests.good, &mut progress).await?;
        for (manifest, outcome) in outcomes {
            if let Applied::Refused(what) = outcome {
                self.failed = true;
                self.wanted.remove(&(
                    manifest.kind().to_owned(),
                    namespace(manifest),
                    manifest.name().to_owned(),
                ));
                let (file, number) = (manifest.file.display(), manifest.number);
                self.remark(format!(
                    "error: failed to apply {file}, document {number}, {}: {what}",
                    manifest.title()
                ))?;
            }
        }
        for remark in lint::lint(&manifests.good) {
            self.remark(format!("lint        {remark}"))?;
        }
        Ok(())
    }

    /// Starts the controllers in this process.
    fn control(&mut self, state: &State, stop: &CancellationToken) -> Result<JoinHandle<()>> {
        let client: Client = self.servers.client.clone();
        let components = Components::open().map_err(Ending::into_error)?;
        let catalog = Arc::new(components.into_catalog());
        let key = OperatorKey::new(*state.operator_key()?);
        let engines = compile::apart(
            Engines::new(Arc::clone(&catalog), key),
            environment::component_cache().as_deref(),
        )?;
        let clients = Arc::new(stores::Clients::new(self.servers.addresses()));
        let metrics = Metrics::default();
        let (context, ends) = Context::new(Parts {
            client: client.clone(),
            settings: Settings::default(),
            clock: Arc::new(SystemClock),
            events: Events::start(client, metrics.clone(), stop.clone()),
            engines: engines.clone(),
            clients: Arc::clone(&clients),
            metrics,
            leadership: Leadership::always(),
        });
        self.context = Some(Arc::clone(&context));
        self.clients = Some(clients);
        self.engines = Some(engines);
        Ok(tokio::spawn(controller::run(context, ends, stop.clone())))
    }

    /// Shows what happens until the end.
    async fn watch(
        &mut self,
        args: &Dev,
        applier: &mut Applier,
        mut folder: Folder,
        controllers: &mut JoinHandle<()>,
        started: Instant,
    ) -> Result<ExitCode> {
        let mut changes = rows::watch(&self.servers.client);
        let mut redraw = tokio::time::interval(REDRAW);
        let mut ask = tokio::time::interval(ASK);
        let terminal = std::io::stdout().is_terminal() && !args.plain;
        let deadline = tokio::time::sleep(if args.once { args.timeout } else { Duration::MAX });
        let stopped = stop_signal();
        tokio::pin!(deadline, stopped);
        let mut announced = args.no_controllers;
        loop {
            tokio::select! {
                change = changes.recv() => self.take(change, &mut changes),
                () = folder.changed() => {
                    let manifests = manifest::read(&args.dir).with_context(|| format!("read {}", args.dir.display()))?;
                    self.renew(&manifests, &args.resolve).await?;
                    self.apply(applier, &manifests).await?;
                }
                _ = redraw.tick(), if terminal => {}
                _ = ask.tick(), if !announced => {
                    if started.elapsed() > PATIENCE && self.engines.as_ref().is_some_and(Engines::is_loading) {
                        self.remark("compiling components, once for this user ...".to_owned())?;
                    }
                }
                () = &mut deadline, if args.once => return self.unready(),
                () = &mut stopped => return Ok(ExitCode::SUCCESS),
                _ = &mut *controllers => bail!("go on: the controllers have ended"),
            }
            self.show()?;
            if !announced && self.all_ready() {
                announced = true;
                self.say(&format!("all Ready after {:.2} s", started.elapsed().as_secs_f64()))?;
                if args.once {
                    return Ok(if self.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS });
                }
            }
        }
    }

    /// The folder has changed: other servers may be named.
    async fn renew(&mut self, manifests: &Manifests, resolve: &[Resolve]) -> Result<()> {
        self.servers.renew(&names::demand(&manifests.good), resolve).await;
        if let Some(clients) = &self.clients {
            clients.set_addresses(self.servers.addresses());
        }
        self.introduce_names()
    }

    /// Takes one change and all that wait behind it.
    fn take(&mut self, first: Option<Change>, changes: &mut mpsc::Receiver<Change>) {
        let mut next = first;
        while let Some(change) = next {
            match change {
                Change::Begun(kind) => {
                    self.untold.extend(self.rows.keys().filter(|key| key.0 == kind).cloned());
                }
                Change::Set(row) => {
                    let key = (row.kind, row.namespace.clone(), row.name.clone());
                    self.untold.remove(&key);
                    self.rows.insert(key, row);
                }
                Change::Gone(kind, namespace, name) => {
                    self.rows.remove(&(kind, namespace, name));
                }
                Change::Told(kind) => {
                    self.told.insert(kind);
                    let untold = std::mem::take(&mut self.untold);
                    let (gone, kept) = untold.into_iter().partition(|key| key.0 == kind);
                    self.untold = kept;
                    let gone: BTreeSet<_> = gone;
                    self.rows.retain(|key, _| !gone.contains(key));
                }
            }
            next = changes.try_recv().ok();
        }
    }

    fn show(&mut self) -> Result<()> {
        if let Some(context) = &self.context {
            for row in self.rows.values_mut() {
                row.next = context.next_refresh(&reference(row));
            }
        }
        let now = SystemClock.now();
        self.screen.show(&self.rows, now, &mut std::io::stdout()).context("write to standard output")
    }

    /// Whether every object is Ready, was looked at by these controllers as it is now, and nothing is going on.
    fn all_ready(&self) -> bool {
        let Some(context) = &self.context else {
            return false;
        };
        let complete = self.told.len() == rows::KINDS
            && self.wanted.iter().all(|wanted| self.rows.values().any(|row| is(row, wanted)));
        let settled =
            |row: &Row| row.status == Status::Ready && context.has_looked(&reference(row), row.generation);
        complete && !self.rows.is_empty() && context.is_quiet_for(QUIET) && self.rows.values().all(settled)
    }

    /// The end of `--once` when its time is over: a line for each object that is not Ready.
    fn unready(&mut self) -> Result<ExitCode> {
        let missing = self.wanted.iter().filter(|wanted| !self.rows.values().any(|row| is(row, wanted)));
        let nothing = "nothing was reported yet".to_owned();
        let mut lines: Vec<(String, String, String)> =
            missing.map(|(kind, _, name)| (kind.clone(), name.clone(), nothing.clone())).collect();
        let looked = |row: &Row| {
            self.context.as_ref().is_some_and(|context| context.has_looked(&reference(row), row.generation))
        };
        for row in self.rows.values() {
            let why = match row.status {
                Status::Ready if looked(row) => continue,
                Status::Ready | Status::Waiting => nothing.clone(),
                Status::NotReady if row.reason.is_empty() => row.message.clone(),
                Status::NotReady => format!("{}: {}", row.reason, row.message),
            };
            lines.push((row.kind.to_owned(), row.name.clone(), why));
        }
        if lines.is_empty() {
            self.say("all objects are Ready, and something is still going on")?;
        }
        for (kind, name, why) in lines {
            self.say(&format!("{kind}/{name} is not Ready: {why}"))?;
        }
        Ok(ExitCode::FAILURE)
    }
}

fn is(row: &Row, (kind, namespace, name): &(String, String, String)) -> bool {
    row.kind == kind && row.namespace == *namespace && row.name == *name
}

/// The object of a row, as the controllers know it.
fn reference(row: &Row) -> ObjectRef {
    let namespace = (!row.namespace.is_empty()).then(|| row.namespace.clone());
    ObjectRef { kind: row.kind.to_owned(), namespace, name: row.name.clone() }
}

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return drop(tokio::signal::ctrl_c().await);
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_two_folders_of_one_name_differ() {
        let (first, second) = (state_name(Path::new("/a/pg")), state_name(Path::new("/b/pg")));
        assert!(first.starts_with("pg-") && second.starts_with("pg-"));
        assert_ne!(first, second);
    }
}
