//! Who may depend on whom. The arrows of the design, read from `cargo metadata`.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// What a crate of ours may name, beyond crates of others. `*` at the end matches a prefix.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "keymill",
        &[
            "keymill-controller",
            "keymill-standalone",
            "keymill-stores",
            "keymill-runtime",
            "keymill-pipeline",
            "keymill-api",
            "keymill-bundle",
            "keymill-cases",
            "keymill-compile",
        ],
    ),
    ("keymill-controller", &["keymill-stores", "keymill-runtime", "keymill-pipeline", "keymill-api"]),
    ("keymill-standalone", &["keymill-api"]),
    ("keymill-stores", &["keymill-pipeline", "keymill-api"]),
    ("keymill-pipeline", &["keymill-api"]),
    ("keymill-runtime", &[]),
    // A part of the CLI: apart, so that tests/conformance runs the built-ins' cases in the same way.
    ("keymill-cases", &["keymill-runtime", "keymill-bundle"]),
    ("keymill-api", &[]),
    // Its build script: apart, so that tests/components compiles its hostile guests in the same way, and the CLI an author's project.
    ("keymill-bundle", &["keymill-compile", "keymill-sdk"]),
    ("keymill-compile", &[]),
    ("keymill-sdk", &[]),
    ("keymill-generator-*", &["keymill-sdk"]),
    ("keymill-template-*", &["keymill-sdk"]),
    ("keymill-policy-*", &["keymill-sdk"]),
];

/// Crates of others that only some of ours may name.
const KEPT_AWAY: &[(&str, &[&str])] = &[
    ("wasmtime", &["keymill-runtime"]),
    ("kube", &["keymill-api", "keymill-controller", "keymill-stores", "keymill"]),
    ("redb", &["keymill-standalone"]),
    ("reqwest", &["keymill-stores"]),
    ("anyhow", &["keymill"]),
];

fn ours() -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .current_dir(tidy::root().unwrap())
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .unwrap();
    metadata.packages
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |prefix| name.starts_with(prefix))
}

fn is_test(package: &Package) -> bool {
    package.manifest_path.starts_with(tidy::root().unwrap().join("tests"))
}

#[test]
fn every_arrow_is_one_of_the_design() {
    let packages = ours();
    let names: BTreeSet<String> = packages.iter().map(|package| package.name.to_string()).collect();
    let mut wrong = Vec::new();
    for package in packages.iter().filter(|package| !is_test(package)) {
        let Some((_, allowed)) = ARROWS.iter().find(|(pattern, _)| matches(pattern, &package.name)) else {
            wrong.push(format!("{} is in no row of ARROWS", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            let inside = names.contains(&dependency.name);
            let is_build = dependency.kind == DependencyKind::Build;
            if dependency.name == "keymill-compile" && !is_build && package.name.as_str() != "keymill" {
                wrong.push(format!("{} -> keymill-compile is more than a build script's", package.name));
            }
            let fine = allowed.iter().any(|pattern| matches(pattern, &dependency.name));
            if inside && !fine && dependency.kind != DependencyKind::Development {
                wrong.push(format!("{} -> {} is not an arrow of the design", package.name, dependency.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn heavy_crates_stay_where_they_belong() {
    let mut wrong = Vec::new();
    for package in ours().iter().filter(|package| !is_test(package)) {
        for dependency in package.dependencies.iter().filter(|one| one.kind == DependencyKind::Normal) {
            if let Some((_, holders)) = KEPT_AWAY.iter().find(|(name, _)| *name == dependency.name)
                && !holders.contains(&package.name.as_str())
            {
                wrong.push(format!("{} must not depend on {}", package.name, dependency.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    let wrong: Vec<String> = tidy::files(&["Cargo.toml"])
        .unwrap()
        .iter()
        .filter(|file| file.text.contains("[package]") && !file.text.contains("[lints]\nworkspace = true"))
        .map(|file| file.path.clone())
        .filter(|path| !path.starts_with("tests/fuzz/") && !path.contains("/guests/"))
        .collect();
    assert!(wrong.is_empty(), "without the workspace's lints: {wrong:?}");
}

#[test]
fn every_direct_dependency_has_a_reason() {
    let root = std::fs::read_to_string(tidy::root().unwrap().join("Cargo.toml")).unwrap();
    let table = root.split("[workspace.dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let wrong: Vec<&str> = table
        .lines()
        .filter(|line| {
            line.contains('=')
                && !line.contains("path = ")
                && !line.contains("} # ")
                && !line.contains("\" # ")
        })
        .collect();
    assert!(wrong.is_empty(), "no reason beside: {wrong:#?}");
}
