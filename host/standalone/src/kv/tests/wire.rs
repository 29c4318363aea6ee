use http::{Request, StatusCode};
use http_body_util::Full;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{KvVersion, Mount, Server, TOKEN};

#[tokio::test]
async fn odd_paths_lead_where_they_say() {
    let server = Server::start();
    for path in ["with%20space", "q%3Fmark", "h%23ash", "per%25cent", "%C3%BCml%C3%A4ut", "a..b", "plus+sign"]
    {
        server.put(&format!("secret/data/{path}"), json!({"k": path})).await;
        assert_eq!(
            server.expect("GET", &format!("secret/data/{path}"), Value::Null, 200).await["data"]["data"]["k"],
            path
        );
    }
    let keys = server.expect("LIST", "secret/metadata/", Value::Null, 200).await["data"]["keys"].clone();
    assert_eq!(keys, json!(["a..b", "h#ash", "per%cent", "plus+sign", "q?mark", "with space", "ümläut"]));
    server.put("teams/a/data/x", json!({"k": "nested mount"})).await;
    assert_eq!(
        server.expect("POST", "secret/data/a/", json!({"data": {}}), 400).await["errors"],
        json!(["cannot write to a path ending in '/'"])
    );
    let redirected = server.raw(Request::get("/v1/secret/data//a").body(Full::default()).unwrap()).await;
    assert_eq!(redirected.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(redirected.headers()["Location"], "/v1/secret/data/a");
    assert_eq!(server.get("secret/data/%00a").await.0, StatusCode::BAD_REQUEST);
    let wrong = server.expect("GET", "secret/a", Value::Null, 404).await;
    assert!(wrong["warnings"][0].as_str().unwrap().contains("use 'vault kv get'"));
    assert_eq!(
        server.expect("GET", "none/a", Value::Null, 404).await["errors"],
        json!(["no handler for route \"none/a\". route entry not found."])
    );
}

#[tokio::test]
async fn only_known_tokens_are_let_in() {
    let server = Server::start();
    let status = async |name: &str, value: &str| {
        let request = Request::builder()
            .uri("/v1/auth/token/lookup-self")
            .header(name, value)
            .body(Full::default())
            .unwrap();
        server.send(request).await
    };
    assert_eq!(status("X-Vault-Token", TOKEN).await.0, StatusCode::OK);
    assert_eq!(status("Authorization", &format!("Bearer {TOKEN}")).await.0, StatusCode::OK);
    for (name, value) in
        [("X-Vault-Token", "wrong"), ("X-Vault-Token", ""), ("Authorization", TOKEN), ("X-Other", TOKEN)]
    {
        assert_eq!(
            status(name, value).await,
            (StatusCode::FORBIDDEN, json!({"errors": ["permission denied"]})),
            "{name} {value}"
        );
    }
    let (_, looked_up) = status("X-Vault-Token", TOKEN).await;
    assert_eq!(
        (&looked_up["data"]["id"], &looked_up["data"]["policies"], &looked_up["data"]["ttl"]),
        (&json!(TOKEN), &json!(["root"]), &json!(0))
    );
    assert_eq!(
        server.expect("POST", "auth/token/renew-self", json!({}), 400).await["errors"],
        json!(["lease is not renewable"])
    );

    server.kv.set_tokens(vec![SecretString::from(TOKEN), SecretString::from("second")]);
    assert_eq!(status("X-Vault-Token", "second").await.0, StatusCode::OK);
    server.expect("POST", "auth/token/revoke-self", Value::Null, 204).await;
    assert_eq!(status("X-Vault-Token", TOKEN).await.0, StatusCode::FORBIDDEN);
    assert_eq!(status("X-Vault-Token", "second").await.0, StatusCode::OK);
}

#[tokio::test]
async fn the_server_tells_of_itself() {
    let server = Server::start();
    let plain =
        async |path: &str| server.send(Request::builder().uri(path).body(Full::default()).unwrap()).await;
    let (status, health) = plain("/v1/sys/health").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&health["initialized"], &health["sealed"], &health["server_time_utc"]),
        (&json!(true), &json!(false), &json!(1_767_225_600))
    );
    assert_eq!(plain("/v1/sys/seal-status").await.1["type"], "shamir");
    assert_eq!(plain("/v2/x").await, (StatusCode::NOT_FOUND, json!({"errors": []})));
    assert_eq!(plain("/v1/sys/mounts").await.0, StatusCode::FORBIDDEN);

    let mounts = server.expect("GET", "sys/mounts", Value::Null, 200).await;
    assert_eq!(mounts["data"]["kv1/"]["options"]["version"], "1");
    assert_eq!(mounts["secret/"], mounts["data"]["secret/"]);
    let mount = server.expect("GET", "sys/internal/ui/mounts/teams/a/some/path", Value::Null, 200).await;
    assert_eq!(
        (&mount["data"]["path"], &mount["data"]["options"]["version"], &mount["data"]["type"]),
        (&json!("teams/a/"), &json!("2"), &json!("kv"))
    );
    server.expect("GET", "sys/internal/ui/mounts/secret", Value::Null, 200).await;
    let unknown = server.expect("GET", "sys/internal/ui/mounts/none", Value::Null, 403).await;
    assert!(unknown["errors"][0].as_str().unwrap().starts_with("preflight capability check returned 403"));

    server.kv.set_mounts(vec![Mount::new("other", KvVersion::V1)]);
    server.expect("GET", "kv1/a", Value::Null, 404).await;
    server.expect("PUT", "other/a", json!({"k": "v"}), 204).await;
}

