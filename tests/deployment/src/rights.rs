//! `keymill run` under exactly the shipped rights: none is missing, none is left over.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::audit::{Right, needed};
use crate::cluster::{Cluster, HOME, until};
use crate::manifests::read;
use crate::operator::Operator;
use crate::{missing_rights, objects};

/// What a role of the shipped ones grants.
pub(crate) fn granted(kind: &str) -> BTreeSet<Right> {
    let roles = read("rbac.yaml")
        .into_iter()
        .filter(|one| one["kind"] == kind && one["metadata"]["name"] == "keymill");
    let rules = roles.flat_map(|role| role["rules"].as_array().cloned().unwrap());
    let texts = |value: &Json| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut rights = BTreeSet::new();
    for rule in rules {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                let verbs = texts(&rule["verbs"]);
                rights.extend(verbs.into_iter().map(|verb| (group.clone(), resource.clone(), verb)));
            }
        }
    }
    rights
}

/// CloudNativePG's Secret, as its operator makes it.
fn database_secret() -> Json {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/basic-auth",
        "metadata": {"name": "cluster-example-app"},
        "stringData": {"username": "app", "password": "first"},
    })
}

fn story(cluster: &Cluster) {
    cluster.apply("default", &[database_secret()]);
    cluster.apply_example("cloudnative-pg-correct");
    for (plural, name) in
        [("externalsecrets", "cluster-example-app-secret"), ("pushsecrets", "pushsecret-example")]
    {
        let path = objects::path("default", plural, name);
        until(&format!("{name} is Ready"), || objects::is_ready(cluster, &path));
    }
    let secret = cluster.get("/api/v1/namespaces/default/secrets/cluster-example-app");
    let (_, pushed) = cluster.vault.request("GET", "/v1/secrets/data/cluster-example-app", None);
    assert!(secret["data"]["password"].is_string() && pushed.pointer("/data/data/password").is_some());
}

/// One that has to be made anew.
fn damaged_certificate(cluster: &Cluster) {
    let data = json!({"tls.crt": "", "tls.key": "", "ca.crt": ""});
    let object = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "stringData": data,
        "metadata": {"name": "keymill-admission"},
    });
    cluster.apply(HOME, &[object]);
}

/// The API server asks it before it keeps an object.
fn admission(cluster: &Cluster, operator: &Operator) {
    let password = |digits: u32| {
        json!({
            "apiVersion": "generators.external-secrets.io/v1alpha1", "kind": "Password", "metadata": {"name": "p"},
            "spec": {"length": 8, "digits": digits, "symbols": 0, "allowRepeat": true, "noUpper": false},
        })
    };
    let path = "/apis/generators.external-secrets.io/v1alpha1/namespaces/default/passwords";
    let refused = || cluster.refusal(path, &password(9));
    until("a bad object is refused", || refused().is_some());
    let message = refused().unwrap();
    assert!(
        message.contains("denied the request: failed to read the spec of Password default/p: spec"),
        "{message}"
    );
    assert_eq!(cluster.refusal(path, &password(4)), None);
    let counted = "keymill_admission_reviews_total{answer=\"refused\",kind=\"Password\"} ";
    let (_, metrics) = operator.page("/metrics");
    assert!(metrics.lines().any(|line| line.starts_with(counted)), "{metrics}");
}

/// What it says of itself, once it works.
fn pages(operator: &Operator) {
    operator.ready();
    let (_, verbose) = operator.page("/readyz?verbose");
    assert!(verbose.contains("[+]election ok: leading"), "{verbose}");
    assert_eq!(operator.page("/livez").0, 200);
    let (_, metrics) = operator.page("/metrics");
    for (family, kind, sample) in [
        (
            "externalsecret_sync_calls_error",
            "counter",
            "externalsecret_sync_calls_error{name=\"lost-store\",namespace=\"all\"} ",
        ),
        (
            "externalsecret_status_condition",
            "gauge",
            "externalsecret_status_condition{condition=\"Ready\",name=\"copied\",namespace=\"all\",status=\"True\"} 1",
        ),
        (
            "externalsecret_provider_api_calls_count",
            "counter",
            "externalsecret_provider_api_calls_count{call=\"WriteSecretData\",provider=\"HashiCorp/Vault\",status=\"success\"} ",
        ),
        (
            "controller_runtime_reconcile_total",
            "counter",
            "controller_runtime_reconcile_total{controller=\"pushsecret\",result=\"success\"} ",
        ),
        ("leader_election_master_status", "gauge", "leader_election_master_status{name=\"keymill\"} 1"),
        (
            "rest_client_requests_total",
            "counter",
            "rest_client_requests_total{code=\"201\",host=\"127.0.0.1:",
        ),
    ] {
        assert!(metrics.contains(&format!("# TYPE {family} {kind}\n")), "{family} is no {kind}\n{metrics}");
        assert!(metrics.lines().any(|line| line.starts_with(sample)), "no {sample}\n{metrics}");
    }
}

/// Every request of the operator was allowed, and every right that it has was used.
fn used(cluster: &Cluster, token_id: &str) {
    let asked = cluster.audit.of(token_id);
    let denied: Vec<_> = asked.iter().filter(|asked| asked.code == 403 || asked.code == 401).collect();
    assert!(denied.is_empty(), "{denied:#?}");
    let mut unused = granted("ClusterRole");
    // Asked of the authorizer by an admission, not by a request: `missing_rights` shows that it is needed.
    unused.retain(|(_, resource, _)| !resource.ends_with("/finalizers"));
    for right in needed(&asked) {
        unused.remove(&right);
    }
    assert!(unused.is_empty(), "rights that nothing uses: {unused:#?}");
    let (home, elsewhere): (Vec<_>, Vec<_>) = asked.into_iter().partition(|asked| asked.namespace == HOME);
    let mut unused = granted("Role");
    for right in needed(&home) {
        unused.remove(&right);
    }
    assert!(unused.is_empty(), "rights at home that nothing uses: {unused:#?}");
    assert!(elsewhere.iter().all(|asked| asked.right.1 != "leases"));
}

#[test]
fn none_is_denied_none_is_left_over_and_each_that_is_taken_is_named() {
    let Some(cluster) = Cluster::installed() else { return };
    damaged_certificate(&cluster);
    let operator = cluster.run_as_deployed();
    let token_id = operator.token_id.clone();
    story(&cluster);
    objects::create(&cluster, "all");
    objects::all_ready(&cluster, "all");
    until("what names nothing says so", || objects::said(&cluster, "all").contains("does not exist"));
    objects::change(&cluster, "all");
    objects::changed(&cluster, "all");
    objects::rotated(&cluster, "all");
    pages(&operator);
    admission(&cluster, &operator);
    objects::delete(&cluster, "all");
    let (code, output) = operator.terminate();
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("the Lease is given back"), "{output}");
    used(&cluster, &token_id);
    missing_rights::each_is_named(&cluster);
}
