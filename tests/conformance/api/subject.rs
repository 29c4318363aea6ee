//! The servers that cases are played on, both over HTTPS on loopback.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::Certificate;
use secrecy::ExposeSecret;
use serde_json::Value;
use servers::{Kubernetes, KubernetesOptions};
use standalone::clock::SystemClock;
use standalone::database::Database;
use standalone::{Api, ApiConfig, DEFAULT_HISTORY, serve};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A server with our definitions.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) kubeconfig: String,
    pub(crate) client: reqwest::Client,
    /// Ends the standalone API when dropped.
    _stop: Option<DropGuard>,
}

impl Subject {
    /// The standalone API, which has lived before: what happened until now is forgotten history.
    pub(crate) async fn standalone() -> Self {
        let database = Database::memory().unwrap();
        let open = || {
            let clock = Arc::new(SystemClock);
            Api::open(ApiConfig { database: database.clone(), clock, history: DEFAULT_HISTORY }).unwrap()
        };
        drop(open());
        let api = open();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let subject = Self {
            name: "standalone",
            client: client(api.ca_certificate()),
            token: api.token().expose_secret().to_owned(),
            kubeconfig: api.kubeconfig(&url).expose_secret().to_owned(),
            _stop: None,
            url,
        };
        let stop = CancellationToken::new();
        tokio::spawn(serve(api, listener, stop.clone()));
        subject.define().await;
        Self { _stop: Some(stop.drop_guard()), ..subject }
    }

    /// kube-apiserver, which all tests share; `None` where it is missing and not required.
    pub(crate) async fn kube_apiserver() -> Option<Self> {
        static STARTED: OnceLock<Option<Kubernetes>> = OnceLock::new();
        let tests = Handle::current();
        let start = move || STARTED.get_or_init(|| start(&tests)).as_ref();
        let started = tokio::task::spawn_blocking(start).await.unwrap();
        started.map(Self::of)
    }

    fn of(server: &Kubernetes) -> Self {
        Self {
            name: "kube-apiserver",
            url: server.url().to_owned(),
            token: server.admin_token().to_owned(),
            kubeconfig: std::fs::read_to_string(server.kubeconfig()).unwrap(),
            client: client(server.ca_pem()),
            _stop: None,
        }
    }

    /// Makes our definitions known, and waits until they are served.
    async fn define(&self) {
        for definition in api::crds() {
            let definition = serde_json::to_value(definition).unwrap();
            let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
            let (status, answer) = self.request("POST", path, &definition).await;
            assert!(matches!(status, 201 | 409), "{}: {answer}", self.name);
            let text = |pointer: &str| definition.pointer(pointer).unwrap().as_str().unwrap().to_owned();
            let (group, plural) = (text("/spec/group"), text("/spec/names/plural"));
            let path = format!("/apis/{group}/{}/{plural}", text("/spec/versions/0/name"));
            while self.request("GET", &path, &Value::Null).await.0 != 200 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn request(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = self.client.request(method.parse().unwrap(), format!("{}{path}", self.url));
        let request = if body.is_null() { request } else { request.json(body) };
        let response = request.bearer_auth(&self.token).send().await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }
}

/// Starts it, and lets etcd forget what happened until it knew our definitions.
fn start(tests: &Handle) -> Option<Kubernetes> {
    let options = KubernetesOptions { controller_manager: true, ..KubernetesOptions::default() };
    let server = Kubernetes::start(&options)?;
    tests.block_on(Subject::of(&server).define());
    server.compact_etcd();
    Some(server)
}

fn client(ca: &str) -> reqwest::Client {
    // Another test of this binary may have done so already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let ca = Certificate::from_pem(ca.as_bytes()).unwrap();
    // A server closes what is idle for long: nothing is sent on a connection that may be about to go.
    let idle = Duration::from_secs(2);
    reqwest::Client::builder().tls_certs_only([ca]).pool_idle_timeout(idle).build().unwrap()
}

/// Whether what kube-apiserver answers is written down.
#[expect(clippy::disallowed_methods, reason = "the tests are their own command line")]
pub(crate) fn is_recording() -> bool {
    std::env::var_os("KEYMILL_RECORD").is_some()
}

/// Whether a missing server is a failure.
#[expect(clippy::disallowed_methods, reason = "the tests are their own command line")]
pub(crate) fn is_required() -> bool {
    std::env::var_os("KEYMILL_REQUIRE_SERVERS").is_some_and(|required| required == "1")
}
