//! A Kubernetes control plane without nodes: kube-apiserver on etcd and, when asked for, kube-controller-manager.
//!
//! kubectl comes in the same binary. RBAC decides; the administrator's token is of `system:masters`, other tokens come from TokenRequest. Nothing runs pods.

pub(crate) mod kubeconfig;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result};
use rcgen::KeyPair;
use serde_json::{Value as Json, json};

use crate::certificates::Certificates;
use crate::etcd::Etcd;
use crate::folder::Folder;
use crate::http::Http;
use crate::process::{self, End, Process};
use crate::{crds, missing, module, port};

const ISSUER: &str = "https://kubernetes.default.svc";
const TOKEN_SECONDS: u32 = 24 * 60 * 60;
/// What tests rely on: owner references, namespaces that go away, default ServiceAccounts.
const CONTROLLERS: &str = "garbage-collector-controller,namespace-controller,serviceaccount-controller,\
                           serviceaccount-token-controller,root-ca-certificate-publisher-controller";

/// How a control plane is started.
#[derive(Debug, Clone, Default)]
pub struct KubernetesOptions {
    /// Runs kube-controller-manager beside the API server: garbage collection, deletion of namespaces, default
    /// ServiceAccounts. Without it a deleted owner leaves its dependents and a deleted namespace stays `Terminating`.
    pub controller_manager: bool,
    /// More flags for kube-apiserver, such as `--watch-cache=false`.
    pub flags: Vec<String>,
}

/// A running control plane. Stopped when it is dropped.
#[derive(Debug)]
pub struct Kubernetes {
    // In the order in which they end.
    controller_manager: Option<Process>,
    api: Option<Process>,
    etcd: Etcd,
    options: KubernetesOptions,
    binary: PathBuf,
    port: u16,
    url: String,
    ca: String,
    token: String,
    http: Http,
    kubeconfig: PathBuf,
    folder: Arc<Folder>,
}

impl Kubernetes {
    /// Starts one; `None` when it is missing and nobody requires it.
    ///
    /// # Panics
    /// When it does not come up, or is missing and required.
    #[track_caller]
    #[must_use]
    pub fn start(options: &KubernetesOptions) -> Option<Self> {
        missing::available(Self::started(options))
    }

    pub(crate) fn started(options: &KubernetesOptions) -> Result<Self> {
        let binary = missing::built(module::binary("kubernetes"))?;
        process::on_free_ports(|| {
            let mut new = Self::stopped(options, &binary)?;
            new.run()?;
            Ok(new)
        })
    }

