//! One running `keymill dev` on a copy of an example, and clients for what it serves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, Config};
use serde_json::Value as Json;
use support::Program;
use tempfile::TempDir;

use crate::kv::{self, Kv};

pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A folder with manifests and one with state; outlives the processes that use them.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// A copy of an example.
    pub(crate) fn example(name: &str) -> Self {
        let place = Self::empty();
        let example = support::root().join("host/deploy/examples").join(name);
        for entry in std::fs::read_dir(example).unwrap() {
            let file = entry.unwrap().path();
            std::fs::copy(&file, place.manifests().join(file.file_name().unwrap())).unwrap();
        }
        place
    }

    pub(crate) fn empty() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("manifests")).unwrap();
        Self { folder }
    }

    pub(crate) fn manifests(&self) -> PathBuf {
        self.folder.path().join("manifests")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        std::fs::write(self.manifests().join(file), text).unwrap();
    }

    /// Replaces text in a manifest, as an editor does.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.manifests().join(file);
        let before = std::fs::read_to_string(&path).unwrap();
        assert!(before.contains(from), "{file} has no {from:?}");
        std::fs::write(&path, before.replace(from, to)).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(support::keymill().unwrap());
        command.arg("dev").arg(self.manifests()).arg("--state").arg(self.state()).args(arguments);
        // Compiled components are shared by all tests of a build.
        command.env("XDG_CACHE_HOME", support::component_cache().unwrap());
        command
    }

    /// Starts `keymill dev` and waits until it serves.
    pub(crate) async fn start(&self) -> Dev {
        self.start_with(&[]).await
    }

    pub(crate) async fn start_with(&self, arguments: &[&str]) -> Dev {
        self.serving(self.command(arguments)).await
    }

    /// Starts it with every log line that there is, the compiler's aside.
    pub(crate) async fn start_loud(&self) -> Dev {
        let mut command = self.command(&[]);
        command.env(
            "KEYMILL_LOG",
            "trace,cranelift_codegen=off,cranelift_frontend=off,regalloc2=off,wasmtime=off",
        );
        self.serving(command).await
    }

    async fn serving(&self, command: Command) -> Dev {
        let mut program = Program::start(command).unwrap();
        let line = program.wait_for_line(SOON, |line| line.starts_with("KV ")).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let kv = words.get(1).unwrap().to_string();
        let token = words.iter().skip_while(|word| **word != "token").nth(1).unwrap().to_string();
        let client = client(&self.state().join("kubeconfig")).await.unwrap();
        Dev { program, client, kv: Kv::new(kv, token) }
    }
}

/// A client with the rights of a kubeconfig.
pub(crate) async fn client(kubeconfig: &Path) -> Result<Client> {
    kv::install_crypto();
    let kubeconfig = Kubeconfig::read_from(kubeconfig).context("read the kubeconfig")?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}

/// A running `keymill dev`.
pub(crate) struct Dev {
    pub(crate) program: Program,
    pub(crate) client: Client,
    pub(crate) kv: Kv,
}

/// What of a Secret the tests look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) data: BTreeMap<String, String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) type_: String,
    pub(crate) resource_version: String,
}

impl Seen {
    pub(crate) fn key(&self, key: &str) -> &str {
        self.data.get(key).unwrap_or_else(|| panic!("no key {key} in {:?}", self.data.keys()))
    }
}

impl Dev {
    pub(crate) fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), "default")
    }

    pub(crate) async fn secret(&self, name: &str) -> Result<Option<Seen>> {
        let Some(secret) = self.secrets().get_opt(name).await? else {
            return Ok(None);
        };
        let data = secret.data.unwrap_or_default();
        let data = data.into_iter().map(|(key, bytes)| (key, String::from_utf8_lossy(&bytes.0).into_owned()));
        Ok(Some(Seen {
            data: data.collect(),
            labels: secret.metadata.labels.unwrap_or_default(),
            type_: secret.type_.unwrap_or_default(),
            resource_version: secret.metadata.resource_version.unwrap_or_default(),
        }))
    }

    /// Waits until a Secret is as wanted.
    pub(crate) async fn secret_when(&self, name: &str, what: &str, wanted: impl Fn(&Seen) -> bool) -> Seen {
        let found = support::until(what, SOON, async || Ok(self.secret(name).await?.filter(&wanted))).await;
        found.unwrap_or_else(|error| panic!("{error:#}\n{}", self.program.output()))
    }

    pub(crate) async fn patch_secret(&self, name: &str, patch: Json) {
        let parameters =
            PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..PatchParams::default() };
        self.secrets().patch(name, &parameters, &Patch::Merge(&patch)).await.unwrap();
    }

    pub(crate) fn objects(&self, api_version: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = GroupVersionKind::gvk(group, version, kind);
        Api::namespaced_with(
            self.client.clone(),
            "default",
            &ApiResource::from_gvk_with_plural(&kind, plural),
        )
    }

    pub(crate) fn external_secrets(&self) -> Api<DynamicObject> {
        self.objects("external-secrets.io/v1", "ExternalSecret", "externalsecrets")
    }

    /// The Ready condition of an object: status, reason and message.
    pub(crate) async fn ready(
        &self,
        objects: &Api<DynamicObject>,
        name: &str,
    ) -> Result<Option<[String; 3]>> {
        let object = match objects.get_opt(name).await {
            Ok(Some(object)) => object,
            Ok(None) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let conditions = object.data.pointer("/status/conditions").and_then(Json::as_array);
        let ready = conditions
            .into_iter()
            .flatten()
            .find(|one| one.get("type").and_then(Json::as_str) == Some("Ready"));
        let text = |condition: &Json, key: &str| {
            condition.get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
        };
        Ok(ready.map(|one| [text(one, "status"), text(one, "reason"), text(one, "message")]))
    }

    pub(crate) async fn ready_when(
        &self,
        objects: &Api<DynamicObject>,
        name: &str,
        reason: &str,
    ) -> [String; 3] {
        let wanted = async || Ok(self.ready(objects, name).await?.filter(|[_, found, _]| found == reason));
        let found = support::until(&format!("{name} is {reason}"), SOON, wanted).await;
        found.unwrap_or_else(|error| panic!("{error:#}\n{}", self.program.output()))
    }
}
