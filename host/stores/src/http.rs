//! HTTP to one server: a pooled client for one TLS configuration, the server's address and its URLs.
//!
//! Guarantees: no proxy and no other setting comes from the environment, no redirect is followed, every request has a
//! deadline. A server can be reached at another address than its name says (`keymill dev` and `--resolve`), as curl does
//! it: the name stays in the Host header and, with https, is the one that the certificate must prove.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::header::{HOST, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, Identity, Method, Url};
use zeroize::Zeroizing;

use crate::tls::Tls;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// Addresses by `host:port`, instead of what DNS says.
pub type Addresses = HashMap<String, SocketAddr>;

/// One server.
pub(crate) struct Http {
    client: Client,
    /// The base of all URLs, as the user wrote it.
    server: Url,
    /// The same with the address to connect to, when that is another one.
    dialled: Url,
    host: Option<HeaderValue>,
    name: String,
}

impl Http {
    pub(crate) fn new(server: &str, tls: &Tls, addresses: &Addresses) -> Result<Self, HttpError> {
        let server = parse(server)?;
        let name = server.origin().ascii_serialization();
        let address = address(&server, addresses);
        let dialled = match address {
            Some(address) => dialled(&server, address).ok_or(HttpError::Address)?,
            None => server.clone(),
        };
        let authority = || name.split_once("://").map(|(_, authority)| authority);
        let host = address.and(authority()).and_then(|authority| HeaderValue::from_str(authority).ok());
        let client = client(&server, tls, address)?;
        Ok(Self { client, server, dialled, host, name })
    }

    /// Scheme, host and port, for messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A URL below the server's base. Segments are encoded here.
    pub(crate) fn url<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.dialled.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Where a redirect leads, when it stays on this server; else the other server's name.
    pub(crate) fn redirected(&self, from: &Url, location: &str) -> Result<Url, String> {
        let Ok(to) = from.join(location) else {
            return Err("an address that is none".to_owned());
        };
        if to.origin() != self.server.origin() && to.origin() != self.dialled.origin() {
            return Err(to.origin().ascii_serialization());
        }
        let mut url = self.dialled.clone();
        url.set_path(to.path());
        url.set_query(to.query());
        Ok(url)
    }

    pub(crate) async fn send(
        &self,
        method: &Method,
        url: Url,
        headers: &HeaderMap,
        body: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<reqwest::Response, reqwest::Error> {
        let mut request = self.client.request(method.clone(), url).headers(headers.clone());
        if let Some(host) = &self.host {
            request = request.header(HOST, host);
        }
        if let Some(body) = body {
            request = request.body(bytes::Bytes::from_owner(body));
        }
        request.send().await.map_err(reqwest::Error::without_url)
    }
}

fn parse(server: &str) -> Result<Url, HttpError> {
    let url = Url::parse(server.trim()).map_err(|_| HttpError::Address)?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(HttpError::Scheme);
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(HttpError::Extra);
    }
    Ok(url)
}

/// The address that stands for the server's name.
pub(crate) fn address(server: &Url, addresses: &Addresses) -> Option<SocketAddr> {
    let port = server.port_or_known_default()?;
    addresses.get(&format!("{}:{port}", server.host_str()?)).copied()
}

/// With http the address replaces the name; with https the name stays, for the certificate, and only the port changes.
fn dialled(server: &Url, address: SocketAddr) -> Option<Url> {
    let mut url = server.clone();
    url.set_port(Some(address.port())).ok()?;
    if url.scheme() == "http" || server.host_str()?.parse::<IpAddr>().is_ok() {
        url.set_ip_host(address.ip()).ok()?;
    }
    Some(url)
}

