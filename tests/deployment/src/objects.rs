//! Objects that make keymill use each of its rights in one namespace.

use serde_json::{Value as Json, json};

use crate::cluster::{Cluster, until};

const EXTERNAL_SECRETS: &str = "external-secrets.io/v1";
const GENERATORS: &str = "generators.external-secrets.io/v1alpha1";
const OWN: &str = "keymill.dev/v1alpha1";

/// Those that become Ready. `lost-` others name what does not exist.
const READY: [(&str, &str); 11] = [
    ("secretstores", "own"),
    ("externalsecrets", "copied"),
    ("externalsecrets", "in-all-namespaces"),
    ("externalsecrets", "templated"),
    ("externalsecrets", "renamed"),
    ("externalsecrets", "ending"),
    ("externalsecrets", "rotating"),
    ("externalsecrets", "identified"),
    ("externalsecrets", "configured"),
    ("pushsecrets", "selected"),
    ("pushsecrets", "generated"),
];

/// Makes the namespace and all of them.
pub(crate) fn create(cluster: &Cluster, namespace: &str) {
    cluster.kubectl(&["create", "namespace", namespace]);
    let mut objects = reader();
    objects.extend(stores(cluster, namespace));
    objects.extend(generators(namespace));
    objects.extend(external_secrets(namespace));
    objects.extend(pushes(namespace));
    cluster.apply(namespace, &objects);
}

pub(crate) fn path(namespace: &str, plural: &str, name: &str) -> String {
    let version = if plural == "pushsecrets" { "external-secrets.io/v1alpha1" } else { EXTERNAL_SECRETS };
    format!("/apis/{version}/namespaces/{namespace}/{plural}/{name}")
}

pub(crate) fn is_ready(cluster: &Cluster, path: &str) -> bool {
    let object = cluster.get(path);
    conditions(&object).iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
}

fn conditions(object: &Json) -> Vec<Json> {
    object.pointer("/status/conditions").and_then(Json::as_array).cloned().unwrap_or_default()
}

/// Waits until all that can be Ready are.
pub(crate) fn all_ready(cluster: &Cluster, namespace: &str) {
    for (plural, name) in READY {
        let path = path(namespace, plural, name);
        until(&format!("{path} is Ready"), || is_ready(cluster, &path));
    }
    for path in [
        format!("/apis/{EXTERNAL_SECRETS}/clustersecretstores/all-{namespace}"),
        format!("/apis/{OWN}/namespaces/{namespace}/generators/configured"),
        format!("/apis/{OWN}/namespaces/{namespace}/policies/not-empty"),
        format!("/apis/{OWN}/clusterpolicies/not-empty-{namespace}"),
    ] {
        until(&format!("{path} is Ready"), || is_ready(cluster, &path));
    }
}

/// What their conditions say.
pub(crate) fn said(cluster: &Cluster, namespace: &str) -> String {
    let lists = [
        path(namespace, "externalsecrets", ""),
        path(namespace, "pushsecrets", ""),
        path(namespace, "secretstores", ""),
        format!("/apis/{EXTERNAL_SECRETS}/clustersecretstores/"),
    ];
    let mut text = String::new();
    for list in lists {
        let list = cluster.get(list.trim_end_matches('/'));
        for object in list["items"].as_array().into_iter().flatten() {
            for condition in conditions(object) {
                text.push_str(condition["message"].as_str().unwrap_or_default());
                text.push('\n');
            }
        }
    }
    text
}

/// A target's new name leaves the old Secret behind, which is found and deleted; and an object ends.
pub(crate) fn change(cluster: &Cluster, namespace: &str) {
    for name in ["renamed", "ending"] {
        let path = path(namespace, "externalsecrets", name);
        until(&format!("{name} is Ready"), || is_ready(cluster, &path));
    }
    let patch = r#"{"spec":{"target":{"name":"new-name"}}}"#;
    cluster.kubectl(&["patch", "externalsecret", "renamed", "-n", namespace, "--type=merge", "-p", patch]);
    cluster.kubectl(&["delete", "externalsecret", "ending", "-n", namespace, "--wait=false"]);
}

/// What `change` began has come to its end.
pub(crate) fn changed(cluster: &Cluster, namespace: &str) {
    let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
    until("the old name is gone", || {
        cluster.get(&format!("{secrets}/new-name"))["data"].is_object()
            && cluster.get(&format!("{secrets}/renamed"))["code"] == 404
    });
    until("what was deleted is gone, and its target", || {
        cluster.get(&path(namespace, "externalsecrets", "ending"))["code"] == 404
            && cluster.get(&format!("{secrets}/ending"))["code"] == 404
    });
}

