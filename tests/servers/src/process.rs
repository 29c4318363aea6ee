//! One running server. It ends with its handle, with a panic, and with the test process, even by SIGKILL.
//!
//! The server runs under a small shell whose stdin is a pipe that only this process holds; when the pipe ends the shell stops
//! the server and its process group. (The kernel's parent-death signal would not do: it follows the thread that spawned the
//! server, and test threads come and go.) The shell is in a process group of its own, so Ctrl-C in a terminal reaches the test
//! and not the shell.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::folder::Folder;

/// Starting takes seconds; this is for a machine that has much else to do.
pub(crate) const SOON: Duration = Duration::from_secs(120);
const ATTEMPTS: usize = 5;
const LOG_LINES: usize = 30;

const GUARD: &str = r#"
signal=$1 log=$2; shift 2
setsid "$@" </dev/null >>"$log" 2>&1 &
server=$!
echo "$server" >&2
exec 2>/dev/null
cat >/dev/null
kill -s "$signal" -- "-$server" "$server"
turns=0
while kill -s 0 -- "$server" && [ "$turns" -lt 200 ]; do sleep 0.05; turns=$((turns + 1)); done
kill -s KILL -- "-$server" "$server"
wait
"#;

/// How a server is told to end. What needs more than ten seconds is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// At once: for servers whose data survives it.
    Kill,
    /// PostgreSQL's immediate shutdown, which takes its children and its shared memory along.
    Quit,
}

/// A running server.
pub(crate) struct Process {
    name: &'static str,
    shell: Child,
    id: u32,
    log: PathBuf,
    _folder: Arc<Folder>,
}

/// A server that ended or did not answer in time.
#[derive(Debug, thiserror::Error)]
#[error("{name} {what}; the end of its log:\n{log}")]
pub(crate) struct NotReady {
    name: &'static str,
    what: String,
    log: String,
}

