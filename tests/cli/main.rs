//! Runs the cases: each `*.toml` here is one command with its exit code and everything that it prints.
//!
//! They share one cache of compiled components, filled before the first case, so that none waits for a compiler. The manifests
//! and values that they read lie in `data/`, which is their working folder.

#[cfg(test)]
mod author;
#[cfg(test)]
mod compile;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

const KEYMILL: &str = env!("CARGO_BIN_EXE_keymill");

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cli")
}

#[test]
fn commands_print_and_exit_as_their_cases_say() {
    let cache = tempfile::tempdir().unwrap();
    let warm = Command::new(KEYMILL)
        .args(["component", "list"])
        .env("XDG_CACHE_HOME", cache.path())
        .output()
        .unwrap();
    assert!(warm.status.success(), "{}", String::from_utf8_lossy(&warm.stderr));
    trycmd::TestCases::new()
        .default_bin_path(KEYMILL)
        .env("XDG_CACHE_HOME", cache.path().to_str().unwrap())
        .env("COLUMNS", "80")
        .timeout(Duration::from_secs(60))
        .case(folder().join("*.toml"))
        .run();
}

/// What a case leaves out, nobody checks.
#[test]
fn every_case_says_everything() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "toml") {
            let text = std::fs::read_to_string(&path).unwrap();
            for part in ["args = ", "status", "stdout = ", "stderr = "] {
                assert!(text.lines().any(|line| line.starts_with(part)), "{} has no {part}", path.display());
            }
        }
    }
}

/// Whoever reads only the beginning (`| head -1`) has it, and nobody complains.
#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    use std::io::Read as _;
    let mut command = Command::new(KEYMILL);
    command.arg("crds").stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut running = command.spawn().unwrap();
    running.stdout.take().unwrap().read_exact(&mut [0; 3]).unwrap();
    let ended = running.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(0), ""));
}
