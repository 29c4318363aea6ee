//! What stands between a client and its server: a tower layer that logs each request and does to it what the test's plan says.
//!
//! A fault is either before the effect (the server never sees the request) or after it (the server carries it out, and the client
//! never learns). A gate that is dead answers nothing any more: whoever is behind it has crashed.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use serde_json::json;
use tokio::sync::watch;
use tower::Service;

pub(crate) type Problem = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Body = UnsyncBoxBody<Bytes, Problem>;

/// What a client gets instead of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A status, with retryAfterSeconds when it is not 0.
    Status(u16, u32),
    /// The connection ends.
    Closed,
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Not carried out.
    Refuse(Refusal),
    /// Carried out, and the answer lost.
    Lose(Refusal),
    /// Carried out later.
    Wait(Duration),
    /// The client dies before the request arrives.
    Die,
    /// The client dies before the answer arrives.
    DieAfter,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) watch: bool,
    /// Counts writes from 1; 0 is no write. Events do not count: they come when there is time for them.
    pub(crate) write: usize,
}

impl Seen {
    /// The collection or kind in the path: `secrets`, `externalsecrets`, `data`.
    pub(crate) fn is_of(&self, word: &str) -> bool {
        self.path.split('/').any(|part| part == word)
    }

    /// `POST secrets`, `PATCH externalsecrets/status`, as a test compares them.
    pub(crate) fn text(&self) -> String {
        let parts: Vec<&str> = self.path.split('/').collect();
        let kind = parts.iter().position(|part| *part == "namespaces").map_or(parts.len() - 1, |at| at + 2);
        let status = if self.path.ends_with("/status") { "/status" } else { "" };
        let many = if self.method == Method::GET && parts.len() == kind + 1 { " (list)" } else { "" };
        format!("{} {}{status}{many}", self.method, parts[kind])
    }
}

type Plan = Box<dyn FnMut(&Seen) -> Fault + Send>;

struct State {
    plan: Plan,
    log: Vec<Seen>,
    writes: usize,
    dead: bool,
    /// Every collection that was watched.
    watched: BTreeSet<String>,
    /// Watches of these paths are told once that their place is gone.
    expired: BTreeSet<String>,
}

/// The gate of one client.
#[derive(Clone)]
pub(crate) struct Gate {
    state: Arc<Mutex<State>>,
    cuts: watch::Sender<u64>,
    held: watch::Sender<Option<&'static str>>,
}

