//! The chart, rendered and linted by Helm.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::cluster::Cluster;
use crate::manifests::{by_key, container, folder, of_kind, parse, read};

/// What Helm adds to every object.
const HELMS: [&str; 3] = ["app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart"];

/// One value of the chart: its name, what it is set to, in which kind of object it arrives, where, and as what.
struct Value {
    name: &'static str,
    set: &'static str,
    kind: &'static str,
    at: &'static str,
    arrives: Json,
}

#[rustfmt::skip]
fn values() -> Vec<Value> {
    let value = |name, set, kind, at, arrives| Value { name, set, kind, at, arrives };
    let pod = |name, set, at: &'static str, arrives| value(name, set, "Deployment", at, arrives);
    vec![
        pod("image.repository", "\"registry.example.com/keymill\"", "/spec/template/spec/containers/0/image", json!("registry.example.com/keymill:0.1.0")),
        pod("image.tag", "\"7\"", "/spec/template/spec/containers/0/image", json!("keymill:7")),
        pod("image.digest", "\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"", "/spec/template/spec/containers/0/image", json!("keymill@sha256:0000000000000000000000000000000000000000000000000000000000000000")),
        pod("image.pullPolicy", "\"Always\"", "/spec/template/spec/containers/0/imagePullPolicy", json!("Always")),
        pod("imagePullSecrets", "[{\"name\":\"pull\"}]", "/spec/template/spec/imagePullSecrets/0/name", json!("pull")),
        pod("replicas", "2", "/spec/replicas", json!(2)),
        pod("namespaces", "[\"a\"]", "/spec/template/spec/containers/0/args/7", json!("--namespace=a")),
        pod("resources", "{\"limits\":{\"memory\":\"1Gi\"}}", "/spec/template/spec/containers/0/resources/limits/memory", json!("1Gi")),
        pod("extraArgs", "[\"--concurrent=4\"]", "/spec/template/spec/containers/0/args/9", json!("--concurrent=4")),
        pod("labels", "{\"team\":\"db\"}", "/metadata/labels/team", json!("db")),
        pod("podLabels", "{\"team\":\"db\"}", "/spec/template/metadata/labels/team", json!("db")),
        pod("podAnnotations", "{\"team\":\"db\"}", "/spec/template/metadata/annotations/team", json!("db")),
        value("serviceAccount.annotations", "{\"team\":\"db\"}", "ServiceAccount", "/metadata/annotations/team", json!("db")),
        value("rbac.aggregate", "false", "ClusterRole", "/metadata/name", json!("keymill")),
        value("rbac.mintTokens", "false", "ClusterRole", "/rules/10/resources/0", json!("namespaces")),
        value("networkPolicy.enabled", "false", "NetworkPolicy", "", Json::Null),
        value("networkPolicy.egressPorts", "[443]", "NetworkPolicy", "/spec/egress/1/ports", json!([{"protocol": "TCP", "port": 443}])),
        value("leaderElection.enabled", "false", "Role", "/rules/3", Json::Null),
        value("admission.enabled", "false", "ValidatingWebhookConfiguration", "", Json::Null),
        value("admission.failurePolicy", "\"Fail\"", "ValidatingWebhookConfiguration", "/webhooks/0/failurePolicy", json!("Fail")),
        pod("listenAddress", "\"[::]\"", "/spec/template/spec/containers/0/args/3", json!("--health-addr=[::]:8081")),
        value("serviceMonitor.enabled", "true", "ServiceMonitor", "/spec/endpoints/0/port", json!("metrics")),
        value("serviceMonitor.interval", "\"7s\"", "ServiceMonitor", "/spec/endpoints/0/interval", json!("7s")),
        value("serviceMonitor.labels", "{\"team\":\"db\"}", "ServiceMonitor", "/metadata/labels/team", json!("db")),
        value("serviceMonitor.relabelings", "[{\"targetLabel\":\"service\",\"replacement\":\"r\"}]", "ServiceMonitor", "/spec/endpoints/0/relabelings/0/replacement", json!("r")),
        pod("nodeSelector", "{\"disk\":\"ssd\"}", "/spec/template/spec/nodeSelector/disk", json!("ssd")),
        pod("tolerations", "[{\"operator\":\"Exists\"}]", "/spec/template/spec/tolerations/0/operator", json!("Exists")),
        pod("affinity", "{\"nodeAffinity\":{}}", "/spec/template/spec/affinity/nodeAffinity", json!({})),
        pod("topologySpreadConstraints", "[{\"maxSkew\":1,\"topologyKey\":\"zone\",\"whenUnsatisfiable\":\"ScheduleAnyway\"}]", "/spec/template/spec/topologySpreadConstraints/0/maxSkew", json!(1)),
        pod("priorityClassName", "\"system-cluster-critical\"", "/spec/template/spec/priorityClassName", json!("system-cluster-critical")),
    ]
}

/// Helm in the root of the tree, on a cluster; it must succeed.
pub(crate) fn helm(cluster: &Cluster, arguments: &[&str]) {
    let mut command = Command::new(servers::binary("helm").unwrap());
    command.args(arguments).current_dir(support::root());
    command.env("KUBECONFIG", cluster.kubernetes.kubeconfig()).env("HOME", cluster.folder.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "helm {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The flags that set all values at once, but for those that need definitions of others.
pub(crate) fn everything() -> Vec<String> {
    let here = |value: &&Value| !value.name.starts_with("serviceMonitor") && value.name != "image.tag";
    values().iter().filter(here).map(flag).collect()
}

fn flag(value: &Value) -> String {
    format!("--set-json={}={}", value.name, value.set)
}

/// Helm beside the chart; none where it cannot be built.
fn offline(arguments: &[&str]) -> Option<std::process::Output> {
    let binary = match servers::binary("helm") {
        Ok(binary) => binary,
        Err(error) => {
            servers::say_missing(&error.to_string());
            return None;
        }
    };
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(binary);
    command.args(arguments).current_dir(folder()).env("HOME", home.path());
    Some(command.output().unwrap())
}

fn rendered(arguments: &[&str]) -> Option<Vec<Json>> {
    let common = ["template", "keymill", "chart", "-n", "keymill-system"];
    let output = offline(&[&common, arguments].concat())?;
    assert!(output.status.success(), "{arguments:?} {}", String::from_utf8_lossy(&output.stderr));
    Some(parse(&String::from_utf8(output.stdout).unwrap()))
}

#[test]
fn by_default_it_is_the_install_file() {
    let Some(mut objects) = rendered(&["--include-crds"]) else { return };
    for object in &mut objects {
        if let Some(labels) = object.pointer_mut("/metadata/labels").and_then(Json::as_object_mut) {
            labels.retain(|name, _| !HELMS.contains(&name.as_str()));
        }
    }
    let rendered = by_key(objects);
    let mut installed = by_key(read("install.yaml"));
    // The namespace is Helm's, by --create-namespace.
    assert!(installed.remove(&("Namespace".into(), String::new(), "keymill-system".into())).is_some());
    let keys = |all: &std::collections::BTreeMap<_, _>| all.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&rendered), keys(&installed));
    for (key, object) in &installed {
        assert_eq!(&rendered[key], object, "{key:?}");
    }
}

#[test]
fn it_is_clean() {
    let everything = everything();
    let everything: Vec<&str> = everything.iter().map(String::as_str).collect();
    for flags in [&[][..], &everything] {
        let Some(output) = offline(&[&["lint", "--strict", "chart"], flags].concat()) else { return };
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && !text.contains("[WARNING]"), "{text}");
    }
}

