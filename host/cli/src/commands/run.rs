//! `keymill run`: the operator, against a cluster's API server, until it is told to stop.
//!
//! With an election it waits for its turn, works, and gives the Lease back; once it has lost it ends with a failure, at once. What a
//! stop cuts off after its grace was written ahead or not at all, so every point is a safe one.

use std::collections::{BTreeSet, HashMap};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use controller::{
    Admission, AdmissionKeeper, Context, Election, ElectionSettings, Engines, Events, HeedingOverload,
    Leadership, Metrics, OperatorKey, Parts, RequestCounter, Settings, SystemClock, Term,
};
use futures::future::join_all;
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use prometheus_client::registry::Registry;
use runtime::{Catalog, Engine, EngineConfig};
use tokio_util::sync::CancellationToken;

use crate::admission;
use crate::args::{LeaderElection, Run};
use crate::catalog;
use crate::commands::compile;
use crate::commands::dev::stop_signal;
use crate::ending::chain;
use crate::environment;
use crate::health::{Components, Health};
use crate::listener::{self, Page};

/// How long a stop waits for reconciles in flight, and then for tokens to be given back.
const GRACE: Duration = Duration::from_secs(10);
/// Between two tries to begin.
const AGAIN: Duration = Duration::from_secs(3);
const CLIENT: &str = "make a client of the API server";
/// Prometheus' own format and not OpenMetrics: in that, counters of ESO's names would have other names or no type.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Runs until SIGTERM.
pub(crate) async fn run(args: Run) -> Result<ExitCode> {
    let (health, metrics) = (Arc::new(Health::default()), Metrics::default());
    listen(&args, &health, &metrics).await?;
    let stop = CancellationToken::new();
    tokio::spawn(stopping(Arc::clone(&health), stop.clone()));
    let config = config(&args).await?;
    tracing::info!(server = host(&config), namespace = config.default_namespace, "using the API server");
    let leadership = if args.election.wanted { Leadership::elected() } else { Leadership::always() };
    let operator = Operator {
        client: guarded(&config, &metrics, &leadership)?,
        engines: Engines::new(catalog(&args, &health)?, OperatorKey::new([0; 32])),
        clients: Arc::new(stores::Clients::new(addresses(&args))),
        args,
        leadership,
        health,
        metrics,
        stop,
    };
    operator.admit(&config).await?;
    if !operator.args.election.wanted {
        operator.work().await?;
    } else if let Some(lost) = operator.stand(&config).await? {
        tracing::error!("stopping at once: failed to {lost}");
        return Ok(ExitCode::FAILURE);
    }
    let _closed = tokio::time::timeout(GRACE, operator.clients.close()).await;
    Ok(ExitCode::SUCCESS)
}

/// Everything that works on its turn.
struct Operator {
    args: Run,
    client: Client,
    leadership: Leadership,
    /// Without a key yet: only who works draws.
    engines: Engines,
    clients: Arc<stores::Clients>,
    health: Arc<Health>,
    metrics: Metrics,
    stop: CancellationToken,
}

impl Operator {
    /// Serves admission, whoever leads.
    async fn admit(&self, config: &Config) -> Result<()> {
        let Some(address) = self.args.admission_listen else { return Ok(()) };
        let client = unguarded(config, &self.metrics)?;
        let (engines, class) = (self.engines.clone(), self.args.controller_class.clone());
        let admission = Admission::new(engines, client.clone(), class, self.metrics.clone());
        let name = self.args.admission_name.clone();
        let keeper = AdmissionKeeper::new(client, Arc::new(SystemClock), name);
        let bound = admission::serve(address, admission, keeper.served()).await?;
        tracing::info!(address = %bound, "serving /validate");
        tokio::spawn(keeper.keep(self.stop.clone()));
        Ok(())
    }

