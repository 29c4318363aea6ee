//! Runs every case that was recorded from ESO's own template engine on the default engine, natively.
//!
//! A case says what the template renders, or that it fails; how a failure is worded is the engine's own. `pending.txt`
//! names the cases whose functions come with a later milestone: a listed case that passes fails the run, as does an
//! unlisted one that does not, so the list can only shrink. `KEYMILL_TEMPLATE_VECTORS` names another file of cases, to which
//! the list does not apply. `error_wording.txt` names the cases that render a Go library's error text.

mod case;
mod pending;
mod wording;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use case::{Case, Verdict};
use pending::Pending;
use template_go::functions::{self, Family};
use wording::Wording;

fn main() -> ExitCode {
    let mut report = String::new();
    let ended = run(&mut report);
    if let Err(error) = &ended {
        let _infallible = writeln!(report, "cannot run the cases: {error}");
    }
    let written = std::io::stdout().write_all(report.as_bytes());
    if ended == Ok(0) && written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Reports what failed and the count. Returns how many failed.
fn run(report: &mut String) -> Result<usize, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let other = other_file();
    let pending =
        if other.is_some() { Pending::default() } else { Pending::read(&folder.join("pending.txt"))? };
    let wording = Wording::read(&folder.join("error_wording.txt"))?;
    let complete = other.is_none();
    let file = other.unwrap_or_else(|| folder.join("vectors.json"));
    let text = std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let cases: Vec<Case> =
        serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", file.display()))?;

    let (mut passed, mut waiting, mut failures) = (0, 0, Vec::new());
    for case in &cases {
        match (case.check(wording.start(&case.id)), pending.milestone(&case.id)) {
            (Verdict::Passed, None) => passed += 1,
            (Verdict::Failed(_), Some(_)) => waiting += 1,
            (Verdict::Failed(why), None) => {
                failures.push(format!("{}: {why}\n    {}", case.id, case.template.escape_debug()));
            }
            (Verdict::Passed, Some(milestone)) => {
                failures.push(format!("{}: passes, but pending.txt still lists it for {milestone}", case.id));
            }
        }
    }
    failures.extend(
        pending.unknown(&cases).map(|id| format!("{id}: listed in pending.txt, but there is no such case")),
    );
    if complete {
        failures.extend(without_case(&cases).map(|name| format!("{name}: a function without a case")));
    }
    for failure in &failures {
        let _infallible = writeln!(report, "{failure}");
    }
    let _infallible = writeln!(report, "{waiting} pending\n{passed} passed, {} failed", failures.len());
    Ok(failures.len())
}

/// The functions that no case names. keymill's own are not ESO's, so no case of theirs was recorded.
fn without_case(cases: &[Case]) -> impl Iterator<Item = &'static str> {
    let words = cases.iter().flat_map(|case| case.template.split(|c: char| !c.is_alphanumeric() && c != '_'));
    let named: std::collections::BTreeSet<&str> = words.collect();
    let functions = functions::all().iter().filter(|function| function.family != Family::Escape);
    functions
        .map(|function| function.name)
        .filter(|name| !named.contains(name))
        .collect::<Vec<_>>()
        .into_iter()
}

#[expect(clippy::disallowed_methods, reason = "the runner is its own command line")]
fn other_file() -> Option<PathBuf> {
    std::env::var_os("KEYMILL_TEMPLATE_VECTORS").map(PathBuf::from)
}
