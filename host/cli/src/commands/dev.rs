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
use controller::{Clock, Context, Engines, Events, OperatorKey, Parts, Settings, SystemClock};
use kube::Client;
use pipeline::ObjectRef;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::args::Dev;
use crate::catalog::Components;
use crate::dev::apply::{Applied, Applier};
use crate::dev::folder::Folder;
use crate::dev::rows::{self, Change};
use crate::dev::servers::Servers;
use crate::dev::state::State;
use crate::dev::table::{Row, Rows, Screen, Status, plain};
use crate::dev::{lint, names};
use crate::ending::Ending;
use crate::environment;
use crate::manifest::{self, Manifest, Manifests};

/// A terminal's table is drawn anew this often, for the ages in it.
const REDRAW: Duration = Duration::from_secs(1);

/// Runs until it is told to stop, or with `--once` until all is Ready.
pub(crate) async fn run(args: Dev) -> Result<ExitCode> {
    let started = Instant::now();
    if !args.dir.is_dir() {
        bail!("read the folder {}: it is not a folder", args.dir.display());
    }
    // Before the first look, so that no change falls between that look and the watch.
    let folder = Folder::watch(&args.dir)?;
    let manifests = manifest::read(&args.dir).with_context(|| format!("read {}", args.dir.display()))?;
    let state = State::open(&state_folder(&args)?)?;
    let stop = CancellationToken::new();
    let servers = Servers::start(&args, &state, &names::demand(&manifests.good), &stop).await?;
    let mut session = Session {
        screen: Screen::new(std::io::stdout().is_terminal() && !args.plain),
        rows: Rows::new(),
        servers,
        said: BTreeSet::new(),
        failed: false,
        context: None,
    };
    let mut applier = Applier::open(session.servers.client.clone()).await?;
    session.define(&mut applier).await?;
    session.introduce()?;
    session.apply(&mut applier, &manifests).await?;
    let controllers = if args.no_controllers {
        None
    } else {
        Some(session.control(&state, &stop)?)
    };
    let code = session.watch(&args, &mut applier, folder, started).await?;
    stop.cancel();
    if let Some(controllers) = controllers {
        // What a reconcile in flight still writes, it writes under its preconditions; ten seconds are plenty.
        let _ended = tokio::time::timeout(Duration::from_secs(10), controllers).await;
    }
    Ok(code)
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
    let name = path
        .file_name()
        .map_or_else(|| "dev".to_owned(), |name| name.to_string_lossy().into_owned());
    format!("{name}-{hex}")
}

/// What `dev` has at hand while it runs.
struct Session {
    screen: Screen,
    rows: Rows,
    servers: Servers,
    /// Lines that were said: a remark is made once, however often the folder is read.
    said: BTreeSet<String>,
    /// Whether a manifest was refused or could not be read.
    failed: bool,
    context: Option<Arc<Context>>,
}

impl Session {
    fn introduce(&mut self) -> Result<()> {
        let kubeconfig = self.servers.kubeconfig.display().to_string();
        self.say(&format!("kubeconfig  {kubeconfig}"))?;
        self.say(&format!(
            "            kubectl --kubeconfig {kubeconfig} get es,ps,ss"
        ))?;
        self.say(&format!("API         https://{}", self.servers.api))?;
        self.say(&format!(
            "KV          http://{}  token {}",
            self.servers.kv, self.servers.token
        ))?;
        for server in self.servers.placement.embedded.clone() {
            self.say(&format!("            stands for {server}"))?;
        }
        for (server, address) in self.servers.placement.mapped.clone() {
            self.say(&format!("            {server} is at {address}"))?;
        }
        for server in self.servers.placement.refused.clone() {
            let (host, port) = (&server.host, server.port);
            self.say(&format!(
                "error: failed to resolve {server}; the embedded KV does not speak TLS: map it with --resolve {host}:{port}=ADDR:PORT"
            ))?;
        }
        Ok(())
    }

    fn say(&mut self, line: &str) -> Result<()> {
        self.screen
            .say(line, &mut std::io::stdout())
            .context("write to standard output")
    }

    fn remark(&mut self, line: String) -> Result<()> {
        if self.said.insert(line.clone()) {
            self.say(&line)
        } else {
            Ok(())
        }
    }

