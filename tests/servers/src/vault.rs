//! HashiCorp Vault: in dev mode, or as it runs in earnest, with storage, a seal and TLS.
//!
//! Dev mode keeps everything in memory. Both have a KV of version 2 at `secret/`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};

use crate::certificates::Certificates;
use crate::folder::Folder;
use crate::http::Http;
use crate::process::{self, End, Process};
use crate::{missing, module, port};

/// Where a Vault keeps what it is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Storage {
    /// In memory, unsealed from the start: dev mode. Without TLS.
    #[default]
    Dev,
    /// In files.
    File,
    /// In Vault's own replicated storage, of one member.
    Raft,
}

/// How a Vault is started.
#[derive(Debug, Clone, Copy, Default)]
pub struct VaultOptions {
    /// Dev mode, unless this says otherwise.
    pub storage: Storage,
    /// Serves HTTPS with a certificate of a private CA. Not in dev mode.
    pub tls: bool,
    /// Seals it once it is set up.
    pub sealed: bool,
}

/// A running Vault. Stopped when it is dropped.
pub struct Vault {
    process: Option<Process>,
    options: VaultOptions,
    binary: PathBuf,
    port: u16,
    url: String,
    ca: Option<String>,
    token: String,
    unseal_key: String,
    folder: Arc<Folder>,
}

impl Vault {
    /// Starts one; `None` when it is missing and nobody requires it.
    ///
    /// # Panics
    /// When it does not come up, or is missing and required.
    #[track_caller]
    #[must_use]
    pub fn start(options: &VaultOptions) -> Option<Self> {
        missing::available(Self::started(options))
    }

    pub(crate) fn started(options: &VaultOptions) -> Result<Self> {
        anyhow::ensure!(!options.tls || options.storage != Storage::Dev, "dev mode has no TLS here");
        let binary = missing::built(module::binary("vault"))?;
        process::on_free_ports(|| {
            let mut new = Self::stopped(*options, &binary)?;
            new.run()?;
            new.set_up()?;
            Ok(new)
        })
    }

