//! The proxy itself: it passes everything on, and spoils exactly what it is told to.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use faults::{Fault, Proxy, Seen};
use servers::Vault;

/// One request on a connection of its own; all that comes back.
fn ask(proxy: &Proxy, vault: &Vault, method: &str, path: &str, body: &str) -> std::io::Result<String> {
    let address = proxy.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nx-vault-token: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        vault.token(),
        body.len()
    )?;
    let mut answer = Vec::new();
    // A connection that is cut may end in a reset after the first bytes.
    if let Err(error) = stream.read_to_end(&mut answer)
        && answer.is_empty()
    {
        return Err(error);
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn each_fault_is_what_it_says() {
    let Some(vault) = servers::vault() else { return };
    let proxy = Proxy::start(vault.url(), vault.ca_pem()).unwrap();
    let path = "/v1/secret/data/proxy";
    let put = |value: &str| ask(&proxy, vault, "POST", path, &format!("{{\"data\":{{\"a\":\"{value}\"}}}}"));
    let get = || ask(&proxy, vault, "GET", path, "");
    let stored = || vault.request("GET", path, None).1["data"]["data"]["a"].clone();

    assert!(put("one").unwrap().starts_with("HTTP/1.1 200"));
    assert!(get().unwrap().contains("\"one\""));
    let seen = |method: &str| Seen { method: method.to_owned(), path: path.to_owned(), status: 200 };
    assert_eq!(proxy.take_seen(), [seen("POST"), seen("GET")]);

    proxy.set(Fault::Answer { status: 429, retry_after: Some(7) });
    let refused = put("two").unwrap();
    assert!(refused.starts_with("HTTP/1.1 429") && refused.contains("retry-after: 7"), "{refused}");
    proxy.set(Fault::Cut);
    assert!(put("two").unwrap_or_default().is_empty());
    assert_eq!(stored(), "one", "what is refused or cut has no effect");
    assert_eq!(proxy.take_seen(), []);

    proxy.set(Fault::Lose);
    assert!(put("two").unwrap_or_default().is_empty());
    assert_eq!(stored(), "two", "what is lost has its effect");
    proxy.set(Fault::CutBody(5));
    let cut = get().unwrap();
    let (head, body) = cut.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && body.len() <= 5, "{cut}");

    proxy.set(Fault::Slow(Duration::from_millis(300)));
    let began = Instant::now();
    assert!(get().unwrap().contains("\"two\""));
    assert!(began.elapsed() >= Duration::from_millis(300));

    proxy.set(Fault::Down);
    let gone = || get().is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused);
    let deadline = Instant::now() + Duration::from_secs(10);
    while !gone() {
        assert!(Instant::now() < deadline, "somebody still listens");
    }
    proxy.set(Fault::None);
    while get().is_err() {
        assert!(Instant::now() < deadline, "nobody listens again");
    }
    assert!(get().unwrap().contains("\"two\""));
}
