//! One namespace with an operator in it: a generated value that must not rotate, its push, and a value that is read.
//!
//! The test speaks to both servers directly, so it sees what is true while the operator cannot.

use std::any::Any;
use std::process::Command;
use std::sync::Once;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use faults::{Fault, Proxy};
use serde_json::{Value as Json, json};
use servers::{Kubernetes, Vault};
use support::Program;
use tempfile::TempDir;

use crate::operator;

/// For what takes as long as it takes.
pub(crate) const SOON: Duration = Duration::from_secs(120);
/// How soon all is well after the end of a fault.
const RECOVERY: Duration = Duration::from_secs(5);

/// A namespace, and who works in it.
pub(crate) struct World<'a> {
    pub(crate) cluster: &'a Kubernetes,
    pub(crate) namespace: String,
    /// Before the API server.
    pub(crate) api: Proxy,
    /// Before Vault.
    pub(crate) kv: Proxy,
    pub(crate) operator: Program,
    _folder: TempDir,
}

/// What must be the same after a bad day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The generated Secret, as it is stored, with its resourceVersion and the annotation of its rotation.
    generated: Json,
    /// The rotation record's resourceVersion and data.
    record: Json,
    /// The version of what was pushed.
    pushed: Option<u64>,
}

/// The definitions are the cluster's; the first world of each applies them.
pub(crate) fn apply_crds(cluster: &Kubernetes) {
    let output = Command::new(support::keymill().unwrap()).arg("crds").output().unwrap();
    assert!(output.status.success());
    cluster.apply_crds(&String::from_utf8(output.stdout).unwrap());
}

/// The cluster that worlds share, with the definitions.
pub(crate) fn cluster() -> Option<&'static Kubernetes> {
    static APPLIED: Once = Once::new();
    let cluster = servers::kubernetes()?;
    APPLIED.call_once(|| apply_crds(cluster));
    Some(cluster)
}

impl<'a> World<'a> {
    /// A new namespace in which all is well.
    pub(crate) fn start(cluster: &'a Kubernetes, vault: &Vault, name: &str) -> Self {
        Self::start_with(cluster, vault, name, |command| command)
    }

    /// The same with an operator that is started in its own way.
    pub(crate) fn start_with(
        cluster: &'a Kubernetes,
        vault: &Vault,
        name: &str,
        change: impl FnOnce(Command) -> Command,
    ) -> Self {
        create(cluster, "/api/v1/namespaces", json!({"metadata": {"name": name}}));
        Self::start_as(cluster, vault, name, cluster.admin_token(), change)
    }

    /// The same in a namespace that is there, with an operator that has the rights of a token.
    pub(crate) fn start_as(
        cluster: &'a Kubernetes,
        vault: &Vault,
        name: &str,
        token: &str,
        change: impl FnOnce(Command) -> Command,
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let api = Proxy::start(cluster.url(), Some(cluster.ca_pem())).unwrap();
        let kv = Proxy::start(vault.url(), vault.ca_pem()).unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        servers::write_kubeconfig(&kubeconfig, api.url(), api.ca_pem().unwrap(), token).unwrap();
        let operator = operator::start(change(operator::command(&kubeconfig, name)));
        let world = Self { cluster, namespace: name.to_owned(), api, kv, operator, _folder: folder };
        world.write_remote(vault, "first");
        world.populate(vault.token());
        world.all_is_well();
        world.read_is("first");
        world
    }

    fn populate(&self, token: &str) {
        self.create(
            "v1",
            "secrets",
            json!({"metadata": {"name": "vault-token"}, "stringData": {"token": token}}),
        );
        let auth = json!({"tokenSecretRef": {"name": "vault-token", "key": "token"}});
        let provider =
            json!({"vault": {"server": self.kv.url(), "path": "secret", "version": "v2", "auth": auth}});
        self.create(
            ES,
            "secretstores",
            json!({"metadata": {"name": "vault"}, "spec": {"provider": provider}}),
        );
        let password = json!({"length": 24, "digits": 5, "symbols": 0});
        self.create(GENERATORS, "passwords", json!({"metadata": {"name": "password"}, "spec": password}));
        self.create_generated("generated");
        let push = json!({
            "refreshInterval": "2s",
            "secretStoreRefs": [{"name": "vault", "kind": "SecretStore"}],
            "selector": {"secret": {"name": "generated"}},
            "data": [{"match": {"remoteRef": {"remoteKey": format!("{}/pushed", self.namespace)}}}],
        });
        self.create(ES_ALPHA, "pushsecrets", json!({"metadata": {"name": "push"}, "spec": push}));
        let read = json!({
            "refreshInterval": "2s",
            "secretStoreRef": {"name": "vault", "kind": "SecretStore"},
            "data": [{"secretKey": "key", "remoteRef": {"key": format!("{}/read", self.namespace), "property": "key"}}],
        });
        self.create(ES, "externalsecrets", json!({"metadata": {"name": "read"}, "spec": read}));
    }

