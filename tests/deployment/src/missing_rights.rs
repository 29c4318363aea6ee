//! Each right taken away in turn: keymill says which right on which resource, and goes on when it has it again.
//!
//! Rights that are missed in different places go at once: all of those must be named. Said is what people see: the log, the conditions
//! and `/readyz`.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::audit::Right;
use crate::cluster::{Cluster, HOME, PATIENCE, until};
use crate::manifests::{of_kind, read};
use crate::objects;
use crate::operator::Operator;
use crate::rights::granted;

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const WATCHED: [&str; 16] = [
    "externalsecrets",
    "pushsecrets",
    "secretstores",
    "clustersecretstores",
    "clustergenerators",
    "fakes",
    "passwords",
    "uuids",
    "generators",
    "policies",
    "clusterpolicies",
    "components",
    "clustercomponents",
    "grants",
    "secrets",
    "configmaps",
];

/// One turn.
struct Turn {
    /// Resource and verb.
    taken: Vec<(&'static str, &'static str)>,
    /// Whether what misses them is a change of what is there.
    changes: bool,
}

fn turns() -> Vec<Turn> {
    let at_once = |taken: &[(&'static str, &'static str)]| Turn { taken: taken.to_vec(), changes: false };
    let of_all = |verb| Turn { taken: WATCHED.map(|resource| (resource, verb)).to_vec(), changes: false };
    vec![
        of_all("list"),
        of_all("watch"),
        at_once(&[
            ("secretstores", "get"),
            ("clustersecretstores", "get"),
            ("clustergenerators", "get"),
            ("fakes", "get"),
            ("passwords", "get"),
            ("uuids", "get"),
            ("generators", "get"),
            ("configmaps", "get"),
            ("validatingwebhookconfigurations", "get"),
            ("namespaces", "get"),
            ("serviceaccounts/token", "create"),
            ("events", "create"),
        ]),
        Turn {
            taken: vec![
                ("externalsecrets", "get"),
                ("pushsecrets", "get"),
                ("secrets", "delete"),
                ("events", "patch"),
            ],
            changes: true,
        },
        at_once(&[
            ("externalsecrets", "patch"),
            ("pushsecrets", "patch"),
            ("secretstores/status", "patch"),
            ("clustersecretstores/status", "patch"),
            ("generators/status", "patch"),
            ("policies/status", "patch"),
            ("clusterpolicies/status", "patch"),
            ("components/status", "patch"),
            ("grants/status", "patch"),
            ("clustercomponents/status", "patch"),
            ("validatingwebhookconfigurations", "patch"),
        ]),
        at_once(&[
            ("externalsecrets/status", "patch"),
            ("pushsecrets/status", "patch"),
            ("secretstores", "patch"),
            ("clustersecretstores", "patch"),
        ]),
        at_once(&[("externalsecrets/finalizers", "update"), ("pushsecrets/finalizers", "update")]),
        at_once(&[("secrets", "get")]),
        at_once(&[("secrets", "create")]),
        at_once(&[("secrets", "update")]),
    ]
}

/// The API server's words for what was taken.
fn words((resource, verb): (&str, &str)) -> String {
    match resource.strip_suffix("/finalizers") {
        // An admission speaks here, of the owner that cannot be set.
        Some(_) => "cannot set blockOwnerDeletion".to_owned(),
        None => format!("cannot {verb} resource \"{resource}\" in API group"),
    }
}

/// The shipped role without some of its rights.
fn set(cluster: &Cluster, kind: &str, taken: &[(&str, &str)]) {
    let all = read("rbac.yaml");
    let shipped = of_kind(&all, kind).into_iter().find(|role| role["metadata"]["name"] == "keymill").unwrap();
    let mut role = shipped.clone();
    let mut rules = Vec::new();
    for rule in shipped["rules"].as_array().unwrap() {
        for resource in rule["resources"].as_array().unwrap() {
            let mut rule = rule.clone();
            rule["resources"] = json!([resource]);
            let verbs = rule["verbs"].as_array_mut().unwrap();
            verbs.retain(|verb| !taken.iter().any(|(of, what)| resource == of && verb == what));
            if !verbs.is_empty() {
                rules.push(rule);
            }
        }
    }
    role["rules"] = Json::Array(rules);
    let place = if kind == "Role" { format!("/namespaces/{HOME}") } else { String::new() };
    let path = format!("{RBAC}{place}/{}s/keymill", kind.to_lowercase());
    let (code, answer) = cluster.kubernetes.request("PUT", &path, Some(&role));
    assert_eq!(code, 200, "{answer}");
}

