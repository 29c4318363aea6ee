use std::time::Duration;

use super::*;

const SECRET: &str = r#"{"data":{"data":{"p":"x"},"metadata":{"version":1,"custom_metadata":null}}}"#;
const READ: &str = "GET /v1/secret/data/app";
const LOGIN: &str = "POST /v1/auth/approle/login";
const LOOKUP: &str = "GET /v1/auth/token/lookup-self";
const RENEW: &str = "POST /v1/auth/token/renew-self";
const REVOKE: &str = "POST /v1/auth/token/revoke-self";

fn granted(token: &str, seconds: u64, renewable: bool, uses: u32) -> String {
    json!({"auth": {"client_token": token, "lease_duration": seconds, "renewable": renewable,
        "num_uses": uses, "token_type": "service"}})
    .to_string()
}

fn app_role() -> serde_json::Value {
    json!({"path": "secret", "auth": {"appRole": {"path": "approle", "roleId": "role-1",
        "secretRef": {"name": "creds", "key": "secret"}}}})
}

/// The tokens that reads were sent with.
fn tokens(server: &Server) -> Vec<String> {
    let reads = server.seen().into_iter().filter(|request| request.line == READ);
    reads.map(|request| request.header("x-vault-token").unwrap_or("none").to_owned()).collect()
}

#[tokio::test]
async fn each_method_logs_in_with_one_post() {
    let reference = |key: &str| json!({"name": "creds", "key": key});
    for (auth, line, body) in [
        (
            json!({"appRole": {"path": "team/approle", "roleRef": reference("id"), "secretRef": reference("secret")}}),
            "POST /v1/auth/team/approle/login",
            r#"{"role_id":"role-1","secret_id":"sid"}"#,
        ),
        (
            json!({"kubernetes": {"mountPath": "k8s", "role": "r", "serviceAccountRef": {"name": "sa", "audiences": ["a"]}}}),
            "POST /v1/auth/k8s/login",
            r#"{"jwt":"jwt-1","role":"r"}"#,
        ),
        (
            json!({"kubernetes": {"mountPath": "k8s", "role": "r", "secretRef": {"name": "creds"}}}),
            "POST /v1/auth/k8s/login",
            r#"{"jwt":"s.token","role":"r"}"#,
        ),
        (
            json!({"ldap": {"path": "ldap", "username": "ada b", "secretRef": reference("pw")}}),
            "POST /v1/auth/ldap/login/ada%20b",
            "{\"password\":\"pw \\n\"}",
        ),
        (
            json!({"userPass": {"path": "up", "username": "ada", "secretRef": reference("pw")}}),
            "POST /v1/auth/up/login/ada",
            "{\"password\":\"pw \\n\"}",
        ),
        (
            json!({"jwt": {"path": "jwt", "role": "r", "secretRef": reference("token")}}),
            "POST /v1/auth/jwt/login",
            r#"{"jwt":"s.token","role":"r"}"#,
        ),
        (
            json!({"jwt": {"path": "jwt", "kubernetesServiceAccountToken": {"serviceAccountRef": {"name": "sa"}}}}),
            "POST /v1/auth/jwt/login",
            r#"{"jwt":"jwt-1"}"#,
        ),
    ] {
        let server =
            Server::start(&answers(&[(line, 200, &granted("s.new", 60, true, 0)), (READ, 200, SECRET)]))
                .await;
        let store = store_with(&server, json!({"path": "secret", "auth": auth})).await;
        assert_eq!(server.lines(), [""; 0], "opening sends nothing");
        read(&store, "app").await.expect("an answer");
        read(&store, "app").await.expect("an answer");
        assert_eq!(server.bodies(), [format!("{line} {body}")], "{auth}");
        assert_eq!(tokens(&server), ["s.new", "s.new"], "{auth}");
        let login = server.seen().into_iter().next().expect("the login");
        assert_eq!(login.header("x-vault-token"), None, "{auth}");
    }
}

#[tokio::test]
async fn the_login_has_a_namespace_of_its_own() {
    let server =
        Server::start(&answers(&[(LOGIN, 200, &granted("s.new", 60, true, 0)), (READ, 200, SECRET)])).await;
    let mut fields = app_role();
    fields["namespace"] = "secrets".into();
    fields["auth"]["namespace"] = "logins".into();
    read(&store_with(&server, fields).await, "app").await.expect("an answer");
    let sent: Vec<_> =
        server.seen().iter().map(|request| request.header("x-vault-namespace").map(str::to_owned)).collect();
    assert_eq!(sent, [Some("logins".to_owned()), Some("secrets".to_owned())]);
}

