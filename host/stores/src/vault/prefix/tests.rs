//! The prefix against a server that answers from a script.

use std::error::Error as _;

use super::*;
use crate::fixture::{Answer, Server as Script, crypto};

const SECOND: Duration = Duration::from_secs(1);
const LEASED: &str =
    r#"{"lease_id":"database/creds/app/1","lease_duration":60,"renewable":true,"data":{"p":"canary-value"}}"#;
const NOTHING: &str = r#"{"errors":[]}"#;

fn open(address: &str) -> Result<Prefix, PrefixOpenError> {
    crypto();
    let access = Access {
        token: SecretString::from("s.canary-token\n"),
        namespace: Some("team".to_owned()),
        authorities: None,
    };
    let address = address.parse().expect("an address");
    Prefix::open(&address, &access, &Clients::new(Default::default()))
}

fn at(server: &Script, path: &str) -> Prefix {
    open(&format!("{}/v1/{path}", server.url())).expect("the prefix opens")
}

async fn scripted(line: &str, status: u16, body: &str) -> Script {
    Script::start(&[(line, Answer::new(status, body))]).await
}

/// What a read of `database/creds/app` comes to, and nothing of it may show a secret.
async fn read(prefix: &Prefix) -> Result<Option<String>, Class> {
    match prefix.read("creds/app", &[], SECOND).await {
        Ok(found) => {
            Ok(found.ok().map(|answered| String::from_utf8_lossy(answered.body.expose_secret()).into_owned()))
        }
        Err(error) => {
            let mut printed = format!("{error:?} {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                printed.push_str(&format!(" {cause:?} {cause}"));
                source = cause.source();
            }
            assert!(!printed.contains("canary"), "{printed}");
            Err(error.class())
        }
    }
}

#[tokio::test]
async fn each_answer_has_its_class() {
    let cas = r#"{"errors":["check-and-set parameter did not match the current version"]}"#;
    let deleted = r#"{"data":{"data":null,"metadata":{"version":1}}}"#;
    let unmounted = r#"{"errors":["no handler for route \"database/creds/app\""]}"#;
    let versioned = r#"{"warnings":["Invalid path for a versioned K/V secrets engine"]}"#;
    let quoting = r#"{"errors":["canary"]}"#;
    for (status, body, expected) in [
        (200, LEASED, Ok(Some(LEASED.to_owned()))),
        (204, "", Ok(Some(String::new()))),
        (404, NOTHING, Ok(None)),
        (404, deleted, Ok(None)),
        (404, unmounted, Ok(None)),
        (404, versioned, Err(Class::Invalid)),
        (404, "<html>", Err(Class::Unavailable)),
        (200, "<html>canary", Err(Class::Unavailable)),
        (400, quoting, Err(Class::Invalid)),
        (400, cas, Err(Class::Conflict)),
        (403, quoting, Err(Class::Denied)),
        (405, quoting, Err(Class::Invalid)),
        (429, quoting, Err(Class::Unavailable)),
        (500, quoting, Err(Class::Unavailable)),
        (503, quoting, Err(Class::Unavailable)),
    ] {
        let server = scripted("GET /v1/database/creds/app", status, body).await;
        assert_eq!(read(&at(&server, "database")).await, expected, "{status} {body}");
    }
}

