//! The JDBC keys: through pgjdbc itself where Java is, else by the rules of its URLs and libpq.
//!
//! One Java process serves all logins of an observer. The driver comes from Maven Central through Maven, once, into a cache outside
//! the checkout.

use std::io::{BufRead, BufReader, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result, bail};

use super::Answer;
use super::jdbc_url;
use crate::form;

const VERSION: &str = "42.7.14";

/// The names that the published keys lead to.
const HOSTS: [&str; 3] =
    ["cluster-example-rw", "cluster-example-rw.default", "cluster-example-rw.default.svc.cluster.local"];

/// Who answers.
pub(super) enum Jdbc {
    /// pgjdbc, in a process of its own.
    Driver(Mutex<Driver>),
    /// Its rules.
    Rules,
}

pub(super) struct Driver {
    process: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Jdbc {
    /// Starts the driver when it can be had.
    pub(super) fn start(address: IpAddr, folder: &Path) -> Result<Self> {
        let Some(driver) = driver() else { return Ok(Self::Rules) };
        let hosts = folder.join("hosts");
        let lines: String = HOSTS.iter().map(|host| format!("{address} {host}\n")).collect();
        std::fs::write(&hosts, lines).context("write the hosts file")?;
        let program = support::root().join("tests/e2e/src/login/Login.java");
        let mut process = Command::new("java")
            .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx128m"])
            .arg(format!("-Djdk.net.hosts.file={}", hosts.display()))
            .arg("-cp")
            .arg(driver)
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start java")?;
        let ask = process.stdin.take().context("java has no input")?;
        let answers = process.stdout.take().context("java has no output")?;
        Ok(Self::Driver(Mutex::new(Driver { process, ask, answers: BufReader::new(answers) })))
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Jdbc::Driver(_) => "pgjdbc",
            Jdbc::Rules => "the rules of pgjdbc's URLs",
        }
    }

    /// Logs in with a URL; `libpq` logs in with a connection string and a password.
    pub(super) fn log_in(&self, url: &str, libpq: impl Fn(&str, &str) -> Result<Answer>) -> Result<Answer> {
        match self {
            Jdbc::Driver(driver) => driver.lock().unwrap_or_else(PoisonError::into_inner).log_in(url),
            Jdbc::Rules => match jdbc_url::parse(url) {
                Some(parsed) => libpq(&parsed.connection(), &parsed.password),
                None => Ok(Answer::Refused),
            },
        }
    }
}

impl Driver {
    fn log_in(&mut self, url: &str) -> Result<Answer> {
        if url.contains('\n') {
            return Ok(Answer::Refused);
        }
        writeln!(self.ask, "{url}").context("ask the driver")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).context("read the driver's answer")?;
        match answer.trim().split_once(' ') {
            Some(("in", role)) => Ok(Answer::In(role.to_owned())),
            Some(("refused", _)) => Ok(Answer::Refused),
            _ => bail!("the driver answered nothing: it has ended"),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The driver's jar; none where Java or Maven is missing, said once.
fn driver() -> Option<&'static Path> {
    static DRIVER: OnceLock<Option<PathBuf>> = OnceLock::new();
    DRIVER
        .get_or_init(|| match fetch() {
            Ok(jar) => Some(jar),
            Err(error) => {
                form::say(&format!("pgjdbc: the jdbc keys are read by its rules, not by itself: {error:#}"));
                None
            }
        })
        .as_deref()
}

fn fetch() -> Result<PathBuf> {
    let folder = form::cache().join("pgjdbc");
    let jar = folder.join(format!("postgresql-{VERSION}.jar"));
    let java = Command::new("java").arg("--list-modules").output().context("run java")?;
    if !String::from_utf8_lossy(&java.stdout).contains("jdk.compiler") {
        bail!("this Java cannot run a source file");
    }
    if !jar.is_file() {
        let status = Command::new("mvn")
            .args(["-q", "-B", "dependency:copy"])
            .arg(format!("-Dartifact=org.postgresql:postgresql:{VERSION}"))
            .arg(format!("-DoutputDirectory={}", folder.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .context("run mvn")?;
        if !status.success() || !jar.is_file() {
            bail!("mvn did not fetch it");
        }
    }
    Ok(jar)
}
