//! The two servers: one place that starts them, and what a test may do to both.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use secrecy::SecretString;
use serde_json::{Value, json};
use standalone::clock::SystemClock;
use standalone::database::Database;
use standalone::kv::{Kv, KvConfig, KvVersion, Mount};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::exchange;

const TOKEN: &str = "token-of-the-embedded-kv";
/// How long a new mount may take to be there.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server to play cases on.
pub(crate) struct Subject {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    kind: Kind,
    counter: AtomicU32,
}

enum Kind {
    Embedded(Kv, Mutex<Vec<Mount>>),
    Vault,
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap();
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
});

static EMBEDDED: LazyLock<Subject> = LazyLock::new(|| {
    let kv = Kv::new(Database::memory().unwrap(), Arc::new(SystemClock));
    kv.configure(KvConfig { mounts: Vec::new(), tokens: vec![SecretString::from(TOKEN)] });
    let listener = RUNTIME.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let serving = kv.clone();
    RUNTIME.spawn(async move { serving.serve(listener, CancellationToken::new()).await });
    Subject::new(address, TOKEN, Kind::Embedded(kv, Mutex::default()))
});

static VAULT: LazyLock<Option<Subject>> = LazyLock::new(|| {
    let vault = servers::vault()?;
    let address = vault.url().trim_start_matches("http://").parse().unwrap();
    Some(Subject::new(address, vault.token(), Kind::Vault))
});

/// The embedded KV, on a socket of its own.
pub(crate) fn embedded() -> &'static Subject {
    &EMBEDDED
}

/// The real one; none where it cannot be built, which `servers` has said then.
pub(crate) fn vault() -> Option<&'static Subject> {
    VAULT.as_ref()
}

/// Both, or the one that there is.
pub(crate) fn both() -> impl Iterator<Item = &'static Subject> {
    [Some(embedded()), vault()].into_iter().flatten()
}

/// Runs a test to its end.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    RUNTIME.block_on(test)
}

impl Subject {
    fn new(address: SocketAddr, token: &str, kind: Kind) -> Self {
        Self { address, token: token.to_owned(), kind, counter: AtomicU32::new(0) }
    }

    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self.kind, Kind::Embedded(..))
    }

    pub(crate) fn name(&self) -> &'static str {
        if self.is_embedded() { "the embedded KV" } else { "Vault" }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A number that nobody else has, for names.
    pub(crate) fn count(&self) -> u32 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }

    /// A new mount.
    pub(crate) async fn mount(&self, path: &str, version: KvVersion) {
        match &self.kind {
            Kind::Embedded(kv, mounts) => {
                let mut mounts = mounts.lock().unwrap();
                mounts.push(Mount::new(path, version));
                kv.set_mounts(mounts.clone());
            }
            Kind::Vault => {
                let version = if version == KvVersion::V1 { "1" } else { "2" };
                let body = json!({"type": "kv", "options": {"version": version}});
                self.expect("POST", &format!("sys/mounts/{path}"), &body).await;
                if version == "2" {
                    self.until_upgraded(path).await;
                }
            }
        }
    }

    /// A request as root that must succeed; its answer.
    pub(crate) async fn expect(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// A request as root.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = Request::builder()
            .method(method)
            .uri(format!("/v1/{path}"))
            .header("host", self.address.to_string())
            .header("x-vault-token", &self.token)
            .header("content-type", kind)
            .body(Full::from(body))
            .unwrap();
        let answer = exchange::send(self.address, request).await;
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    /// A new version 2 mount says for a moment that it is being upgraded.
    async fn until_upgraded(&self, path: &str) {
        let started = Instant::now();
        while self.ask("GET", &format!("{path}/config"), &Value::Null).await.0 != 200 {
            assert!(started.elapsed() < PATIENCE, "{path} is not there in time");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
