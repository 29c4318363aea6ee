//! The process that is measured: started, stopped as a kubelet stops it, started again when it dies, and what it has cost.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// A controller that dies more often is not one that can be measured.
const DEATHS: u32 = 20;
const GRACE: Duration = Duration::from_secs(20);
/// The unit of the times in /proc, the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process has used so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    pub cpu_seconds: f64,
    pub resident_mib: f64,
    pub peak_mib: f64,
}

/// One controller. Killed when it is dropped.
#[derive(Debug)]
pub struct Controller {
    command: Vec<OsString>,
    kubeconfig: PathBuf,
    log: PathBuf,
    child: Option<Child>,
    deaths: u32,
}

impl Controller {
    /// Not started yet. `command` is a program and its arguments; it finds the cluster by `KUBECONFIG`, and what it prints goes to
    /// `log`.
    #[must_use]
    pub fn new(command: Vec<OsString>, kubeconfig: &Path, log: PathBuf) -> Self {
        Self { command, kubeconfig: kubeconfig.to_owned(), log, child: None, deaths: 0 }
    }

    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self) -> Result<()> {
        let (program, arguments) = self.command.split_first().context("the command is empty")?;
        let log = File::options().create(true).append(true).open(&self.log).context("open the log")?;
        let mut command = Command::new(program);
        command.args(arguments).env("KUBECONFIG", &self.kubeconfig);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.child = Some(command.spawn().with_context(|| format!("start {}", program.display()))?);
        Ok(())
    }

    /// Starts it again if it has died.
    ///
    /// # Errors
    /// When it dies again and again.
    pub fn keep_alive(&mut self) -> Result<()> {
        let Some(child) = self.child.as_mut() else { bail!("the controller was not started") };
        if child.try_wait().context("look after the controller")?.is_none() {
            return Ok(());
        }
        self.deaths += 1;
        if self.deaths > DEATHS {
            bail!("the controller has died {DEATHS} times; the end of its log:\n{}", self.log_end());
        }
        self.start()
    }

    /// How often it has died.
    #[must_use]
    pub fn deaths(&self) -> u32 {
        self.deaths
    }

    /// Ends it by SIGTERM, and by SIGKILL when that takes long.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        Command::new("kill")
            .args(["-s", "TERM", &child.id().to_string()])
            .status()
            .context("send SIGTERM")?;
        let deadline = Instant::now() + GRACE;
        while child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                child.kill()?;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Of the process that runs now.
    ///
    /// # Errors
    /// When it does not run.
    pub fn cost(&self) -> Result<Cost> {
        let id = self.child.as_ref().context("the controller does not run")?.id();
        let read = |file: &str| {
            std::fs::read_to_string(format!("/proc/{id}/{file}")).context("ask what the controller uses")
        };
        let (stat, status) = (read("stat")?, read("status")?);
        let mib = |field| kib(&status, field).map(|kib| kib / 1024.0);
        let cost = ticks(&stat).zip(mib("VmRSS:")).zip(mib("VmHWM:")).map(|((ticks, resident), peak)| Cost {
            cpu_seconds: ticks / TICKS_PER_SECOND,
            resident_mib: resident,
            peak_mib: peak,
        });
        cost.context("read what the controller uses")
    }

    /// For a message.
    #[must_use]
    pub fn log_end(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// The user's and the system's time, the 14th and 15th field; the name in parentheses, the second, may hold anything.
fn ticks(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(11);
    Some(times.next()?.parse::<f64>().ok()? + times.next()?.parse::<f64>().ok()?)
}

fn kib(status: &str, field: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_read() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 3 0 250 75 0 0 20 0 9 0 100 1000 200";
        assert_eq!(ticks(stat), Some(325.0));
        assert_eq!(ticks("7 (a"), None);
        let status = "Name:\ta\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!((kib(status, "VmRSS:"), kib(status, "VmHWM:")), (Some(1024.0), Some(2048.0)));
        assert_eq!(kib(status, "VmData:"), None);
    }
}
