//! A life on the real API server, by the commands of `host/deploy/README.md`: installed, upgraded, removed; by kubectl and by Helm.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::cluster::{Cluster, HOME, until};
use crate::manifests::{Key, by_key, folder, of_kind, parse, read};
use crate::readme::follow;
use crate::{chart, objects};

/// The resourceVersion of each object of the install file.
fn versions(cluster: &Cluster) -> BTreeMap<Key, Json> {
    let install = folder().join("install.yaml");
    let found = cluster.kubectl(&["get", "-o", "json", "-f", install.to_str().unwrap()]);
    let found: Json = serde_json::from_str(&found).unwrap();
    let found = by_key(found["items"].as_array().unwrap().clone());
    found.into_iter().map(|(key, object)| (key, object["metadata"]["resourceVersion"].clone())).collect()
}

fn pod(name: &str) -> Json {
    let installed = read("install.yaml");
    let template = &of_kind(&installed, "Deployment")[0]["spec"]["template"];
    let mut metadata = template["metadata"].clone();
    metadata["name"] = name.into();
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
}

/// The admission of its own namespace takes its pod, and no other that may do more.
fn pods(cluster: &Cluster) {
    let path = format!("/api/v1/namespaces/{HOME}/pods");
    let (code, answer) = cluster.kubernetes.request("POST", &path, Some(&pod("keymill-1")));
    assert_eq!(code, 201, "{answer}");
    let (code, answer) =
        cluster.kubernetes.request("DELETE", &format!("{path}/keymill-1?gracePeriodSeconds=0"), None);
    assert!(code < 300, "{answer}");
    let mut more = pod("keymill-2");
    more["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = true.into();
    let (code, answer) = cluster.kubernetes.request("POST", &path, Some(&more));
    assert!(code == 403 && answer.to_string().contains("violates PodSecurity"), "{code} {answer}");
}

/// What the pod listens on and what it must reach is let through.
fn network(installed: &[Json]) {
    let spec = &of_kind(installed, "NetworkPolicy")[0]["spec"];
    let template = &of_kind(installed, "Deployment")[0]["spec"]["template"];
    assert_eq!(spec["podSelector"]["matchLabels"], template["metadata"]["labels"]);
    let ports = |direction: &str| -> Vec<(String, u64)> {
        let rules = spec[direction].as_array().unwrap().iter();
        let ports = rules.flat_map(|rule| rule["ports"].as_array().unwrap());
        ports
            .map(|port| (port["protocol"].as_str().unwrap().to_owned(), port["port"].as_u64().unwrap()))
            .collect()
    };
    let tcp = |port| ("TCP".to_owned(), port);
    let of_container = template["spec"]["containers"][0]["ports"].as_array().unwrap();
    // Probes come from the node, which no policy keeps out.
    let others = of_container.iter().filter(|port| port["name"] != "health");
    let others: Vec<_> = others.map(|port| tcp(port["containerPort"].as_u64().unwrap())).collect();
    assert_eq!(ports("ingress"), others);
    for service in of_kind(installed, "Service") {
        let name = &service["spec"]["ports"][0]["targetPort"];
        assert!(of_container.iter().any(|port| port["name"] == *name), "{service}");
    }
    let call = &of_kind(installed, "ValidatingWebhookConfiguration")[0]["webhooks"][0]["clientConfig"];
    let services = of_kind(installed, "Service").into_iter();
    let mut names =
        services.map(|service| (&service["metadata"]["name"], &service["spec"]["ports"][0]["port"]));
    assert!(names.any(|named| named == (&call["service"]["name"], &call["service"]["port"])), "{call}");
    assert_eq!(ports("egress"), [("UDP".to_owned(), 53), tcp(53), tcp(443), tcp(6443), tcp(8200)]);
}

/// Definitions as ESO had them before 0.16, with an object that is stored in the old version.
fn old_definitions(cluster: &Cluster) -> Json {
    let definitions = folder().join("crds");
    for kind in ["externalsecrets", "secretstores", "clustersecretstores"] {
        let text =
            std::fs::read_to_string(definitions.join(format!("external-secrets.io_{kind}.yaml"))).unwrap();
        let mut definition = parse(&text).remove(0);
        for stored in ["v1beta1", "v1"] {
            let mut versions = definition["spec"]["versions"].as_array().unwrap().clone();
            versions.truncate(1);
            versions.push(versions[0].clone());
            for (version, name) in versions.iter_mut().zip(["v1", "v1beta1"]) {
                version["name"] = name.into();
                version["storage"] = (name == stored).into();
            }
            definition["spec"]["versions"] = versions.into();
            let path = cluster.folder.path().join(format!("{kind}-{stored}.json"));
            std::fs::write(path, definition.to_string()).unwrap();
        }
        apply_definition(cluster, kind, "v1beta1");
    }
    cluster.served();
    let old = json!({
        "apiVersion": "external-secrets.io/v1beta1", "kind": "ExternalSecret", "metadata": {"name": "old"},
        "spec": {"refreshInterval": "1h", "dataFrom": [{"extract": {"key": "a"}}]},
    });
    let path = "/apis/external-secrets.io/v1beta1/namespaces/default/externalsecrets";
    until("an old object is stored", || cluster.kubernetes.request("POST", path, Some(&old)).0 == 201);
    cluster.get(&objects::path("default", "externalsecrets", "old"))
}

fn apply_definition(cluster: &Cluster, kind: &str, stored: &str) {
    let path = cluster.folder.path().join(format!("{kind}-{stored}.json"));
    let eso = ["apply", "--server-side", "--field-manager=eso", "-f", path.to_str().unwrap()];
    cluster.kubectl(&eso);
}

/// The way from ESO, whose definitions have stored an older version.
fn from_older_versions(cluster: &Cluster) {
    let before = old_definitions(cluster);
    for kind in ["externalsecrets", "secretstores", "clustersecretstores"] {
        apply_definition(cluster, kind, "v1");
    }
    let stored = || {
        let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        cluster.get(&format!("{crds}/externalsecrets.external-secrets.io"))["status"]["storedVersions"]
            .clone()
    };
    assert_eq!(stored(), json!(["v1beta1", "v1"]));
    follow(cluster, "From External Secrets Operator", 1);
    follow(cluster, "From External Secrets Operator", 2);
    cluster.served();
    assert_eq!(stored(), json!(["v1"]));
    let after = cluster.get(&objects::path("default", "externalsecrets", "old"));
    assert_eq!((&after["metadata"]["uid"], &after["spec"]), (&before["metadata"]["uid"], &before["spec"]));
    cluster.kubectl(&["delete", "externalsecret", "old"]);
}

fn secrets(cluster: &Cluster, namespace: &str) -> BTreeMap<String, Json> {
    let all = cluster.get(&format!("/api/v1/namespaces/{namespace}/secrets"));
    let all = all["items"].as_array().unwrap().iter();
    let data =
        |secret: &Json| (secret["metadata"]["name"].as_str().unwrap().to_owned(), secret["data"].clone());
    all.map(data).collect()
}

#[test]
fn by_kubectl_it_comes_stays_and_goes() {
    let Some(cluster) = Cluster::start() else { return };
    from_older_versions(&cluster);
    follow(&cluster, "Install", 0);
    cluster.served();
    let before = versions(&cluster);
    follow(&cluster, "Install", 0);
    assert_eq!(versions(&cluster), before, "the same again changes nothing");
    pods(&cluster);
    network(&read("install.yaml"));

    let operator = cluster.run(&["--leader-elect"]);
    objects::create(&cluster, "shop");
    objects::all_ready(&cluster, "shop");
    for (plural, name) in [("externalsecret", "rotating"), ("pushsecret", "generated")] {
        let slow = r#"{"spec":{"refreshInterval":"24h"}}"#;
        cluster.kubectl(&["patch", plural, name, "-n", "shop", "--type=merge", "-p", slow]);
    }
    until("nothing rotates", || {
        let before = secrets(&cluster, "shop");
        std::thread::sleep(std::time::Duration::from_secs(2));
        secrets(&cluster, "shop") == before
    });
    let before = secrets(&cluster, "shop");
    follow(&cluster, "Upgrade", 0);
    let image = "jsonpath={.spec.template.spec.containers[0].image}";
    let image = cluster.kubectl(&["get", "deployment", "keymill", "-n", HOME, "-o", image]);
    assert_eq!(image, "registry.example.com/keymill:NEW");
    objects::all_ready(&cluster, "shop");
    assert_eq!(secrets(&cluster, "shop"), before, "an upgrade changes no value");

    follow(&cluster, "Uninstall", 0);
    let gone = |plural: &str| {
        cluster.get(objects::path("shop", plural, "").trim_end_matches('/'))["items"] == json!([])
    };
    assert!(gone("externalsecrets") && gone("pushsecrets"));
    assert_eq!(secrets(&cluster, "shop"), before, "the Secrets stay");
    assert_eq!(operator.terminate().0, Some(0));
    follow(&cluster, "Uninstall", 1);
    for what in ["crd", "clusterrole,clusterrolebinding,validatingwebhookconfiguration"] {
        let left = cluster.kubectl(&["get", what, "-l", "app.kubernetes.io/name=keymill", "-o", "name"]);
        assert_eq!(left, "", "{what}");
    }
    assert_eq!(cluster.kubectl(&["get", "crd", "-o", "name"]), "");
    assert_eq!(cluster.kubernetes.request("GET", &format!("/api/v1/namespaces/{HOME}"), None).0, 404);
    assert_eq!(secrets(&cluster, "shop"), before, "the Secrets stay");
}

/// A folder with the tree's chart and definitions that are older.
fn older_chart(cluster: &Cluster) -> PathBuf {
    let older = cluster.folder.path().join("older");
    let copied = std::process::Command::new("cp").arg("-rL").arg(folder().join("chart")).arg(&older).status();
    assert!(copied.unwrap().success());
    let path = older.join("crds/generators.external-secrets.io_uuids.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("name: v1alpha1"));
    std::fs::write(&path, text.replace("name: v1alpha1", "deprecated: true\n    name: v1alpha1")).unwrap();
    older
}

#[test]
fn by_helm_it_comes_stays_and_goes() {
    let Some(cluster) = Cluster::start() else { return };
    let older = older_chart(&cluster);
    let older = older.to_str().unwrap();
    chart::helm(&cluster, &["install", "keymill", older, "-n", HOME, "--create-namespace"]);
    cluster.served();
    follow(&cluster, "Upgrade", 1);
    let uuids = cluster
        .get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/uuids.generators.external-secrets.io");
    assert_eq!(uuids["spec"]["versions"][0].get("deprecated"), None, "the definitions are the new ones");
    follow(&cluster, "Install", 2);
    pods(&cluster);
    let everything = chart::everything();
    let everything: Vec<&str> = everything.iter().map(String::as_str).collect();
    let upgrade = ["upgrade", "keymill", "host/deploy/chart", "-n", HOME];
    cluster.kubectl(&["create", "namespace", "a"]);
    chart::helm(&cluster, &[&upgrade[..], &everything[..]].concat());

    // In some namespaces, with the rights of the chart for them.
    cluster.kubectl(&["create", "namespace", "shop"]);
    chart::helm(&cluster, &[&upgrade[..], &["--reset-values", "--set", "namespaces={shop}"]].concat());
    objects_in_one_namespace(&cluster);
    let operator = cluster.run(&["--leader-elect", "--namespace=shop"]);
    for name in ["copied", "rotating"] {
        let path = objects::path("shop", "externalsecrets", name);
        until(&format!("{name} is Ready"), || objects::is_ready(&cluster, &path));
    }
    operator.ready();
    let token_id = operator.token_id.clone();
    let asked = || cluster.audit.of(&token_id);
    until("something rotates", || {
        asked().iter().any(|one| one.right.1 == "externalsecrets" && one.right.2 == "get")
    });
    let denied: Vec<_> = asked().into_iter().filter(|one| one.code == 403).collect();
    assert!(denied.is_empty(), "{denied:#?}");
    chart::helm(&cluster, &["uninstall", "keymill", "-n", HOME]);
    let (code, output) = operator.terminate();
    assert_eq!(code, Some(0), "{output}");

    // Whoever has no operator any more helps himself.
    cluster.kubectl(&["delete", "externalsecret", "--all", "-n", "shop", "--wait=false"]);
    let path = objects::path("shop", "externalsecrets", "copied");
    assert_eq!(cluster.kubernetes.request("GET", &path, None).0, 200, "the finalizer keeps it");
    follow(&cluster, "Uninstall", 2);
    until("it is gone", || cluster.kubernetes.request("GET", &path, None).0 == 404);
}

fn objects_in_one_namespace(cluster: &Cluster) {
    let generators = "generators.external-secrets.io/v1alpha1";
    let store = json!({
        "apiVersion": "external-secrets.io/v1", "kind": "SecretStore", "metadata": {"name": "fake"},
        "spec": {"provider": {"fake": {"data": [{"key": "a", "value": "one"}]}}},
    });
    let password = json!({
        "apiVersion": generators, "kind": "Password", "metadata": {"name": "password"},
        "spec": {"length": 24, "digits": 5, "symbols": 0, "allowRepeat": true, "noUpper": false},
    });
    let external_secret = |name: &str, spec: Json| {
        json!({
            "apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": {"name": name},
            "spec": spec,
        })
    };
    let reference = json!({"apiVersion": generators, "kind": "Password", "name": "password"});
    cluster.apply(
        "shop",
        &[
            store,
            password,
            external_secret(
                "copied",
                json!({
                    "refreshInterval": "1h", "secretStoreRef": {"kind": "SecretStore", "name": "fake"},
                    "data": [{"secretKey": "key", "remoteRef": {"key": "a"}}],
                }),
            ),
            external_secret(
                "rotating",
                json!({
                    "refreshInterval": "1s", "dataFrom": [{"sourceRef": {"generatorRef": reference}}],
                }),
            ),
        ],
    );
}
