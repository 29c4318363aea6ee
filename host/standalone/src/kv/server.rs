//! The HTTP service, in process and on a socket.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Body;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use secrecy::ExposeSecret as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::error::KvError;
use super::printable::is_printable;
use super::reply::{self, Reply};
use super::request::{self, Call};
use super::{Kv, KvVersion, sys, v1, v2};

/// The longest body, as Vault has it.
const MAX_BODY: usize = 32 << 20;
/// How long requests under way may take once the server stops.
const GRACE: Duration = Duration::from_secs(1);
/// Between two attempts to accept, when the system has no more file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
const NAMESPACE: &str = "x-vault-namespace";

/// The key store as a tower service; made by [`Kv::service`].
#[derive(Debug, Clone)]
pub struct KvService {
    kv: Kv,
}

impl KvService {
    pub(super) fn new(kv: Kv) -> Self {
        Self { kv }
    }
}

impl<B> Service<Request<B>> for KvService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let kv = self.kv.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = Limited::new(body, MAX_BODY).collect().await.map(|body| body.to_bytes());
            let mut response = match body {
                Ok(body) => answer(&kv, &head, &body),
                Err(_) => reply::failed(&KvError::TooLarge),
            };
            if let Some(namespace) = head.headers.get(NAMESPACE) {
                response.headers_mut().insert(NAMESPACE, namespace.clone());
            }
            Ok(response)
        })
    }
}

impl Kv {
    /// Serves plain HTTP on `listener` until `stop`; then requests under way have a second to finish.
    pub async fn serve(&self, listener: TcpListener, stop: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(connection(stream, self.service(), stop.clone()));
                    }
                    Err(error) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "accept a connection to the key store");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        let _ = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
    }
}

async fn connection(stream: TcpStream, service: KvService, stop: CancellationToken) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new());
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = &*error as &dyn std::error::Error, "serve a connection to the key store");
    }
}

fn answer(kv: &Kv, head: &Parts, body: &[u8]) -> Response<Full<Bytes>> {
    let path = request::decode(head.uri.path()).filter(|path| is_printable(path));
    let Some(path) = path else {
        return empty(StatusCode::BAD_REQUEST);
    };
    let Some(path) = path.strip_prefix("/v1/") else {
        return reply::errors(StatusCode::NOT_FOUND, &[]);
    };
    if let Some(clean) = cleaned(head.uri.path(), head.uri.query()) {
        return redirect(&head.method, &clean);
    }
    let replied = match sys::public(kv, &head.method, path) {
        Some(reply) => reply,
        None => Call::parse(head, path, body).and_then(|call| handle(kv, call)),
    };
    match replied {
        Ok(reply) => reply.into_response(),
        Err(error) => reply::failed(&error),
    }
}

/// The path as it was sent without empty and dotted parts, if it has any: Vault sends clients there.
fn cleaned(path: &str, query: Option<&str>) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    let mut given = path.split('/').skip(1).peekable();
    let mut changed = !path.starts_with('/');
    while let Some(part) = given.next() {
        match part {
            "" if given.peek().is_none() => parts.push(""),
            "" | "." => changed = true,
            ".." => {
                parts.pop();
                changed = true;
            }
            part => parts.push(part),
        }
    }
    if !changed {
        return None;
    }
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("/{}{query}", parts.join("/")))
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn redirect(method: &Method, to: &str) -> Response<Full<Bytes>> {
    let mut response = empty(StatusCode::TEMPORARY_REDIRECT);
    if *method == Method::GET {
        let page = format!("<a href=\"{to}\">Temporary Redirect</a>.\n\n");
        *response.body_mut() = Full::from(page);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}

fn handle(kv: &Kv, call: Call) -> Result<Reply, KvError> {
    if !kv.lets_in(call.token.expose_secret()) {
        return Err(KvError::Denied);
    }
    if let Some(reply) = sys::guarded(kv, &call) {
        return reply;
    }
    let Some((mount, path)) = kv.mount(&call.path) else {
        return Err(KvError::NoRoute(call.path));
    };
    match mount.version {
        KvVersion::V1 => {
            let reply = v1::handle(&kv.inner.database, &mount, &path, &call)?;
            Ok(reply.warned(call.ignored(&["path"])))
        }
        KvVersion::V2 => v2::handle(&kv.inner.database, kv.inner.clock.now(), &mount, &path, call),
    }
}
