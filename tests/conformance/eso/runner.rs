//! `run.py`, started and read.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use servers::{Kubernetes, Vault};
use support::Program;

use crate::{folder, say, setting};

const PYTHON: &str = "python3";
/// Cases at once: they mostly wait.
const JOBS: &str = "10";
/// A run of all cases takes a minute or two; this is for a machine under load.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
const LOOK: Duration = Duration::from_secs(1);

/// One case that was played.
pub(crate) struct Played {
    /// `area/name`.
    pub(crate) name: String,
    /// What is wrong; nothing when it passed.
    pub(crate) wrong: Option<String>,
}

/// Whether Python and PyYAML are there; where they are not required, one line says what is missing.
pub(crate) fn is_there() -> Result<bool> {
    let found =
        Command::new(PYTHON).args(["-c", "import sys, yaml; sys.exit(sys.version_info < (3, 11))"]).output();
    if found.is_ok_and(|found| found.status.success()) {
        return Ok(true);
    }
    let missing = "Python 3.11 with PyYAML is missing: install python3 and python3-yaml";
    if setting("KEYMILL_REQUIRE_SERVERS").as_deref() == Some("1") {
        bail!(missing);
    }
    say(&missing)?;
    Ok(false)
}

/// Plays the cases that were chosen; `meanwhile` is called every second.
pub(crate) fn play(
    folder: &Path,
    kubernetes: &Kubernetes,
    vault: &Vault,
    mut meanwhile: impl FnMut() -> Result<()>,
) -> Result<Vec<Played>> {
    let mut command = Command::new(PYTHON);
    command.arg("-B").arg(folder.join("run.py")).arg("--kubeconfig").arg(kubernetes.kubeconfig());
    command.args(["--vault", vault.url(), "--vault-token", vault.token(), "--jobs", JOBS]);
    command.args(["--only", setting("KEYMILL_CASES").as_deref().unwrap_or("*")]);
    let mut runner = Program::start(command)?;
    let deadline = Instant::now() + PATIENCE;
    while runner.wait(LOOK).is_err() {
        if Instant::now() > deadline {
            bail!("the cases took longer than {PATIENCE:?}:\n{}", runner.output());
        }
        meanwhile()?;
    }
    let output = runner.output();
    let played = read(&output);
    let sum = output.lines().last().unwrap_or_default();
    let passed = played.iter().filter(|case| case.wrong.is_none()).count();
    if played.is_empty() || sum != format!("{passed} passed, {} failed", played.len() - passed) {
        bail!("run.py did not come to its end:\n{output}");
    }
    Ok(played)
}

/// One line per case, and what is wrong below it, indented.
fn read(output: &str) -> Vec<Played> {
    let mut played: Vec<Played> = Vec::new();
    for line in output.lines() {
        let name = |rest: &str| rest.split(' ').next().unwrap_or_default().to_owned();
        if let Some(rest) = line.strip_prefix("ok   ") {
            played.push(Played { name: name(rest), wrong: None });
        } else if let Some(rest) = line.strip_prefix("FAIL ") {
            played.push(Played { name: name(rest), wrong: Some(String::new()) });
        } else if let Some(wrong) = played.last_mut().and_then(|case| case.wrong.as_mut()) {
            wrong.push_str(line);
            wrong.push('\n');
        }
    }
    played
}

/// The names of all cases that there are.
pub(crate) fn every_case() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for area in std::fs::read_dir(folder().join("cases")).context("read the areas")? {
        let area = area.context("read the areas")?;
        for case in std::fs::read_dir(area.path()).context("read the cases of an area")? {
            let case = case.context("read the cases of an area")?.path();
            let name = case.file_stem().unwrap_or_default();
            names.push(format!("{}/{}", area.file_name().to_string_lossy(), name.to_string_lossy()));
        }
    }
    Ok(names)
}
