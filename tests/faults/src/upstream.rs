//! The real server: each request goes there on a connection of its own, so that a cut of one is no cut of another.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::body::Problem;
use crate::tls;

/// Where requests go.
#[derive(Clone)]
pub(crate) struct Upstream {
    address: SocketAddr,
    tls: Option<TlsConnector>,
}

impl Upstream {
    /// `url` is `https://` when there is a CA, and has an address and a port.
    pub(crate) fn new(url: &str, ca: Option<&str>) -> Result<Self> {
        let authority = url.split_once("://").map(|(_, authority)| authority).context("read the URL")?;
        let address = authority.parse().with_context(|| format!("{authority} is no address and port"))?;
        Ok(Self { address, tls: ca.map(tls::connector).transpose()? })
    }

    pub(crate) async fn send(&self, request: Request<Incoming>) -> Result<Response<Incoming>, Problem> {
        let stream = TcpStream::connect(self.address).await?;
        match &self.tls {
            None => send_on(stream, request).await,
            Some(tls) => {
                let name = ServerName::from(self.address.ip());
                send_on(tls.connect(name, stream).await?, request).await
            }
        }
    }
}

async fn send_on<S>(stream: S, request: Request<Incoming>) -> Result<Response<Incoming>, Problem>
where
    TokioIo<S>: Read + Write + Unpin + Send + 'static,
    S: Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer's body; what goes wrong is said there.
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}
