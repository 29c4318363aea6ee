//! A server ends with its test: when that panics, and when its process is killed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use servers::{Vault, VaultOptions};
use support::Program;

const SOON: Duration = Duration::from_secs(120);

/// Asks until the answer is yes.
pub(crate) fn wait_for(what: &str, mut question: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !question() {
        assert!(Instant::now() < deadline, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// No such process, or one that nobody has waited for.
pub(crate) fn is_gone(id: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat")).map_or(true, |stat| stat.contains(") Z "))
}

/// `servers run` in a process of its own.
struct Run {
    program: Program,
    processes: Vec<u32>,
    folder: PathBuf,
}

impl Run {
    fn start(server: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_servers"));
        command.args(["run", server]);
        let mut program = Program::start(command).unwrap();
        let mut word = |name: &str| {
            let line = program.wait_for_line(SOON, |line| line.starts_with(name)).unwrap();
            line.strip_prefix(name).unwrap().to_owned()
        };
        let processes = word("processes ").split(' ').map(|id| id.parse().unwrap()).collect();
        let folder = PathBuf::from(word("folder "));
        Self { program, processes, folder }
    }

    fn runs(&self) -> bool {
        self.folder.is_dir() && !self.processes.iter().any(|id| is_gone(*id))
    }
}

fn wait_until_gone(processes: &[u32], folder: &Path) {
    wait_for("the servers end", || processes.iter().all(|id| is_gone(*id)));
    wait_for("the folder is removed", || !folder.exists());
}

#[track_caller]
fn check_kill(server: &str, processes: usize) {
    let run = Run::start(server);
    assert_eq!(run.processes.len(), processes);
    assert!(run.runs());
    run.program.kill().unwrap();
    wait_until_gone(&run.processes, &run.folder);
}

#[test]
fn a_killed_process_takes_its_control_plane_along() {
    if servers::kubernetes().is_some() {
        check_kill("kubernetes", 2);
    }
}

#[test]
fn a_killed_process_takes_its_postgres_along() {
    if servers::postgres().is_some() {
        check_kill("postgres", 1);
    }
}

#[test]
fn two_processes_have_a_vault_each_and_a_kill_takes_one() {
    if servers::vault().is_none() {
        return;
    }
    let (one, two) = std::thread::scope(|scope| {
        let one = scope.spawn(|| Run::start("vault"));
        let two = Run::start("vault");
        (one.join().unwrap(), two)
    });
    assert_ne!(one.folder, two.folder);
    one.program.kill().unwrap();
    wait_until_gone(&one.processes, &one.folder);
    assert!(two.runs(), "the other one ended too");
}

#[test]
fn ctrl_c_stops_it() {
    if servers::vault().is_none() {
        return;
    }
    let mut run = Run::start("vault");
    let id = run.program.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &id]).status().unwrap().success());
    assert!(run.program.wait(SOON).unwrap().success());
    wait_until_gone(&run.processes, &run.folder);
}

#[test]
fn a_test_that_panics_stops_its_server() {
    let Some(vault) = Vault::start(&VaultOptions::default()) else { return };
    let (processes, folder) = (vault.processes(), vault.folder().to_owned());
    let test = std::thread::spawn(move || {
        let _server = vault;
        // Not a panic of libtest's, which would fail this test.
        std::panic::resume_unwind(Box::new("the test failed"));
    });
    assert!(test.join().is_err());
    assert!(processes.iter().all(|id| is_gone(*id)), "the server still runs");
    assert!(!folder.exists(), "the folder is left");
}
