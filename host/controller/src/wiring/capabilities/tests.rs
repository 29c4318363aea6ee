//! Objects behind labels, over ports that answer as they are told.

use std::sync::Mutex;
use std::time::Instant;

use async_trait::async_trait;
use pipeline::ObjectRef;
use secrecy::ExposeSecret as _;
use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::cluster::Answer;

const SECOND: Duration = Duration::from_secs(5);

/// What the cluster does.
#[derive(Debug, Clone, Copy)]
enum Does {
    Answer,
    Miss,
    Refuse(u16),
    Break,
    Hang,
}

struct Port(Does);

impl Port {
    async fn answer<T>(&self, value: T) -> Result<Found<T>, BoxFailure> {
        let answer = match self.0 {
            Does::Answer => return Ok(Found::Found(value)),
            Does::Miss => return Ok(Found::Missing),
            Does::Hang => std::future::pending().await,
            Does::Break => Answer::Silent,
            Does::Refuse(code) => Answer::Refused { code, message: "no".to_owned(), after: None },
        };
        let object = ObjectRef::namespaced("Secret", "app", "creds");
        Err(ClusterError::Read { object, answer }.into())
    }
}

#[async_trait]
impl ReadSecret for Port {
    async fn secret(&self, namespace: &str, name: &str) -> Result<Found<Fields>, BoxFailure> {
        let at = format!("secret {namespace}/{name}");
        self.answer([("at".to_owned(), Value::from(at.as_str()))].into_iter().collect()).await
    }

    async fn config_map(&self, namespace: &str, name: &str) -> Result<Found<Fields>, BoxFailure> {
        let at = format!("map {namespace}/{name}");
        self.answer([("at".to_owned(), Value::from(at.as_str()))].into_iter().collect()).await
    }
}

#[async_trait]
impl MintToken for Port {
    async fn mint(&self, request: &TokenRequest) -> Result<Value, BoxFailure> {
        let token = format!("jwt of {} for {:?}", request.service_account, request.audiences);
        match self.answer(Value::from(token.as_str())).await? {
            Found::Found(token) => Ok(token),
            Found::Missing => Ok(Value::from("")),
        }
    }
}

/// A cluster, and what was told of it.
struct Fixture {
    runtime: Runtime,
    told: Arc<Mutex<Vec<String>>>,
}

impl Fixture {
    fn new() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        Self { runtime, told: Arc::default() }
    }

    fn bridge(&self) -> Bridge {
        let told = Arc::clone(&self.told);
        Bridge::new(self.runtime.handle().clone(), move |error| {
            told.lock().expect("no panic").push(error.to_string());
        })
    }

    fn secret(&self, does: Does) -> ClusterObject {
        ClusterObject::secret(Arc::new(Port(does)), "app", "creds", self.bridge())
    }

    fn config_map(&self, does: Does) -> ClusterObject {
        ClusterObject::config_map(Arc::new(Port(does)), "app", "creds", self.bridge())
    }

    fn account(&self, does: Does) -> ClusterObject {
        let request = TokenRequest {
            namespace: "app".to_owned(),
            service_account: "robot".to_owned(),
            audiences: vec!["vault".to_owned()],
            lifetime: Duration::from_secs(600),
        };
        ClusterObject::service_account(Arc::new(Port(does)), request, self.bridge())
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock().expect("no panic"))
    }
}

fn read(object: &ClusterObject, timeout: Duration) -> Result<String, Refusal> {
    let entries = object.read(timeout)?;
    Ok(entries.iter().map(|entry| format!("{}={}", entry.key, text(&entry.value))).collect())
}

fn token(object: &ClusterObject) -> Result<String, Refusal> {
    object.token(SECOND).map(|token| text(&token))
}

fn text(bytes: &SecretBytes) -> String {
    String::from_utf8_lossy(bytes.expose_secret()).into_owned()
}

#[test]
fn each_object_serves_what_it_is() {
    let cluster = Fixture::new();
    let cases = [
        (cluster.secret(Does::Answer), Ok("at=secret app/creds"), Err(Refusal::Denied)),
        (cluster.config_map(Does::Answer), Ok("at=map app/creds"), Err(Refusal::Denied)),
        (cluster.account(Does::Answer), Err(Refusal::Denied), Ok("jwt of robot for [\"vault\"]")),
    ];
    for (object, data, minted) in cases {
        assert_eq!(read(&object, SECOND), data.map(str::to_owned), "{object:?}");
        assert_eq!(token(&object), minted.map(str::to_owned), "{object:?}");
    }
    assert_eq!(cluster.told(), [""; 0]);
}

#[test]
fn each_failure_has_its_refusal() {
    let cluster = Fixture::new();
    for (does, expected, told) in [
        (Does::Miss, Refusal::Missing, false),
        (Does::Refuse(403), Refusal::Denied, true),
        (Does::Refuse(401), Refusal::Denied, true),
        (Does::Refuse(404), Refusal::Missing, true),
        (Does::Refuse(409), Refusal::Conflict, true),
        (Does::Refuse(422), Refusal::Invalid, true),
        (Does::Refuse(429), Refusal::Unavailable, true),
        (Does::Refuse(500), Refusal::Unavailable, true),
        (Does::Break, Refusal::Unavailable, true),
    ] {
        for object in [cluster.secret(does), cluster.config_map(does)] {
            assert_eq!(read(&object, SECOND), Err(expected), "{object:?} {does:?}");
            assert_eq!(!cluster.told().is_empty(), told, "{object:?} {does:?}");
        }
        if told {
            assert_eq!(token(&cluster.account(does)), Err(expected), "{does:?}");
            assert_eq!(cluster.told().len(), 1, "{does:?}");
        }
    }
}

#[test]
fn a_cluster_that_hangs_is_given_up_in_time() {
    let cluster = Fixture::new();
    let started = Instant::now();
    let refused = read(&cluster.secret(Does::Hang), Duration::from_millis(30));
    assert_eq!(refused, Err(Refusal::Unavailable));
    assert!(started.elapsed() < SECOND);
    assert_eq!(cluster.told(), ["get an answer within 30ms"]);
}

#[test]
fn a_runtime_that_has_stopped_serves_nobody() {
    let cluster = Fixture::new();
    let object = cluster.secret(Does::Answer);
    cluster.runtime.shutdown_background();
    assert_eq!(read(&object, SECOND), Err(Refusal::Unavailable));
}
