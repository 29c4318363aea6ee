//! What `dev` serves: the standalone API and the embedded KV, on one database.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kube::Client;
use secrecy::ExposeSecret;
use standalone::clock::SystemClock;
use standalone::database::{Database, DatabaseError};
use standalone::kv::{Kv, KvConfig, KvVersion, Mount};
use standalone::{Api, ApiConfig, DEFAULT_HISTORY};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::names::{Demand, Placement, Server, place};
use super::state::{State, write_private};
use crate::args::{Dev, Resolve};

/// How long a name may take to be found. Names of a cluster's inside are found nowhere else.
const LOOKUP: Duration = Duration::from_millis(300);

/// How long the lock of the database may be held by a process that is going.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// The servers, running.
pub(crate) struct Servers {
    /// A client of the API in process: no socket in between.
    pub(crate) client: Client,
    pub(crate) api: SocketAddr,
    pub(crate) kv: SocketAddr,
    /// The KV's own token.
    pub(crate) token: String,
    pub(crate) kubeconfig: PathBuf,
    /// Where each Vault server of the manifests is found.
    pub(crate) placement: Placement,
    kv_service: Kv,
}

impl Servers {
    /// Opens the database and starts both.
    pub(crate) async fn start(
        args: &Dev,
        state: &State,
        demand: &Demand,
        stop: &CancellationToken,
    ) -> Result<Self> {
        let clock = Arc::new(SystemClock);
        let database = open(state).await?;
        let config = ApiConfig { database: database.clone(), clock: clock.clone(), history: DEFAULT_HISTORY };
        let api = Api::open(config).context("open the API")?;
        let before = state.ports();
        let listener = listen(args.listen, before.first().copied()).await.context("listen for the API")?;
        let kv_listener =
            listen(args.kv_listen, before.get(1).copied()).await.context("listen for the KV")?;
        let (address, kv_address) = (listener.local_addr()?, kv_listener.local_addr()?);
        state.remember_ports(&[address.port(), kv_address.port()])?;

        let token = state.token()?;
        let kv_service = Kv::new(database, clock);
        kv_service.configure(kv_config(demand, &token));
        let (serving, until) = (kv_service.clone(), stop.clone());
        tokio::spawn(async move { serving.serve(kv_listener, until).await });
        let server = format!("https://{address}");
        write_private(&state.kubeconfig(), api.kubeconfig(&server).expose_secret().as_bytes())?;
        let client = Client::new(api.service(), "default");
        tokio::spawn(standalone::serve(api, listener, stop.clone()));

        let placement = placement(demand, &args.resolve).await;
        Ok(Self {
            client,
            api: address,
            kv: kv_address,
            token,
            kubeconfig: state.kubeconfig(),
            placement,
            kv_service,
        })
    }

    /// The manifests have changed, and with them what the KV has to offer and for whom it stands.
    pub(crate) async fn renew(&mut self, demand: &Demand, resolve: &[Resolve]) {
        self.kv_service.configure(kv_config(demand, &self.token));
        self.placement = placement(demand, resolve).await;
    }

    /// Where stores connect to, by `host:port`.
    pub(crate) fn addresses(&self) -> HashMap<String, SocketAddr> {
        let key = |server: &Server| format!("{}:{}", server.host.to_lowercase(), server.port);
        let embedded = self.placement.embedded.iter().map(|server| (key(server), self.kv));
        let mapped = self.placement.mapped.iter().map(|(server, address)| (key(server), *address));
        embedded.chain(mapped).collect()
    }
}

/// A process that was killed a moment ago may still hold its lock.
async fn open(state: &State) -> Result<Database> {
    let key = state.key()?;
    let began = Instant::now();
    loop {
        match Database::open(state.database(), &key) {
            Ok(database) => return Ok(database),
            Err(error) if is_locked(&error) && began.elapsed() < LOCK_PATIENCE => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) if is_locked(&error) => bail!(
                "open {}: another `keymill dev` uses this state; stop it, or give this one another with --state",
                state.database().display()
            ),
            Err(error) => return Err(error).with_context(|| format!("open {}", state.database().display())),
        }
    }
}

fn is_locked(error: &DatabaseError) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("already open") {
            return true;
        }
        cause = error.source();
    }
    false
}

fn kv_config(demand: &Demand, token: &str) -> KvConfig {
    let version = |version: u8| {
        if version == 1 { KvVersion::V1 } else { KvVersion::V2 }
    };
    let mounts = demand.mounts.iter().map(|(path, number)| Mount::new(path, version(*number)));
    let tokens = demand.tokens.iter().map(String::as_str).chain([token]);
    KvConfig { mounts: mounts.collect(), tokens: tokens.map(|token| token.to_owned().into()).collect() }
}

/// The port of the last run when none is asked for and it is still free, so that a kubeconfig stays right.
async fn listen(wanted: SocketAddr, before: Option<u16>) -> Result<TcpListener> {
    if !wanted.ip().is_loopback() {
        bail!("listen on {wanted}: dev serves this machine only; take an address of 127.0.0.0/8 or ::1");
    }
    if wanted.port() == 0
        && let Some(port) = before
        && let Ok(listener) = TcpListener::bind((wanted.ip(), port)).await
    {
        return Ok(listener);
    }
    TcpListener::bind(wanted).await.with_context(|| format!("listen on {wanted}"))
}

/// An address of IPv6 stands in brackets in a URL, and nowhere else.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

async fn placement(demand: &Demand, resolve: &[Resolve]) -> Placement {
    let resolve = resolve.iter().map(|one| ((one.host.clone(), one.port), one.address)).collect();
    let lookups = demand.servers.iter().map(|server| async {
        let found =
            tokio::time::timeout(LOOKUP, tokio::net::lookup_host((bare(&server.host), server.port))).await;
        let known = match found {
            Ok(Ok(mut addresses)) => addresses.next().is_some(),
            Ok(Err(_)) | Err(_) => false,
        };
        (server.clone(), known)
    });
    let known: HashMap<Server, bool> = futures::future::join_all(lookups).await.into_iter().collect();
    place(&demand.servers, &resolve, &|server| known.get(server).copied().unwrap_or(false))
}
