//! A real cluster for one test: kube-apiserver, kube-controller-manager and Vault, and `keymill run` as a process of its own with the
//! ServiceAccount and the rights that `host/deploy` ships.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind, TypeMeta};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use servers::{Kubernetes, KubernetesOptions, Vault, VaultOptions};
use support::Program;
use tempfile::TempDir;

use crate::dev;
use crate::kv::Kv;

/// Where `host/deploy` puts the operator.
const HOME: (&str, &str) = ("keymill-system", "keymill");

/// A running cluster. Its servers end with it.
pub(crate) struct Cluster {
    kubernetes: Kubernetes,
    vault: Vault,
    /// The administrator's.
    pub(crate) client: Client,
    /// The administrator's.
    pub(crate) kv: Kv,
    folder: TempDir,
}

impl Cluster {
    /// Starts one with keymill's CRDs, ServiceAccount and rights; none where a server is missing.
    pub(crate) async fn start() -> Option<Self> {
        let (kubernetes, vault) = tokio::task::spawn_blocking(|| {
            let options = KubernetesOptions { controller_manager: true, ..KubernetesOptions::default() };
            Some((Kubernetes::start(&options)?, Vault::start(&VaultOptions::default())?))
        })
        .await
        .unwrap()?;
        let client = dev::client(kubernetes.kubeconfig()).await.unwrap();
        let kv = Kv::new(vault.url().to_owned(), vault.token().to_owned());
        let cluster = Self { kubernetes, vault, client, kv, folder: TempDir::new().unwrap() };
        cluster.install().await;
        Some(cluster)
    }

    /// The CRDs and what keymill is in a cluster, as they are shipped.
    async fn install(&self) {
        let deploy = support::root().join("host/deploy");
        for file in manifests(&deploy.join("crds")) {
            self.apply_text(&std::fs::read_to_string(file).unwrap()).await;
        }
        self.apply_text(&std::fs::read_to_string(deploy.join("rbac.yaml")).unwrap()).await;
        let crds = self.objects("apiextensions.k8s.io/v1", "CustomResourceDefinition", "");
        support::until("the CRDs are served", dev::SOON, async || {
            let list = crds.list(&kube::api::ListParams::default()).await?;
            let is_served = |crd: &DynamicObject| {
                let conditions = crd.data.pointer("/status/conditions").and_then(Json::as_array);
                conditions.into_iter().flatten().any(|one| {
                    one.pointer("/type") == Some(&json!("Established"))
                        && one.pointer("/status") == Some(&json!("True"))
                })
            };
            Ok(list.items.iter().all(is_served).then_some(()))
        })
        .await
        .unwrap();
    }

    /// `keymill run` with these arguments, not yet started.
    pub(crate) fn operator(&self, arguments: &[String]) -> Command {
        let mut command = Command::new(support::keymill().unwrap());
        command.arg("run").arg("--kubeconfig").arg(self.kubeconfig()).arg("--cache");
        command.arg(support::component_cache().unwrap());
        command.args(arguments);
        command
    }

    /// Starts `keymill run`.
    pub(crate) fn run(&self, arguments: &[String]) -> Program {
        Program::start(self.operator(arguments)).unwrap()
    }

    /// Sends what a manifest calls its Vault to the real one.
    pub(crate) fn resolve(&self, host: &str) -> Vec<String> {
        let address = self.vault.url().trim_start_matches("http://");
        vec!["--resolve".to_owned(), format!("{host}={address}")]
    }

    /// What `kubectl apply` says of a manifest, and whether it took it.
    pub(crate) fn kubectl_apply(&self, manifest: &Json) -> (bool, String) {
        let path = self.folder.path().join("manifest.json");
        std::fs::write(&path, manifest.to_string()).unwrap();
        let output = self.kubernetes.kubectl().args(["apply", "-f"]).arg(path).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// The operator's own, in its namespace, as in a pod.
    fn kubeconfig(&self) -> PathBuf {
        let path = self.folder.path().join("kubeconfig");
        if !path.exists() {
            let (namespace, account) = HOME;
            let ca = self.folder.path().join("ca.pem");
            std::fs::write(&ca, self.kubernetes.ca_pem()).unwrap();
            let config = json!({
                "apiVersion": "v1", "kind": "Config", "current-context": "own",
                "clusters": [{"name": "own", "cluster": {"server": self.kubernetes.url(), "certificate-authority": ca}}],
                "users": [{"name": "own", "user": {"token": self.kubernetes.token_for(namespace, account)}}],
                "contexts": [{"name": "own", "context": {"cluster": "own", "user": "own", "namespace": namespace}}],
            });
            std::fs::write(&path, config.to_string()).unwrap();
        }
        path
    }

    /// Mounts a KV of version 2 that keeps every version.
    pub(crate) async fn mount(&self, name: &str) {
        let kv = json!({"type": "kv", "options": {"version": "2"}});
        self.kv.post(&format!("sys/mounts/{name}"), &kv).await.unwrap();
        support::until("the mount is ready", dev::SOON, async || {
            Ok(self.kv.post(&format!("{name}/config"), &json!({"max_versions": 100_000})).await.ok())
        })
        .await
        .unwrap();
    }

    /// Applies every document of a text to the namespace `default`, unless it names another, as `kubectl apply --server-side` does.
    pub(crate) async fn apply_text(&self, text: &str) {
        let documents: Vec<Json> = serde_saphyr::from_multiple(text).unwrap();
        for document in documents.into_iter().filter(|document| !document.is_null()) {
            self.apply(document).await.unwrap();
        }
    }

    /// Applies one document.
    pub(crate) async fn apply(&self, document: Json) -> Result<()> {
        let kind = TypeMeta::deserialize(&document).context("read the document's kind")?;
        let name =
            document.pointer("/metadata/name").and_then(Json::as_str).context("a document has no name")?;
        let namespace = document.pointer("/metadata/namespace").and_then(Json::as_str);
        let namespace = if is_cluster_wide(&kind.kind) { "" } else { namespace.unwrap_or("default") };
        let objects = self.objects(&kind.api_version, &kind.kind, namespace);
        let parameters = PatchParams::apply("kubectl").force();
        let applied = objects.patch(name, &parameters, &Patch::Apply(&document)).await;
        applied.with_context(|| format!("apply {} {name}", kind.kind))?;
        Ok(())
    }

    /// Objects of a kind; in no namespace when it is empty.
    pub(crate) fn objects(&self, api_version: &str, kind: &str, namespace: &str) -> Api<DynamicObject> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        match namespace {
            "" => Api::all_with(self.client.clone(), &resource),
            namespace => Api::namespaced_with(self.client.clone(), namespace, &resource),
        }
    }
}

fn is_cluster_wide(kind: &str) -> bool {
    kind.starts_with("Cluster")
        || matches!(kind, "Namespace" | "CustomResourceDefinition" | "ValidatingWebhookConfiguration")
}

/// The manifests of a folder, in the order of their names.
pub(crate) fn manifests(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}
