//! The peer: it reconciles an ExternalSecret on the real API server. Built and run with KEYMILL_FULL=1 only.

use std::io::Write;

use serde_json::json;
use servers::{ExternalSecrets, Kubernetes, KubernetesOptions};

use crate::life::wait_for;

#[test]
fn the_peer_makes_a_secret_of_a_fake_store() {
    if !support::is_full() {
        writeln!(std::io::stderr(), "eso: not asked for; KEYMILL_FULL=1 builds it and runs its test")
            .unwrap();
        return;
    }
    let Some(cluster) = Kubernetes::start(&KubernetesOptions::default()) else { return };
    let Some(eso) = ExternalSecrets::start(cluster.kubeconfig()) else { return };
    let base = "/apis/external-secrets.io/v1/namespaces/default";
    let store = json!({
        "apiVersion": "external-secrets.io/v1",
        "kind": "SecretStore",
        "metadata": {"name": "fake"},
        "spec": {"provider": {"fake": {"data": [{"key": "a", "value": "one"}]}}},
    });
    let external = json!({
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "made"},
        "spec": {
            "secretStoreRef": {"name": "fake", "kind": "SecretStore"},
            "data": [{"secretKey": "key", "remoteRef": {"key": "a"}}],
        },
    });
    for (plural, object) in [("secretstores", store), ("externalsecrets", external)] {
        let (status, answer) = cluster.request("POST", &format!("{base}/{plural}"), Some(&object));
        assert_eq!(status, 201, "{answer}");
    }
    let path = "/api/v1/namespaces/default/secrets/made";
    wait_for("the target is made", || cluster.request("GET", path, None).0 == 200);
    let (_, target) = cluster.request("GET", path, None);
    assert_eq!(target.pointer("/data/key"), Some(&json!("b25l")));
    assert!(eso.metrics_url().starts_with("http://127.0.0.1:"));
}
