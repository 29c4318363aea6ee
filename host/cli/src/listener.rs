//! The small HTTP servers of `keymill run`: probes for the kubelet, metrics for Prometheus; and what they have in common with that of
//! admission.
//!
//! Bounded in every direction: so many connections at once, one request each, so much time for all of it; pages take no request body.
//! Nothing that they answer holds a value.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::rt::{Read, Write};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

const CONNECTIONS_MAX: usize = 32;
const HEAD_BYTES_MAX: usize = 16 * 1024;
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// What is answered to one path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) text: String,
}

/// The pages of one server, by path and query; none where there is no page.
pub(crate) type Pages = dyn Fn(&str, &str) -> Option<Page> + Send + Sync;

/// Serves pages at an address until the process ends; the address, with its port.
pub(crate) async fn serve(address: SocketAddr, pages: Arc<Pages>) -> Result<SocketAddr> {
    let (listener, bound) = bind(address).await?;
    tokio::spawn(accept(listener, move |stream| {
        let pages = Arc::clone(&pages);
        let respond = service_fn(move |request: Request<Incoming>| {
            let response = respond(&request, &*pages);
            async move { Ok::<_, Infallible>(response) }
        });
        converse(TokioIo::new(stream), respond)
    }));
    Ok(bound)
}

/// A listener and its address, with its port.
pub(crate) async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))?;
    let bound = listener.local_addr().with_context(|| format!("listen on {address}"))?;
    Ok((listener, bound))
}

/// Answers connections until the process ends.
pub(crate) async fn accept<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    answer: impl Fn(TcpStream) -> F,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // The semaphore is never closed; whoever has no place waits in the backlog.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let answered = answer(stream);
                tokio::spawn(async move {
                    answered.await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of files, most likely: they come back.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Answers the one request of a connection.
pub(crate) async fn converse<I, S>(stream: I, service: S)
where
    I: Read + Write + Unpin,
    S: HttpService<Incoming, ResBody = Full<Bytes>, Error = Infallible>,
{
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_TIME)
        .max_buf_size(HEAD_BYTES_MAX)
        .keep_alive(false)
        .serve_connection(stream, service);
    match tokio::time::timeout(REQUEST_TIME, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection ended early"),
        Err(_) => tracing::debug!("a connection took too long"),
    }
}

fn respond<B>(request: &Request<B>, pages: &Pages) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
    }
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    match pages(path, query) {
        Some(page) => {
            let mut response = plain(page.status, page.text);
            let content_type = http::HeaderValue::from_static(page.content_type);
            response.headers_mut().insert(http::header::CONTENT_TYPE, content_type);
            response
        }
        None => plain(StatusCode::NOT_FOUND, "no such page\n"),
    }
}

pub(crate) fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn pages_are_found_by_path_and_query() {
        let pages = |path: &str, query: &str| {
            let text = format!("query {query}");
            (path == "/here").then_some(Page { status: StatusCode::OK, content_type: "text/plain", text })
        };
        let address = serve("127.0.0.1:0".parse().unwrap(), Arc::new(pages)).await.unwrap();
        for (request, begin, end) in [
            ("GET /here?a=1 HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200", "query a=1"),
            ("GET /there HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 404", "no such page\n"),
            ("POST /here HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 405", "only GET\n"),
            ("nonsense\r\n\r\n", "HTTP/1.1 400", ""),
        ] {
            let answer = ask(address, request).await;
            assert!(answer.starts_with(begin) && answer.ends_with(end), "{request:?}: {answer:?}");
        }
    }
}