#[tokio::test]
async fn stores_with_the_same_credential_share_a_login_and_others_do_not() {
    let server = Server::start(&answers(&[
        (LOGIN, 200, &granted("s.1", 60, true, 0)),
        (LOGIN, 200, &granted("s.2", 60, true, 0)),
        (READ, 200, SECRET),
        (REVOKE, 204, ""),
    ]))
    .await;
    let clients = Clients::new(Default::default());
    let mut spec = json!({"vault": app_role()});
    spec["vault"]["server"] = server.url().into();
    for secret in ["one", "one", "other"] {
        let cluster = Cluster::of(&[("app/creds", &[("secret", secret)])]);
        let store = open(spec.clone(), &cluster, &clients).await.expect("the store opens");
        read(&store, "app").await.expect("an answer");
    }
    assert_eq!(tokens(&server), ["s.1", "s.1", "s.2"]);
    clients.close().await;
    let mut revoked: Vec<_> = server.seen().into_iter().filter(|request| request.line == REVOKE).collect();
    revoked.sort_by_key(|request| request.header("x-vault-token").map(str::to_owned));
    let revoked: Vec<_> = revoked.iter().map(|request| request.header("x-vault-token")).collect();
    assert_eq!(revoked, [Some("s.1"), Some("s.2")]);
}

#[tokio::test]
async fn a_denied_login_token_is_replaced_once() {
    let server = Server::start(&answers(&[
        (LOGIN, 200, &granted("s.1", 60, true, 0)),
        (LOGIN, 200, &granted("s.2", 60, true, 0)),
        (READ, 403, DENIED),
        (READ, 200, SECRET),
        (REVOKE, 204, ""),
    ]))
    .await;
    assert!(read(&store_with(&server, app_role()).await, "app").await.expect("an answer").is_some());
    assert_eq!(tokens(&server), ["s.1", "s.2"]);
}

#[tokio::test]
async fn a_policy_that_denies_does_not_cause_a_storm_of_logins() {
    let server = Server::start(&answers(&[
        (LOGIN, 200, &granted("s.1", 60, true, 0)),
        (READ, 403, DENIED),
        (LOOKUP, 200, "{}"),
        (REVOKE, 204, ""),
    ]))
    .await;
    let store = store_with(&server, app_role()).await;
    for _ in 0..5 {
        let failure = read(&store, "app").await.expect_err("denied");
        assert_eq!((failure.reason(), failure.retry()), (Reason::StoreDenied, Retry::Backoff));
    }
    let logins = server.lines().iter().filter(|line| *line == LOGIN).count();
    assert_eq!(logins, 2, "{:?}", server.lines());
}

#[tokio::test]
async fn a_token_that_was_revoked_again_is_replaced_at_once() {
    let server = Server::start(&answers(&[
        (LOGIN, 200, &granted("s.1", 60, true, 0)),
        (READ, 403, DENIED),
        (READ, 200, SECRET),
        (READ, 403, DENIED),
        (READ, 200, SECRET),
        (LOOKUP, 403, DENIED),
        (REVOKE, 204, ""),
    ]))
    .await;
    let store = store_with(&server, app_role()).await;
    for _ in 0..2 {
        read(&store, "app").await.expect("a new token");
    }
    assert_eq!(server.lines().iter().filter(|line| *line == LOGIN).count(), 3);
}

