//! The API over HTTPS, with kubectl where there is one.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{ListParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use secrecy::ExposeSecret;
use standalone::clock::SystemClock;
use standalone::database::Database;
use standalone::{Api, ApiConfig, DEFAULT_HISTORY, serve};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::server::secret;

struct Running {
    address: String,
    kubeconfig: String,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(state: &Path) -> Self {
        let database = Database::open(state, &[7; 32]).unwrap();
        let config = ApiConfig { database, clock: Arc::new(SystemClock), history: DEFAULT_HISTORY };
        let api = Api::open(config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let kubeconfig = api.kubeconfig(&address).expose_secret().to_owned();
        let stop = CancellationToken::new();
        let task = tokio::spawn({
            let stop = stop.clone();
            async move { serve(api, listener, stop).await.unwrap() }
        });
        Self { address, kubeconfig, stop, task }
    }

    async fn client(&self, kubeconfig: &str) -> kube::Client {
        let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
        let config =
            kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        kube::Client::try_from(config).unwrap()
    }

    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(std::time::Duration::from_secs(5), self.task).await.unwrap().unwrap();
    }
}

/// The same kubeconfig, for a server on another port.
fn moved(kubeconfig: &str, from: &str, to: &str) -> String {
    kubeconfig.replace(from, to)
}

#[tokio::test]
async fn a_kubeconfig_outlives_a_restart_and_strangers_stay_out() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.redb");
    let first = Running::start(&state).await;
    let (kubeconfig, address) = (first.kubeconfig.clone(), first.address.clone());
    let secrets: kube::Api<Secret> = kube::Api::default_namespaced(first.client(&kubeconfig).await);
    let given = serde_json::from_value(secret("db")).unwrap();
    secrets.create(&PostParams::default(), &given).await.unwrap();
    let stranger = kubeconfig.replace("token: ", "token: x");
    let secrets: kube::Api<Secret> = kube::Api::default_namespaced(first.client(&stranger).await);
    let kube::Error::Api(status) = secrets.list(&ListParams::default()).await.unwrap_err() else { panic!() };
    assert_eq!((status.code, status.reason.as_str()), (401, "Unauthorized"));
    first.stop().await;

    let second = Running::start(&state).await;
    let kubeconfig = moved(&kubeconfig, &address, &second.address);
    let secrets: kube::Api<Secret> = kube::Api::default_namespaced(second.client(&kubeconfig).await);
    let found = secrets.get("db").await.unwrap();
    assert_eq!(found.data.unwrap()["password"].0, b"canary");
    second.stop().await;
    let file = std::fs::read(&state).unwrap();
    assert!(!file.windows(6).any(|window| window == b"canary"));
}

const KUBECTL: &str = "/usr/bin/kubectl";
const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: before}\n";
const DEFINITION: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: things, kind: Thing, singular: thing}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              colour: {type: string, description: what it looks like}
"#;

/// What is typed, with the manifests' paths for `{map}` and `{definition}`, and what the answer contains.
const COMMANDS: &[(&str, &str)] = &[
    ("apply -f {map}", "configmap/m created"),
    ("apply -f {map}", "configmap/m unchanged"),
    ("diff -f {map}", ""),
    ("apply --server-side --force-conflicts -f {map}", "configmap/m serverside-applied"),
    ("get configmaps", "DATA"),
    ("get cm m -o yaml", "a: before"),
    ("describe configmap m", "Name:         m"),
    ("explain configmap.data", "FIELD: data"),
    ("api-resources", "configmaps"),
    ("api-versions", "coordination.k8s.io/v1"),
    ("label configmap m x=y", "configmap/m labeled"),
    ("get cm -l x=y -o name", "configmap/m"),
    ("edit configmap m", "configmap/m edited"),
    ("delete configmap m", "\"m\" deleted"),
    ("apply -f {definition}", "things.example.com created"),
    ("wait --for=condition=Established crd/things.example.com", "condition met"),
    ("explain thing.spec.colour", "what it looks like"),
    ("delete -f {definition}", "deleted"),
    ("create serviceaccount s", "serviceaccount/s created"),
    ("create token s", "eyJ"),
    ("create secret generic s --from-literal=a=b", "secret/s created"),
    ("get secret s -o jsonpath={.data.a}", "Yg=="),
    ("auth whoami", "keymill:administrator"),
    ("auth can-i get secrets", "yes"),
    ("create namespace n", "namespace/n created"),
    ("delete namespace n", "deleted"),
    ("events", "No events found"),
];

/// Runs kubectl for at most 20 seconds; what it printed, when it succeeded.
fn kubectl(folder: &Path, arguments: &str) -> String {
    let output = Command::new("timeout")
        .args(["20", KUBECTL])
        .args(arguments.split(' '))
        .env("KUBECONFIG", folder.join("kubeconfig"))
        .env("HOME", folder)
        .env("KUBE_EDITOR", "sed -i s/before/after/")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "kubectl {arguments}: {text}");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_works() {
    if !Path::new(KUBECTL).exists() {
        println!("skipped: {KUBECTL} is missing");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&folder.path().join("state.redb")).await;
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    write("kubeconfig", &server.kubeconfig);
    let map = write("map.yaml", MAP);
    let definition = write("definition.yaml", DEFINITION);
    for (arguments, expected) in COMMANDS {
        let arguments = arguments.replace("{map}", &map).replace("{definition}", &definition);
        let home = folder.path().to_owned();
        let text = tokio::task::spawn_blocking(move || kubectl(&home, &arguments)).await.unwrap();
        assert!(text.contains(expected), "{expected}: {text}");
    }
    server.stop().await;
}
