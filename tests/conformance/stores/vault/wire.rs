//! Plays every case on both servers. What is expected stands in the cases; nothing is expected here.

pub(crate) mod json;
mod play;
mod script;

use std::path::{Path, PathBuf};

use crate::subject::{embedded, vault};
use script::{Case, Script};

#[test]
fn the_embedded_kv_answers_as_recorded() {
    let subject = embedded();
    report(&scripts(), |script, case| play::misses(subject, &script.name, case));
}

#[test]
fn the_real_vault_answers_as_recorded() {
    let Some(subject) = vault() else { return };
    if is_recording() {
        for script in scripts() {
            let recorded = play::record(script, subject, embedded());
            std::fs::write(folder().join(&recorded.name), recorded.to_string()).unwrap();
        }
        return;
    }
    report(&scripts(), |script, case| play::misses(subject, &script.name, case));
}

/// What the embedded KV leaves out is told to its users in the same words.
#[test]
fn every_mark_stands_in_the_readme() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../host/standalone/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let scripts = scripts();
    let cases = scripts.iter().flat_map(|script| &script.cases);
    let marks: Vec<&String> = cases.filter_map(|case| case.left_out.as_ref()).collect();
    assert!(!marks.is_empty());
    for mark in marks {
        assert!(readme.contains(&format!("| {mark} |")), "{mark:?} is no row of host/standalone/README.md");
    }
}

#[test]
fn a_script_is_written_as_it_is_read() {
    for script in scripts() {
        let text = std::fs::read_to_string(folder().join(&script.name)).unwrap();
        assert_eq!(script.to_string(), text, "{}", script.name);
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests are their own command line")]
fn is_recording() -> bool {
    std::env::var_os("KEYMILL_RECORD").is_some()
}

fn report(scripts: &[Script], misses: impl Fn(&Script, &Case) -> Vec<String>) {
    let mut all = Vec::new();
    for script in scripts {
        for case in &script.cases {
            let misses = misses(script, case);
            all.extend(misses.iter().map(|miss| format!("{}, {}: {miss}", script.name, case.name)));
        }
    }
    assert!(all.is_empty(), "{} differences\n{}", all.len(), all.join("\n"));
}

fn scripts() -> Vec<Script> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    assert!(!files.is_empty());
    let read = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        Script::parse(name, &std::fs::read_to_string(path).unwrap())
            .unwrap_or_else(|problem| panic!("{name}: {problem}"))
    };
    files.iter().map(read).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("stores/vault/cases")
}
