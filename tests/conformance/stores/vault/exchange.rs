//! One HTTP exchange, byte for byte: no client that cleans paths, follows redirects or adds headers stands between.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// No server is that slow.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) async fn send(to: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    tokio::time::timeout(PATIENCE, exchange(to, request)).await.unwrap()
}

async fn exchange(to: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    let stream = TcpStream::connect(to).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let response: Response<_> = sender.send_request(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    drop(sender);
    connection.abort();
    Answer { status: head.status.as_u16(), headers: head.headers, body }
}