impl Gate {
    pub(crate) fn open() -> Self {
        let state = State {
            plan: Box::new(|_| Fault::None),
            log: Vec::new(),
            writes: 0,
            dead: false,
            watched: BTreeSet::new(),
            expired: BTreeSet::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            cuts: watch::Sender::new(0),
            held: watch::Sender::new(None),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// From now on.
    pub(crate) fn plan(&self, plan: impl FnMut(&Seen) -> Fault + Send + 'static) {
        self.state().plan = Box::new(plan);
    }

    /// Everything that was asked, in order; and forgets it.
    pub(crate) fn take_log(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state().log)
    }

    /// How many writes there were, events aside.
    pub(crate) fn writes(&self) -> usize {
        self.state().writes
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.state().dead
    }

    pub(crate) fn kill(&self) {
        self.state().dead = true;
    }

    /// Ends all watches; with `expired` each is told 410 when it comes back.
    pub(crate) fn cut(&self, expired: bool) {
        let mut state = self.state();
        if expired {
            state.expired = state.watched.clone();
        }
        drop(state);
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Holds back what watches of that collection say, until it is `None`.
    pub(crate) fn hold(&self, collection: Option<&'static str>) {
        self.held.send_replace(collection);
    }

    fn judge(&self, request: &Request<impl Sized>) -> (Seen, Fault, bool) {
        let mut state = self.state();
        let path = request.uri().path().to_owned();
        let watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
        let writes = request.method() != Method::GET && !path.contains("/events") && !path.contains("/auth/");
        state.writes += usize::from(writes);
        let write = if writes { state.writes } else { 0 };
        let seen = Seen { method: request.method().clone(), path, watch, write };
        state.log.push(seen.clone());
        if watch {
            state.watched.insert(seen.path.clone());
        }
        let fault = (state.plan)(&seen);
        let expired = watch && state.expired.remove(&seen.path);
        (seen, fault, expired)
    }
}

/// A service behind a gate.
#[derive(Clone)]
pub(crate) struct Gated<S> {
    inner: S,
    gate: Gate,
}

impl<S> Gated<S> {
    pub(crate) fn new(inner: S, gate: Gate) -> Self {
        Self { inner, gate }
    }
}

impl<S, B, R> Service<Request<B>> for Gated<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<Problem> + Send,
    S::Future: Send,
    B: Send + 'static,
    R: http_body_util::BodyExt<Data = Bytes> + Send + 'static,
    R::Error: Into<Problem>,
{
    type Response = Response<Body>;
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Problem>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Problem>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (gate, mut inner) = (self.gate.clone(), self.inner.clone());
        Box::pin(async move {
            if gate.is_dead() {
                return std::future::pending().await;
            }
            let (seen, fault, expired) = gate.judge(&request);
            match fault {
                _ if expired => return refuse(Refusal::Status(410, 0)),
                Fault::None | Fault::Lose(_) | Fault::DieAfter => {}
                Fault::Refuse(refusal) => return refuse(refusal),
                Fault::Wait(time) => tokio::time::sleep(time).await,
                Fault::Die => {
                    gate.kill();
                    return std::future::pending().await;
                }
            }
            if gate.is_dead() {
                return std::future::pending().await;
            }
            let answer = inner.call(request).await.map_err(Into::into)?;
            match fault {
                Fault::Lose(refusal) => refuse(refusal),
                Fault::DieAfter => {
                    gate.kill();
                    std::future::pending().await
                }
                _ if seen.watch => Ok(answer.map(|body| gate.watched(&seen, body))),
                _ => Ok(answer.map(|body| body.map_err(Into::into).boxed_unsync())),
            }
        })
    }
}

impl Gate {
    /// A watch's answer: held back while it is to be, ended when it is cut.
    fn watched<R>(&self, seen: &Seen, body: R) -> Body
    where
        R: http_body_util::BodyExt<Data = Bytes> + Send + 'static,
        R::Error: Into<Problem>,
    {
        let (mut cuts, held, seen) = (self.cuts.subscribe(), self.held.clone(), seen.clone());
        cuts.mark_unchanged();
        let cut = async move { drop(cuts.changed().await) };
        let frames = http_body_util::BodyStream::new(body.map_err(Into::into).boxed_unsync());
        let frames = frames.then(move |frame| {
            let (mut held, seen) = (held.subscribe(), seen.clone());
            async move {
                let free = held.wait_for(|held| held.is_none_or(|collection| !seen.is_of(collection)));
                drop(free.await);
                frame
            }
        });
        StreamBody::new(frames.take_until(Box::pin(cut))).boxed_unsync()
    }
}

/// As the API server and as Vault say it.
fn refuse(refusal: Refusal) -> Result<Response<Body>, Problem> {
    let Refusal::Status(code, seconds) = refusal else {
        return Err("the connection was closed".into());
    };
    let reason = match code {
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        504 => "Timeout",
        _ => "InternalError",
    };
    let mut status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": "injected",
        "errors": ["injected"],
    });
    let mut response = Response::builder().status(code).header("content-type", "application/json");
    if seconds > 0 {
        status["details"] = json!({"retryAfterSeconds": seconds});
        response = response.header("retry-after", seconds.to_string());
    }
    let body = Full::new(Bytes::from(status.to_string())).map_err(|never| match never {}).boxed_unsync();
    Ok(response.body(body)?)
}
