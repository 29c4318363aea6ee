//! A loopback server between our store and the real one: it writes down what passes, and may answer itself.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::exchange;

/// Its own answer to a line such as `GET /v1/secret/data/app`; none to let the request pass.
type Own = dyn Fn(&str) -> Option<Response<Full<Bytes>>> + Send + Sync;

/// It stops when it is dropped.
pub(super) struct Between {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Between {
    pub(super) async fn start(
        to: SocketAddr,
        own: impl Fn(&str) -> Option<Response<Full<Bytes>>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::default());
        let task = tokio::spawn(serve(listener, to, Arc::clone(&seen), Arc::new(own)));
        Self { address, seen, task }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests began so.
    pub(super) fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|seen| seen.starts_with(line)).count()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, to: SocketAddr, seen: Arc<Mutex<Vec<String>>>, own: Arc<Own>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (seen, own) = (Arc::clone(&seen), Arc::clone(&own));
        connections.spawn(async move {
            let pass = service_fn(move |request| pass(request, to, Arc::clone(&seen), Arc::clone(&own)));
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), pass).await
        });
    }
}

async fn pass(
    request: Request<Incoming>,
    to: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    own: Arc<Own>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let line = format!("{} {}", request.method(), request.uri());
    seen.lock().unwrap().push(line.clone());
    if let Some(answer) = own(&line) {
        return Ok(answer);
    }
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let answer = exchange::send(to, Request::from_parts(head, Full::from(body))).await;
    let mut response = Response::new(Full::from(answer.body));
    *response.status_mut() = answer.status.try_into().unwrap();
    *response.headers_mut() = answer.headers;
    response.headers_mut().remove("transfer-encoding");
    Ok(response)
}