/// Waits until a value was made anew, and pushed anew.
pub(crate) fn rotated(cluster: &Cluster, namespace: &str) {
    for secret in ["rotating", "pushed-generated"] {
        let path = format!("/api/v1/namespaces/{namespace}/secrets/{secret}");
        let data = || cluster.get(&path)["data"].clone();
        let before = data();
        until(&format!("{secret} rotates"), || data() != before);
    }
}

/// Deletes all that keymill looks after there; it takes its finalizers off.
pub(crate) fn delete(cluster: &Cluster, namespace: &str) {
    cluster.kubectl(&["delete", "externalsecrets,pushsecrets", "--all", "-n", namespace, "--timeout=120s"]);
    cluster.kubectl(&["delete", "clustersecretstore", &format!("all-{namespace}")]);
    cluster.kubectl(&["delete", "clusterpolicy", &format!("not-empty-{namespace}")]);
    cluster.kubectl(&["delete", "clustercomponent", &format!("nowhere-{namespace}")]);
    cluster.kubectl(&["delete", "namespace", namespace, "--wait=false"]);
}

/// A ServiceAccount that may read and write Secrets, whose tokens the stores use.
fn reader() -> Vec<Json> {
    let rbac = "rbac.authorization.k8s.io/v1";
    vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader"}}),
        json!({
            "apiVersion": rbac, "kind": "Role", "metadata": {"name": "reader"},
            "rules": [{
                "apiGroups": [""], "resources": ["secrets"],
                "verbs": ["get", "list", "watch", "create", "update", "delete"],
            }],
        }),
        json!({
            "apiVersion": rbac, "kind": "RoleBinding", "metadata": {"name": "reader"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
            "subjects": [{"kind": "ServiceAccount", "name": "reader"}],
        }),
    ]
}

/// This cluster as a store: one for this namespace, one for all that have a label.
fn stores(cluster: &Cluster, namespace: &str) -> Vec<Json> {
    use base64::Engine as _;
    let authority = base64::engine::general_purpose::STANDARD.encode(cluster.kubernetes.ca_pem());
    let provider = |place: Option<&str>| {
        let mut account = json!({"name": "reader"});
        if let Some(place) = place {
            account["namespace"] = place.into();
        }
        json!({"kubernetes": {
            "server": {"url": cluster.kubernetes.url(), "caBundle": authority},
            "remoteNamespace": namespace,
            "auth": {"serviceAccount": account},
        }})
    };
    let all = json!({
        "provider": provider(Some(namespace)),
        "conditions": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}],
    });
    vec![
        json!({
            "apiVersion": EXTERNAL_SECRETS, "kind": "SecretStore", "metadata": {"name": "own"},
            "spec": {"provider": provider(None)},
        }),
        json!({
            "apiVersion": EXTERNAL_SECRETS, "kind": "ClusterSecretStore",
            "metadata": {"name": format!("all-{namespace}")}, "spec": all,
        }),
    ]
}

fn generators(namespace: &str) -> Vec<Json> {
    vec![
        json!({
            "apiVersion": GENERATORS, "kind": "ClusterGenerator",
            "metadata": {"name": format!("uuid-{namespace}")},
            "spec": {"kind": "UUID", "generator": {"uuidSpec": {}}},
        }),
        json!({"apiVersion": GENERATORS, "kind": "UUID", "metadata": {"name": "uuid"}, "spec": {}}),
        json!({
            "apiVersion": GENERATORS, "kind": "Password", "metadata": {"name": "password"},
            "spec": {"length": 24, "digits": 5, "symbols": 0, "allowRepeat": true, "noUpper": false},
        }),
        json!({
            "apiVersion": GENERATORS, "kind": "Fake", "metadata": {"name": "fake"},
            "spec": {"data": {"user": "fake"}},
        }),
        json!({
            "apiVersion": OWN, "kind": "Generator", "metadata": {"name": "configured"},
            "spec": {"componentRef": {"kind": "BuiltIn", "name": "uuid"}},
        }),
        json!({
            "apiVersion": OWN, "kind": "Policy", "metadata": {"name": "not-empty"},
            "spec": {"componentRef": {"kind": "BuiltIn", "name": "length"}, "config": {"min": 1}},
        }),
        json!({
            "apiVersion": OWN, "kind": "ClusterPolicy", "metadata": {"name": format!("not-empty-{namespace}")},
            "spec": {
                "componentRef": {"kind": "BuiltIn", "name": "length"}, "config": {"min": 1},
                "namespaces": [namespace],
            },
        }),
        // Nothing is there, which their status says.
        json!({
            "apiVersion": OWN, "kind": "Component", "metadata": {"name": "nowhere"},
            "spec": {"source": {"configMap": {"name": "nowhere", "key": "component.wasm"}}},
        }),
        json!({
            "apiVersion": OWN, "kind": "Grant", "metadata": {"name": "nothing"},
            "spec": {
                "componentRef": {"kind": "BuiltIn", "name": "uuid"}, "label": "nothing", "secret": {"name": "source"},
            },
        }),
        json!({
            "apiVersion": OWN, "kind": "ClusterComponent", "metadata": {"name": format!("nowhere-{namespace}")},
            "spec": {"source": {"secret": {"namespace": namespace, "name": "nowhere", "key": "component.wasm"}}},
        }),
    ]
}

