//! The HTTPS server of admission: reviews of the API server at `/validate`.
//!
//! Anybody may ask, as the API server comes without a name; what is answered says nothing that is not in the question. Before there is a
//! certificate nobody is answered, and with a new one the next connection is served.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use controller::{Admission, ReviewError};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::listener::{self, plain};

const HANDSHAKE: Duration = Duration::from_secs(5);
/// A review holds two objects, of which etcd takes 1.5 MiB each, and who asks for what.
const BODY_BYTES_MAX: usize = (3 << 20) + (64 << 10);

/// What to serve with, once there is something.
pub(crate) type Served = watch::Receiver<Option<Arc<ServerConfig>>>;

/// Serves reviews at an address until the process ends; the address, with its port.
pub(crate) async fn serve(address: SocketAddr, admission: Admission, served: Served) -> Result<SocketAddr> {
    let (listener, bound) = listener::bind(address).await?;
    tokio::spawn(listener::accept(listener, move |stream| {
        let config = served.borrow().clone();
        answer(stream, config, admission.clone())
    }));
    Ok(bound)
}

async fn answer(stream: TcpStream, config: Option<Arc<ServerConfig>>, admission: Admission) {
    let Some(config) = config else { return };
    match tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await {
        Ok(Ok(stream)) => {
            let respond = service_fn(move |request: Request<Incoming>| {
                let admission = admission.clone();
                async move { Ok::<_, Infallible>(respond(request, &admission).await) }
            });
            listener::converse(TokioIo::new(stream), respond).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn respond<B>(request: Request<B>, admission: &Admission) -> Response<Full<Bytes>>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    if request.uri().path() != "/validate" {
        return plain(StatusCode::NOT_FOUND, "no such page\n");
    }
    if request.method() != Method::POST {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "only POST\n");
    }
    let body = match Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return plain(StatusCode::PAYLOAD_TOO_LARGE, "the review is too large\n");
        }
        Err(_) => return plain(StatusCode::BAD_REQUEST, "the review ended early\n"),
    };
    match admission.review(&body).await {
        Ok(answer) => {
            let mut response = plain(StatusCode::OK, answer);
            let json = http::HeaderValue::from_static("application/json");
            response.headers_mut().insert(http::header::CONTENT_TYPE, json);
            response
        }
        Err(error) => {
            let status = match error {
                ReviewError::Unreadable => StatusCode::BAD_REQUEST,
                ReviewError::Busy => StatusCode::SERVICE_UNAVAILABLE,
            };
            plain(status, format!("failed to {error}\n"))
        }
    }
}

#[cfg(test)]
mod tests {
    use controller::{Engines, Metrics, OperatorKey};
    use kube::Client;
    use runtime::{Engine, EngineConfig};

    use super::*;

    /// Components are not called here.
    fn admission() -> Admission {
        let nobody = tower::service_fn(|_: Request<kube::client::Body>| async {
            Err::<Response<kube::client::Body>, _>(std::io::Error::other("down"))
        });
        let engine = Engine::new(EngineConfig::default()).unwrap();
        let catalog = Arc::new(runtime::Catalog::new(engine, []));
        let engines = Engines::new(catalog, OperatorKey::new([0; 32]));
        Admission::new(engines, Client::new(nobody, "default"), "default".to_owned(), Metrics::default())
    }

    async fn check(admission: &Admission, request: (Method, &str), body: Vec<u8>, status: u16, words: &str) {
        let (method, path) = request;
        let asked = Request::builder().method(method).uri(path).body(Full::new(Bytes::from(body))).unwrap();
        let response = respond(asked, admission).await;
        assert_eq!(response.status().as_u16(), status, "{words}");
        let text = response.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&text).contains(words), "{text:?}");
    }

    #[tokio::test]
    async fn reviews_are_answered_at_their_path() {
        let review = br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"7","operation":"DELETE","kind":{"group":"g","kind":"K"}}}"#;
        let admission = admission();
        let post = || (Method::POST, "/validate");
        check(&admission, post(), review.to_vec(), 200, r#"{"uid":"7","allowed":true}"#).await;
        check(&admission, post(), b"{}".to_vec(), 400, "failed to read the review").await;
        check(&admission, post(), vec![b' '; BODY_BYTES_MAX + 1], 413, "too large").await;
        check(&admission, (Method::GET, "/validate"), vec![], 405, "only POST").await;
        check(&admission, (Method::POST, "/"), review.to_vec(), 404, "no such page").await;
    }
}
