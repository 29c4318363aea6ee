//! The observer: logs in through each key of CloudNativePG's Secret that holds the password, as an application would.
//!
//! It knows the Secret and nothing else: not the operator, not who applies the password. A value is used as it stands there; only the
//! names in it lead to the test's server, through libpq's `PGHOSTADDR` and a hosts file for Java. What it is told is a secret of a
//! test, and still no answer repeats it.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

mod jdbc;
mod jdbc_url;

use jdbc::Jdbc;

/// The keys that hold the password, in the order in which CloudNativePG's documentation names them.
pub(crate) const KEYS: [&str; 6] = ["password", "pgpass", "uri", "jdbc-uri", "fqdn-uri", "fqdn-jdbc-uri"];

/// What a Secret holds, as text.
pub(crate) type Data = BTreeMap<String, String>;

/// Whether the database let somebody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// As this role.
    In(String),
    /// It did not, or the value is none that a client can use.
    Refused,
}

/// Logs in to one server.
pub(crate) struct Observer {
    address: IpAddr,
    jdbc: Jdbc,
    folder: TempDir,
    files: AtomicU64,
}

impl Observer {
    /// One for the server at `address`, port 5432, which all of the Secret's host names lead to.
    pub(crate) fn new(address: IpAddr) -> Result<Self> {
        let folder = TempDir::new().context("make a folder for the observer")?;
        let jdbc = Jdbc::start(address, folder.path())?;
        Ok(Self { address, jdbc, folder, files: AtomicU64::new(0) })
    }

    /// What stands behind the JDBC keys: the driver, or its rules where there is no Java.
    pub(crate) fn jdbc(&self) -> &'static str {
        self.jdbc.name()
    }

    /// Logs in through every key.
    pub(crate) async fn log_in_everywhere(self: &Arc<Self>, data: &Data) -> BTreeMap<&'static str, Answer> {
        let logins = KEYS.map(|key| {
            let (observer, data) = (Arc::clone(self), data.clone());
            tokio::task::spawn_blocking(move || (key, observer.log_in(key, &data).unwrap()))
        });
        futures::future::join_all(logins).await.into_iter().map(|login| login.unwrap()).collect()
    }

    /// Logs in through one key.
    pub(crate) fn log_in(&self, key: &str, data: &Data) -> Result<Answer> {
        let value = data.get(key).with_context(|| format!("the Secret has no {key}"))?;
        match key {
            "password" => self.psql(&parts(data)?, &[("PGPASSWORD", value)]),
            "pgpass" => self.with_pgpass(value, &parts(data)?),
            "uri" | "fqdn-uri" => self.psql(value, &[]),
            "jdbc-uri" | "fqdn-jdbc-uri" => {
                self.jdbc.log_in(value, |info, password| self.psql(info, &[("PGPASSWORD", password)]))
            }
            other => bail!("{other} holds no password"),
        }
    }

    /// As a container does that mounts the key with `defaultMode: 0600`.
    fn with_pgpass(&self, line: &str, info: &str) -> Result<Answer> {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let file = self.folder.path().join(format!("pgpass-{number}"));
        std::fs::write(&file, line).context("write the pgpass file")?;
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).context("close the pgpass file")?;
        let answer = self.psql(info, &[("PGPASSFILE", &file.to_string_lossy())]);
        std::fs::remove_file(&file).context("remove the pgpass file")?;
        answer
    }

    /// One login with libpq; nothing of the caller's environment reaches it.
    fn psql(&self, info: &str, environment: &[(&str, &str)]) -> Result<Answer> {
        let mut command = Command::new("psql");
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.env("PGHOSTADDR", self.address.to_string()).env("PGCONNECT_TIMEOUT", "20");
        command.env("PGPASSFILE", self.folder.path().join("no-such-file"));
        command.envs(environment.iter().copied());
        command.args(["-w", "-X", "-A", "-t", "-q", "-c", "select current_user", info]);
        let output = command.stdin(Stdio::null()).output().context("run psql")?;
        if !output.status.success() {
            return Ok(Answer::Refused);
        }
        Ok(Answer::In(String::from_utf8_lossy(&output.stdout).trim().to_owned()))
    }
}

/// The connection without its password, from the keys that do not hold it.
fn parts(data: &Data) -> Result<String> {
    let part = |key: &str| data.get(key).with_context(|| format!("the Secret has no {key}"));
    let (host, port) = (part("host")?, part("port")?);
    Ok(format!("host={host} port={port} dbname={} user={}", part("dbname")?, part("username")?))
}
