//! The control plane: versions, RBAC, garbage collection, a stop in the middle, compaction.

use serde_json::{Value as Json, json};
use servers::{Kubernetes, KubernetesOptions};

use crate::life::{is_gone, wait_for};

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn text<'a>(object: &'a Json, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Json::as_str).unwrap_or_else(|| panic!("no {pointer} in {object}"))
}

fn create(cluster: &Kubernetes, path: &str, object: Json) -> Json {
    let (status, answer) = cluster.request("POST", path, Some(&object));
    assert_eq!(status, 201, "{answer}");
    answer
}

#[test]
fn the_version_is_the_one_of_the_module() {
    let Some(cluster) = servers::kubernetes() else { return };
    let (status, version) = cluster.request("GET", "/version", None);
    assert_eq!(status, 200);
    let module = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/kubernetes/go.mod")).unwrap();
    let required = format!("k8s.io/kubernetes {}", text(&version, "/gitVersion"));
    assert!(module.contains(&required), "{version}");
    assert_eq!((text(&version, "/major"), text(&version, "/minor")), ("1", "36"));
}

#[test]
fn a_service_account_has_the_rights_of_its_role_and_no_others() {
    let Some(cluster) = servers::kubernetes() else { return };
    create(cluster, "/api/v1/namespaces/default/serviceaccounts", json!({"metadata": {"name": "reader"}}));
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    let rule = json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]});
    create(cluster, &format!("{rbac}/roles"), json!({"metadata": {"name": "reader"}, "rules": [rule]}));
    let binding = json!({
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": "default"}],
    });
    create(cluster, &format!("{rbac}/rolebindings"), binding);

    let kubeconfig = std::fs::read_to_string(cluster.kubeconfig_for("default", "reader")).unwrap();
    let kubeconfig: Json = serde_json::from_str(&kubeconfig).unwrap();
    assert_eq!(text(&kubeconfig, "/clusters/0/cluster/server"), cluster.url());
    let token = text(&kubeconfig, "/users/0/user/token");
    // RBAC learns of a binding through a watch.
    wait_for("the role is known", || cluster.request_as(token, "GET", CONFIG_MAPS, None).0 == 200);
    let (status, answer) = cluster.request_as(token, "GET", "/api/v1/namespaces/default/secrets", None);
    assert_eq!(status, 403);
    assert!(text(&answer, "/message").contains("system:serviceaccount:default:reader"), "{answer}");
    assert_eq!(cluster.request_as("nobody's", "GET", CONFIG_MAPS, None).0, 401);
}

#[test]
#[should_panic(expected = "nobody")]
fn a_service_account_that_is_not_there_is_named() {
    match servers::kubernetes() {
        Some(cluster) => drop(cluster.kubeconfig_for("default", "nobody")),
        None => panic!("nobody can be asked"),
    }
}

#[test]
fn a_control_plane_collects_garbage_stops_goes_on_and_ends() {
    let options =
        KubernetesOptions { controller_manager: true, flags: vec!["--watch-cache=false".to_owned()] };
    let Some(mut cluster) = Kubernetes::start(&options) else { return };
    let owner = create(&cluster, CONFIG_MAPS, json!({"metadata": {"name": "owner"}}));
    let reference = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": text(&owner, "/metadata/uid")});
    create(&cluster, CONFIG_MAPS, json!({"metadata": {"name": "dependent", "ownerReferences": [reference]}}));
    create(&cluster, "/api/v1/namespaces", json!({"metadata": {"name": "brief"}}));
    assert_eq!(cluster.request("DELETE", &format!("{CONFIG_MAPS}/owner"), None).0, 200);
    assert_eq!(cluster.request("DELETE", "/api/v1/namespaces/brief", None).0, 200);
    for path in [&format!("{CONFIG_MAPS}/dependent"), "/api/v1/namespaces/brief"] {
        wait_for(path, || cluster.request("GET", path, None).0 == 404);
    }

    let kept = create(&cluster, CONFIG_MAPS, json!({"metadata": {"name": "kept"}}));
    let before = cluster.processes();
    cluster.stop();
    assert!(is_gone(before[0]), "the API server still runs");
    assert_eq!(cluster.processes(), before[1..], "the others go on");
    cluster.start_again();
    let (status, found) = cluster.request("GET", &format!("{CONFIG_MAPS}/kept"), None);
    assert_eq!((status, text(&found, "/metadata/uid")), (200, text(&kept, "/metadata/uid")));

    let version = text(&kept, "/metadata/resourceVersion");
    create(&cluster, CONFIG_MAPS, json!({"metadata": {"name": "later"}}));
    cluster.compact_etcd();
    let watch = format!("{CONFIG_MAPS}?watch=1&timeoutSeconds=5&resourceVersion={version}");
    let (_, event) = cluster.request("GET", &watch, None);
    assert_eq!(
        (text(&event, "/type"), event.pointer("/object/code")),
        ("ERROR", Some(&json!(410))),
        "{event}"
    );

    let (processes, folder) = (cluster.processes(), cluster.folder().to_owned());
    assert_eq!(processes.len(), 3);
    drop(cluster);
    assert!(processes.into_iter().all(is_gone), "a server still runs");
    assert!(!folder.exists(), "the folder is left");
}