    /// Waits for its turn and works; how it lost, if it did.
    async fn stand(&self, config: &Config) -> Result<Option<controller::Lost>> {
        let client = unguarded(config, &self.metrics)?;
        let settings = election(&self.args.election, client.default_namespace())?;
        let (patience, lease) = (settings.lease_duration, settings.name.clone());
        self.metrics.leads(&lease, false);
        let mut election = Election::new(client, settings, self.leadership.clone())?;
        self.health.election(election.standing(), patience);
        let work = || {
            self.metrics.leads(&lease, true);
            self.work()
        };
        let term = election.serve(&self.stop, work).await;
        self.metrics.leads(&lease, false);
        match term {
            Term::Stopped => Ok(None),
            Term::Done(done) => done.map(|()| None),
            Term::Lost(lost) => Ok(Some(lost)),
        }
    }

    /// Runs the controllers until the stop, and a little longer.
    async fn work(&self) -> Result<()> {
        let Some(key) = self.key().await? else { return Ok(()) };
        let engines = compile::apart(self.engines.clone().keyed(key), self.args.cache.as_deref())?;
        let events = Events::start(self.client.clone(), self.metrics.clone(), self.stop.clone());
        let (contexts, runs): (Vec<_>, Vec<_>) = namespaces(&self.args)
            .into_iter()
            .map(|namespace| {
                let (context, ends) = Context::new(self.parts(namespace, &engines, &events));
                (Arc::clone(&context), controller::run(context, ends, self.stop.clone()))
            })
            .unzip();
        self.health.loops(move || contexts.iter().flat_map(|context| context.loops()).collect());
        tracing::info!(namespaces = ?self.args.namespace, concurrent = self.args.concurrent, "running");
        let mut controllers = std::pin::pin!(join_all(runs));
        tokio::select! {
            _ = &mut controllers => if !self.stop.is_cancelled() { bail!("go on: the controllers have ended") },
            () = self.stop.cancelled() => drop(tokio::time::timeout(GRACE, controllers).await),
        }
        Ok(())
    }

    /// The key of template streams, as soon as the API server gives it; none when the stop comes first.
    async fn key(&self) -> Result<Option<OperatorKey>> {
        loop {
            let error = match OperatorKey::of_cluster(&self.client).await {
                Ok(key) => return Ok(Some(key)),
                Err(error) => error,
            };
            if matches!(error.answer(), controller::Answer::Garbled) {
                return Err(error).context("get the key of template streams");
            }
            tracing::warn!("{}; trying again", pipeline::message(&error));
            if self.stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await.is_none() {
                return Ok(None);
            }
        }
    }

    fn parts(&self, namespace: Option<String>, engines: &Engines, events: &Events) -> Parts {
        Parts {
            client: self.client.clone(),
            settings: Settings {
                namespace,
                concurrency: self.args.concurrent,
                store_interval: self.args.store_requeue_interval,
                class: self.args.controller_class.clone(),
            },
            clock: Arc::new(SystemClock),
            events: events.clone(),
            engines: engines.clone(),
            clients: Arc::clone(&self.clients),
            metrics: self.metrics.clone(),
            leadership: self.leadership.clone(),
        }
    }
}

/// One set of controllers for each; one for all when none is named.
fn namespaces(args: &Run) -> Vec<Option<String>> {
    if args.namespace.is_empty() {
        return vec![None];
    }
    args.namespace.iter().collect::<BTreeSet<_>>().into_iter().cloned().map(Some).collect()
}

async fn stopping(health: Arc<Health>, stop: CancellationToken) {
    stop_signal().await;
    tracing::info!("stopping");
    health.stop();
    stop.cancel();
}

async fn listen(args: &Run, health: &Arc<Health>, metrics: &Metrics) -> Result<()> {
    if let Some(address) = args.health_addr {
        let health = Arc::clone(health);
        let pages = move |path: &str, query: &str| health.page(path, query);
        let bound = listener::serve(address, Arc::new(pages)).await?;
        tracing::info!(address = %bound, "serving /livez and /readyz");
    }
    if let Some(address) = args.metrics_addr {
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let pages = move |path: &str, _: &str| (path == "/metrics").then(|| exposition(&registry));
        let bound = listener::serve(address, Arc::new(pages)).await?;
        tracing::info!(address = %bound, "serving /metrics");
    }
    Ok(())
}

fn exposition(registry: &Registry) -> Page {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode_registry(&mut text, registry) {
        Ok(()) => Page { status: http::StatusCode::OK, content_type: PROMETHEUS_TEXT, text },
        Err(error) => Page {
            status: http::StatusCode::INTERNAL_SERVER_ERROR,
            content_type: "text/plain",
            text: format!("failed to write the metrics: {error}\n"),
        },
    }
}

