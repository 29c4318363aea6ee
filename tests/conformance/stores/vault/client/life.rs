//! The life of a token: it ends, is revoked, is good for one request, or for less than what is asked.

use std::time::{Duration, Instant};

use pipeline::{ListQuery, Marks, Reason, Retry, Revision, Write};
use serde_json::{Value as Json, json};
use stores::Clients;

use super::between::Between;
use super::cluster::Cluster;
use super::logins::{Method, app_role};
use super::{creds, document, open, read, store, vault};
use crate::subject::run;

const PATIENCE: Duration = Duration::from_secs(30);

/// A role with that config, and a store that logs in with it and through a server that writes down what passes.
struct Life {
    method: Method,
    between: Between,
    cluster: std::sync::Arc<Cluster>,
    fields: Json,
}

impl Life {
    async fn of(role: Json) -> Option<Self> {
        let method = Method::enable("approle").await?;
        let (id, secret) = app_role(&method, role).await;
        let between = Between::start(method.subject.address, |_| None).await;
        let auth = json!({"appRole": {"path": method.path, "roleId": id, "secretRef": creds("secret")}});
        let fields = method.store(auth);
        Some(Self { method, between, cluster: Cluster::with(&[("secret", &secret)]), fields })
    }

    async fn store(&self) -> std::sync::Arc<dyn pipeline::SecretStore> {
        store(&self.between.url(), self.fields.clone(), &self.cluster).await
    }

    fn logins(&self) -> usize {
        self.between.count(&format!("POST /v1/auth/{}/login", self.method.path))
    }

    fn renewals(&self) -> usize {
        self.between.count("POST /v1/auth/token/renew-self")
    }

    async fn revoke_all(&self) {
        let path = format!("sys/leases/revoke-prefix/auth/{}/login", self.method.path);
        self.method.subject.expect("POST", &path, &json!({})).await;
    }
}

