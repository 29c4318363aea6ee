//! The API over HTTPS: on a listener of the caller's, with a certificate from the server's own CA.
//!
//! Every request but those for health needs a bearer token. Connections speak HTTP/1.1 or HTTP/2. On stop, answers in
//! flight are finished, and watches, which would never finish, are cut after a second.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::api::Api;
use crate::identity::{IdentityError, ServerCertificate};
use crate::service::ApiService;

const HANDSHAKE: Duration = Duration::from_secs(10);
const GRACE: Duration = Duration::from_secs(1);
/// Between two attempts to accept, when the system has no more file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Why the API could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("make a certificate for the server")]
    Certificate(#[source] IdentityError),
    #[error("set up TLS for the server")]
    Tls(#[source] rustls::Error),
}

/// Serves until `stop`, and collects garbage meanwhile. Returns when the last connection is closed.
pub async fn serve(api: Api, listener: TcpListener, stop: CancellationToken) -> Result<(), ServeError> {
    let acceptor = TlsAcceptor::from(Arc::new(tls(&api)?));
    let service = api.guarded_service();
    let mut connections = JoinSet::new();
    let collector = api.collect_garbage();
    tokio::pin!(collector);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = &mut collector => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(acceptor.clone(), stream, service.clone(), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
    Ok(())
}

fn tls(api: &Api) -> Result<ServerConfig, ServeError> {
    let ServerCertificate { chain, key } =
        api.inner.identity.server_certificate().map_err(ServeError::Certificate)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder.and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
    let mut config = config.map_err(ServeError::Tls)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

async fn connection(acceptor: TlsAcceptor, stream: TcpStream, service: ApiService, stop: CancellationToken) {
    let stream = match timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            return;
        }
        Err(_) => return,
    };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HANDSHAKE);
    builder.http2().timer(TokioTimer::new());
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            timeout(GRACE, connection).await.ok()
        }
    };
    if let Some(Err(error)) = ended {
        tracing::debug!(error, "a connection ended early");
    }
}