#[tokio::test]
async fn a_static_token_that_is_denied_is_tried_once_a_read() {
    let server = Server::start(&answers(&[(READ, 403, DENIED)])).await;
    let failure = read(&store(&server, "v2").await, "app").await.expect_err("denied");
    assert_eq!(failure.retry(), Retry::Backoff);
    assert_eq!(server.lines(), [READ]);
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end_and_replaced_when_that_gains_nothing() {
    let server = Server::start(&answers(&[
        (LOGIN, 200, &granted("s.1", 1, true, 0)),
        (LOGIN, 200, &granted("s.2", 60, true, 0)),
        (RENEW, 200, &granted("s.1", 1, true, 0)),
        (RENEW, 403, DENIED),
        (READ, 200, SECRET),
        (REVOKE, 204, ""),
    ]))
    .await;
    let store = store_with(&server, app_role()).await;
    for _ in 0..3 {
        read(&store, "app").await.expect("an answer");
        tokio::time::sleep(Duration::from_millis(720)).await;
    }
    assert_eq!(tokens(&server), ["s.1", "s.1", "s.2"]);
    assert_eq!(server.lines().iter().filter(|line| *line == RENEW).count(), 2);
}

#[tokio::test]
async fn while_neither_renewal_nor_login_works_the_old_token_does() {
    let server = Server::start(&answers(&[
        (LOGIN, 200, &granted("s.1", 2, true, 0)),
        (LOGIN, 400, r#"{"errors":["invalid secret id"]}"#),
        (RENEW, 500, ""),
        (READ, 200, SECRET),
    ]))
    .await;
    let store = store_with(&server, app_role()).await;
    read(&store, "app").await.expect("an answer");
    tokio::time::sleep(Duration::from_millis(1400)).await;
    read(&store, "app").await.expect("the old token is still good");
    tokio::time::sleep(Duration::from_millis(700)).await;
    let failure = read(&store, "app").await.expect_err("now it is not");
    assert_eq!(failure.reason(), Reason::StoreDenied);
    assert!(printed(&failure).contains("the secret id is wrong or used up"));
}

#[tokio::test]
async fn a_token_of_few_uses_is_used_so_often() {
    let server = Server::start(&answers(&[
        (LOGIN, 200, &granted("s.1", 60, false, 2)),
        (LOGIN, 200, &granted("s.2", 60, false, 1)),
        (LOGIN, 200, &granted("s.3", 60, false, 1)),
        (READ, 200, SECRET),
    ]))
    .await;
    let store = store_with(&server, app_role()).await;
    for _ in 0..4 {
        read(&store, "app").await.expect("an answer");
    }
    assert_eq!(tokens(&server), ["s.1", "s.1", "s.2", "s.3"]);
}

#[tokio::test]
async fn many_at_once_log_in_once() {
    let server =
        Server::start(&answers(&[(LOGIN, 200, &granted("s.1", 60, true, 0)), (READ, 200, SECRET)])).await;
    let store = store_with(&server, app_role()).await;
    let all = futures::future::join_all((0..20).map(|_| read(&store, "app"))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(server.lines().iter().filter(|line| *line == LOGIN).count(), 1);
}

#[tokio::test]
async fn a_refused_login_shows_neither_credential_nor_answer() {
    for body in
        [r#"{"errors":["sid canary"]}"#, r#"{"auth":null}"#, r#"{"auth":{"client_token":""}}"#, "canary"]
    {
        for status in [200, 400, 403, 404, 500] {
            let server = Server::start(&answers(&[(LOGIN, status, body)])).await;
            let failure = read(&store_with(&server, app_role()).await, "app").await.expect_err("no login");
            let text = printed(&failure);
            assert!(text.starts_with(&format!("log in to Vault at {} with appRole", server.url())), "{text}");
            assert!(!text.contains("canary") && !text.contains("sid") && !text.contains("role-1"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_check_asks_about_the_token_and_reads_no_secret() {
    for (auth, status, expected) in [
        (Some("tokenSecretRef"), 200, Ok(Validity::Valid)),
        (Some("tokenSecretRef"), 403, Err(Reason::StoreDenied)),
        (Some("tokenSecretRef"), 500, Err(Reason::StoreUnavailable)),
        (None, 200, Ok(Validity::Valid)),
        (None, 403, Ok(Validity::Valid)),
        (None, 503, Err(Reason::StoreUnavailable)),
    ] {
        let server = Server::start(&answers(&[(LOOKUP, status, "{}")])).await;
        let mut fields = json!({"path": "secret"});
        if let Some(auth) = auth {
            fields["auth"][auth] = json!({"name": "creds", "key": "token"});
        }
        let checked = store_with(&server, fields).await.validate().await;
        assert_eq!(checked.map_err(|failure| failure.reason()), expected, "{auth:?} {status}");
        assert_eq!(server.lines(), [LOOKUP]);
    }
}

#[tokio::test]
async fn dropping_a_session_gives_its_token_back() {
    let server = Server::start(&answers(&[
        (LOGIN, 200, &granted("s.1", 60, true, 0)),
        (READ, 200, SECRET),
        (REVOKE, 204, ""),
    ]))
    .await;
    let store = store_with(&server, app_role()).await; // its clients are gone already
    read(&store, "app").await.expect("an answer");
    drop(store);
    let revoked = async {
        while !server.lines().iter().any(|line| line == REVOKE) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), revoked).await.expect("the token is revoked");
}

#[tokio::test]
async fn a_denial_stays_a_denial_when_no_new_login_can_be_had() {
    let server = Server::start(&answers(&[
        (LOGIN, 200, &granted("s.1", 60, true, 0)),
        (LOGIN, 400, r#"{"errors":["invalid secret id"]}"#),
        (READ, 403, DENIED),
        (LOOKUP, 200, "{}"),
    ]))
    .await;
    let failure = read(&store_with(&server, app_role()).await, "app").await.expect_err("denied");
    assert!(printed(&failure).starts_with(r#"read "app" from Vault"#), "{failure}");
}