    /// An ExternalSecret whose value is generated once a week.
    pub(crate) fn create_generated(&self, name: &str) {
        let generator = json!({"apiVersion": GENERATORS, "kind": "Password", "name": "password"});
        let spec =
            json!({"refreshInterval": "168h", "dataFrom": [{"sourceRef": {"generatorRef": generator}}]});
        self.create(ES, "externalsecrets", json!({"metadata": {"name": name}, "spec": spec}));
    }

    /// Creates an object past the proxy.
    pub(crate) fn create(&self, version: &str, plural: &str, mut object: Json) {
        let kind = match plural {
            "secrets" => "Secret",
            "secretstores" => "SecretStore",
            "passwords" => "Password",
            "pushsecrets" => "PushSecret",
            "externalsecrets" => "ExternalSecret",
            other => panic!("no kind for {other}"),
        };
        object["apiVersion"] = json!(version);
        object["kind"] = json!(kind);
        create(self.cluster, &self.path(version, plural), object);
    }

    /// Changes an object past the proxy.
    pub(crate) fn replace(&self, version: &str, plural: &str, name: &str, change: impl FnOnce(&mut Json)) {
        let path = format!("{}/{name}", self.path(version, plural));
        let (status, mut object) = self.cluster.request("GET", &path, None);
        assert_eq!(status, 200, "{object}");
        change(&mut object);
        let (status, answer) = self.cluster.request("PUT", &path, Some(&object));
        assert_eq!(status, 200, "{answer}");
    }

    /// An object as the API server has it; none when it is missing.
    pub(crate) fn get(&self, version: &str, plural: &str, name: &str) -> Option<Json> {
        let (status, object) =
            self.cluster.request("GET", &format!("{}/{name}", self.path(version, plural)), None);
        match status {
            200 => Some(object),
            404 => None,
            other => panic!("{other} {object}"),
        }
    }

    fn path(&self, version: &str, plural: &str) -> String {
        let root = if version == "v1" { "api" } else { "apis" };
        format!("/{root}/{version}/namespaces/{}/{plural}", self.namespace)
    }

    /// Writes what `read` reads.
    pub(crate) fn write_remote(&self, vault: &Vault, value: &str) {
        let path = format!("/v1/secret/data/{}/read", self.namespace);
        let (status, answer) = vault.request("POST", &path, Some(&json!({"data": {"key": value}})));
        assert_eq!(status, 200, "{answer}");
    }

    /// What the target of `read` holds, in base64.
    pub(crate) fn read(&self) -> Option<Json> {
        self.get("v1", "secrets", "read")?.pointer("/data/key").cloned()
    }

    /// Waits until the target of `read` holds that.
    #[track_caller]
    pub(crate) fn read_is(&self, value: &str) {
        let wanted = json!(base64(value));
        self.until(&format!("read holds {value}"), SOON, || self.read().as_ref() == Some(&wanted));
    }

    /// Status, reason and message of a Ready condition.
    pub(crate) fn ready(&self, (version, plural, name): Named<'_>) -> Option<[String; 3]> {
        let object = self.get(version, plural, name)?;
        let conditions = object.pointer("/status/conditions")?.as_array()?;
        let ready = conditions.iter().find(|condition| condition["type"] == "Ready")?;
        Some(
            ["status", "reason", "message"].map(|field| ready[field].as_str().unwrap_or_default().to_owned()),
        )
    }

    /// Waits until an object is not Ready and its message has all the words.
    #[track_caller]
    pub(crate) fn complains(&self, named: Named<'_>, words: &[&str]) {
        let mut seen = None;
        let says =
            |ready: &[String; 3]| ready[0] == "False" && words.iter().all(|word| ready[2].contains(word));
        self.until(&format!("{} complains of {words:?}", named.2), SOON, || {
            seen = self.ready(named);
            seen.as_ref().is_some_and(says)
        });
    }

