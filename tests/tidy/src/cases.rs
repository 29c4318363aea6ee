//! Cases: each built-in component has some, and each folder of cases has a runner.

use std::collections::BTreeSet;

/// Folders of cases and the file that reads them.
const RUNNERS: &[(&str, &str)] = &[
    ("tests/conformance/generators", "tests/conformance/src/generators.rs"),
    ("tests/conformance/templates", "tests/conformance/templates/main.rs"),
    ("tests/conformance/differential", "tests/conformance/differential/main.rs"),
    ("tests/conformance/stores", "tests/conformance/stores/vault/main.rs"),
    ("tests/conformance/api", "tests/conformance/api/main.rs"),
    ("tests/conformance/eso", "tests/conformance/eso/main.rs"),
    ("tests/cli", "tests/cli/main.rs"),
];

fn folders(parent: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(tidy::root().unwrap().join(parent))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn every_generator_has_cases() {
    let cases: BTreeSet<String> = folders("tests/conformance/generators").into_iter().collect();
    let wrong: Vec<String> =
        folders("guest/generators").into_iter().filter(|name| !cases.contains(name)).collect();
    assert!(wrong.is_empty(), "generators without cases: {wrong:?}");
}

#[test]
fn every_policy_has_cases() {
    let root = tidy::root().unwrap();
    let wrong: Vec<String> = folders("policies")
        .into_iter()
        .filter(|name| !root.join("policies").join(name).join("cases.yaml").is_file())
        .collect();
    assert!(wrong.is_empty(), "policies without cases: {wrong:?}");
}

#[test]
fn every_folder_of_cases_has_its_runner() {
    let root = tidy::root().unwrap();
    let wrong: Vec<&str> = RUNNERS
        .iter()
        .filter(|(folder, runner)| root.join(folder).is_dir() && !root.join(runner).is_file())
        .map(|(folder, _)| *folder)
        .collect();
    assert!(wrong.is_empty(), "nobody runs the cases in {wrong:?}");
    let known: BTreeSet<&str> = RUNNERS.iter().map(|(folder, _)| *folder).collect();
    let unknown: Vec<String> = folders("tests/conformance")
        .into_iter()
        .map(|name| format!("tests/conformance/{name}"))
        .filter(|folder| !folder.ends_with("/src") && !known.contains(folder.as_str()))
        .collect();
    assert!(unknown.is_empty(), "folders of cases without a row in RUNNERS: {unknown:?}");
}
