//! A Vault that seals, stops, forgets, asks for fewer requests or sends clients elsewhere: doubt, never missing, and no longer than
//! it lasts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use pipeline::{BoxFailure, Reason, Retry, SecretStore, Validity};
use serde_json::json;
use servers::{Storage, Vault, VaultOptions};
use standalone::kv::KvVersion;

use super::between::Between;
use super::cluster::Cluster;
use super::{creds, read, store};
use crate::subject::{run, vault};

/// From the end of an outage to the first good answer: two seconds, and time for a busy machine.
const RECOVERY: Duration = Duration::from_secs(20);

async fn store_of(vault: &Vault) -> Arc<dyn SecretStore> {
    let fields = json!({"path": "secret", "auth": {"tokenSecretRef": creds("token")}});
    store(vault.url(), fields, &Cluster::with(&[("token", vault.token())])).await
}

fn put(vault: &Vault) {
    let body = json!({"data": {"p": "x"}});
    assert_eq!(vault.request("POST", "/v1/secret/data/app", Some(&body)).0, 200);
}

/// Reads until it is there, as the object's own queue does.
async fn recovered(store: &Arc<dyn SecretStore>) -> Option<String> {
    let started = Instant::now();
    loop {
        match read(store, "app").await {
            Ok(found) => return found,
            Err(failure) => {
                assert_eq!(failure.reason(), Reason::StoreUnavailable, "{failure}");
                assert!(started.elapsed() < RECOVERY, "{}", pipeline::message(failure.as_ref()));
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

#[test]
fn a_sealed_vault_is_doubt_until_it_is_unsealed() {
    run(async {
        let Some(vault) = Vault::start(&VaultOptions::default()) else { return };
        put(&vault);
        let store = store_of(&vault).await;
        assert!(read(&store, "app").await.unwrap().is_some());
        vault.seal();
        let failure = read(&store, "app").await.unwrap_err();
        let told = pipeline::message(failure.as_ref());
        assert_eq!(failure.reason(), Reason::StoreUnavailable, "{told}");
        assert!(told.contains("sealed") && told.ends_with("unseal the server"), "{told}");
        for _ in 0..20 {
            let failure = read(&store, "none").await.unwrap_err();
            assert_eq!(failure.reason(), Reason::StoreUnavailable, "missing is not told while it is sealed");
            assert!(matches!(failure.retry(), Retry::After(_) | Retry::Backoff));
        }
        assert_eq!(store.validate().await.unwrap_err().reason(), Reason::StoreUnavailable);
        vault.unseal();
        assert!(recovered(&store).await.is_some());
        assert_eq!(store.validate().await.unwrap(), Validity::Valid);
    });
}

#[test]
fn a_vault_that_was_away_is_found_again_and_an_empty_one_is_empty() {
    run(async {
        let Some(mut vault) = Vault::start(&VaultOptions::default()) else { return };
        put(&vault);
        let store = store_of(&vault).await;
        assert!(read(&store, "app").await.unwrap().is_some());
        vault.stop();
        for _ in 0..5 {
            let failure = read(&store, "app").await.unwrap_err();
            assert_eq!(failure.reason(), Reason::StoreUnavailable, "{failure}");
        }
        vault.restart_empty();
        assert_eq!(recovered(&store).await, None, "it knows the token, and nothing else");
    });
}

#[test]
fn a_vault_that_lost_its_roles_denies() {
    run(async {
        let options = VaultOptions { storage: Storage::File, ..VaultOptions::default() };
        let Some(mut vault) = Vault::start(&options) else { return };
        put(&vault);
        let store = store_of(&vault).await;
        vault.stop();
        assert_eq!(read(&store, "app").await.unwrap_err().reason(), Reason::StoreUnavailable);
        vault.start_again();
        assert!(recovered(&store).await.is_some(), "the same data and the same token");
        vault.restart_empty();
        let started = Instant::now();
        let failure = loop {
            let failure = read(&store, "app").await.unwrap_err();
            if failure.reason() != Reason::StoreUnavailable {
                break failure;
            }
            assert!(started.elapsed() < RECOVERY, "{failure}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert_eq!(failure.reason(), Reason::StoreDenied, "an unknown token is no missing secret");
    });
}

#[test]
fn a_quota_is_kept_to() {
    run(async {
        let Some(vault) = Vault::start(&VaultOptions::default()) else { return };
        put(&vault);
        let store = store_of(&vault).await;
        let quota = json!({"path": "secret/", "rate": 1, "interval": "1s", "block_interval": "3s"});
        let exceeded = async || loop {
            if let Err(failure) = read(&store, "app").await {
                return failure;
            }
        };
        assert_eq!(vault.request("POST", "/v1/sys/quotas/rate-limit/reads", Some(&quota)).0, 204);
        let failure: BoxFailure = exceeded().await;
        let told = pipeline::message(failure.as_ref());
        assert_eq!((failure.reason(), failure.retry()), (Reason::StoreUnavailable, Retry::Backoff), "{told}");
        assert!(told.contains("the server asks for fewer requests"), "{told}");
        let headers = json!({"enable_rate_limit_response_headers": true});
        assert_eq!(vault.request("POST", "/v1/sys/quotas/config", Some(&headers)).0, 204);
        let failure = exceeded().await;
        let Retry::After(wait) = failure.retry() else { panic!("{:?}", failure.retry()) };
        assert!(wait <= Duration::from_secs(3), "{wait:?}");
        tokio::time::sleep(wait).await;
        assert!(recovered(&store).await.is_some(), "the time that it names is long enough");
    });
}

#[test]
fn a_redirect_within_the_server_is_followed_and_no_other() {
    run(async {
        let Some(subject) = vault() else { return };
        let mount = format!("redirects-{}", subject.count());
        subject.mount(&mount, KvVersion::V2).await;
        subject.expect("POST", &format!("{mount}/data/app"), &json!({"data": {"p": "x"}})).await;
        let fields = json!({"path": mount, "auth": {"tokenSecretRef": creds("token")}});
        let cluster = Cluster::with(&[("token", &subject.token)]);

        let moved = AtomicBool::new(false);
        let within = Between::start(subject.address, move |line| {
            let path = line.strip_prefix("GET ")?;
            (!moved.swap(true, Ordering::Relaxed)).then(|| redirect(path))
        })
        .await;
        let opened = store(&within.url(), fields.clone(), &cluster).await;
        assert!(read(&opened, "app").await.unwrap().is_some());
        assert_eq!(within.lines().len(), 2, "{:?}", within.lines());

        let active = subject.url();
        let standby = Between::start(subject.address, move |line| {
            Some(redirect(&format!("{active}{}", line.split(' ').nth(1)?)))
        })
        .await;
        let opened = store(&standby.url(), fields, &cluster).await;
        let failure = read(&opened, "app").await.unwrap_err();
        let told = pipeline::message(failure.as_ref());
        assert_eq!(failure.retry(), Retry::WhenChanged, "{told}");
        assert!(
            told.contains(&format!("redirects to {}, where no credential is sent", subject.url())),
            "{told}"
        );
        assert!(told.contains("address of the active node"), "{told}");
    });
}

fn redirect(to: &str) -> Response<Full<Bytes>> {
    Response::builder().status(307).header("location", to).body(Full::default()).unwrap()
}
