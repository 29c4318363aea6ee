//! The proxy: a listener that comes and goes with the fault, and what becomes of each request.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use servers::Certificates;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::body::{self, Body, Problem};
use crate::fault::Fault;
use crate::tls;
use crate::upstream::Upstream;

/// Between two attempts to listen again on a port that a client may still hold.
const PAUSE: Duration = Duration::from_millis(20);

/// A running proxy. Ends when it is dropped, with all connections.
pub struct Proxy {
    url: String,
    ca: Option<String>,
    faults: watch::Sender<Fault>,
    cuts: watch::Sender<u64>,
    seen: Arc<Mutex<Vec<Seen>>>,
    runtime: Option<Runtime>,
}

/// One request that the server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Such as `PUT`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// What the server answered.
    pub status: u16,
}

impl Proxy {
    /// A proxy before the server at `url`, such as `https://127.0.0.1:20443`; `ca` is the server's, when it has one.
    ///
    /// # Errors
    /// When it cannot listen, or the URL or CA cannot be read.
    pub fn start(url: &str, ca: Option<&str>) -> Result<Self> {
        let own = ca.map(|_| Certificates::make()).transpose()?;
        let passing = Passing {
            upstream: Upstream::new(url, ca)?,
            acceptor: own.as_ref().map(tls::acceptor).transpose()?,
            faults: watch::Sender::new(Fault::None),
            cuts: watch::Sender::new(0),
            seen: Arc::default(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let address = SocketAddr::from(([127, 0, 0, 1], servers::free_port()?));
        let listener = runtime.block_on(TcpListener::bind(address)).context("listen")?;
        let (faults, cuts) = (passing.faults.clone(), passing.cuts.clone());
        let seen = Arc::clone(&passing.seen);
        runtime.spawn(listen(address, listener, passing));
        let scheme = if own.is_some() { "https" } else { "http" };
        Ok(Self {
            url: format!("{scheme}://{address}"),
            ca: own.map(|own| own.ca),
            faults,
            cuts,
            seen,
            runtime: Some(runtime),
        })
    }

    /// Where it listens, such as `https://127.0.0.1:21444`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its CA, when the server has one.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca.as_deref()
    }

    /// From now on.
    pub fn set(&self, fault: Fault) {
        self.faults.send_replace(fault);
        if fault.severs() {
            self.cuts.send_modify(|cuts| *cuts += 1);
        }
    }

    /// What the server has answered since the last time, in order.
    #[must_use]
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy")
            .field("url", &self.url)
            .field("fault", &*self.faults.borrow())
            .finish_non_exhaustive()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What each connection has at hand.
#[derive(Clone)]
struct Passing {
    upstream: Upstream,
    acceptor: Option<TlsAcceptor>,
    faults: watch::Sender<Fault>,
    /// Counts how often open connections were cut: two faults in a row must not hide the first.
    cuts: watch::Sender<u64>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

async fn listen(address: SocketAddr, mut listener: TcpListener, passing: Passing) {
    let mut faults = passing.faults.subscribe();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(passing.clone().connection(stream));
                }
            }
            () = until(&mut faults, |fault| fault == Fault::Down) => {
                drop(listener);
                until(&mut faults, |fault| fault != Fault::Down).await;
                listener = again(address).await;
            }
        }
    }
}

/// The sender lives as long as the task that waits, so there is always an answer.
async fn until(faults: &mut watch::Receiver<Fault>, wanted: fn(Fault) -> bool) {
    drop(faults.wait_for(|fault| wanted(*fault)).await);
}

async fn again(address: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

impl Passing {
    async fn connection(self, stream: TcpStream) {
        let mut cuts = self.cuts.subscribe();
        tokio::select! {
            // A client that ends the connection is no fault of ours.
            _ended = self.serve(stream) => {}
            _cut = cuts.changed() => {}
        }
    }

    async fn serve(&self, stream: TcpStream) -> Result<(), Problem> {
        let service = service_fn(|request| self.answer(request));
        let http = http1::Builder::new();
        match &self.acceptor {
            None => http.serve_connection(TokioIo::new(stream), service).await?,
            Some(acceptor) => {
                let stream = acceptor.accept(stream).await?;
                http.serve_connection(TokioIo::new(stream), service).await?;
            }
        }
        Ok(())
    }

    /// An error ends the connection without an answer.
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Problem> {
        let fault = *self.faults.borrow();
        match fault {
            Fault::None => Ok(self.passed(request).await?.map(body::whole)),
            Fault::Slow(delay) => {
                tokio::time::sleep(delay).await;
                Ok(self.passed(request).await?.map(body::whole))
            }
            Fault::Answer { status, retry_after } => refused(status, retry_after),
            Fault::Down | Fault::Cut => Err(cut()),
            Fault::Lose => {
                self.passed(request).await?;
                Err(cut())
            }
            Fault::CutBody(bytes) => Ok(self.passed(request).await?.map(|body| body::cut_after(body, bytes))),
        }
    }

    async fn passed(&self, request: Request<Incoming>) -> Result<Response<Incoming>, Problem> {
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let response = self.upstream.send(request).await?;
        let seen = Seen { method, path, status: response.status().as_u16() };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
        Ok(response)
    }
}

/// As kube-apiserver and Vault say it: the first refuses what is too much in plain words, all else is JSON.
fn refused(status: u16, retry_after: Option<u32>) -> Result<Response<Body>, Problem> {
    let mut response = Response::builder().status(status);
    if let Some(seconds) = retry_after {
        response = response.header(RETRY_AFTER, seconds);
    }
    let response = if status == 429 {
        let words = "Too many requests, please try again later.\n".to_owned();
        response.header(CONTENT_TYPE, "text/plain; charset=utf-8").body(body::text(words))
    } else {
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "a fault on demand", "reason": "InternalError", "code": status,
            "errors": ["a fault on demand"],
        });
        response.header(CONTENT_TYPE, "application/json").body(body::text(status.to_string()))
    };
    Ok(response?)
}

fn cut() -> Problem {
    io::Error::from(io::ErrorKind::ConnectionReset).into()
}
