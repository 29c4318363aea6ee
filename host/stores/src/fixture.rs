//! What the tests stand on: a cluster of a few Secrets, and a server that answers from a script.
//!
//! The server knows nothing of Vault: a test says which requests it expects and what each is answered, and looks at what
//! was sent. It listens on loopback and stops when it is dropped.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use pipeline::{BoxFailure, Fields, Found, MintToken, ReadSecret, SecretStore, TokenRequest, Value};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{Clients, ConnectError, Ports, StoreId, connect};

/// Secrets by `namespace/name`; ConfigMaps by `configmap:namespace/name`. Mints `jwt-1`, `jwt-2` and so on.
#[derive(Default)]
pub(crate) struct Cluster {
    objects: BTreeMap<String, Fields>,
    pub(crate) minted: Mutex<Vec<TokenRequest>>,
}

impl Cluster {
    pub(crate) fn of(objects: &[(&str, &[(&str, &str)])]) -> Arc<Self> {
        let fields = |data: &[(&str, &str)]| {
            data.iter().map(|(key, text)| ((*key).to_owned(), Value::from(*text))).collect()
        };
        let objects = objects.iter().map(|(name, data)| ((*name).to_owned(), fields(data))).collect();
        Arc::new(Self { objects, minted: Mutex::default() })
    }

    pub(crate) fn ports(self: &Arc<Self>) -> Ports {
        Ports {
            secrets: Arc::clone(self) as Arc<dyn ReadSecret>,
            tokens: Arc::clone(self) as Arc<dyn MintToken>,
        }
    }

    fn get(&self, name: &str) -> Found<Fields> {
        self.objects.get(name).cloned().map_or(Found::Missing, Found::Found)
    }
}

#[async_trait]
impl ReadSecret for Cluster {
    async fn secret(&self, namespace: &str, name: &str) -> Result<Found<Fields>, BoxFailure> {
        Ok(self.get(&format!("{namespace}/{name}")))
    }

    async fn config_map(&self, namespace: &str, name: &str) -> Result<Found<Fields>, BoxFailure> {
        Ok(self.get(&format!("configmap:{namespace}/{name}")))
    }
}

#[async_trait]
impl MintToken for Cluster {
    async fn mint(&self, request: &TokenRequest) -> Result<Value, BoxFailure> {
        let mut minted = self.minted.lock().expect("no test panics while it mints");
        minted.push(request.clone());
        Ok(Value::from(format!("jwt-{}", minted.len())))
    }
}

/// The store `app/store`.
pub(crate) fn store_id() -> StoreId {
    StoreId { namespace: Some("app".to_owned()), name: "store".to_owned(), uid: "u1".to_owned() }
}

/// Opens the store of that provider, with the consumer in its own namespace.
pub(crate) async fn open(
    provider: serde_json::Value,
    cluster: &Arc<Cluster>,
    clients: &Clients,
) -> Result<Arc<dyn SecretStore>, ConnectError> {
    crypto();
    let spec = serde_json::from_value(provider).expect("a provider as the schema has it");
    connect(&spec, &store_id(), Some("app"), &cluster.ports(), clients).await
}

/// What `main` does first.
pub(crate) fn crypto() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    /// Method and target, as `GET /v1/secret/data/app`.
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Recorded {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// One answer of the script. A line may be answered several times, each time by the next one; the last one stays.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answer {
    pub(crate) fn new(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.to_owned() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// A server with a script.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    script: Arc<Script>,
    task: JoinHandle<()>,
}

struct Script {
    answers: Mutex<BTreeMap<String, VecDeque<Answer>>>,
    seen: Mutex<Vec<Recorded>>,
}

impl Server {
    pub(crate) async fn start(answers: &[(&str, Answer)]) -> Self {
        Self::serve(answers, None).await
    }

    pub(crate) async fn start_tls(answers: &[(&str, Answer)], tls: Arc<rustls::ServerConfig>) -> Self {
        Self::serve(answers, Some(tls.into())).await
    }

    async fn serve(answers: &[(&str, Answer)], tls: Option<tokio_rustls::TlsAcceptor>) -> Self {
        let mut by_line: BTreeMap<String, VecDeque<Answer>> = BTreeMap::new();
        for (line, answer) in answers {
            by_line.entry((*line).to_owned()).or_default().push_back(answer.clone());
        }
        let script = Arc::new(Script { answers: Mutex::new(by_line), seen: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let task = tokio::spawn(accept(listener, Arc::clone(&script), tls));
        Self { address, script, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What has come so far.
    pub(crate) fn seen(&self) -> Vec<Recorded> {
        self.script.seen.lock().expect("no test panics while it serves").clone()
    }

    /// Only the lines of that.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|request| request.line).collect()
    }

    /// Lines and bodies of the requests that have one.
    pub(crate) fn bodies(&self) -> Vec<String> {
        let with_body = self.seen().into_iter().filter(|request| !request.body.is_empty());
        with_body.map(|request| format!("{} {}", request.line, request.body)).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, script: Arc<Script>, tls: Option<tokio_rustls::TlsAcceptor>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (script, tls) = (Arc::clone(&script), tls.clone());
        connections.spawn(async move {
            match tls {
                None => converse(stream, &script).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => converse(stream, &script).await,
                    Err(_) => None,
                },
            }
        });
    }
}

/// Until the other side closes the connection.
async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, script: &Script) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let request = receive(&mut stream).await?;
        let answer = script.answer(request);
        let mut text = format!("HTTP/1.1 {} x\r\ncontent-length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in &answer.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.push_str(&answer.body);
        stream.write_all(text.as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
    }
}

async fn receive(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Option<Recorded> {
    let mut first = String::new();
    stream.read_line(&mut first).await.ok().filter(|read| *read > 0)?;
    let line = first.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut text = String::new();
        stream.read_line(&mut text).await.ok().filter(|read| *read > 0)?;
        match text.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_lowercase(), value.to_owned()),
            None => break,
        };
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Recorded { line, headers, body: String::from_utf8_lossy(&body).into_owned() })
}

impl Script {
    fn answer(&self, request: Recorded) -> Answer {
        let mut answers = self.answers.lock().expect("no test panics while it serves");
        let answer = match answers.get_mut(&request.line) {
            Some(answers) if answers.len() > 1 => answers.pop_front(),
            Some(answers) => answers.front().cloned(),
            None => None,
        };
        self.seen.lock().expect("no test panics while it serves").push(request);
        answer.unwrap_or_else(|| Answer::new(418, "not in the script"))
    }
}