    /// Waits until everything is Ready.
    #[track_caller]
    pub(crate) fn all_is_well(&self) {
        for named in ALL {
            self.until(&format!("{} is Ready", named.2), SOON, || self.is_ready(named));
        }
    }

    fn is_ready(&self, named: Named<'_>) -> bool {
        self.ready(named).is_some_and(|[status, ..]| status == "True")
    }

    /// What a bad day must leave as it is.
    pub(crate) fn kept(&self, vault: &Vault) -> Kept {
        let generated = self.get("v1", "secrets", "generated").unwrap();
        let (status, all) = self.cluster.request("GET", &self.path("v1", "secrets"), None);
        assert_eq!(status, 200);
        let records = all["items"].as_array().unwrap();
        let of_generated = |one: &&Json| {
            one["type"] == "keymill.dev/rotation"
                && one["metadata"]["ownerReferences"][0]["name"] == "generated"
        };
        let record = records.iter().find(of_generated).expect("a rotation record of generated");
        Kept {
            generated: json!([
                generated["data"],
                generated["metadata"]["annotations"]["keymill.dev/rotation"],
                generated["metadata"]["resourceVersion"],
            ]),
            record: json!([record["data"], record["metadata"]["resourceVersion"]]),
            pushed: self.pushed_version(vault),
        }
    }

    /// How often something was pushed.
    pub(crate) fn pushed_version(&self, vault: &Vault) -> Option<u64> {
        let path = format!("/v1/secret/metadata/{}/pushed", self.namespace);
        let (_, metadata) = vault.request("GET", &path, None);
        metadata.pointer("/data/current_version").and_then(Json::as_u64)
    }

    /// Ends the fault and takes the time until a value that changed meanwhile and an object that came meanwhile are there and
    /// everything is Ready.
    #[track_caller]
    pub(crate) fn recovers(&self, value: &str, newcomer: &str, end: impl FnOnce()) {
        end();
        let began = Instant::now();
        let wanted = json!(base64(value));
        self.until("the changed value is read", SOON, || self.read().as_ref() == Some(&wanted));
        self.until("the new object has its target", SOON, || self.get("v1", "secrets", newcomer).is_some());
        self.all_is_well();
        let took = began.elapsed();
        assert!(took < RECOVERY, "{}: recovery took {took:?}\n{}", self.namespace, self.operator.output());
    }

    /// Both proxies pass everything on again.
    pub(crate) fn mend(&self) {
        self.api.set(Fault::None);
        self.kv.set(Fault::None);
    }

    /// Waits for a condition; the failure has what the operator printed.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, timeout: Duration, mut question: impl FnMut() -> bool) {
        let deadline = Instant::now() + timeout;
        while !question() {
            assert!(
                Instant::now() < deadline,
                "{}: not within {timeout:?}: {what}\n{:?}\n{}",
                self.namespace,
                ALL.map(|named| self.ready(named)),
                self.operator.output()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Runs cases at the same time: each waits most of its time.
#[track_caller]
pub(crate) fn together<C: Send, const N: usize>(cases: [C; N], run: impl Fn(C) + Sync) {
    let run = &run;
    std::thread::scope(|scope| {
        let cases = cases.map(|case| scope.spawn(move || run(case)));
        let failed: Vec<String> =
            cases.into_iter().filter_map(|case| case.join().err()).map(|panic| words(&*panic)).collect();
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    });
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

/// An object: apiVersion, plural, name.
pub(crate) type Named<'a> = (&'a str, &'a str, &'a str);

pub(crate) const ES: &str = "external-secrets.io/v1";
pub(crate) const ES_ALPHA: &str = "external-secrets.io/v1alpha1";
pub(crate) const GENERATORS: &str = "generators.external-secrets.io/v1alpha1";
pub(crate) const STORE: Named<'_> = (ES, "secretstores", "vault");
pub(crate) const READ: Named<'_> = (ES, "externalsecrets", "read");
pub(crate) const GENERATED: Named<'_> = (ES, "externalsecrets", "generated");
pub(crate) const PUSH: Named<'_> = (ES_ALPHA, "pushsecrets", "push");
const ALL: [Named<'_>; 4] = [STORE, READ, GENERATED, PUSH];

pub(crate) fn create(cluster: &Kubernetes, path: &str, object: Json) {
    let (status, answer) = cluster.request("POST", path, Some(&object));
    assert_eq!(status, 201, "{answer}");
}

/// As a Secret has it.
pub(crate) fn base64(text: &str) -> String {
    STANDARD.encode(text)
}
