//! Shape: file and function sizes, module headers, files that nobody declares.

use std::collections::BTreeSet;

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

/// Tables: one row per thing, no logic to split.
const LONG_FILES: &[&str] = &[];

fn is_test_code(path: &str) -> bool {
    path.starts_with("tests/") || path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// The tests of a module in files of their own: `name/tests.rs`, and what that declares. The module's header is theirs.
fn is_unit_test(path: &str) -> bool {
    let inside = path.split_once("/src/").map_or("", |(_, inside)| inside);
    inside.split('/').any(|part| matches!(part, "tests" | "tests.rs"))
}

#[test]
fn files_stay_short() {
    let wrong: Vec<String> = tidy::files(&[".rs"])
        .unwrap()
        .iter()
        .map(|file| (file.path.clone(), file.text.lines().count()))
        .filter(|(path, lines)| *lines > FILE_LINES_MAX && !LONG_FILES.contains(&path.as_str()))
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    assert!(wrong.is_empty(), "over {FILE_LINES_MAX} lines:\n{}", wrong.join("\n"));
}

#[test]
fn functions_stay_short() {
    let mut wrong = Vec::new();
    for file in tidy::files(&[".rs"]).unwrap().iter().filter(|file| !is_test_code(&file.path)) {
        let code = file.text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for function in tidy::functions(code) {
            if function.lines > FUNCTION_LINES_MAX {
                wrong.push(format!(
                    "{}:{} {} has {} lines",
                    file.path, function.line, function.name, function.lines
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "over {FUNCTION_LINES_MAX} lines:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_opens_with_what_it_is_for() {
    let wrong: Vec<String> = tidy::files(&[".rs"])
        .unwrap()
        .iter()
        .filter(|file| !is_unit_test(&file.path) && !file.text.starts_with("//!"))
        .map(|file| file.path.clone())
        .collect();
    assert!(wrong.is_empty(), "without a header: {wrong:#?}");
}

#[test]
fn every_rust_file_is_declared() {
    let files = tidy::files(&[".rs"]).unwrap();
    let manifests = tidy::files(&["Cargo.toml"]).unwrap();
    let mut declared = BTreeSet::new();
    for file in &files {
        for (_, line) in file.lines() {
            let line = line.trim();
            let name = line
                .strip_prefix("pub(crate) mod ")
                .or_else(|| line.strip_prefix("pub(super) mod "))
                .or_else(|| line.strip_prefix("pub mod "))
                .or_else(|| line.strip_prefix("mod "));
            if let Some(name) = name.and_then(|name| name.strip_suffix(';')) {
                declared.insert(module_path(&file.path, name.trim_start_matches("r#")));
            }
            if let Some(path) = line.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]")) {
                declared.insert(path.trim_start_matches("../").to_owned());
            }
        }
    }
    let wrong: Vec<&String> = files
        .iter()
        .map(|file| &file.path)
        .filter(|path| {
            let name = path.rsplit('/').next().unwrap();
            let is_root = matches!(name, "lib.rs" | "main.rs" | "build.rs");
            let stem = path.trim_end_matches("/mod.rs").trim_end_matches(".rs");
            let by_path = declared.iter().any(|one| one.ends_with(".rs") && path.ends_with(one.as_str()));
            let by_manifest = manifests.iter().any(|manifest| {
                let folder = manifest.path.trim_end_matches("Cargo.toml");
                path.strip_prefix(folder).is_some_and(|rest| manifest.text.contains(&format!("\"{rest}\"")))
            });
            let is_bin = path.contains("/src/bin/");
            let is_test_root = manifests.iter().any(|manifest| is_test_root(path, manifest));
            !(is_root || declared.contains(stem) || by_path || by_manifest || is_bin || is_test_root)
        })
        .collect();
    assert!(wrong.is_empty(), "nobody declares: {wrong:#?}");
}

/// A file that lies directly in a package's `tests` is a root: cargo finds it, unless the manifest says not to.
fn is_test_root(path: &str, manifest: &tidy::File) -> bool {
    let folder = format!("{}tests/", manifest.path.trim_end_matches("Cargo.toml"));
    let name = path.strip_prefix(&folder);
    name.is_some_and(|name| !name.contains('/')) && !manifest.text.contains("autotests = false")
}

#[test]
fn functions_are_measured_to_their_closing_brace() {
    let text = "pub(crate) fn one(\n    a: u8,\n) {\n    if a > 0 {\n    }\n}\n\nimpl A {\n    fn two(&self) {\n        self.x();\n    }\n    fn three() {}\n}\n\ntrait B {\n    fn four();\n}\n";
    let measured: Vec<_> = tidy::functions(text).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
    assert_eq!(measured, [("one".to_owned(), 1, 6), ("two".to_owned(), 9, 3)]);
}

fn module_path(file: &str, module: &str) -> String {
    let folder = match file.rsplit_once('/') {
        Some((folder, "lib.rs" | "main.rs" | "mod.rs" | "build.rs")) => folder.to_owned(),
        _ => file.trim_end_matches(".rs").to_owned(),
    };
    format!("{folder}/{module}")
}
