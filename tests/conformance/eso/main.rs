//! Runs the cases recorded from External Secrets Operator against `keymill run` as a process, on a real API server and a real Vault.
//!
//! `run.py` plays the cases; this starts what it needs and compares with `pending.txt`, which names the cases that wait for a
//! milestone: a listed case that passes fails the run, as does an unlisted one that does not, so the list can only shrink.
//! `KEYMILL_CASES` chooses cases by a glob on `area/name`. `KEYMILL_SUBJECT=upstream` plays them to External Secrets Operator
//! itself, where only the figure counts.

mod pending;
mod report;
mod runner;
mod subject;

use std::fmt::Display;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use pending::Pending;
use report::Report;
use subject::Subject;

fn main() -> ExitCode {
    let ended = run();
    if let Err(error) = &ended {
        drop(say(&format_args!("cannot run the cases: {error:#}")));
    }
    if ended.is_ok_and(|good| good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether all is as the list says.
fn run() -> Result<bool> {
    let folder = folder();
    let everything = runner::is_there()?.then(|| servers::kubernetes().zip(servers::vault())).flatten();
    let Some((kubernetes, vault)) = everything else {
        return Ok(true);
    };
    let Some(mut subject) = Subject::start(kubernetes)? else {
        return Ok(true);
    };
    let played = runner::play(&folder, kubernetes, vault, || subject.keep_running(kubernetes))?;
    match subject {
        Subject::Upstream(_) => {
            let report = Report::new(&played, &Pending::default())?;
            for failure in &report.failures {
                // Another version is another behaviour: the name is enough, `run.py` shows the difference.
                say(&failure.lines().next().unwrap_or_default())?;
            }
            say(&report.table())?;
            Ok(true)
        }
        Subject::Keymill(_) => {
            let report = Report::new(&played, &Pending::read(&folder.join("pending.txt"))?)?;
            for failure in &report.failures {
                say(failure)?;
            }
            say(&report.table())?;
            Ok(report.failures.is_empty())
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("eso")
}

/// The report goes to standard output whether or not somebody captures tests.
fn say(line: &dyn Display) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("write to standard output")
}

#[expect(clippy::disallowed_methods, reason = "the runner is its own command line")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
