//! `keymill run`: the operator, against a cluster's API server, until it is told to stop.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use controller::{Context, Engines, Events, OperatorKey, Parts, Settings, SystemClock};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use runtime::{Engine, EngineConfig};
use tokio_util::sync::CancellationToken;

use crate::args::Run;
use crate::catalog;
use crate::commands::dev::stop_signal;

/// How long a stop waits for reconciles in flight, and then for tokens to be given back.
const GRACE: Duration = Duration::from_secs(10);

/// Runs until SIGTERM.
pub(crate) async fn run(args: Run) -> Result<ExitCode> {
    let client = client(&args).await?;
    let engine = EngineConfig { cache_dir: args.cache.clone(), ..EngineConfig::default() };
    let engine = Engine::new(engine).context("start the wasm engine")?;
    let key = OperatorKey::of_cluster(&client).await.context("get the key of template streams")?;
    let stop = CancellationToken::new();
    let clients = Arc::new(stores::Clients::new(addresses(&args)));
    let (context, writers) = Context::new(Parts {
        client: client.clone(),
        settings: settings(&args),
        clock: Arc::new(SystemClock),
        events: Events::start(client, stop.clone()),
        engines: Engines::new(Arc::new(catalog::built_in(engine)), key),
        clients: Arc::clone(&clients),
    });
    let controllers = tokio::spawn(controller::run(context, writers, stop.clone()));
    tracing::info!(namespace = args.namespace, concurrent = args.concurrent, "running");
    tokio::pin!(controllers);
    let code = tokio::select! {
        () = stop_signal() => {
            tracing::info!("stopping");
            stop.cancel();
            let _ended = tokio::time::timeout(GRACE, &mut controllers).await;
            ExitCode::SUCCESS
        }
        _ = &mut controllers => {
            tracing::error!("the controllers have ended");
            stop.cancel();
            ExitCode::FAILURE
        }
    };
    let _closed = tokio::time::timeout(GRACE, clients.close()).await;
    Ok(code)
}

fn settings(args: &Run) -> Settings {
    Settings {
        namespace: args.namespace.clone(),
        concurrency: args.concurrent,
        store_interval: args.store_requeue_interval,
        class: args.controller_class.clone(),
    }
}

fn addresses(args: &Run) -> stores::Addresses {
    let entries =
        args.resolve.iter().map(|one| (format!("{}:{}", one.host.to_lowercase(), one.port), one.address));
    entries.collect::<HashMap<_, _>>()
}

async fn client(args: &Run) -> Result<Client> {
    let mut config = match &args.kubeconfig {
        Some(path) => {
            // The cause could quote the file, and the file holds a token.
            let kubeconfig = Kubeconfig::read_from(path)
                .map_err(|_| anyhow::anyhow!("read {}: it is missing or no kubeconfig", path.display()))?;
            Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
                .await
                .with_context(|| format!("use {}", path.display()))?
        }
        None => Config::infer().await.context("find a cluster: give one with --kubeconfig")?,
    };
    // A write that was carried out and whose answer was lost must not be repeated blindly: a reconcile reads again first.
    config.default_retry = false;
    Client::try_from(config).context("make a client of the API server")
}
