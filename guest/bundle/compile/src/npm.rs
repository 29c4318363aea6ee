//! An author's project in JavaScript: whatever its script `build` makes, with what npm installs. We say where the component must come out and
//! nothing else, so a bundler or TypeScript before it is the author's choice.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{CompileError, Project};

/// Where the script puts the component.
const OUTPUT: &str = "build/component.wasm";

/// Builds the project in `folder`, whose `package.json` is `manifest`. npm's progress goes to standard error.
pub(crate) fn build_project(folder: &Path, manifest: &Path) -> Result<Project, CompileError> {
    let unreadable = |path: &Path, source| CompileError::Read { path: path.to_owned(), source };
    let text = std::fs::read(manifest).map_err(|source| unreadable(manifest, source))?;
    let package: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    let name = package.get("name").and_then(|name| name.as_str());
    let name = name.ok_or_else(|| CompileError::Unnamed(manifest.to_owned()))?;
    let output = folder.join(OUTPUT);
    // What an earlier build left must not pass for what this one makes.
    match std::fs::remove_file(&output) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(unreadable(&output, source));
        }
        _ => {}
    }
    if !folder.join("node_modules").is_dir() {
        run(folder, &["install", "--no-audit", "--no-fund"])?;
    }
    run(folder, &["run", "build", "--silent"])?;
    if !output.is_file() {
        return Err(CompileError::NoOutput(output));
    }
    let component = std::fs::read(&output).map_err(|source| unreadable(&output, source))?;
    Ok(Project { name: name.to_owned(), component })
}

fn run(folder: &Path, args: &[&str]) -> Result<(), CompileError> {
    let shown = format!("npm {}", args.join(" "));
    let mut command = Command::new("npm");
    command.args(args).current_dir(folder).stdin(Stdio::null()).stdout(std::io::stderr());
    let status = command.status().map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => CompileError::NoNpm,
        _ => CompileError::Start { command: shown.clone(), source },
    })?;
    if status.success() { Ok(()) } else { Err(CompileError::Project { command: shown }) }
}

/// The manifest of a project in JavaScript.
pub(crate) fn manifest(folder: &Path) -> Option<PathBuf> {
    let manifest = folder.join("package.json");
    manifest.is_file().then_some(manifest)
}
