//! One world: an API, a key store, the time, the checker; and the operators that run in it.

use std::collections::HashMap;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use controller::{Context, Engines, Events, Leadership, Metrics, OperatorKey, Parts, Settings};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource};
use runtime::{BuiltIn, Catalog, Digest, Engine, EngineConfig, World as Role};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use standalone::ApiConfig;
use standalone::database::Database;
use standalone::kv::{Kv, KvConfig, KvVersion, Mount};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::Time;
use crate::fixture::{self, NAMESPACE};
use crate::gate::{Gate, Gated};
use crate::history::{History, Known, text};

pub(crate) const TOKEN: &str = "token-of-the-test";
/// How long anything may take, in virtual time. Back-off after a few failures included.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) struct World {
    pub(crate) time: Arc<Time>,
    pub(crate) client: Client,
    pub(crate) history: Arc<History>,
    pub(crate) kv: Kv,
    api: standalone::Api,
}

/// Controllers in this world, behind gates of their own.
pub(crate) struct Operator {
    pub(crate) gate: Gate,
    pub(crate) kv_gate: Gate,
    pub(crate) clients: Arc<stores::Clients>,
    pub(crate) context: Arc<Context>,
    pub(crate) engines: Engines,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Runs a case in a world of its own, on paused time.
pub(crate) fn run<F: Future<Output = ()>>(case: impl FnOnce(World) -> F) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async { case(World::begin().await).await });
}

impl World {
    async fn begin() -> Self {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let time = Arc::new(Time::begin());
        let database = Database::memory().unwrap();
        let config = ApiConfig {
            database: database.clone(),
            clock: time.clone(),
            history: standalone::DEFAULT_HISTORY,
        };
        let api = standalone::Api::open(config).unwrap();
        let kv = Kv::new(database, time.clone());
        kv.configure(KvConfig {
            mounts: vec![Mount::new("secret", KvVersion::V2)],
            tokens: vec![TOKEN.to_owned().into()],
        });
        let client = Client::new(api.service(), NAMESPACE);
        tokio::spawn(api.clone().collect_garbage());
        let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
        for definition in ::api::crds() {
            definitions.create(&PostParams::default(), &definition).await.unwrap();
        }
        let history = History::watch(client.clone());
        let world = Self { time, client, history, kv, api };
        world.create::<::api::Password>(fixture::password("pw")).await;
        world
    }

    /// A namespace's objects of a kind.
    pub(crate) fn all<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    pub(crate) async fn create<K>(&self, object: Json) -> K
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + Serialize
            + DeserializeOwned,
    {
        let object: K = serde_json::from_value(object).unwrap();
        self.all().create(&PostParams::default(), &object).await.unwrap()
    }

    pub(crate) async fn patch<K>(&self, name: &str, patch: Json) -> K
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
    {
        self.all().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap()
    }

    pub(crate) async fn delete<K>(&self, name: &str)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
    {
        drop(self.all::<K>().delete(name, &DeleteParams::default()).await.unwrap());
    }

    /// Changes a Secret by hand; the checker knows.
    pub(crate) async fn edit(&self, name: &str, patch: Json) {
        let edited: Secret = self.patch(name, patch).await;
        self.history.excuse(&edited);
    }

    pub(crate) async fn annotate(&self, name: &str, key: &str, value: &str) {
        self.patch::<::api::ExternalSecret>(name, json!({"metadata": {"annotations": {key: value}}})).await;
    }

    pub(crate) async fn secret(&self, name: &str) -> Option<Secret> {
        self.all::<Secret>().get_opt(name).await.unwrap()
    }

    /// The password in a Secret; empty when there is none.
    pub(crate) async fn password(&self, name: &str) -> String {
        let secret = self.secret(name).await;
        secret.and_then(|secret| text(&secret).remove("password")).unwrap_or_default()
    }