    /// The CustomResourceDefinitions, before anything that is of their kinds.
    async fn define(&mut self, applier: &mut Applier) -> Result<()> {
        let definitions: Vec<Manifest> = api::crds()
            .into_iter()
            .zip(1..)
            .map(|(crd, number)| {
                let object = serde_json::to_value(crd).context("write a CustomResourceDefinition")?;
                Ok(Manifest {
                    file: PathBuf::from("built in"),
                    number,
                    text: object.to_string(),
                    object,
                })
            })
            .collect::<Result<_>>()?;
        for (manifest, outcome) in applier.apply(&definitions).await? {
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
        for (manifest, outcome) in applier.apply(&manifests.good).await? {
            if let Applied::Refused(what) = outcome {
                self.failed = true;
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
        let engines = Engines::new(
            Arc::new(components.into_catalog()),
            OperatorKey::new(*state.operator_key()?),
        );
        let (context, writers) = Context::new(Parts {
            client: client.clone(),
            settings: Settings::default(),
            clock: Arc::new(SystemClock),
            events: Events::start(client, stop.clone()),
            engines,
            clients: Arc::new(stores::Clients::new(self.servers.addresses())),
        });
        self.context = Some(Arc::clone(&context));
        Ok(tokio::spawn(controller::run(context, writers, stop.clone())))
    }

    /// Shows what happens until the end.
    async fn watch(
        &mut self,
        args: &Dev,
        applier: &mut Applier,
        mut folder: Folder,
        started: Instant,
    ) -> Result<ExitCode> {
        let mut changes = rows::watch(&self.servers.client);
        let mut redraw = tokio::time::interval(REDRAW);
        let terminal = std::io::stdout().is_terminal() && !args.plain;
        let deadline = tokio::time::sleep(if args.once { args.timeout } else { Duration::MAX });
        tokio::pin!(deadline);
        let stopped = stop_signal();
        tokio::pin!(stopped);
        let mut announced = false;
        loop {
            tokio::select! {
                change = changes.recv() => self.take(change, &mut changes),
                () = folder.changed() => {
                    let manifests = manifest::read(&args.dir).with_context(|| format!("read {}", args.dir.display()))?;
                    self.servers.renew(&names::demand(&manifests.good));
                    self.apply(applier, &manifests).await?;
                }
                _ = redraw.tick(), if terminal => {}
                () = &mut deadline, if args.once => return self.unready(),
                () = &mut stopped => return Ok(ExitCode::SUCCESS),
            }
            self.show()?;
            if !announced && self.all_ready() {
                announced = true;
                self.say(&format!(
                    "all Ready after {:.2} s",
                    started.elapsed().as_secs_f64()
                ))?;
                if args.once {
                    return Ok(if self.failed {
                        ExitCode::FAILURE
                    } else {
                        ExitCode::SUCCESS
                    });
                }
            }
        }
    }

    /// Takes one change and all that wait behind it.
    fn take(&mut self, first: Option<Change>, changes: &mut mpsc::Receiver<Change>) {
        let mut next = first;
        while let Some(change) = next {
            match change {
                Change::Set(row) => {
                    self.rows
                        .insert((row.kind, row.namespace.clone(), row.name.clone()), row);
                }
                Change::Gone(kind, namespace, name) => {
                    self.rows.remove(&(kind, namespace, name));
                }
            }
            next = changes.try_recv().ok();
        }
    }

    fn show(&mut self) -> Result<()> {
        if let Some(context) = &self.context {
            for row in self.rows.values_mut() {
                let namespace = (!row.namespace.is_empty()).then(|| row.namespace.clone());
                let object = ObjectRef {
                    kind: row.kind.to_owned(),
                    namespace,
                    name: row.name.clone(),
                };
                row.next = context.next_refresh(&object);
            }
        }
        let now = SystemClock.now();
        self.screen
            .show(&self.rows, now, &mut std::io::stdout())
            .context("write to standard output")
    }

    fn all_ready(&self) -> bool {
        !self.rows.is_empty() && self.rows.values().all(|row| row.status == Status::Ready)
    }

    /// The end of `--once` when its time is over: a line for each object that is not Ready.
    fn unready(&mut self) -> Result<ExitCode> {
        let rows: Vec<Row> = self
            .rows
            .values()
            .filter(|row| row.status != Status::Ready)
            .cloned()
            .collect();
        for row in rows {
            let why = match (row.status, row.message.is_empty()) {
                (Status::Waiting, _) => "nothing was reported yet".to_owned(),
                (_, true) => plain(&row),
                (_, false) => format!("{}: {}", row.reason, row.message),
            };
            self.say(&format!("{}/{} is not Ready: {why}", row.kind, row.name))?;
        }
        Ok(ExitCode::FAILURE)
    }
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