/// Waits until all words were said.
fn named(cluster: &Cluster, operator: &Operator, namespace: &str, taken: &[(&str, &str)]) {
    let said = || {
        let mut text = operator.program.output();
        text.push_str(&operator.page("/readyz?verbose").1);
        text.push_str(&objects::said(cluster, namespace));
        text
    };
    for right in taken {
        let words = words(*right);
        let mut text = String::new();
        let what = format!("somebody says {words:?}");
        let deadline = std::time::Instant::now() + PATIENCE;
        while !text.contains(&words) {
            assert!(std::time::Instant::now() < deadline, "not within {PATIENCE:?}: {what}\n{text}");
            std::thread::sleep(std::time::Duration::from_millis(100));
            text = said();
        }
    }
}

fn take(cluster: &Cluster, turn: &Turn, namespace: &str) {
    set(cluster, "ClusterRole", &turn.taken);
    // So that there is something to patch.
    cluster.change_webhook("/webhooks/0/clientConfig/caBundle", &json!(""));
    let operator = cluster.run(&["--admission-listen=127.0.0.1:0"]);
    objects::create(cluster, namespace);
    if turn.changes {
        objects::change(cluster, namespace);
    }
    named(cluster, &operator, namespace, &turn.taken);
    set(cluster, "ClusterRole", &[]);
    if turn.changes {
        objects::changed(cluster, namespace);
    } else {
        objects::all_ready(cluster, namespace);
    }
    operator.ready();
    objects::delete(cluster, namespace);
    let (code, output) = operator.terminate();
    assert_eq!(code, Some(0), "{output}");
}

pub(crate) fn each_is_named(cluster: &Cluster) {
    let turns = turns();
    let taken: BTreeSet<(&str, &str)> = turns.iter().flat_map(|turn| turn.taken.clone()).collect();
    let shipped = granted("ClusterRole");
    let shipped: BTreeSet<(&str, &str)> =
        shipped.iter().map(|(_, resource, verb): &Right| (resource.as_str(), verb.as_str())).collect();
    assert_eq!(taken, shipped, "each right has its turn");
    for (at, turn) in turns.iter().enumerate() {
        take(cluster, turn, &format!("turn-{at}"));
    }
    the_lease(cluster);
    the_key(cluster);
    the_certificate(cluster);
}

/// Whoever cannot stand says so, is not ready, and stands when it can.
fn the_lease(cluster: &Cluster) {
    for verb in ["get", "update", "create"] {
        if verb == "create" {
            cluster.kubectl(&["delete", "lease", "keymill", "-n", HOME]);
        }
        set(cluster, "Role", &[("leases", verb)]);
        let operator = cluster.run(&["--leader-elect"]);
        let words = words(("leases", verb));
        until(&words, || operator.program.output().contains(&words));
        let (code, text) = operator.page("/readyz");
        assert_eq!(code, 503, "{text}");
        set(cluster, "Role", &[]);
        until("it leads", || operator.page("/readyz?verbose").1.contains("ok: leading"));
        assert_eq!(operator.terminate().0, Some(0));
    }
}

/// Whoever cannot read its key says why, and begins when it can.
fn the_key(cluster: &Cluster) {
    for verb in ["get", "create"] {
        if verb == "create" {
            cluster.kubectl(&["delete", "secret", "keymill-operator-key", "-n", HOME]);
        }
        // The ClusterRole has this right everywhere.
        for kind in ["ClusterRole", "Role"] {
            set(cluster, kind, &[("secrets", verb)]);
        }
        let operator = cluster.run(&[]);
        let words = words(("secrets", verb));
        until(&words, || {
            let output = operator.program.output();
            output.contains(&words) && output.contains("operator-key")
        });
        for kind in ["ClusterRole", "Role"] {
            set(cluster, kind, &[]);
        }
        operator.ready();
        assert_eq!(operator.terminate().0, Some(0));
    }
}

/// Whoever cannot read or make its certificate says why, and has one when it can.
fn the_certificate(cluster: &Cluster) {
    for verb in ["get", "create", "update"] {
        match verb {
            "create" => drop(cluster.kubectl(&["delete", "secret", "keymill-admission", "-n", HOME])),
            "update" => {
                let damaged = r#"{"data":{"ca.crt":""}}"#;
                cluster.kubectl(&["patch", "secret", "keymill-admission", "-n", HOME, "-p", damaged]);
            }
            _ => {}
        }
        for kind in ["ClusterRole", "Role"] {
            set(cluster, kind, &[("secrets", verb)]);
        }
        let operator = cluster.run(&["--admission-listen=127.0.0.1:0"]);
        let words = words(("secrets", verb));
        until(&words, || {
            let output = operator.program.output();
            output.lines().any(|line| line.contains("keymill-admission") && line.contains(&words))
        });
        for kind in ["ClusterRole", "Role"] {
            set(cluster, kind, &[]);
        }
        operator.ready();
        let bundle = "jsonpath={.data.ca\\.crt}";
        let kept = ["get", "secret", "keymill-admission", "-n", HOME, "--ignore-not-found", "-o", bundle];
        until("there is a certificate", || !cluster.kubectl(&kept).is_empty());
        assert_eq!(operator.terminate().0, Some(0));
    }
}