    /// Waits until an object is Ready.
    pub(crate) async fn ready<K>(&self, what: &str, name: &str)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + Serialize
            + DeserializeOwned,
    {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !self.is_ready::<K>(name).await {
            if tokio::time::Instant::now() > deadline {
                let object = serde_json::to_value(self.all::<K>().get(name).await.unwrap()).unwrap();
                panic!("{what}: {name} is not Ready: {}", object["status"]);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether an object's Ready condition is True.
    pub(crate) async fn is_ready<K>(&self, name: &str) -> bool
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + Serialize
            + DeserializeOwned,
    {
        let object = self.all::<K>().get(name).await.unwrap();
        let object = serde_json::to_value(object).unwrap();
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
    }

    /// Lets everything that is due within so many seconds happen.
    pub(crate) async fn settle(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// Waits until a question has the answer yes.
    pub(crate) async fn until<F: Future<Output = bool>>(&self, what: &str, question: impl Fn() -> F) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !question().await {
            assert!(tokio::time::Instant::now() < deadline, "not in time: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until an ExternalSecret is Ready.
    pub(crate) async fn synced(&self, name: &str) {
        self.ready::<::api::ExternalSecret>("synced", name).await;
        self.settle(1).await;
    }

    /// Its age in seconds.
    pub(crate) fn age(&self) -> u64 {
        self.time.age()
    }

    /// Asserts what must always be true.
    pub(crate) fn check(&self) -> Known {
        self.history.check()
    }

    /// Starts controllers.
    pub(crate) async fn start(&self) -> Operator {
        self.start_behind(Gate::open(), Gate::open()).await
    }

    pub(crate) async fn start_behind(&self, gate: Gate, kv_gate: Gate) -> Operator {
        let stop = CancellationToken::new();
        let client = Client::new(Gated::new(self.api.service(), gate.clone()), NAMESPACE);
        let address = serve(Gated::new(self.kv.service(), kv_gate.clone()), &stop).await;
        let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let addresses: HashMap<String, SocketAddr> =
            [("kv:8200".to_owned(), address), ("dead:8200".to_owned(), dead)].into();
        let clients = Arc::new(stores::Clients::new(addresses));
        let parts = self.parts(client, Leadership::always(), Arc::clone(&clients), &stop);
        let engines = parts.engines.clone();
        let (context, ends) = Context::new(parts);
        let task = tokio::spawn(controller::run(Arc::clone(&context), ends, stop.clone()));
        Operator { gate, kv_gate, clients, context, engines, stop, task }
    }

    /// Controllers that run when they are polled, without a key store.
    pub(crate) fn controllers(
        &self,
        client: Client,
        leadership: Leadership,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        let clients = Arc::new(stores::Clients::new(HashMap::new()));
        let parts = self.parts(client, leadership, clients, &stop);
        async move {
            let (context, ends) = Context::new(parts);
            controller::run(context, ends, stop).await;
        }
    }

    /// The API, for a client.
    pub(crate) fn service(&self) -> standalone::ApiService {
        self.api.service()
    }

    fn parts(
        &self,
        client: Client,
        leadership: Leadership,
        clients: Arc<stores::Clients>,
        stop: &CancellationToken,
    ) -> Parts {
        let metrics = Metrics::default();
        Parts {
            client: client.clone(),
            settings: Settings::default(),
            clock: self.time.clone(),
            events: Events::start(client, metrics.clone(), stop.clone()),
            engines: Engines::new(catalog(), OperatorKey::new([7; 32])),
            clients,
            metrics,
            leadership,
        }
    }
}

impl Operator {
    /// As a kill does: nothing that it has begun goes on.
    pub(crate) fn crash(self) {
        self.gate.kill();
        self.kv_gate.kill();
        self.task.abort();
        self.stop.cancel();
    }

    /// In good order.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// The built-in components, compiled once for all tests.
pub(crate) fn catalog() -> Arc<Catalog> {
    static CATALOG: OnceLock<Arc<Catalog>> = OnceLock::new();
    let make = || {
        let cache_dir = Some(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("components"));
        let engine = Engine::new(EngineConfig { cache_dir, ..EngineConfig::default() }).unwrap();
        let built_in = |one: &bundle::Builtin| {
            let world = Role::ALL.into_iter().find(|world| world.as_str() == one.world)?;
            Some(BuiltIn { name: one.name, world, bytes: one.bytes, digest: Digest::new(one.digest) })
        };
        Arc::new(Catalog::new(engine, bundle::BUILTINS.iter().filter_map(built_in)))
    };
    Arc::clone(CATALOG.get_or_init(make))
}

/// Serves the key store on a socket, which is how stores reach it.
async fn serve(service: Gated<standalone::kv::KvService>, stop: &CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), stop.clone());
    tokio::spawn(stop.run_until_cancelled_owned(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service.clone()));
            tokio::spawn(async move { drop(connection.await) });
        }
    }));
    address
}
