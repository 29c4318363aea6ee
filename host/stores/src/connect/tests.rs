use serde_json::json;

use super::*;
use crate::fixture::{Cluster, crypto, open, store_id};

fn vault(auth: serde_json::Value) -> serde_json::Value {
    json!({"vault": {"server": "http://127.0.0.1:9", "path": "secret", "auth": auth}})
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What opening the store `app/store` of that provider says.
async fn check_refused(provider: serde_json::Value, expected: &str) {
    let cluster = Cluster::of(&[("app/creds", &[("token", "t"), ("empty", " \n"), ("pem", "no pem")])]);
    let clients = Clients::new(Default::default());
    let error = open(provider.clone(), &cluster, &clients).await.map(|_| ()).expect_err(expected);
    let text = chain(&error);
    assert!(text.starts_with(expected), "{provider}\n{text}\n{expected}");
    assert_eq!(error.retry(), Retry::WhenChanged, "{provider}");
}

#[tokio::test]
async fn other_providers_are_named_with_what_is_supported() {
    let aws = json!({"aws": {"service": "SecretsManager"}});
    check_refused(aws, "open a store of provider aws: keymill has vault, fake, kubernetes").await;
    check_refused(json!({}), "open a store that does not name exactly one provider").await;
}

#[tokio::test]
async fn credentials_that_cannot_be_had_say_why() {
    let creds = |key: &str| json!({"name": "creds", "key": key});
    for (auth, expected) in [
        (json!({"tokenSecretRef": {"name": "absent", "key": "token"}}), "find Secret app/absent"),
        (json!({"tokenSecretRef": creds("other")}), "find key \"other\" in Secret app/creds"),
        (json!({"tokenSecretRef": {"name": "creds"}}), "use a reference to Secret app/creds that has no key"),
        (json!({"tokenSecretRef": {"key": "token"}}), "use a reference to a Secret that has no name"),
        (json!({"tokenSecretRef": creds("empty")}), "use an empty credential from Secret app/creds"),
        (
            json!({"tokenSecretRef": {"name": "creds", "key": "token", "namespace": "other"}}),
            "use Secret other/creds from a SecretStore in namespace app",
        ),
        (
            json!({"appRole": {"path": "a", "secretRef": creds("token")}}),
            "log in to Vault without auth.appRole.roleId",
        ),
        (json!({"iam": {"vaultRole": "r"}}), "log in to Vault with auth.iam: keymill has"),
        (json!({"gcp": {"role": "r", "path": "gcp"}}), "log in to Vault with auth.gcp: keymill has"),
        (json!({"ldap": {"path": "ldap", "username": "u"}}), "log in to Vault without auth.ldap.secretRef"),
        (
            json!({"userPass": {"path": "../sys", "username": "u", "secretRef": creds("token")}}),
            "use \"../sys\" as the path of an auth method: use a path with a relative segment",
        ),
    ] {
        check_refused(vault(auth), expected).await;
    }
}

#[tokio::test]
async fn vault_settings_that_cannot_be_used_say_why() {
    let pem = json!({"name": "creds", "key": "pem"});
    for (fields, expected) in [
        (json!({"server": "vault:8200"}), "open vault.server: use a server's address that does not begin"),
        (json!({"caBundle": "eA=="}), "read the certificate authority"),
        (json!({"tls": {"certSecretRef": pem}}), "use a client certificate of which only one"),
        (
            json!({"tls": {"certSecretRef": pem, "keySecretRef": pem}}),
            "read the client certificate: it is no PEM",
        ),
        (json!({"namespace": "a\nb"}), "send vault.namespace as a header"),
        (json!({"headers": {"a b": "c"}}), "send vault.headers[\"a b\"]"),
        (json!({"path": "a/../b"}), "use vault.path as the mount"),
    ] {
        let mut spec = vault(json!({"tokenSecretRef": {"name": "creds", "key": "token"}}));
        spec["vault"].as_object_mut().expect("a spec").extend(fields.as_object().expect("fields").clone());
        check_refused(spec, expected).await;
    }
}

#[tokio::test]
async fn kubernetes_settings_that_cannot_be_used_say_why() {
    let account = json!({"serviceAccount": {"name": "sa"}});
    for (spec, expected) in [
        (json!({}), "authenticate without kubernetes.auth"),
        (json!({"authRef": {"name": "creds", "key": "token"}}), "authenticate with kubernetes.authRef"),
        (json!({"remoteNamespace": "a/b", "auth": account}), "use kubernetes.remoteNamespace as a namespace"),
        (json!({"server": {"url": "ftp://x"}, "auth": account}), "use kubernetes.server.url"),
        (
            json!({"auth": {"serviceAccount": {"name": "sa", "namespace": "other"}}}),
            "use ServiceAccount other/sa from a SecretStore in namespace app",
        ),
    ] {
        check_refused(json!({"kubernetes": spec}), expected).await;
    }
}

#[tokio::test]
async fn a_cluster_store_reads_where_the_reference_says_or_as_its_consumer() {
    crypto();
    let cluster = Cluster::of(&[("ops/creds", &[("token", "t")]), ("team/creds", &[("token", "t")])]);
    let cluster_store = StoreId { namespace: None, name: "store".to_owned(), uid: "u".to_owned() };
    let named = vault(json!({"tokenSecretRef": {"name": "creds", "key": "token", "namespace": "ops"}}));
    let referent = vault(json!({"tokenSecretRef": {"name": "creds", "key": "token"}}));
    for (provider, consumer, expected) in [
        (&named, Some("anywhere"), "opened"),
        (&named, None, "opened"),
        (&referent, Some("team"), "opened"),
        (&referent, Some("elsewhere"), "find Secret elsewhere/creds"),
        (&referent, None, "unknown"),
    ] {
        let clients = Clients::new(Default::default());
        let spec = serde_json::from_value(provider.clone()).expect("a provider");
        let found = match connect(&spec, &cluster_store, consumer, &cluster.ports(), &clients).await {
            Err(error) => chain(&error),
            // Nothing listens there, so a store that can be checked fails.
            Ok(store) => match store.validate().await {
                Ok(Validity::Unknown) => "unknown".to_owned(),
                _ => "opened".to_owned(),
            },
        };
        assert_eq!(found, expected, "{consumer:?}");
    }
}

#[tokio::test]
async fn a_cluster_store_must_name_the_namespace_of_its_authority() {
    crypto();
    let cluster = Cluster::of(&[("team/creds", &[("token", "t")]), ("team/ca", &[("ca.crt", "x")])]);
    let cluster_store = StoreId { namespace: None, ..store_id() };
    let spec = json!({"vault": {"server": "https://v", "caProvider": {"type": "Secret", "name": "ca", "key": "ca.crt"},
        "auth": {"tokenSecretRef": {"name": "creds", "key": "token"}}}});
    let spec = serde_json::from_value(spec).expect("a provider");
    let clients = Clients::new(Default::default());
    let refused = connect(&spec, &cluster_store, Some("team"), &cluster.ports(), &clients).await.map(|_| ());
    assert_eq!(
        chain(&refused.expect_err("no namespace")),
        "use a reference to Secret ca that has no namespace"
    );
}

#[tokio::test]
async fn fake_stores_of_one_name_do_not_share_what_was_pushed() {
    let cluster = Cluster::of(&[]);
    let clients = Clients::new(Default::default());
    let spec = serde_json::from_value(json!({"fake": {"data": []}})).expect("a provider");
    let other = StoreId { namespace: Some("other".to_owned()), ..store_id() };
    let document = Document::Bytes("v".into());
    let (marks, expected) = (Default::default(), Revision::Absent);
    for id in [store_id(), other.clone()] {
        let store = connect(&spec, &id, Some("app"), &cluster.ports(), &clients).await.expect("a fake store");
        let write =
            Write { key: "k", document: &document, marks: &marks, expected: &expected, metadata: None };
        store.write(write).await.expect("nothing was there");
    }
    let reads = async |id: &StoreId| {
        let store = connect(&spec, id, Some("app"), &cluster.ports(), &clients).await.expect("a fake store");
        store.read("k", &ReadOptions::default()).await.expect("an answer")
    };
    assert_eq!(reads(&store_id()).await, Found::Found(document.clone()));
    clients.forget(&store_id());
    assert_eq!(reads(&store_id()).await, Found::Missing);
    assert_eq!(reads(&other).await, Found::Found(document));
}

/// Ports that fail.
struct Down;

#[async_trait]
impl pipeline::ReadSecret for Down {
    async fn secret(&self, _: &str, _: &str) -> Result<Found<pipeline::Fields>, BoxFailure> {
        Err(crate::fake::FakeError::Conflict { key: "port".to_owned() }.into())
    }

    async fn config_map(&self, namespace: &str, name: &str) -> Result<Found<pipeline::Fields>, BoxFailure> {
        self.secret(namespace, name).await
    }
}

#[tokio::test]
async fn a_port_that_fails_decides_itself_when_to_try_again() {
    crypto();
    let ports = Ports { secrets: Arc::new(Down), ..Cluster::of(&[]).ports() };
    let spec = vault(json!({"tokenSecretRef": {"name": "creds", "key": "token"}}));
    let spec = serde_json::from_value(spec).expect("a provider");
    let clients = Clients::new(Default::default());
    let error = connect(&spec, &store_id(), Some("app"), &ports, &clients)
        .await
        .map(|_| ())
        .expect_err("the port fails");
    assert_eq!((error.reason(), error.retry()), (Reason::StoreConflict, Retry::Backoff));
    assert!(chain(&error).starts_with("read Secret app/creds: write \"port\""), "{}", chain(&error));
    assert_eq!(error.about(), Some(ObjectRef::namespaced("Secret", "app", "creds")));
}