/// The built-in components, of which those that ESO's kinds need are compiled before anybody asks for them, also where another process
/// leads.
fn catalog(args: &Run, health: &Arc<Health>) -> Result<Arc<Catalog>> {
    let config = EngineConfig { cache_dir: args.cache.clone(), ..EngineConfig::default() };
    let engine = Engine::new(config).context("start the wasm engine")?;
    let catalog = Arc::new(catalog::built_in(engine));
    let (loading, health) = (Arc::clone(&catalog), Arc::clone(health));
    tokio::task::spawn_blocking(move || {
        health.components(match loading.compile(&controller::STANDARD) {
            Ok(()) => Components::Loaded,
            Err((name, error)) => {
                tracing::error!(component = name, "failed to load a component: {}", chain(&error));
                Components::Failed(format!("{name}: {}", chain(&error)))
            }
        });
    });
    Ok(catalog)
}

fn election(args: &LeaderElection, own: &str) -> Result<ElectionSettings> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .map_err(|error| anyhow::anyhow!("read random bytes from the operating system: {error}"))?;
    let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let host = environment::host_name().unwrap_or_else(|| "keymill".to_owned());
    Ok(ElectionSettings {
        namespace: args.namespace.clone().unwrap_or_else(|| own.to_owned()),
        name: args.name.clone(),
        identity: format!("{host}_{random}"),
        lease_duration: args.lease_duration,
        renew_deadline: args.renew_deadline,
        retry_period: args.retry_period,
    })
}

fn addresses(args: &Run) -> stores::Addresses {
    let entries =
        args.resolve.iter().map(|one| (format!("{}:{}", one.host.to_lowercase(), one.port), one.address));
    entries.collect::<HashMap<_, _>>()
}

async fn config(args: &Run) -> Result<Config> {
    let mut config = match &args.kubeconfig {
        Some(path) => {
            // The cause could quote the file, and the file holds a token.
            let kubeconfig = Kubeconfig::read_from(path)
                .map_err(|_| anyhow::anyhow!("read {}: it is missing or no kubeconfig", path.display()))?;
            Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
                .await
                .with_context(|| format!("use {}", path.display()))?
        }
        None => Config::infer().await.map_err(|_| {
            anyhow::anyhow!("find a cluster: this is no pod, and $KUBECONFIG or ~/.kube/config is missing or no kubeconfig; give one with --kubeconfig")
        })?,
    };
    // A write that was carried out and whose answer was lost must not be repeated blindly: a reconcile reads again first.
    config.default_retry = false;
    Ok(config)
}

/// A client that writes only while this process leads.
fn guarded(config: &Config, metrics: &Metrics, leadership: &Leadership) -> Result<Client> {
    let builder = ClientBuilder::try_from(config.clone()).context(CLIENT)?;
    Ok(builder
        .with_layer(&requests(config, metrics))
        .with_layer(&HeedingOverload)
        .with_layer(leadership)
        .build())
}

/// A client by which this process comes to lead.
fn unguarded(config: &Config, metrics: &Metrics) -> Result<Client> {
    let builder = ClientBuilder::try_from(config.clone()).context(CLIENT)?;
    Ok(builder.with_layer(&requests(config, metrics)).build())
}

/// Counts a client's requests.
fn requests(config: &Config, metrics: &Metrics) -> RequestCounter {
    metrics.requests(&host(config))
}

/// Host and port of the API server. The rest of its address may hold a password.
fn host(config: &Config) -> String {
    let Some(authority) = config.cluster_url.authority() else { return String::new() };
    match authority.port() {
        Some(port) => format!("{}:{port}", authority.host()),
        None => authority.host().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_only_host_and_port_are_shown() {
        for (address, shown) in [
            ("https://10.0.0.1:6443/", "10.0.0.1:6443"),
            ("https://user:canary@api.example.com/k8s", "api.example.com"),
            ("https://[::1]:6443", "[::1]:6443"),
        ] {
            assert_eq!(host(&Config::new(address.parse().unwrap())), shown);
        }
    }
}
