//! External Secrets Operator 0.16.2, the peer: the conformance subject `upstream` and the other side of the benchmark.
//!
//! Its CRDs come from its Go module's own bundle; nothing of it is kept here. It runs without its webhook and without its
//! certificate controller, so the CRDs are applied without conversion.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result};
use data_encoding::BASE64;
use serde_json::Value as Json;

use crate::folder::Folder;
use crate::http::Http;
use crate::process::{self, End, Process};
use crate::{crds, missing, module, port};

const MODULE: &str = "github.com/external-secrets/external-secrets";

/// A running External Secrets Operator. Stopped when it is dropped.
#[derive(Debug)]
pub struct ExternalSecrets {
    process: Process,
    metrics: String,
    folder: Arc<Folder>,
}

impl ExternalSecrets {
    /// Applies its CRDs and starts it with the rights of a kubeconfig that has a token and a CA in it, such as
    /// `Kubernetes::kubeconfig`; `None` when it is missing and nobody requires it.
    ///
    /// # Panics
    /// When it does not come up, or is missing and required.
    #[track_caller]
    #[must_use]
    pub fn start(kubeconfig: &Path) -> Option<Self> {
        Self::start_with(kubeconfig, &[])
    }

    /// The same with more flags of its own, such as `--concurrent=10`.
    ///
    /// # Panics
    /// When it does not come up, or is missing and required.
    #[track_caller]
    #[must_use]
    pub fn start_with(kubeconfig: &Path, flags: &[&str]) -> Option<Self> {
        missing::available(Self::started(kubeconfig, flags))
    }

    /// Applies its CRDs and starts nothing; the binary. `None` when it is missing and nobody requires it.
    ///
    /// # Panics
    /// When its CRDs are refused, or it is missing and required.
    #[track_caller]
    #[must_use]
    pub fn install(kubeconfig: &Path) -> Option<PathBuf> {
        missing::available(Self::installed(kubeconfig))
    }

    /// Its metrics, such as `http://127.0.0.1:20080/metrics`.
    #[must_use]
    pub fn metrics_url(&self) -> &str {
        &self.metrics
    }

    /// All that it has printed.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The folder with its log; it goes with the operator.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The ids of the processes that run now.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        vec![self.process.id()]
    }

    fn started(kubeconfig: &Path, flags: &[&str]) -> Result<Self> {
        let binary = Self::installed(kubeconfig)?;
        process::on_free_ports(|| Self::run(&binary, kubeconfig, flags))
    }

    fn installed(kubeconfig: &Path) -> Result<PathBuf> {
        let binary = missing::built(module::binary("eso"))?;
        let source = missing::built(module::dependency("eso", MODULE))?;
        let bundle = source.join("deploy/crds/bundle.yaml");
        let definitions =
            std::fs::read_to_string(&bundle).with_context(|| format!("read {}", bundle.display()))?;
        crds::apply(&client(kubeconfig)?, &definitions)?;
        Ok(binary)
    }

    fn run(binary: &Path, kubeconfig: &Path, flags: &[&str]) -> Result<Self> {
        let folder = Arc::new(Folder::make("eso")?);
        let metrics = port::free()?;
        let mut command = Command::new(binary);
        command.env("KUBECONFIG", kubeconfig);
        command.arg(format!("--metrics-addr=127.0.0.1:{metrics}"));
        command.args(flags);
        let process = Process::start(&folder, "external-secrets", End::Kill, &command)?;
        let probe = Http::new(&format!("http://127.0.0.1:{metrics}"), None)?;
        process.ready(|| matches!(probe.call("GET", "/metrics", None), Ok((200, _))).then_some(()))?;
        Ok(Self { process, metrics: format!("http://127.0.0.1:{metrics}/metrics"), folder })
    }
}

/// A client for the first cluster and user of a kubeconfig.
fn client(kubeconfig: &Path) -> Result<Http> {
    let text =
        std::fs::read_to_string(kubeconfig).with_context(|| format!("read {}", kubeconfig.display()))?;
    let config: Json = serde_saphyr::from_str(&text).context("read the kubeconfig")?;
    let field = |pointer: &str| {
        let value = config.pointer(pointer).and_then(Json::as_str);
        value.with_context(|| format!("the kubeconfig has no {pointer}"))
    };
    let ca = BASE64.decode(field("/clusters/0/cluster/certificate-authority-data")?.as_bytes())?;
    let http = Http::new(field("/clusters/0/cluster/server")?, Some(&String::from_utf8(ca)?))?;
    Ok(http.with_header("authorization", format!("Bearer {}", field("/users/0/user/token")?)))
}
