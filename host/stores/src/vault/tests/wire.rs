use std::time::Duration;

use super::*;

const SECRET: &str =
    r#"{"data":{"data":{"p":"canary-value"},"metadata":{"version":1,"custom_metadata":null}}}"#;

#[tokio::test]
async fn a_request_carries_what_the_spec_says() {
    let server = Server::start(&answers(&[("GET /v1/secret/data/app", 200, SECRET)])).await;
    let auth = json!({"namespace": "login", "tokenSecretRef": {"name": "creds", "key": "token"}});
    let headers = json!({"X-Team": "a", "X-Vault-Request": "false"});
    let fields = json!({"path": "secret", "namespace": "team/a", "auth": auth, "headers": headers,
        "readYourWrites": true, "forwardInconsistent": true});
    let store = store_with(&server, fields).await;
    assert_eq!(read(&store, "app").await.expect("an answer").as_deref(), Some(r#"{"p":"canary-value"}"#));
    let seen = server.seen();
    let request = seen.first().expect("one request");
    for (header, expected) in [
        ("x-vault-token", Some("s.token")),
        ("x-vault-request", Some("true")),
        ("x-vault-namespace", Some("team/a")),
        ("x-team", Some("a")),
        ("x-vault-inconsistent", Some("forward-active-node")),
        ("authorization", None),
        ("content-type", None),
    ] {
        assert_eq!(request.header(header), expected, "{header}");
    }
}

#[tokio::test]
async fn forward_inconsistent_counts_only_with_read_your_writes() {
    let server = Server::start(&answers(&[("GET /v1/secret/data/app", 200, SECRET)])).await;
    let auth = json!({"tokenSecretRef": {"name": "creds", "key": "token"}});
    let store =
        store_with(&server, json!({"path": "secret", "auth": auth, "forwardInconsistent": true})).await;
    read(&store, "app").await.expect("an answer");
    assert_eq!(server.seen().first().expect("one request").header("x-vault-inconsistent"), None);
}

#[tokio::test]
async fn a_read_shows_the_state_of_the_last_answer() {
    let answer = Answer::new(200, SECRET).header("x-vault-index", "state-1");
    let server = Server::start(&[("GET /v1/secret/data/app", answer)]).await;
    let auth = json!({"tokenSecretRef": {"name": "creds", "key": "token"}});
    let store = store_with(&server, json!({"path": "secret", "auth": auth, "readYourWrites": true})).await;
    for _ in 0..2 {
        read(&store, "app").await.expect("an answer");
    }
    let sent: Vec<_> =
        server.seen().iter().map(|request| request.header("x-vault-index").map(str::to_owned)).collect();
    assert_eq!(sent, [None, Some("state-1".to_owned())]);
}

#[tokio::test]
async fn odd_keys_arrive_as_they_are_written() {
    for (key, line) in [
        ("a b/c?d#e%f", "GET /v1/secret/data/a%20b/c%3Fd%23e%25f"),
        ("ü/é", "GET /v1/secret/data/%C3%BC/%C3%A9"),
        ("a&b=c;d+e", "GET /v1/secret/data/a&b=c;d+e"),
        ("/edges/", "GET /v1/secret/data/edges"),
        ("a%2e%2e/b", "GET /v1/secret/data/a%252e%252e/b"),
    ] {
        let server = Server::start(&[(line, Answer::new(200, SECRET))]).await;
        let found = read(&store(&server, "v2").await, key).await;
        assert_eq!(server.lines(), [line], "{key}");
        assert!(found.is_ok_and(|found| found.is_some()), "{key}");
    }
    let server = Server::start(&[]).await;
    for key in ["a/../../sys/seal", "a//b", "."] {
        let failure = read(&store(&server, "v2").await, key).await.expect_err(key);
        assert_eq!((failure.reason(), failure.retry()), (Reason::InvalidSpec, Retry::WhenChanged), "{key}");
    }
    assert_eq!(server.lines(), [""; 0]);
}

#[tokio::test]
async fn a_redirect_is_followed_once_and_on_the_same_server_only() {
    let elsewhere = Server::start(&[("GET /v1/secret/data/app", Answer::new(200, SECRET))]).await;
    let moved = |to: &str| Answer::new(307, "").header("location", to);
    for (location, reads, text) in [
        ("/v1/secret/data/there", true, ""),
        ("/v1/secret/data/app", false, "redirects to another redirect"),
        (
            &format!("{}/v1/secret/data/app", elsewhere.url()),
            false,
            &format!("redirects to {}", elsewhere.url()),
        ),
        ("//evil.example/v1/secret/data/app", false, "redirects to http://evil.example"),
    ] {
        let server = Server::start(&[
            ("GET /v1/secret/data/app", moved(location)),
            ("GET /v1/secret/data/there", Answer::new(200, SECRET)),
        ])
        .await;
        let result = read(&store(&server, "v2").await, "app").await;
        assert_eq!(result.is_ok(), reads, "{location}");
        assert!(
            result.err().map(|failure| printed(&failure)).unwrap_or_default().contains(text),
            "{location}"
        );
        assert!(server.seen().iter().all(|request| request.header("x-vault-token") == Some("s.token")));
    }
    assert_eq!(elsewhere.lines(), [""; 0], "nothing is sent to another server");
}

#[tokio::test]
async fn each_refusal_says_what_to_do_and_never_what_was_sent() {
    let canary = r#"{"errors":["s.token canary-value"],"data":{"data":{"p":"canary-value"}}}"#;
    for (status, reason, retry) in [
        (400, Reason::StoreDenied, Retry::WhenChanged),
        (403, Reason::StoreDenied, Retry::Backoff),
        (405, Reason::StoreDenied, Retry::WhenChanged),
        (412, Reason::StoreUnavailable, Retry::Backoff),
        (413, Reason::InvalidValue, Retry::WhenChanged),
        (429, Reason::StoreUnavailable, Retry::After(Duration::from_secs(9))),
        (500, Reason::StoreUnavailable, Retry::Backoff),
        (503, Reason::StoreUnavailable, Retry::After(Duration::from_secs(9))),
    ] {
        let answer = Answer::new(status, canary).header("retry-after", "9");
        let server = Server::start(&[("GET /v1/secret/data/app", answer)]).await;
        let failure = read(&store(&server, "v2").await, "app").await.expect_err("a refusal");
        assert_eq!((failure.reason(), failure.retry()), (reason, retry), "{status}");
        let text = printed(&failure);
        assert!(!text.contains("canary") && !text.contains("s.token"), "{text}");
        assert!(text.starts_with(&format!(r#"read "app" from Vault at {}"#, server.url())), "{text}");
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_an_error_and_not_quoted() {
    for body in [
        "",
        "<html>canary-value",
        r#"{"data":"canary-value"}"#,
        r#"{"data":{"data":"canary-value","metadata":{}}}"#,
    ] {
        let server = Server::start(&[("GET /v1/secret/data/app", Answer::new(200, body))]).await;
        let failure = read(&store(&server, "v2").await, "app").await.expect_err("no secret");
        assert_eq!(failure.reason(), Reason::StoreInvalidReply, "{body}");
        assert!(!printed(&failure).contains("canary"), "{body}");
    }
}

#[tokio::test]
async fn a_token_that_is_no_header_is_refused_before_anything_is_sent() {
    let server = Server::start(&[]).await;
    let cluster = Cluster::of(&[("app/creds", &[("token", "s.canary\r\nx-evil: 1")])]);
    let spec = json!({"vault": {"server": server.url(), "path": "secret",
        "auth": {"tokenSecretRef": {"name": "creds", "key": "token"}}}});
    let store = open(spec, &cluster, &Clients::new(Default::default())).await.expect("the store opens");
    let failure = read(&store, "app").await.expect_err("no header");
    assert_eq!(failure.reason(), Reason::InvalidSpec);
    assert!(!printed(&failure).contains("canary"));
    assert_eq!(server.lines(), [""; 0]);
}

#[tokio::test]
async fn while_the_server_is_sealed_it_is_left_alone() {
    let server =
        Server::start(&answers(&[("GET /v1/secret/data/app", 503, r#"{"errors":["Vault is sealed"]}"#)]))
            .await;
    let store = store(&server, "v2").await;
    for _ in 0..5 {
        let failure = read(&store, "app").await.expect_err("sealed");
        assert_eq!(failure.reason(), Reason::StoreUnavailable);
    }
    let failure = read(&store, "app").await.expect_err("still waiting");
    assert!(
        matches!(failure.retry(), Retry::After(wait) if wait <= Duration::from_secs(2)),
        "{:?}",
        failure.retry()
    );
    assert_eq!(server.lines().len(), 1, "one probe");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_doubt() {
    let server = Server::start(&[]).await;
    let store = store(&server, "v2").await;
    drop(server);
    let failure = read(&store, "app").await.expect_err("nobody listens");
    assert_eq!((failure.reason(), failure.retry()), (Reason::StoreUnavailable, Retry::Backoff));
}

#[tokio::test]
async fn a_name_can_be_served_from_another_address() {
    let server = Server::start(&answers(&[("GET /v1/secret/data/app", 200, SECRET)])).await;
    let cluster = Cluster::of(&[("app/creds", &[("token", "s.token")])]);
    let clients = Clients::new([("vault.vault.svc:8200".to_owned(), server.address)].into());
    let spec = json!({"vault": {"server": "http://vault.vault.svc:8200", "path": "secret",
        "auth": {"tokenSecretRef": {"name": "creds", "key": "token"}}}});
    let store = open(spec, &cluster, &clients).await.expect("the store opens");
    assert!(read(&store, "app").await.expect("an answer").is_some());
    assert_eq!(server.seen().first().expect("one request").header("host"), Some("vault.vault.svc:8200"));
}

/// A server with that certificate, and what reading from it says to a store with that authority; none when it reads.
async fn told_by(server: &Server, ca: serde_json::Value, cluster: &Arc<Cluster>) -> Option<String> {
    let mut spec = json!({"vault": {"server": format!("https://{}", server.address), "path": "secret",
        "auth": {"tokenSecretRef": {"name": "creds", "key": "token"}}}});
    spec["vault"].as_object_mut().expect("a spec").extend(ca.as_object().expect("fields").clone());
    // Where the machine has no authorities at all, a store without its own does not even open.
    match open(spec, cluster, &Clients::new(Default::default())).await {
        Ok(store) => read(&store, "app").await.err().map(|failure| pipeline::message(failure.as_ref())),
        Err(error) => Some(pipeline::message(&error)),
    }
}

async fn https(certificate: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Server {
    crate::fixture::crypto();
    let key = certificate.signing_key.serialize_der();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key).expect("a key");
    let tls = rustls::ServerConfig::builder().with_no_client_auth();
    let tls = tls.with_single_cert(vec![certificate.cert.der().clone()], key).expect("a TLS configuration");
    Server::start_tls(&answers(&[("GET /v1/secret/data/app", 200, SECRET)]), tls.into()).await
}

fn base64(text: &str) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text)
}

#[tokio::test]
async fn only_the_stores_own_authority_is_trusted() {
    let certified = || rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let (ours, other) = (certified(), certified());
    let server = https(&ours).await;
    let cluster = Cluster::of(&[
        ("app/creds", &[("token", "s.token")]),
        ("configmap:app/ca", &[("ca.crt", &ours.cert.pem())]),
        ("app/other", &[("ca.crt", &other.cert.pem())]),
    ]);
    for (ca, told) in [
        (json!({"caBundle": base64(&ours.cert.pem())}), None),
        (json!({"caBundle": base64(&base64(&ours.cert.pem()))}), None),
        (json!({"caProvider": {"type": "ConfigMap", "name": "ca", "key": "ca.crt"}}), None),
        (
            json!({"caProvider": {"type": "Secret", "name": "other", "key": "ca.crt"}}),
            Some("is not signed by an authority that the store trusts; put the certificate"),
        ),
        (json!({}), Some("caBundle or caProvider")),
    ] {
        let found = told_by(&server, ca.clone(), &cluster).await;
        assert_eq!(found.is_some(), told.is_some(), "{ca} {found:?}");
        assert!(found.unwrap_or_default().contains(told.unwrap_or_default()), "{ca}");
    }
}

#[tokio::test]
async fn a_certificate_of_another_name_or_time_is_told() {
    let cluster = Cluster::of(&[("app/creds", &[("token", "s.token")])]);
    let mut expired = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).expect("a name");
    expired.not_after = rcgen::date_time_ymd(2001, 1, 1);
    for (params, told) in [
        (
            rcgen::CertificateParams::new(["vault.example.com".to_owned()]).expect("a name"),
            "for another name; write",
        ),
        (expired, "has expired or is not valid yet; renew"),
    ] {
        let signing_key = rcgen::KeyPair::generate().expect("a key");
        let cert = params.self_signed(&signing_key).expect("a certificate");
        let certificate = rcgen::CertifiedKey { cert, signing_key };
        let ca = json!({"caBundle": base64(&certificate.cert.pem())});
        let found = told_by(&https(&certificate).await, ca, &cluster).await.unwrap_or_default();
        assert!(found.contains(told), "{found}");
    }
}