fn client(server: &Url, tls: &Tls, address: Option<SocketAddr>) -> Result<Client, HttpError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(HttpError::NoCrypto);
    }
    let mut builder = Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .user_agent(concat!("keymill/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT);
    if let Some(roots) = &tls.roots {
        let roots: Result<Vec<_>, _> = roots.iter().map(|der| Certificate::from_der(der)).collect();
        builder = builder.tls_certs_only(roots.map_err(HttpError::Client)?);
    } else if server.scheme() == "http" {
        // The system's authorities are not needed, and a minimal image may have none.
        builder = builder.tls_certs_only([]);
    }
    if let Some(identity) = &tls.identity {
        builder = builder.identity(Identity::from_pem(&identity.pem()).map_err(HttpError::Client)?);
    }
    if let (Some(address), Some(host)) = (address, server.host_str()) {
        builder = builder.resolve(host, address);
    }
    let asks_the_system = tls.roots.is_none() && server.scheme() == "https";
    builder.build().map_err(if asks_the_system { HttpError::Roots } else { HttpError::Client })
}

/// Addresses and TLS settings that make no client.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Not a URL.
    #[error("parse the server's address as a URL")]
    Address,
    /// Not http or https.
    #[error("use a server's address that does not begin with http:// or https://")]
    Scheme,
    /// More than scheme, host, port and path.
    #[error("use a server's address with a user, a query or a fragment")]
    Extra,
    /// The process did not install one.
    #[error("find the process's crypto provider")]
    NoCrypto,
    /// The store has no authority of its own, and the system has none either, as in a minimal image.
    #[error("find the system's certificate authorities")]
    Roots(#[source] reqwest::Error),
    /// The TLS settings do not fit together.
    #[error("set up TLS for the server")]
    Client(#[source] reqwest::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(server: &str, addresses: &[(&str, &str)]) -> Result<Http, HttpError> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let addresses = addresses
            .iter()
            .map(|(name, to)| ((*name).to_owned(), to.parse().expect("an address")))
            .collect();
        Http::new(server, &Tls { roots: Some(Vec::new()), identity: None }, &addresses)
    }

    #[test]
    fn segments_are_encoded_and_stay_below_the_base() {
        for (server, segments, expected) in [
            (
                "http://v:8200",
                vec!["v1", "a b", "c?d#e%2f", "ü"],
                "http://v:8200/v1/a%20b/c%3Fd%23e%252f/%C3%BC",
            ),
            ("https://v/vault/", vec!["v1", "a"], "https://v/vault/v1/a"),
            ("https://v/vault", vec!["v1", "a/b", "c\\d"], "https://v/vault/v1/a%2Fb/c%5Cd"),
        ] {
            assert_eq!(http(server, &[]).expect(server).url(segments).as_str(), expected);
        }
    }

    #[test]
    fn an_address_replaces_the_name_of_that_port_only() {
        let to = [("vault.vault.svc:8200", "127.0.0.1:4000")];
        for (server, dialled, host) in [
            ("http://vault.vault.svc:8200", "http://127.0.0.1:4000/v1", Some("vault.vault.svc:8200")),
            ("https://vault.vault.svc:8200", "https://vault.vault.svc:4000/v1", Some("vault.vault.svc:8200")),
            ("http://vault.vault.svc:8201", "http://vault.vault.svc:8201/v1", None),
            ("http://other:8200", "http://other:8200/v1", None),
        ] {
            let http = http(server, &to).expect(server);
            assert_eq!(http.url(["v1"]).as_str(), dialled);
            assert_eq!(http.host.as_ref().and_then(|host| host.to_str().ok()), host, "{server}");
            assert_eq!(http.name(), server);
        }
    }

    #[test]
    fn a_redirect_stays_on_the_server() {
        let http = http("http://v:8200/base", &[("v:8200", "127.0.0.1:4000")]).expect("a client");
        let from = http.url(["v1", "a"]);
        for (location, expected) in [
            ("/v1/b?version=1", Ok("http://127.0.0.1:4000/v1/b?version=1")),
            ("http://v:8200/v1/b", Ok("http://127.0.0.1:4000/v1/b")),
            ("http://127.0.0.1:4000/v1/b", Ok("http://127.0.0.1:4000/v1/b")),
            ("https://v:8200/v1/b", Err("https://v:8200")),
            ("http://v:8201/v1/b", Err("http://v:8201")),
            ("http://evil:8200/v1/b", Err("http://evil:8200")),
            ("//evil/v1/b", Err("http://evil")),
        ] {
            let to = http.redirected(&from, location);
            assert_eq!(to.as_ref().map(Url::as_str).map_err(String::as_str), expected, "{location}");
        }
    }

    #[test]
    fn other_addresses_are_refused() {
        for server in ["vault:8200", "", "ftp://v", "http://user:pw@v", "http://v?x", "http://v#x", "http://"]
        {
            let refused = http(server, &[]).err().map(|error| format!("{error} {error:?}"));
            assert!(refused.is_some_and(|text| !text.contains("pw")), "{server}");
        }
    }
}