    /// Such as `http://127.0.0.1:18200`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The root token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The CA of its certificate, when it serves HTTPS.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca.as_deref()
    }

    /// The folder with its data and log; it goes with the server.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The ids of the processes that run now.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        self.process.iter().map(Process::id).collect()
    }

    /// One request with the root token, such as `("GET", "/v1/secret/data/a", None)`; status and body, null when it is empty.
    ///
    /// # Panics
    /// When the server does not answer.
    #[track_caller]
    #[must_use]
    pub fn request(&self, method: &str, path: &str, body: Option<&Json>) -> (u16, Json) {
        missing::must(self.http().and_then(|http| http.call(method, path, body)))
    }

    /// Seals it: it answers 503 until `unseal`.
    ///
    /// # Panics
    /// When it refuses.
    #[track_caller]
    pub fn seal(&self) {
        missing::must(self.http().and_then(|http| http.expect("PUT", "/v1/sys/seal", None)));
    }

    /// Unseals it and waits until it serves.
    ///
    /// # Panics
    /// When it refuses.
    #[track_caller]
    pub fn unseal(&self) {
        missing::must(self.unsealed());
    }

    /// Kills it.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Starts it at the same address with the same data, which a Vault in dev mode does not have. Storage is unsealed.
    ///
    /// # Panics
    /// When it does not come up.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.stop();
        missing::must(self.run().and_then(|()| if self.is_dev() { self.set_up() } else { self.unsealed() }));
    }

    /// Kills it and starts it at the same address without any data, set up as at its start. In dev mode the root token is
    /// the same as before, otherwise it is a new one.
    ///
    /// # Panics
    /// When it does not come up.
    #[track_caller]
    pub fn restart_empty(&mut self) {
        self.stop();
        // In dev mode there is none.
        drop(std::fs::remove_dir_all(self.data()));
        missing::must(self.run().and_then(|()| self.set_up()));
    }

    fn stopped(options: VaultOptions, binary: &Path) -> Result<Self> {
        let folder = Arc::new(Folder::make("vault")?);
        let port = port::free()?;
        let (scheme, ca) = if options.tls {
            let certificates = Certificates::make()?;
            std::fs::write(folder.path().join("server.pem"), certificates.certificate)?;
            std::fs::write(folder.path().join("server.key"), certificates.key)?;
            ("https", Some(certificates.ca))
        } else {
            ("http", None)
        };
        Ok(Self {
            process: None,
            options,
            binary: binary.to_owned(),
            port,
            url: format!("{scheme}://127.0.0.1:{port}"),
            ca,
            token: port::unguessable()?,
            unseal_key: String::new(),
            folder,
        })
    }

    fn run(&mut self) -> Result<()> {
        let mut command = Command::new(&self.binary);
        command.arg("server").env("HOME", self.folder.path());
        if self.is_dev() {
            command.args(["-dev", "-dev-no-store-token"]);
            command.arg(format!("-dev-root-token-id={}", self.token));
            command.arg(format!("-dev-listen-address=127.0.0.1:{}", self.port));
        } else {
            let config = self.folder.path().join("config.json");
            std::fs::create_dir_all(self.data()).context("make the folder of the storage")?;
            std::fs::write(&config, self.config()?.to_string()).context("write the config")?;
            command.arg("-config").arg(config);
        }
        let process = Process::start(&self.folder, "vault", End::Kill, &command)?;
        let http = self.http()?;
        process.ready(|| http.call("GET", "/v1/sys/seal-status", None).ok())?;
        self.process = Some(process);
        Ok(())
    }

    /// A new Vault's keys, its KV and, when asked for, its seal.
    fn set_up(&mut self) -> Result<()> {
        if self.is_dev() {
            self.unseal_key = self.printed_unseal_key()?;
            self.serving()?;
        } else {
            self.initialise()?;
            self.unsealed()?;
            let kv = json!({"type": "kv", "options": {"version": "2"}});
            self.http()?.expect("POST", "/v1/sys/mounts/secret", Some(&kv))?;
        }
        // A new mount upgrades its storage first.
        let http = self.http()?;
        self.until(|| matches!(http.call("GET", "/v1/secret/config", None), Ok((200, _))).then_some(()))?;
        if self.options.sealed {
            http.expect("PUT", "/v1/sys/seal", None)?;
        }
        Ok(())
    }

    fn initialise(&mut self) -> Result<()> {
        let shares = json!({"secret_shares": 1, "secret_threshold": 1});
        let keys = self.http()?.expect("PUT", "/v1/sys/init", Some(&shares))?;
        let text = |pointer| keys.pointer(pointer).and_then(Json::as_str).map(str::to_owned);
        self.unseal_key = text("/keys_base64/0").context("read the unseal key")?;
        self.token = text("/root_token").context("read the root token")?;
        Ok(())
    }

    fn unsealed(&self) -> Result<()> {
        let key = json!({"key": self.unseal_key});
        self.http()?.expect("PUT", "/v1/sys/unseal", Some(&key))?;
        self.serving()
    }

    /// Unsealed, active, and ours: it knows the token.
    fn serving(&self) -> Result<()> {
        let http = self.http()?;
        self.until(|| {
            matches!(http.call("GET", "/v1/auth/token/lookup-self", None), Ok((200, _))).then_some(())
        })
    }

    fn until<T>(&self, question: impl FnMut() -> Option<T>) -> Result<T> {
        Ok(self.process.as_ref().context("Vault is stopped")?.ready(question)?)
    }

    fn printed_unseal_key(&self) -> Result<String> {
        let process = self.process.as_ref().context("Vault is stopped")?;
        let key = || {
            let log = process.log();
            log.lines().rev().find_map(|line| line.strip_prefix("Unseal Key: ").map(str::to_owned))
        };
        Ok(process.ready(key)?)
    }

    fn http(&self) -> Result<Http> {
        Ok(Http::new(&self.url, self.ca.as_deref())?.with_header("x-vault-token", self.token.clone()))
    }

    fn is_dev(&self) -> bool {
        self.options.storage == Storage::Dev
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn config(&self) -> Result<Json> {
        let cluster = format!("127.0.0.1:{}", port::free()?);
        let mut listener =
            json!({"address": format!("127.0.0.1:{}", self.port), "cluster_address": cluster.clone()});
        if let (true, Some(fields)) = (self.options.tls, listener.as_object_mut()) {
            fields.insert("tls_cert_file".to_owned(), json!(self.folder.path().join("server.pem")));
            fields.insert("tls_key_file".to_owned(), json!(self.folder.path().join("server.key")));
        } else if let Some(fields) = listener.as_object_mut() {
            fields.insert("tls_disable".to_owned(), json!(true));
        }
        let storage = match self.options.storage {
            Storage::Raft => json!({"raft": {"path": self.data(), "node_id": "one"}}),
            Storage::File | Storage::Dev => json!({"file": {"path": self.data()}}),
        };
        Ok(json!({
            "storage": storage,
            "listener": {"tcp": listener},
            "api_addr": self.url,
            "cluster_addr": format!("https://{cluster}"),
            "disable_mlock": true,
        }))
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("url", &self.url)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