#[test]
fn a_value_that_does_not_exist_is_refused() {
    let Some(output) = offline(&["template", "keymill", "chart", "--set", "replica=2"]) else { return };
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("replica"), "{text}");
}

#[test]
fn each_value_arrives() {
    for value in values() {
        let flag = flag(&value);
        // What belongs to the ServiceMonitor is seen in one.
        let mut flags = vec![flag.as_str()];
        if value.name.starts_with("serviceMonitor.") {
            flags.push("--set=serviceMonitor.enabled=true");
        }
        let Some(objects) = rendered(&flags) else { return };
        let mut objects = of_kind(&objects, value.kind).into_iter();
        let own = objects.find(|object| object["metadata"]["name"] == "keymill");
        let found = own.and_then(|object| object.pointer(value.at)).unwrap_or(&Json::Null);
        assert_eq!(found, &value.arrives, "{}", value.name);
    }
}

/// The names of the leaves of a schema.
fn leaves(schema: &Json, name: &str, found: &mut BTreeSet<String>) {
    match schema["properties"].as_object() {
        Some(properties) => {
            for (part, schema) in properties {
                let name = if name.is_empty() { part.clone() } else { format!("{name}.{part}") };
                leaves(schema, &name, found);
            }
        }
        None => drop(found.insert(name.to_owned())),
    }
}

#[test]
fn every_value_has_its_case_and_its_default() {
    let schema = std::fs::read_to_string(folder().join("chart/values.schema.json")).unwrap();
    let mut all = BTreeSet::new();
    leaves(&serde_json::from_str(&schema).unwrap(), "", &mut all);
    // Helm's own.
    assert!(all.remove("global"));
    assert_eq!(values().iter().map(|value| value.name.to_owned()).collect::<BTreeSet<_>>(), all);
    let defaults = read("chart/values.yaml").remove(0);
    for name in all {
        assert!(defaults.pointer(&format!("/{}", name.replace('.', "/"))).is_some(), "{name}");
    }
}

#[test]
fn in_some_namespaces_there_is_no_cluster_wide_right() {
    let Some(objects) = rendered(&["--set", "namespaces={a,b}", "--set", "rbac.aggregate=false"]) else {
        return;
    };
    assert!(
        of_kind(&objects, "ClusterRole").is_empty() && of_kind(&objects, "ClusterRoleBinding").is_empty()
    );
    assert!(of_kind(&objects, "ValidatingWebhookConfiguration").is_empty());
    let roles = of_kind(&objects, "Role");
    let places: BTreeSet<&str> =
        roles.iter().map(|role| role["metadata"]["namespace"].as_str().unwrap()).collect();
    assert_eq!(places, BTreeSet::from(["a", "b", "keymill-system"]));
    let text = serde_json::to_string(&roles).unwrap();
    for reach in ["clustersecretstores", "clustergenerators", "namespaces\""] {
        assert!(!text.contains(reach), "{reach}");
    }
    let arguments = container(&objects)["args"].to_string();
    assert!(arguments.contains("--namespace=a") && arguments.contains("--namespace=b"), "{arguments}");
    assert!(!arguments.contains("--admission"), "{arguments}");
}