#[test]
fn a_token_is_renewed_while_that_helps_and_then_replaced() {
    run(async {
        let role = json!({"token_ttl": "2s", "token_max_ttl": "5s"});
        let Some(life) = Life::of(role).await else { return };
        let store = life.store().await;
        let started = Instant::now();
        while life.logins() < 2 || life.renewals() < 1 {
            assert!(read(&store, "app").await.unwrap().is_some(), "no read notices");
            assert!(started.elapsed() < PATIENCE, "{:?}", life.between.lines());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
}

#[test]
fn a_token_that_cannot_be_renewed_is_replaced() {
    run(async {
        let role = json!({"token_ttl": "2s", "token_type": "batch"});
        let Some(life) = Life::of(role).await else { return };
        let store = life.store().await;
        let started = Instant::now();
        while life.logins() < 2 {
            assert!(read(&store, "app").await.unwrap().is_some(), "no read notices");
            assert!(started.elapsed() < PATIENCE, "{:?}", life.between.lines());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(life.renewals(), 0, "a batch token has no renewal");
    });
}

#[test]
fn a_token_that_was_revoked_is_replaced_at_once() {
    run(async {
        let Some(life) = Life::of(json!({})).await else { return };
        let store = life.store().await;
        for logins in 1..=3 {
            assert!(read(&store, "app").await.unwrap().is_some());
            assert_eq!(life.logins(), logins, "{:?}", life.between.lines());
            life.revoke_all().await;
        }
    });
}

#[test]
fn a_login_that_is_no_longer_possible_is_told() {
    run(async {
        let Some(life) = Life::of(json!({"secret_id_num_uses": 1})).await else { return };
        let store = life.store().await;
        assert!(read(&store, "app").await.unwrap().is_some());
        life.revoke_all().await;
        let failure = read(&store, "app").await.unwrap_err();
        let told = pipeline::message(failure.as_ref());
        assert_eq!((failure.reason(), failure.retry()), (Reason::StoreDenied, Retry::WhenChanged), "{told}");
        assert!(told.contains("the secret id is wrong or used up"), "{told}");
    });
}

#[test]
fn a_static_token_that_was_revoked_is_told() {
    run(async {
        let Some(method) = Method::enable("approle").await else { return };
        let body = json!({"policies": [method.policy], "ttl": "10m"});
        let created = method.subject.expect("POST", "auth/token/create", &body).await;
        let token = created["auth"]["client_token"].as_str().unwrap();
        let cluster = Cluster::with(&[("token", token)]);
        let store =
            store(&method.subject.url(), method.store(json!({"tokenSecretRef": creds("token")})), &cluster)
                .await;
        assert!(read(&store, "app").await.unwrap().is_some());
        method.subject.expect("POST", "auth/token/revoke", &json!({"token": token})).await;
        for failure in [read(&store, "app").await.unwrap_err(), store.validate().await.unwrap_err()] {
            let told = pipeline::message(failure.as_ref());
            assert_eq!((failure.reason(), failure.retry()), (Reason::StoreDenied, Retry::Backoff), "{told}");
            assert!(told.ends_with("renew the credential, or have its policy allow the path"), "{told}");
            assert!(!told.contains(token));
        }
    });
}

#[test]
fn a_token_of_one_use_is_used_once() {
    run(async {
        let Some(life) = Life::of(json!({"token_num_uses": 1})).await else { return };
        let store = life.store().await;
        for logins in 1..=3 {
            assert!(read(&store, "app").await.unwrap().is_some());
            assert_eq!(life.logins(), logins);
        }
    });
}

#[test]
fn a_token_is_given_back_at_the_end() {
    run(async {
        let Some(life) = Life::of(json!({})).await else { return };
        let clients = Clients::new(Default::default());
        let spec = vault(&life.between.url(), life.fields.clone());
        let store = open(spec, &life.cluster, &clients).await.unwrap();
        assert!(read(&store, "app").await.unwrap().is_some());
        let leases = format!("sys/leases/lookup/auth/{}/login", life.method.path);
        let living = async || life.method.subject.ask("LIST", &leases, &Json::Null).await.0;
        assert_eq!(living().await, 200);
        clients.close().await;
        assert_eq!(living().await, 404, "there is no token of that login left");
    });
}

/// A store with a token that may do what these rules say with its own mount, as `MOUNT`.
async fn limited(method: &Method, rules: &str) -> std::sync::Arc<dyn pipeline::SecretStore> {
    let name = format!("limited-{}", method.subject.count());
    let policy = json!({"policy": rules.replace("MOUNT", &method.mount)});
    method.subject.expect("PUT", &format!("sys/policies/acl/{name}"), &policy).await;
    let created = method.subject.expect("POST", "auth/token/create", &json!({"policies": [name]})).await;
    let cluster = Cluster::with(&[("token", created["auth"]["client_token"].as_str().unwrap())]);
    store(&method.subject.url(), method.store(json!({"tokenSecretRef": creds("token")})), &cluster).await
}

#[test]
fn what_a_policy_denies_is_not_missing() {
    run(async {
        let Some(method) = Method::enable("approle").await else { return };
        let store = limited(&method, r#"path "MOUNT/data/*" { capabilities = ["read"] }"#).await;
        assert!(read(&store, "app").await.unwrap().is_some());
        assert_eq!(
            read(&store, "none").await.unwrap(),
            None,
            "a path that may be read and is empty is missing"
        );
        let doc = document("{}");
        let write = Write {
            key: "app",
            document: &doc,
            marks: &Marks::new(),
            expected: &Revision::At("1".to_owned()),
            metadata: None,
        };
        for (doing, failure) in [
            ("list", store.list(&ListQuery::default()).await.map(drop).unwrap_err()),
            ("write", store.write(write).await.map(drop).unwrap_err()),
            ("delete", store.delete("app", &Revision::At("1".to_owned())).await.unwrap_err()),
        ] {
            let told = pipeline::message(failure.as_ref());
            assert_eq!((failure.reason(), failure.retry()), (Reason::StoreDenied, Retry::Backoff), "{told}");
            assert!(told.starts_with(&format!("failed to {doing} ")), "{told}");
            assert!(told.contains("permission denied"), "{told}");
        }
        let elsewhere = limited(&method, r#"path "MOUNT/data/other/*" { capabilities = ["read"] }"#).await;
        for key in ["app", "none"] {
            assert_eq!(read(&elsewhere, key).await.unwrap_err().reason(), Reason::StoreDenied, "{key}");
        }
    });
}

#[test]
fn a_folder_that_may_not_be_listed_fails_the_whole_list() {
    run(async {
        let Some(method) = Method::enable("approle").await else { return };
        for key in ["open/a", "shut/b"] {
            let body = json!({"data": {"p": "x"}});
            method.subject.expect("POST", &format!("{}/data/{key}", method.mount), &body).await;
        }
        let rules = r#"
            path "MOUNT/data/*" { capabilities = ["read"] }
            path "MOUNT/metadata/" { capabilities = ["list"] }
            path "MOUNT/metadata/open/*" { capabilities = ["list"] }
        "#;
        let store = limited(&method, rules).await;
        let below = async |path: &str| {
            let query = ListQuery { path: Some(path.to_owned()), ..ListQuery::default() };
            store.list(&query).await.map(|listed| listed.into_iter().map(|one| one.key).collect::<Vec<_>>())
        };
        assert_eq!(below("open").await.unwrap(), ["open/a"]);
        for path in ["shut", ""] {
            assert_eq!(below(path).await.unwrap_err().reason(), Reason::StoreDenied, "{path:?}");
        }
    });
}