impl Process {
    /// Starts `command` with its log in `folder`.
    pub(crate) fn start(
        folder: &Arc<Folder>,
        name: &'static str,
        end: End,
        command: &Command,
    ) -> Result<Self> {
        let log = folder.path().join(format!("{name}.log"));
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD, "keymill-guard"]);
        guard.arg(match end {
            End::Kill => "KILL",
            End::Quit => "QUIT",
        });
        guard.arg(&log).arg(command.get_program()).args(command.get_args());
        for (variable, value) in command.get_envs() {
            match value {
                Some(value) => guard.env(variable, value),
                None => guard.env_remove(variable),
            };
        }
        guard.stdin(Stdio::piped()).stdout(folder.hold().context("hold the folder")?).stderr(Stdio::piped());
        let mut shell =
            guard.process_group(0).spawn().with_context(|| format!("start a shell for {name}"))?;
        let id = server_id(&mut shell).with_context(|| format!("start {name}"))?;
        Ok(Self { name, shell, id, log, _folder: Arc::clone(folder) })
    }

    /// The server's process id.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// All that it has printed.
    pub(crate) fn log(&self) -> String {
        // A server that has not printed anything yet has no file.
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Asks `question` until it has an answer; a failure has the end of the log.
    pub(crate) fn ready<T>(&self, mut question: impl FnMut() -> Option<T>) -> Result<T, NotReady> {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(answer) = question() {
                return Ok(answer);
            }
            if self.has_ended() {
                return Err(self.not_ready("ended before it was ready".to_owned()));
            }
            if Instant::now() > deadline {
                return Err(self.not_ready(format!("was not ready within {SOON:?}")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn has_ended(&self) -> bool {
        // The state follows the name, which stands in brackets; Z is a child that nobody has waited for.
        std::fs::read_to_string(format!("/proc/{}/stat", self.id))
            .map_or(true, |stat| stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z')))
    }

    fn not_ready(&self, what: String) -> NotReady {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let log = lines.get(lines.len().saturating_sub(LOG_LINES)..).unwrap_or_default().join("\n");
        NotReady { name: self.name, what, log }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("name", &self.name).field("id", &self.id).finish_non_exhaustive()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // `wait` closes the pipe first, and the shell ends after the server.
        drop(self.shell.wait());
    }
}

/// Starts until no port was taken by somebody else between the choice and the server's own bind.
pub(crate) fn on_free_ports<T>(mut start: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 1..ATTEMPTS {
        match start() {
            Err(error) if is_port_taken(&error) => {}
            other => return other,
        }
    }
    start()
}

/// Asks `question` until it has an answer; `what` names it when it has none in time.
pub(crate) fn until<T>(what: &str, mut question: impl FnMut() -> Option<T>) -> Result<T> {
    let deadline = Instant::now() + SOON;
    loop {
        if let Some(answer) = question() {
            return Ok(answer);
        }
        anyhow::ensure!(Instant::now() < deadline, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The first of `folders` that has an executable file of that name.
pub(crate) fn find_in(folders: impl IntoIterator<Item = PathBuf>, program: &str) -> Option<PathBuf> {
    folders.into_iter().map(|folder| folder.join(program)).find(|path| is_executable(path))
}

/// The folders of PATH.
#[expect(clippy::disallowed_methods, reason = "the tests are their own command line")]
pub(crate) fn path_folders() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn is_port_taken(error: &anyhow::Error) -> bool {
    let not_ready = error.downcast_ref::<NotReady>();
    not_ready.is_some_and(|error| error.log.to_lowercase().contains("address already in use"))
}

fn server_id(shell: &mut Child) -> Result<u32> {
    let mut line = String::new();
    let stderr = shell.stderr.take().context("read what the shell says")?;
    BufReader::new(stderr).read_line(&mut line)?;
    line.trim().parse().with_context(|| format!("the shell says {line:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(folder: &Arc<Folder>, script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start(folder, "server", End::Kill, &command).unwrap()
    }

    fn folder() -> Arc<Folder> {
        Arc::new(Folder::make("unit").unwrap())
    }

    #[test]
    fn a_server_that_ends_shows_the_end_of_its_log() {
        let server = shell(&folder(), "seq 1 100; echo out of cheese >&2; exit 1");
        let error = server.ready(|| None::<()>).unwrap_err().to_string();
        assert!(error.contains("ended before") && error.ends_with("out of cheese"), "{error}");
        assert!(error.contains("\n100\n") && !error.contains("\n50\n"), "{error}");
    }

    #[test]
    fn a_taken_port_is_another_attempt_and_nothing_else_is() {
        let check = |message: &str, expected: usize| {
            let mut attempts = 0;
            let started = on_free_ports(|| {
                attempts += 1;
                let script = format!("echo listen tcp 127.0.0.1:1: bind: {message}; exit 1");
                Ok(shell(&folder(), &script).ready(|| None::<()>)?)
            });
            assert!(started.is_err());
            assert_eq!(attempts, expected, "{message}");
        };
        check("address already in use", ATTEMPTS);
        check("Address already in use", ATTEMPTS);
        check("permission denied", 1);
    }

    #[test]
    fn what_a_server_started_ends_with_it() {
        let folder = folder();
        let server = shell(&folder, "sleep 1000 & echo $!; wait");
        let child = server.ready(|| server.log().trim().parse::<u32>().ok()).unwrap();
        drop(server);
        let stat = std::fs::read_to_string(format!("/proc/{child}/stat"));
        assert!(stat.map_or(true, |stat| stat.contains(") Z ")), "the server's child still runs");
    }

    #[test]
    fn the_folder_goes_after_the_last_server_in_it() {
        let folder = folder();
        let path = folder.path().to_owned();
        let server = shell(&folder, "sleep 1000");
        drop(folder);
        assert!(path.is_dir());
        drop(server);
        assert!(!path.exists());
    }
}
