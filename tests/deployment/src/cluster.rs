//! The real API server with what `host/deploy` installs, a real Vault, and `keymill run` beside them as its own ServiceAccount.

use std::cell::RefCell;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};
use servers::{Kubernetes, KubernetesOptions, Vault, VaultOptions};

use crate::audit::Audit;
use crate::manifests::{container, folder, parse, read};
use crate::operator::Operator;

/// Two cores may be shared by many.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);
pub(crate) const HOME: &str = "keymill-system";

pub(crate) struct Cluster {
    pub(crate) kubernetes: Kubernetes,
    pub(crate) audit: Audit,
    pub(crate) vault: Vault,
    pub(crate) folder: tempfile::TempDir,
    /// Where the API server calls an operator that runs as deployed.
    admission: u16,
    runs: RefCell<u32>,
}

impl Cluster {
    /// An empty one; none where a server is missing.
    pub(crate) fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let audit = Audit::in_folder(folder.path());
        let mut flags = audit.flags();
        // As OpenShift has it: whoever sets an owner that blocks its deletion needs a right for that.
        flags.push("--enable-admission-plugins=OwnerReferencesPermissionEnforcement".to_owned());
        let vault = Vault::start(&VaultOptions::default())?;
        let kubernetes = Kubernetes::start(&KubernetesOptions { controller_manager: true, flags })?;
        let mount = json!({"type": "kv", "options": {"version": "2"}});
        let (code, answer) = vault.request("POST", "/v1/sys/mounts/secrets", Some(&mount));
        assert!(code < 300, "{answer}");
        let admission = servers::free_port().unwrap();
        Some(Self { kubernetes, audit, vault, folder, admission, runs: RefCell::default() })
    }

    /// One with everything that the install file holds.
    pub(crate) fn installed() -> Option<Self> {
        let cluster = Self::start()?;
        let install = folder().join("install.yaml");
        cluster.kubectl(&["apply", "--server-side", "-f", install.to_str().unwrap()]);
        cluster.served();
        // No Service leads out of the cluster to the processes of a test.
        let call = json!({"url": format!("https://127.0.0.1:{}/validate", cluster.admission)});
        cluster.change_webhook("/webhooks/0/clientConfig", &call);
        Some(cluster)
    }

    /// Sets a field of the configuration of admission.
    pub(crate) fn change_webhook(&self, field: &str, value: &Json) {
        let patch = json!([{"op": "add", "path": field, "value": value}]).to_string();
        let object = ["validatingwebhookconfiguration", "keymill"];
        self.kubectl(&[&["patch"], &object[..], &["--type=json", "-p", &patch]].concat());
    }

    /// Waits until all definitions are served.
    pub(crate) fn served(&self) {
        let wait = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=120s"];
        // Of one that was created a moment ago kubectl says that it has no conditions, and ends.
        until("the definitions are served", || {
            self.kubernetes.kubectl().args(wait).output().unwrap().status.success()
        });
    }

    /// What kubectl prints; it must succeed.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.kubernetes.kubectl().args(arguments).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "kubectl {arguments:?}\n{out}{err}");
        out.into_owned()
    }

    /// Applies objects, those without one to a namespace.
    pub(crate) fn apply(&self, namespace: &str, objects: &[Json]) {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        let mut command = self.kubernetes.kubectl();
        command.args(["apply", "--server-side", "--force-conflicts", "--namespace", namespace, "-f", "-"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(list.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The manifests of an example, but for those of kinds that are not served.
    pub(crate) fn apply_example(&self, name: &str) {
        let folder = folder().join("examples").join(name);
        let mut objects = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "yaml") {
                objects.extend(parse(&std::fs::read_to_string(&path).unwrap()));
            }
        }
        objects.retain(|object| object["kind"] != "Cluster");
        for object in &mut objects {
            if object["kind"] == "Secret" && object["metadata"]["name"] == "vault-token" {
                object["stringData"] = json!({"token": self.vault.token()});
                object.as_object_mut().unwrap().remove("data");
            }
        }
        self.apply("default", &objects);
    }

    pub(crate) fn get(&self, path: &str) -> Json {
        self.kubernetes.request("GET", path, None).1
    }

    /// Why the API server does not take an object; nothing if it does.
    pub(crate) fn refusal(&self, path: &str, object: &Json) -> Option<String> {
        let (code, answer) = self.kubernetes.request("POST", &format!("{path}?dryRun=All"), Some(object));
        (code >= 300).then(|| answer["message"].as_str().unwrap_or_default().to_owned())
    }

    /// `keymill run` with the flags of the Deployment, but for its addresses and its cache.
    pub(crate) fn run_as_deployed(&self) -> Operator {
        let installed = read("install.yaml");
        let arguments = container(&installed)["args"].as_array().unwrap();
        let mut flags = arguments.iter().map(|flag| flag.as_str().unwrap());
        assert_eq!(flags.next(), Some("run"));
        let ours = ["--health-addr=", "--metrics-addr=", "--admission-listen=", "--cache="];
        let theirs: Vec<&str> = flags.filter(|flag| !ours.iter().any(|our| flag.starts_with(our))).collect();
        assert_eq!(theirs.len() + ours.len() + 1, arguments.len(), "{arguments:?}");
        let here = format!("--admission-listen=127.0.0.1:{}", self.admission);
        self.run(&[&theirs[..], &[&here]].concat())
    }

    /// `keymill run` as its own ServiceAccount.
    pub(crate) fn run(&self, flags: &[&str]) -> Operator {
        let (kubeconfig, token_id) = self.own_kubeconfig();
        let mut command = Command::new(support::keymill().unwrap());
        command.arg("run").arg("--kubeconfig").arg(kubeconfig);
        command.args(["--health-addr=127.0.0.1:0", "--metrics-addr=127.0.0.1:0"]);
        command.arg("--cache").arg(support::component_cache().unwrap());
        command.arg(format!(
            "--resolve=vault.vault.svc:8200={}",
            self.vault.url().trim_start_matches("http://")
        ));
        command.args(flags);
        Operator::start(command, token_id)
    }

    /// As in a pod: the namespace is the ServiceAccount's own, the token nobody else's.
    fn own_kubeconfig(&self) -> (PathBuf, String) {
        let mut runs = self.runs.borrow_mut();
        *runs += 1;
        let token = self.kubernetes.token_for(HOME, "keymill");
        let path = self.folder.path().join(format!("kubeconfig-{runs}"));
        servers::write_kubeconfig(&path, self.kubernetes.url(), self.kubernetes.ca_pem(), &token).unwrap();
        let mut config: Json = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        config["contexts"][0]["context"]["namespace"] = HOME.into();
        std::fs::write(&path, config.to_string()).unwrap();
        (path, token_id(&token))
    }
}

/// The id inside a token.
fn token_id(token: &str) -> String {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Json = serde_json::from_slice(&claims).unwrap();
    claims["jti"].as_str().unwrap().to_owned()
}

pub(crate) fn until(what: &str, mut question: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !question() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