#[tokio::test]
async fn bodies_are_json_or_forms_of_limited_length() {
    let server = Server::start();
    let send = async |kind: &str, body: Vec<u8>| {
        let request = Request::builder()
            .method("POST")
            .uri("/v1/kv1/a")
            .header("X-Vault-Token", TOKEN)
            .header("Content-Type", kind);
        server.send(request.body(Full::from(body)).unwrap()).await
    };
    let form = "application/x-www-form-urlencoded";
    assert_eq!(send(form, b"{\"k\": \"json\"}".to_vec()).await.0, StatusCode::NO_CONTENT);
    assert_eq!(server.get("kv1/a").await.1["data"], json!({"k": "json"}));
    assert_eq!(send(form, b"k=form+%26+more&l=".to_vec()).await.0, StatusCode::NO_CONTENT);
    assert_eq!(server.get("kv1/a").await.1["data"], json!({"k": "form & more", "l": ""}));
    for body in ["{", "[]", "\"text\""] {
        assert_eq!(
            send("application/json", body.into()).await,
            (StatusCode::BAD_REQUEST, json!({"errors": ["error parsing JSON"]})),
            "{body}"
        );
    }
    let long = vec![b' '; (32 << 20) + 1];
    assert_eq!(
        send("application/json", long).await,
        (StatusCode::PAYLOAD_TOO_LARGE, json!({"errors": ["error parsing JSON"]}))
    );
}

#[tokio::test]
async fn namespaces_are_echoed_and_ignored() {
    let server = Server::start();
    server.put("secret/data/a", json!({"k": "v"})).await;
    let request = Request::builder()
        .uri("/v1/secret/data/a")
        .header("X-Vault-Token", TOKEN)
        .header("X-Vault-Namespace", "team/a");
    let response = server.raw(request.body(Full::default()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["X-Vault-Namespace"], "team/a");
    assert_eq!(response.headers()["Cache-Control"], "no-store");
}

#[tokio::test]
async fn values_are_not_printed() {
    let server = Server::start();
    server.put("secret/data/a", json!({"k": "canary"})).await;
    assert!(!format!("{:?}", server.kv).contains(TOKEN));
}

#[tokio::test]
async fn it_serves_on_a_socket_until_told_to_stop() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let server = Server::start();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let (kv, stopped) = (server.kv.clone(), stop.clone());
    let serving = tokio::spawn(async move { kv.serve(listener, stopped).await });
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /v1/sys/health HTTP/1.1\r\nHost: kv\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    stop.cancel();
    tokio::time::timeout(std::time::Duration::from_secs(5), serving).await.unwrap().unwrap();
}