#[tokio::test]
async fn a_request_says_who_asks_and_what() {
    let line = "GET /v1/kv/data/a%20b?version=2&note=a%26b";
    let server = scripted(line, 200, "{}").await;
    let query = [("version", "2"), ("note", "a&b")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let found = at(&server, "kv/data/").read("a b", &query, SECOND).await;
    assert!(matches!(found, Ok(Found::Found(_))), "{found:?}");
    let seen = server.seen();
    let request = seen.first().expect("one request");
    for (header, expected) in [
        ("x-vault-token", Some("s.canary-token")),
        ("x-vault-namespace", Some("team")),
        ("x-vault-request", Some("true")),
    ] {
        assert_eq!(request.header(header), expected, "{header}");
    }
}

#[tokio::test]
async fn nothing_leads_out_of_the_prefix() {
    let server = Script::start(&[]).await;
    let prefix = at(&server, "kv/data/team");
    for path in ["", "/", ".", "../other", "a/../../b", "a//b", "a\nb"] {
        let body = SecretSlice::from(b"{}".to_vec());
        let classes = [
            prefix.read(path, &[], SECOND).await.map(drop),
            prefix.write(path, &body, SECOND).await.map(drop),
            prefix.keys(path, SECOND).await.map(drop),
            prefix.delete(path, SECOND).await,
        ]
        .map(|refused| refused.map_err(|error| error.class()));
        assert_eq!(classes, [Err(Class::Invalid); 4], "{path:?}");
    }
    assert_eq!(server.lines(), [""; 0]);
}

#[tokio::test]
async fn the_other_operations_speak_vault() {
    let server = Script::start(&[
        ("POST /v1/kv/data/a", Answer::new(200, r#"{"data":{}}"#)),
        ("POST /v1/kv/gone", Answer::new(404, NOTHING)),
        ("GET /v1/kv/metadata?list=true", Answer::new(200, r#"{"data":{"keys":["a","b/"]}}"#)),
        ("GET /v1/kv/empty?list=true", Answer::new(404, NOTHING)),
        ("DELETE /v1/kv/data/a", Answer::new(204, "")),
        ("DELETE /v1/kv/gone", Answer::new(404, NOTHING)),
        ("DELETE /v1/kv/shut", Answer::new(403, NOTHING)),
    ])
    .await;
    let prefix = at(&server, "kv");
    let body = SecretSlice::from(br#"{"data":{"p":"x"}}"#.to_vec());
    let written = prefix.write("data/a", &body, SECOND).await.expect("written");
    assert_eq!(written.body.expose_secret(), br#"{"data":{}}"#);
    assert_eq!(server.bodies(), [r#"POST /v1/kv/data/a {"data":{"p":"x"}}"#]);
    let gone = prefix.write("gone", &body, SECOND).await.expect_err("no place");
    assert_eq!(gone.class(), Class::Missing);
    let keys = prefix.keys("metadata", SECOND).await.expect("a list");
    assert_eq!(keys.ok(), Some(vec!["a".to_owned(), "b/".to_owned()]));
    let none = prefix.keys("empty", SECOND).await.expect("no list");
    assert_eq!(none.ok(), None);
    for (path, expected) in [("data/a", Ok(())), ("gone", Ok(())), ("shut", Err(Class::Denied))] {
        let deleted = prefix.delete(path, SECOND).await;
        assert_eq!(deleted.map_err(|error| error.class()), expected, "{path}");
    }
}

#[tokio::test]
async fn only_its_own_leases_are_renewed_and_revoked() {
    let renewed = r#"{"lease_id":"database/creds/app/1","lease_duration":90,"renewable":false}"#;
    let server = Script::start(&[
        ("GET /v1/database/creds/app", Answer::new(200, LEASED)),
        ("POST /v1/sys/leases/renew", Answer::new(200, renewed)),
        ("POST /v1/sys/leases/revoke", Answer::new(204, "")),
    ])
    .await;
    let (ours, theirs) = (at(&server, "database"), at(&server, "database"));
    let found = ours.read("creds/app", &[], SECOND).await.expect("an answer");
    let lease = found.ok().and_then(|answered| answered.lease).expect("a lease");
    assert_eq!((lease.seconds, lease.renewable), (60, true));
    for (prefix, id) in [(&theirs, lease.id.as_str()), (&ours, "database/creds/app/2")] {
        let renewed = prefix.renew(id, 90, SECOND).await.expect_err("foreign");
        let revoked = prefix.revoke(id, SECOND).await.expect_err("foreign");
        assert_eq!((renewed.class(), revoked.class()), (Class::Denied, Class::Denied));
    }
    assert_eq!(server.bodies(), [""; 0]);
    let renewed = ours.renew(&lease.id, 90, SECOND).await.expect("renewed");
    assert_eq!((renewed.seconds, renewed.renewable), (90, false));
    ours.revoke(&lease.id, SECOND).await.expect("revoked");
    let again = ours.revoke(&lease.id, SECOND).await.expect_err("it is gone");
    assert_eq!(again.class(), Class::Denied);
    let sent: Vec<(String, serde_json::Value)> = server
        .seen()
        .into_iter()
        .filter(|request| !request.body.is_empty())
        .map(|request| (request.line, serde_json::from_str(&request.body).expect("JSON")))
        .collect();
    let expected = [
        ("renew", json!({"lease_id": lease.id, "increment": 90})),
        ("revoke", json!({"lease_id": lease.id})),
    ]
    .map(|(what, body)| (format!("POST /v1/sys/leases/{what}"), body));
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn a_lease_that_has_ended_is_nobodys() {
    let ended = LEASED.replace("60", "0");
    let server = scripted("GET /v1/database/creds/app", 200, &ended).await;
    let prefix = at(&server, "database");
    read(&prefix).await.expect("an answer");
    let renewed = prefix.renew("database/creds/app/1", 9, SECOND).await;
    assert_eq!(renewed.map_err(|error| error.class()), Err(Class::Denied));
}

#[tokio::test]
async fn silence_ends_with_the_timeout() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let prefix = open(&format!("http://{address}/v1/kv")).expect("the prefix opens");
    let started = std::time::Instant::now();
    let read = prefix.read("a", &[], Duration::from_millis(50)).await;
    assert_eq!(read.expect_err("silence").class(), Class::Unavailable);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn the_token_goes_to_no_other_server() {
    let line = "GET /v1/database/creds/app";
    let elsewhere = scripted(line, 200, LEASED).await;
    let moved =
        Answer::new(307, "").header("location", &format!("{}/v1/database/creds/app", elsewhere.url()));
    let server = Script::start(&[(line, moved)]).await;
    assert_eq!(read(&at(&server, "database")).await, Err(Class::Unavailable));
    assert_eq!(elsewhere.lines(), [""; 0]);
}

#[test]
fn an_address_names_a_server_and_a_path() {
    for (text, expected) in [
        ("http://v:8200/v1/kv", Some(("http://v:8200", "kv"))),
        ("https://v/vault/v1/kv/data/v1/app/", Some(("https://v/vault", "kv/data/v1/app"))),
        ("http://v:8200/v1/", None),
        ("http://v:8200/kv", None),
        ("http://v:8200", None),
        ("http://v/v1/a/../b", None),
        ("http://v/v1/a//b", None),
        ("http://v/v1/a%2fb", None),
        ("http://v/v1/a?list=true", None),
        ("http://v/v1/a#b", None),
    ] {
        let address: Result<Address, _> = text.parse();
        let parts = address.map(|address| (address.server().to_owned(), address.root().to_string()));
        let expected = expected.map(|(server, root)| (server.to_owned(), root.to_owned()));
        assert_eq!(parts.ok(), expected, "{text}");
    }
}

#[test]
fn what_cannot_be_sent_is_refused_at_once() {
    crypto();
    let check = |address: &str, token: &str, authority: Option<&str>, expected: &str| {
        let access = Access {
            token: SecretString::from(token),
            namespace: None,
            authorities: authority.map(|pem| pem.as_bytes().to_vec()),
        };
        let address = address.parse().expect("an address");
        let refused = Prefix::open(&address, &access, &Clients::new(Default::default()));
        let text = refused.expect_err(expected).to_string();
        assert_eq!(text, expected);
    };
    let token = "use a Vault token that is empty or has characters that no token has";
    check("http://v/v1/kv", " \n", None, token);
    check("http://v/v1/kv", "s.a\nb", None, token);
    check("ftp://v/v1/kv", "s.a", None, "open the Vault server");
    check(
        "https://v/v1/kv",
        "s.a",
        Some("no PEM"),
        "read the certificate authority: it is neither PEM nor base64 of PEM",
    );
}