    /// Such as `https://127.0.0.1:20443`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The CA of the server's certificate.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca
    }

    /// The token of a user in `system:masters`.
    #[must_use]
    pub fn admin_token(&self) -> &str {
        &self.token
    }

    /// The administrator's kubeconfig.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Where the etcd below it listens: plain HTTP, no authentication.
    #[must_use]
    pub fn etcd_endpoint(&self) -> &str {
        self.etcd.endpoint()
    }

    /// The folder with the servers' data and logs; it goes with the last of them.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The ids of the processes that run now.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let others = [&self.api, &self.controller_manager];
        others.into_iter().flatten().map(Process::id).chain([self.etcd.id()]).collect()
    }

    /// A kubeconfig of a ServiceAccount, with a token through TokenRequest that lasts a day.
    ///
    /// # Panics
    /// When there is no such ServiceAccount.
    #[track_caller]
    #[must_use]
    pub fn kubeconfig_for(&self, namespace: &str, service_account: &str) -> PathBuf {
        let path = self.folder.path().join(format!("kubeconfig-{namespace}-{service_account}"));
        let token = self.token_for(namespace, service_account);
        missing::must(kubeconfig::write_kubeconfig(&path, &self.url, &self.ca, &token));
        path
    }

    /// kubectl, as the administrator unless `--kubeconfig` says otherwise; no arguments yet.
    #[must_use]
    pub fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("kubectl").env("KUBECONFIG", &self.kubeconfig).env("HOME", self.folder.path());
        command
    }

    /// A token of a ServiceAccount, that lasts a day.
    ///
    /// # Panics
    /// When there is no such ServiceAccount.
    #[track_caller]
    #[must_use]
    pub fn token_for(&self, namespace: &str, service_account: &str) -> String {
        missing::must(self.requested_token(namespace, service_account))
    }

    /// One request as the administrator; status and body.
    ///
    /// # Panics
    /// When the server does not answer.
    #[track_caller]
    #[must_use]
    pub fn request(&self, method: &str, path: &str, body: Option<&Json>) -> (u16, Json) {
        missing::must(self.http.call(method, path, body))
    }

    /// One request with another token; status and body.
    ///
    /// # Panics
    /// When the server does not answer.
    #[track_caller]
    #[must_use]
    pub fn request_as(&self, token: &str, method: &str, path: &str, body: Option<&Json>) -> (u16, Json) {
        let http = self.http.clone().with_header("authorization", format!("Bearer {token}"));
        missing::must(http.call(method, path, body))
    }

    /// Applies CustomResourceDefinitions, a YAML stream of them, and waits until they are served.
    ///
    /// # Panics
    /// When the server refuses.
    #[track_caller]
    pub fn apply_crds(&self, yaml: &str) {
        missing::must(crds::apply(&self.http, yaml));
    }

    /// Kills the API server. etcd goes on.
    pub fn stop(&mut self) {
        self.api = None;
    }

    /// Starts the API server again, at the same address with the same data.
    ///
    /// # Panics
    /// When it does not come up.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.stop();
        missing::must(self.run_api());
    }

    /// Compacts etcd to its present revision. A watch that continues from before gets 410, from the API server's own cache
    /// only after `start_again` or with `--watch-cache=false`.
    ///
    /// # Panics
    /// When etcd refuses.
    #[track_caller]
    pub fn compact_etcd(&self) {
        missing::must(self.etcd.compact());
    }

    fn stopped(options: &KubernetesOptions, binary: &Path) -> Result<Self> {
        let folder = Arc::new(Folder::make("kubernetes")?);
        let etcd = Etcd::start(&folder)?;
        let port = port::free()?;
        let url = format!("https://127.0.0.1:{port}");
        let token = port::unguessable()?;
        let ca = write_credentials(folder.path(), &token)?;
        let kubeconfig = folder.path().join("kubeconfig");
        kubeconfig::write_kubeconfig(&kubeconfig, &url, &ca, &token)?;
        let http = Http::new(&url, Some(&ca))?.with_header("authorization", format!("Bearer {token}"));
        Ok(Self {
            controller_manager: None,
            api: None,
            etcd,
            options: options.clone(),
            binary: binary.to_owned(),
            port,
            url,
            ca,
            token,
            http,
            kubeconfig,
            folder,
        })
    }

    fn run(&mut self) -> Result<()> {
        self.run_api()?;
        if self.options.controller_manager {
            self.run_controller_manager()?;
        }
        Ok(())
    }

    fn run_api(&mut self) -> Result<()> {
        let api = Process::start(&self.folder, "kube-apiserver", End::Kill, &self.api_command())?;
        api.ready(|| {
            let is_there = |path| matches!(self.http.call("GET", path, None), Ok((200, _)));
            (is_there("/readyz") && is_there("/api/v1/namespaces/default")).then_some(())
        })?;
        self.api = Some(api);
        Ok(())
    }

    fn run_controller_manager(&mut self) -> Result<()> {
        let command = self.controller_manager_command();
        let manager = Process::start(&self.folder, "kube-controller-manager", End::Kill, &command)?;
        let account = "/api/v1/namespaces/default/serviceaccounts/default";
        manager.ready(|| matches!(self.http.call("GET", account, None), Ok((200, _))).then_some(()))?;
        self.controller_manager = Some(manager);
        Ok(())
    }

    fn api_command(&self) -> Command {
        let folder = self.folder.path();
        let mut command = Command::new(&self.binary);
        command.arg("kube-apiserver");
        flag(&mut command, "etcd-servers", self.etcd.endpoint());
        flag(&mut command, "bind-address", "127.0.0.1");
        flag(&mut command, "advertise-address", "127.0.0.1");
        flag(&mut command, "secure-port", &self.port.to_string());
        file(&mut command, "cert-dir", folder, "certificates");
        file(&mut command, "tls-cert-file", folder, "server.pem");
        file(&mut command, "tls-private-key-file", folder, "server.key");
        file(&mut command, "service-account-key-file", folder, "service-account.pub");
        file(&mut command, "service-account-signing-key-file", folder, "service-account.key");
        flag(&mut command, "service-account-issuer", ISSUER);
        flag(&mut command, "service-cluster-ip-range", "10.0.0.0/24");
        flag(&mut command, "authorization-mode", "RBAC");
        file(&mut command, "token-auth-file", folder, "tokens.csv");
        flag(&mut command, "endpoint-reconciler-type", "none");
        if !self.options.controller_manager {
            // Nothing makes the ServiceAccounts that it asks for.
            flag(&mut command, "disable-admission-plugins", "ServiceAccount");
        }
        command.args(&self.options.flags);
        command
    }

    fn controller_manager_command(&self) -> Command {
        let folder = self.folder.path();
        let mut command = Command::new(&self.binary);
        command.arg("kube-controller-manager");
        file(&mut command, "kubeconfig", folder, "kubeconfig");
        file(&mut command, "service-account-private-key-file", folder, "service-account.key");
        file(&mut command, "root-ca-file", folder, "ca.pem");
        flag(&mut command, "controllers", CONTROLLERS);
        flag(&mut command, "leader-elect", "false");
        flag(&mut command, "secure-port", "0");
        command
    }

    fn requested_token(&self, namespace: &str, service_account: &str) -> Result<String> {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token");
        let request = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": TOKEN_SECONDS},
        });
        let answer = self.http.expect("POST", &path, Some(&request))?;
        let token = answer.pointer("/status/token").and_then(Json::as_str);
        Ok(token.context("read the token")?.to_owned())
    }
}

fn flag(command: &mut Command, name: &str, value: &str) {
    command.arg(format!("--{name}={value}"));
}

fn file(command: &mut Command, name: &str, folder: &Path, file: &str) {
    flag(command, name, &folder.join(file).display().to_string());
}

/// Everything that the servers read from files; the CA's certificate.
fn write_credentials(folder: &Path, token: &str) -> Result<String> {
    let certificates = Certificates::make()?;
    let service_accounts = KeyPair::generate()?;
    let files = [
        ("ca.pem", certificates.ca.clone()),
        ("server.pem", certificates.certificate),
        ("server.key", certificates.key),
        ("service-account.pub", service_accounts.public_key_pem()),
        ("service-account.key", service_accounts.serialize_pem()),
        ("tokens.csv", format!("{token},admin,admin,system:masters\n")),
    ];
    for (name, text) in files {
        std::fs::write(folder.join(name), text).with_context(|| format!("write {name}"))?;
    }
    Ok(certificates.ca)
}
