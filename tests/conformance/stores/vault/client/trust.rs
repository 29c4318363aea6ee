//! Certificates: whom a store trusts, who it is, and what it says when that is not so.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pipeline::{BoxFailure, Reason, Retry};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value as Json, json};
use servers::{Storage, Vault, VaultOptions};
use stores::{Addresses, Clients};

use super::cluster::Cluster;
use super::{creds, open, read, vault};
use crate::subject::run;

/// A Vault that serves HTTPS with a certificate of a private authority.
fn https() -> Option<Vault> {
    let vault = Vault::start(&VaultOptions { storage: Storage::File, tls: true, sealed: false })?;
    let body = json!({"data": {"p": "x"}});
    assert_eq!(vault.request("POST", "/v1/secret/data/app", Some(&body)).0, 200);
    Some(vault)
}

fn with_ca(ca: Option<&str>) -> Json {
    let mut fields = json!({"path": "secret", "auth": {"tokenSecretRef": creds("token")}});
    if let Some(ca) = ca {
        fields["caBundle"] = STANDARD.encode(ca).into();
    }
    fields
}

async fn try_read(
    server: &str,
    fields: Json,
    cluster: &Arc<Cluster>,
    addresses: Addresses,
) -> Result<Option<String>, BoxFailure> {
    let store = open(vault(server, fields), cluster, &Clients::new(addresses)).await?;
    read(&store, "app").await
}

#[test]
fn only_the_private_authority_is_trusted_and_errors_say_what_to_do() {
    run(async {
        let Some(server) = https() else { return };
        let ca = server.ca_pem().unwrap();
        let cluster = Cluster::with(&[("token", server.token())]);
        let other = authority("somebody else").0;
        let found = try_read(server.url(), with_ca(Some(ca)), &cluster, Addresses::new()).await;
        assert!(found.unwrap().is_some());
        for (ca, what) in [(Some(other.as_str()), "wrong"), (None, "the system's")] {
            let failure = try_read(server.url(), with_ca(ca), &cluster, Addresses::new()).await.unwrap_err();
            let told = pipeline::message(failure.as_ref());
            assert!(told.contains("caBundle or caProvider"), "{what}: {told}");
        }
        let port = server.url().rsplit_once(':').unwrap().1;
        let address: SocketAddr = format!("127.0.0.1:{port}").parse().unwrap();
        let addresses = Addresses::from([("vault.example.com:8200".to_owned(), address)]);
        let named = try_read("https://vault.example.com:8200", with_ca(Some(ca)), &cluster, addresses).await;
        let failure = named.unwrap_err();
        let told = pipeline::message(failure.as_ref());
        assert_eq!((failure.reason(), failure.retry()), (Reason::StoreUnavailable, Retry::Backoff), "{told}");
        assert!(told.contains("the server's certificate is for another name"), "{told}");
        assert!(told.contains("write a name that the certificate has"), "{told}");
        let plain = server.url().replace("https://", "http://");
        let failure = try_read(&plain, with_ca(Some(ca)), &cluster, Addresses::new()).await.unwrap_err();
        let told = pipeline::message(failure.as_ref());
        assert_ne!(failure.reason(), Reason::RemoteMissing, "{told}");
    });
}

#[test]
fn a_client_certificate_logs_in() {
    run(async {
        let Some(server) = https() else { return };
        let must = |method: &str, path: &str, body: Json| {
            let (status, answer) = server.request(method, &format!("/v1/{path}"), Some(&body));
            assert!((200..300).contains(&status), "{path}: {status} {answer}");
        };
        let (ca, issuer) = authority("clients");
        must("POST", "sys/auth/cert", json!({"type": "cert"}));
        let policy = r#"path "secret/data/*" { capabilities = ["read"] }"#;
        must("PUT", "sys/policies/acl/read", json!({"policy": policy}));
        let role = json!({"certificate": ca, "allowed_common_names": "app", "token_policies": ["read"]});
        must("POST", "auth/cert/certs/app", role);
        let stranger = authority("strangers").1;
        let refused = "the client certificate is not accepted";
        for (issuer, name, role, why) in [
            (&issuer, "app", Some("app"), None),
            (&issuer, "app", None, None),
            (&issuer, "other", Some("app"), Some(refused)),
            (&stranger, "app", Some("app"), Some(refused)),
            (&issuer, "app", Some("none"), Some(refused)),
        ] {
            let (certificate, key) = client(issuer, name);
            let cluster = Cluster::with(&[("tls.crt", &certificate), ("tls.key", &key)]);
            let mut cert = json!({"clientCert": {"name": "creds"}, "secretRef": {"name": "creds"}});
            if let Some(role) = role {
                cert["vaultRole"] = role.into();
            }
            let mut fields = with_ca(server.ca_pem());
            fields["auth"] = json!({"cert": cert});
            let found = try_read(server.url(), fields, &cluster, Addresses::new()).await;
            match (found, why) {
                (Ok(found), None) => assert!(found.is_some(), "{name} {role:?}"),
                (Err(failure), Some(why)) => {
                    let told = pipeline::message(failure.as_ref());
                    assert_eq!(failure.reason(), Reason::StoreDenied, "{told}");
                    assert!(told.contains(why), "{told}");
                }
                (found, why) => panic!("{name} {role:?}: {found:?}, not {why:?}"),
            }
        }
    });
}

/// A new authority: its certificate, and who signs with it.
fn authority(name: &str) -> (String, Issuer<'static, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), Issuer::new(params, key))
}

fn client(issuer: &Issuer<'static, KeyPair>, name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.signed_by(&key, issuer).unwrap();
    (certificate.pem(), key.serialize_pem())
}
