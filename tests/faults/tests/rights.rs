//! A ServiceAccount without one of its rights: keymill says which right on which resource, and goes on when it has it.

use faults::Fault;
use serde_json::{Value as Json, json};
use servers::Kubernetes;

use crate::world::{READ, SOON, World, cluster, create};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces";
const NAMESPACE: &str = "rights";

/// What an operator of one namespace needs there: group, resource, verbs.
const RIGHTS: [(&str, &str, &[&str]); 11] = [
    ("external-secrets.io", "externalsecrets", &["get", "list", "watch", "patch"]),
    ("external-secrets.io", "pushsecrets", &["get", "list", "watch", "patch"]),
    ("external-secrets.io", "secretstores", &["get", "list", "watch"]),
    ("external-secrets.io", "externalsecrets/status", &["patch"]),
    ("external-secrets.io", "pushsecrets/status", &["patch"]),
    ("external-secrets.io", "secretstores/status", &["patch"]),
    ("generators.external-secrets.io", "*", &["get", "list", "watch"]),
    ("keymill.dev", "*", &["get", "list", "watch"]),
    ("keymill.dev", "*/status", &["patch"]),
    ("", "secrets", &["get", "list", "watch", "create", "update", "delete"]),
    ("", "configmaps", &["get", "list", "watch"]),
];

/// All rights but one.
fn rules(taken: Option<(&str, &str)>) -> Json {
    let rule = |(group, resource, verbs): &(&str, &str, &[&str])| {
        let left: Vec<_> = verbs.iter().filter(|verb| taken != Some((verb, resource))).collect();
        json!({"apiGroups": [group], "resources": [resource], "verbs": left})
    };
    let left = RIGHTS.iter().map(rule).filter(|rule| rule["verbs"] != json!([]));
    left.chain([json!({"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]})]).collect()
}

fn bind(cluster: &Kubernetes, namespace: &str, role: &str, rules: Json) {
    let metadata = json!({"name": role});
    create(cluster, &format!("{RBAC}/{namespace}/roles"), json!({"metadata": metadata, "rules": rules}));
    let binding = json!({
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": "keymill", "namespace": NAMESPACE}],
    });
    create(cluster, &format!("{RBAC}/{namespace}/rolebindings"), binding);
}

/// Changes the role of the running operator.
fn set(world: &World<'_>, taken: Option<(&str, &str)>) {
    let path = format!("{RBAC}/{NAMESPACE}/roles/keymill");
    let role = json!({"metadata": {"name": "keymill"}, "rules": rules(taken)});
    let (status, answer) = world.cluster.request("PUT", &path, Some(&role));
    assert_eq!(status, 200, "{answer}");
}

/// Where a missing right is said.
enum Said {
    /// In the condition of the object that needs it.
    Read,
    /// In the condition of an object that is new.
    Newcomer,
    /// In the log, since there is no object to say it on, or no right to.
    Log,
}

#[test]
fn each_is_named_and_missed_only_while_it_is_missing() {
    let (Some(cluster), Some(vault)) = (cluster(), servers::vault()) else { return };
    create(cluster, "/api/v1/namespaces", json!({"metadata": {"name": NAMESPACE}}));
    let accounts = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts");
    create(cluster, &accounts, json!({"metadata": {"name": "keymill"}}));
    bind(cluster, NAMESPACE, "keymill", rules(None));
    // The operator's own key.
    bind(
        cluster,
        "default",
        "keymill-key",
        json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "create"]}]),
    );
    let token = cluster.token_for(NAMESPACE, "keymill");
    let world = World::start_as(cluster, vault, NAMESPACE, &token, |command| command);
    let before = world.kept(vault);
    let cases = [
        ("get", "secrets", Said::Read),
        ("update", "secrets", Said::Read),
        ("create", "secrets", Said::Newcomer),
        ("patch", "externalsecrets/status", Said::Log),
        ("watch", "secrets", Said::Log),
        ("watch", "externalsecrets", Said::Log),
    ];
    for (at, (verb, resource, said)) in cases.into_iter().enumerate() {
        let newcomer = format!("newcomer-{at}");
        let value = format!("value-{at}");
        set(&world, Some((verb, resource)));
        world.write_remote(vault, &value);
        world.create_generated(&newcomer);
        let words = format!("cannot {verb} resource \"{resource}\"");
        match said {
            Said::Read => world.complains(READ, &[&words, "give keymill's ServiceAccount that right"]),
            Said::Newcomer => world.complains((READ.0, READ.1, &newcomer), &[&words]),
            Said::Log => {
                // Watches are asked about their rights when they begin.
                world.api.set(Fault::Cut);
                world.api.set(Fault::None);
                world.until(&words, SOON, || world.operator.output().contains(&words));
            }
        }
        world.recovers(&value, &newcomer, || set(&world, None));
        assert_eq!(world.kept(vault), before, "{words}: wrote what was right");
    }
}