fn external_secret(name: &str, spec: Json) -> Json {
    let mut object = json!({
        "apiVersion": EXTERNAL_SECRETS, "kind": "ExternalSecret", "metadata": {"name": name},
        "spec": {"refreshInterval": "1h"},
    });
    object["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    object
}

fn from_store(kind: &str, name: &str) -> Json {
    json!({
        "secretStoreRef": {"kind": kind, "name": name},
        "data": [{"secretKey": "user", "remoteRef": {"key": "source", "property": "user"}}],
    })
}

fn generated(kind: &str, name: &str) -> Json {
    let version = if kind == "Generator" { OWN } else { GENERATORS };
    json!({"dataFrom": [{"sourceRef": {"generatorRef": {"apiVersion": version, "kind": kind, "name": name}}}]})
}

fn external_secrets(namespace: &str) -> Vec<Json> {
    let mut ending = generated("ClusterGenerator", &format!("uuid-{namespace}"));
    ending["target"] = json!({"deletionPolicy": "Delete"});
    let mut rotating = generated("Password", "password");
    rotating["refreshInterval"] = "1s".into();
    let mut templated = generated("Password", "password");
    let items = json!([{"key": "pgpass"}]);
    templated["target"] =
        json!({"template": {"templateFrom": [{"configMap": {"name": "template", "items": items}}]}});
    vec![
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "source", "labels": {"push": "yes"}},
            "stringData": {"user": "app"},
        }),
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "template"},
            "data": {"pgpass": "db:5432:app:app:{{ .password }}"},
        }),
        external_secret("copied", from_store("SecretStore", "own")),
        external_secret("in-all-namespaces", from_store("ClusterSecretStore", &format!("all-{namespace}"))),
        external_secret("templated", templated),
        external_secret("renamed", generated("Fake", "fake")),
        external_secret("ending", ending),
        external_secret("rotating", rotating),
        external_secret("identified", generated("UUID", "uuid")),
        external_secret("configured", generated("Generator", "configured")),
        external_secret("lost-cluster-store", from_store("ClusterSecretStore", "nowhere")),
        external_secret("lost-store", from_store("SecretStore", "nowhere")),
        external_secret("lost-password", generated("Password", "nowhere")),
        external_secret("lost-uuid", generated("UUID", "nowhere")),
        external_secret("lost-fake", generated("Fake", "nowhere")),
        external_secret("lost-generator", generated("Generator", "nowhere")),
        external_secret("lost-cluster", generated("ClusterGenerator", "nowhere")),
    ]
}

/// Sources by labels, withdrawn in the end; and a value that is generated to be pushed.
fn pushes(namespace: &str) -> Vec<Json> {
    let own = json!({"kind": "SecretStore", "name": "own"});
    let push = |name: &str, interval: &str, selector: &Json, key: &str, store: &Json| {
        json!({
            "apiVersion": "external-secrets.io/v1alpha1", "kind": "PushSecret", "metadata": {"name": name},
            "spec": {
                "refreshInterval": interval, "deletionPolicy": "Delete",
                "secretStoreRefs": [store],
                "selector": selector,
                "data": [{"match": {"secretKey": key, "remoteRef": {"remoteKey": format!("pushed-{name}"), "property": key}}}],
            },
        })
    };
    let labels = json!({"secret": {"selector": {"matchLabels": {"push": "yes"}}}});
    let generator =
        json!({"generatorRef": {"apiVersion": GENERATORS, "kind": "Password", "name": "password"}});
    let all = json!({"kind": "ClusterSecretStore", "name": format!("all-{namespace}")});
    vec![
        push("selected", "1h", &labels, "user", &own),
        push("in-all-namespaces", "1h", &labels, "user", &all),
        push("generated", "1s", &generator, "password", &own),
    ]
}
