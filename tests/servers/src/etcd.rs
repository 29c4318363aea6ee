//! etcd, the API server's database.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};

use crate::folder::Folder;
use crate::http::Http;
use crate::process::{End, Process};
use crate::{missing, module, port};

/// A running etcd.
#[derive(Debug)]
pub(crate) struct Etcd {
    process: Process,
    endpoint: String,
    http: Http,
}

impl Etcd {
    pub(crate) fn start(folder: &Arc<Folder>) -> Result<Self> {
        let binary = missing::built(module::binary("etcd"))?;
        let name = format!("etcd-{}", port::unguessable()?);
        let (client, peer) = (port::free()?, port::free()?);
        let endpoint = format!("http://127.0.0.1:{client}");
        let process = Process::start(
            folder,
            "etcd",
            End::Kill,
            &command(&binary, folder.path(), &name, &endpoint, peer),
        )?;
        let http = Http::new(&endpoint, None)?;
        // Another etcd may have come first to the port: ours is the one with the name.
        process.ready(|| is_serving(&http, &name).ok().filter(|serving| *serving))?;
        Ok(Self { process, endpoint, http })
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Forgets all revisions but the latest, on disk too.
    pub(crate) fn compact(&self) -> Result<()> {
        let found = self.http.expect("POST", "/v3/kv/range", Some(&json!({"key": "AA==", "limit": 1})))?;
        let revision =
            found.pointer("/header/revision").and_then(Json::as_str).context("read the revision")?;
        let compaction = json!({"revision": revision, "physical": true});
        self.http.expect("POST", "/v3/kv/compaction", Some(&compaction)).map(drop)
    }
}

fn command(binary: &Path, folder: &Path, name: &str, endpoint: &str, peer: u16) -> Command {
    let peer = format!("http://127.0.0.1:{peer}");
    let mut command = Command::new(binary);
    command.arg("--name").arg(name).arg("--data-dir").arg(folder.join("etcd"));
    command.args(["--listen-client-urls", endpoint, "--advertise-client-urls", endpoint]);
    command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
    command.arg("--initial-cluster").arg(format!("{name}={peer}"));
    // The data is for one test run: it need not survive the machine.
    command.args(["--unsafe-no-fsync", "--log-level", "warn"]);
    command
}

fn is_serving(http: &Http, name: &str) -> Result<bool> {
    let members = http.expect("POST", "/v3/cluster/member/list", Some(&json!({})))?;
    Ok(members.pointer("/members/0/name").and_then(Json::as_str) == Some(name))
}
