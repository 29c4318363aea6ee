//! Every way to log in, against the real Vault: it works, and when it does not the error says why and what to do.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use pipeline::{Reason, Retry, TokenRequest, Validity};
use serde_json::{Value as Json, json};
use standalone::kv::KvVersion;

use super::cluster::Cluster;
use super::slapd::Slapd;
use super::{creds, open, read, store, vault};
use crate::subject::{Subject, run};

/// An auth method with a role `app` that may read one mount.
pub(super) struct Method {
    pub(super) subject: &'static Subject,
    /// Where the secret `app` is.
    pub(super) mount: String,
    /// Where the method is.
    pub(super) path: String,
    pub(super) policy: String,
}

impl Method {
    pub(super) async fn enable(kind: &str) -> Option<Self> {
        let subject = crate::subject::vault()?;
        Some(Self::enable_on(subject, kind).await)
    }

    pub(super) async fn enable_on(subject: &'static Subject, kind: &str) -> Self {
        let number = subject.count();
        let (mount, path) = (format!("logins-{number}"), format!("{kind}-{number}"));
        subject.mount(&mount, KvVersion::V2).await;
        subject.expect("POST", &format!("{mount}/data/app"), &json!({"data": {"p": "x"}})).await;
        let policy = format!("read-{number}");
        let rules = format!(r#"path "{mount}/data/*" {{ capabilities = ["read"] }}"#);
        subject.expect("PUT", &format!("sys/policies/acl/{policy}"), &json!({"policy": rules})).await;
        subject.expect("POST", &format!("sys/auth/{path}"), &json!({"type": kind})).await;
        Self { subject, mount, path, policy }
    }

    /// A request below the method.
    pub(super) async fn set(&self, what: &str, body: Json) -> Json {
        self.subject.expect("POST", &format!("auth/{}/{what}", self.path), &body).await
    }

    /// The fields of a store that logs in so.
    pub(super) fn store(&self, auth: Json) -> Json {
        json!({"path": self.mount, "auth": auth})
    }

    /// That this logs in, and the other credentials do not, each for its own reason.
    async fn check(&self, auth: Json, good: &Arc<Cluster>, bad: &[(Arc<Cluster>, &str)]) {
        let fields = self.store(auth);
        let opened = store(&self.subject.url(), fields.clone(), good).await;
        assert_eq!(read(&opened, "app").await.unwrap().as_deref(), Some(r#"{"p":"x"}"#), "{}", self.path);
        assert_eq!(opened.validate().await.unwrap(), Validity::Valid);
        for (cluster, why) in bad {
            let opened = store(&self.subject.url(), fields.clone(), cluster).await;
            let failure = read(&opened, "app").await.unwrap_err();
            let told = pipeline::message(failure.as_ref());
            assert_eq!(
                (failure.reason(), failure.retry()),
                (Reason::StoreDenied, Retry::WhenChanged),
                "{told}"
            );
            assert!(told.contains(why), "{told}");
            assert!(told.ends_with("check the credential and the role in the store's spec"), "{told}");
        }
    }
}

/// A role `app` with its id and a secret id.
pub(super) async fn app_role(method: &Method, mut role: Json) -> (String, String) {
    role["token_policies"] = json!([method.policy]);
    method.set("role/app", role).await;
    let id =
        method.subject.expect("GET", &format!("auth/{}/role/app/role-id", method.path), &Json::Null).await;
    let secret = method.set("role/app/secret-id", json!({})).await;
    let text = |json: &Json, name: &str| json["data"][name].as_str().unwrap().to_owned();
    (text(&id, "role_id"), text(&secret, "secret_id"))
}

#[test]
fn a_token_is_enough() {
    run(async {
        let Some(method) = Method::enable("userpass").await else { return };
        let token = method
            .subject
            .expect("POST", "auth/token/create", &json!({"policies": [method.policy], "ttl": "10m"}))
            .await;
        let token = token["auth"]["client_token"].as_str().unwrap().to_owned();
        let cluster = Cluster::with(&[("token", &format!("{token}\n"))]);
        let fields = method.store(json!({"tokenSecretRef": creds("token")}));
        let store = store(&method.subject.url(), fields, &cluster).await;
        assert!(read(&store, "app").await.unwrap().is_some(), "a line end is no part of a token");
    });
}

#[test]
fn an_app_role_logs_in() {
    run(async {
        let Some(method) = Method::enable("approle").await else { return };
        let (id, secret) = app_role(&method, json!({})).await;
        let by_reference =
            json!({"appRole": {"path": method.path, "roleRef": creds("id"), "secretRef": creds("secret")}});
        let by_id = json!({"appRole": {"path": method.path, "roleId": id, "secretRef": creds("secret")}});
        let good = Cluster::with(&[("id", &id), ("secret", &format!("{secret}\n"))]);
        let wrong_secret = Cluster::with(&[("id", &id), ("secret", "wrong")]);
        let wrong_id = Cluster::with(&[("id", "wrong"), ("secret", &secret)]);
        let bad = "the secret id is wrong or used up";
        let bad_id = "the role id is wrong";
        method.check(by_reference, &good, &[(wrong_secret.clone(), bad), (wrong_id, bad_id)]).await;
        method.check(by_id, &good, &[(wrong_secret, bad)]).await;
    });
}

#[test]
fn a_user_with_a_password_logs_in() {
    run(async {
        let Some(method) = Method::enable("userpass").await else { return };
        let user = json!({"password": "pass word \n", "token_policies": [method.policy]});
        method.set("users/ada", user).await;
        let auth = |user: &str| json!({"userPass": {"path": method.path, "username": user, "secretRef": creds("pw")}});
        let good = Cluster::with(&[("pw", "pass word \n")]);
        let bad = "the user name or the password is wrong";
        method.check(auth("ada"), &good, &[(Cluster::with(&[("pw", "pass word")]), bad)]).await;
        let nobody = store(&method.subject.url(), method.store(auth("nobody")), &good).await;
        assert!(pipeline::message(read(&nobody, "app").await.unwrap_err().as_ref()).contains(bad));
    });
}

#[test]
fn a_user_of_a_directory_logs_in() {
    run(async {
        let Some(directory) = Slapd::start() else { return };
        let Some(method) = Method::enable("ldap").await else { return };
        let config = json!({
            "url": directory.url(), "userdn": Slapd::PEOPLE, "userattr": "uid", "token_policies": [method.policy],
        });
        method.set("config", config).await;
        let auth = json!({"ldap": {"path": method.path, "username": Slapd::USER, "secretRef": creds("pw")}});
        let good = Cluster::with(&[("pw", Slapd::PASSWORD)]);
        method.check(auth.clone(), &good, &[(Cluster::with(&[("pw", "wrong")]), "it grants no token")]).await;
        drop(directory);
        let store = store(&method.subject.url(), method.store(auth), &good).await;
        let failure = read(&store, "app").await.unwrap_err();
        assert_eq!(
            failure.reason(),
            Reason::StoreUnavailable,
            "a directory that is away is no wrong password"
        );
    });
}

#[test]
fn a_signed_token_logs_in() {
    run(async {
        let Some(method) = Method::enable("jwt").await else { return };
        let key = SigningKey::from_bytes(&[7; 32]);
        let config = json!({"jwt_validation_pubkeys": [public_pem(&key)], "jwt_supported_algs": ["EdDSA"]});
        method.set("config", config).await;
        let role = json!({
            "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": [method.policy],
        });
        method.set("role/app", role).await;
        let auth = json!({"jwt": {"path": method.path, "role": "app", "secretRef": creds("jwt")}});
        let with = |key: &SigningKey, audience: &str, seconds: i64| {
            Cluster::with(&[("jwt", &signed(key, audience, seconds))])
        };
        let bad = [
            (with(&key, "vault", -3600), "the token is expired"),
            (with(&key, "other", 600), "the token's audience is not the role's"),
            (with(&SigningKey::from_bytes(&[8; 32]), "vault", 600), "the token is not valid"),
            (Cluster::with(&[("jwt", "no token")]), "the token is not valid"),
        ];
        method.check(auth, &with(&key, "vault", 600), &bad).await;

        let unknown = json!({"jwt": {"path": method.path, "role": "none", "secretRef": creds("jwt")}});
        let unknown = store(&method.subject.url(), method.store(unknown), &with(&key, "vault", 600)).await;
        let told = pipeline::message(read(&unknown, "app").await.unwrap_err().as_ref());
        assert!(told.contains("the role does not exist"), "{told}");

        let minted = json!({"jwt": {"path": method.path, "role": "app", "kubernetesServiceAccountToken": {
            "serviceAccountRef": {"name": "app"}, "audiences": ["vault"], "expirationSeconds": 600,
        }}});
        let minter = Cluster::minting(&[], move |request| signed(&key, &request.audiences[0], 600));
        method.check(minted, &minter, &[]).await;
    });
}

#[test]
fn a_service_account_logs_in() {
    run(async {
        let Some(cluster) = servers::kubernetes() else { return };
        let Some(method) = Method::enable("kubernetes").await else { return };
        accounts(cluster);
        let config = json!({
            "kubernetes_host": cluster.url(), "kubernetes_ca_cert": cluster.ca_pem(),
            "token_reviewer_jwt": cluster.token_for("app", "reviewer"), "disable_local_ca_jwt": true,
        });
        method.set("config", config).await;
        let role = json!({
            "bound_service_account_names": ["app"], "bound_service_account_namespaces": ["app"],
            "token_policies": [method.policy],
        });
        method.set("role/app", role).await;
        let minter = || Cluster::minting(&[], |request| minted(cluster, request));
        let auth = |account: &str| {
            json!({"kubernetes": {
                "mountPath": method.path, "role": "app", "serviceAccountRef": {"name": account},
            }})
        };
        method.check(auth("app"), &minter(), &[]).await;
        let other = store(&method.subject.url(), method.store(auth("other")), &minter()).await;
        let told = pipeline::message(read(&other, "app").await.unwrap_err().as_ref());
        assert!(told.contains("the role is not bound to that ServiceAccount"), "{told}");

        let request = TokenRequest {
            namespace: "app".to_owned(),
            service_account: "app".to_owned(),
            audiences: Vec::new(),
            lifetime: Duration::from_secs(600),
        };
        let given =
            json!({"kubernetes": {"mountPath": method.path, "role": "app", "secretRef": {"name": "creds"}}});
        let good = Cluster::with(&[("token", &minted(cluster, &request))]);
        let forged = Cluster::with(&[("token", &signed(&SigningKey::from_bytes(&[9; 32]), "vault", 600))]);
        method.check(given, &good, &[(forged, "permission denied")]).await;
    });
}

#[test]
fn methods_that_are_not_offered_are_refused_with_those_that_are() {
    run(async {
        for (method, auth) in
            [("iam", json!({"iam": {"vaultRole": "app"}})), ("gcp", json!({"gcp": {"role": "app"}}))]
        {
            let spec = vault("http://127.0.0.1:1", json!({"path": "secret", "auth": auth}));
            let refused = open(spec, &Cluster::with(&[]), &stores::Clients::new(Default::default())).await;
            let error = refused.err().unwrap_or_else(|| panic!("{method} is not refused"));
            let told = pipeline::message(&error);
            assert!(told.contains(&format!("auth.{method}: keymill has tokenSecretRef, appRole")), "{told}");
            assert!(told.ends_with("use one of the methods that keymill has"), "{told}");
        }
    });
}

#[test]
fn an_auth_method_that_is_not_there_is_told_from_a_wrong_credential() {
    run(async {
        let Some(method) = Method::enable("userpass").await else { return };
        let auth = json!({"userPass": {"path": "none", "username": "ada", "secretRef": creds("pw")}});
        let store = store(&method.subject.url(), method.store(auth), &Cluster::with(&[("pw", "x")])).await;
        let failure = read(&store, "app").await.unwrap_err();
        let told = pipeline::message(failure.as_ref());
        // Vault does not tell strangers what is mounted.
        assert_eq!(failure.reason(), Reason::StoreDenied, "{told}");
        assert!(told.contains("with userPass: permission denied"), "{told}");
    });
}

/// ServiceAccounts of the namespace `app`, one of which Vault asks about the tokens of the others with.
fn accounts(cluster: &servers::Kubernetes) {
    let create = |path: &str, body: Json| {
        let (status, answer) = cluster.request("POST", path, Some(&body));
        assert_eq!(status, 201, "{answer}");
    };
    create("/api/v1/namespaces", json!({"metadata": {"name": "app"}}));
    for name in ["app", "other", "reviewer"] {
        create("/api/v1/namespaces/app/serviceaccounts", json!({"metadata": {"name": name}}));
    }
    create(
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        json!({
            "metadata": {"name": "vault-reviews-tokens"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:auth-delegator"},
            "subjects": [{"kind": "ServiceAccount", "namespace": "app", "name": "reviewer"}],
        }),
    );
}

/// A token as the real API server mints it.
fn minted(cluster: &servers::Kubernetes, request: &TokenRequest) -> String {
    let path =
        format!("/api/v1/namespaces/{}/serviceaccounts/{}/token", request.namespace, request.service_account);
    let mut spec = json!({"expirationSeconds": request.lifetime.as_secs().max(600)});
    if !request.audiences.is_empty() {
        spec["audiences"] = json!(request.audiences);
    }
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec});
    let (status, answer) = cluster.request("POST", &path, Some(&body));
    assert_eq!(status, 201, "{answer}");
    answer["status"]["token"].as_str().unwrap().to_owned()
}

/// A JWT that ends in so many seconds.
fn signed(key: &SigningKey, audience: &str, seconds: i64) -> String {
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({"sub": "app", "aud": audience, "iat": now - 7200, "exp": now + seconds});
    let part = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
    let text = format!("{}.{}", part(&json!({"alg": "EdDSA", "typ": "JWT"})), part(&claims));
    let signature = key.sign(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn public_pem(key: &SigningKey) -> String {
    let prefix = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let der = [prefix.as_slice(), key.verifying_key().as_bytes()].concat();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
}
