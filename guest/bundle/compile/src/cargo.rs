//! The nested cargo: same toolchain, same lock, own target folder (the outer cargo holds the lock of its own), and none of what the outer
//! one puts into a build script's environment, which would silence the flags that guests need.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{CompileError, Guest};

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "guest";
/// Sends getrandom to the SDK, which asks the host.
const RUSTFLAGS: &str = "--cfg getrandom_backend=\"custom\"";

/// What cargo, clippy and editors set for their own build, and what would leak into ours.
const FOREIGN: [&str; 8] = [
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_DIR",
    "RUSTC_WORKSPACE_WRAPPER",
    "CLIPPY_ARGS",
    "CLIPPY_CONF_DIR",
];

/// The paths of the modules, in the order of the guests.
pub(crate) fn build(root: &Path, out_dir: &Path, guests: &[Guest]) -> Result<Vec<PathBuf>, CompileError> {
    check_target(root)?;
    let target_dir = target_dir(out_dir);
    let mut command = Command::new(tool("CARGO", "cargo"));
    command.arg("build").arg("--lib").args(["--profile", PROFILE, "--target", TARGET]);
    command.arg("--manifest-path").arg(root.join("Cargo.toml"));
    command.arg("--target-dir").arg(&target_dir);
    for guest in guests {
        command.args(["--package", &guest.package]);
    }
    for name in FOREIGN {
        command.env_remove(name);
    }
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", RUSTFLAGS);
    if !guests.is_empty() {
        run(&mut command)?;
    }
    let modules = target_dir.join(TARGET).join(PROFILE);
    let module = |guest: &Guest| modules.join(format!("{}.wasm", guest.package.replace('-', "_")));
    Ok(guests.iter().map(module).collect())
}

/// The path of the module that the project in `folder` makes. Its own toolchain file, configuration and lock hold; cargo's progress goes to
/// standard error, since it may download.
pub(crate) fn build_project(folder: &Path) -> Result<PathBuf, CompileError> {
    let manifest = folder.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(CompileError::NoProject(folder.to_owned()));
    }
    check_target(folder)?;
    let mut command = Command::new(tool("CARGO", "cargo"));
    command.args(["build", "--lib", "--release", "--target", TARGET]);
    command.arg("--message-format=json-render-diagnostics");
    command.arg("--config").arg(without_paths(folder)).current_dir(folder).stderr(Stdio::inherit());
    for name in FOREIGN.iter().filter(|name| **name != "CARGO_TARGET_DIR") {
        command.env_remove(name);
    }
    let shown = shown(&command);
    let output = command.output().map_err(|source| not_started(&shown, source))?;
    if !output.status.success() {
        return Err(CompileError::Project { command: shown });
    }
    let artifacts = String::from_utf8_lossy(&output.stdout).into_owned();
    let module = artifacts.lines().filter_map(|line| module(line, &manifest)).next_back();
    module.ok_or(CompileError::NoModule(manifest))
}

/// Where the project and its dependencies lie must not show in what is built: the same source gives the same bytes.
fn without_paths(folder: &Path) -> String {
    let home = std::env::home_dir().unwrap_or_default();
    #[expect(clippy::disallowed_methods, reason = "where cargo keeps sources is said by the environment")]
    let cargo_home = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    let remap = |path: &Path, to: &str| format!("--remap-path-prefix={}={to}", path.display());
    // A list of texts is the same in JSON and in TOML, whatever stands in a path.
    let flags = serde_json::json!([remap(&cargo_home, "cargo"), remap(folder, "project")]);
    format!("target.{TARGET}.rustflags={flags}")
}

/// One of cargo's lines, if it is about the project's module.
fn module(line: &str, manifest: &Path) -> Option<PathBuf> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let of_project = line.get("manifest_path")?.as_str().map(Path::new) == Some(manifest);
    let files = line.get("filenames")?.as_array()?.iter();
    let mut modules = files.filter_map(|file| file.as_str()).filter(|file| file.ends_with(".wasm"));
    modules.next().filter(|_| of_project).map(PathBuf::from)
}

/// `<target>/<profile>/build/<package>/out` is what cargo gives a build script.
fn target_dir(out_dir: &Path) -> PathBuf {
    out_dir.ancestors().nth(4).unwrap_or(out_dir).join("guest")
}

/// With rustup, a toolchain file in `folder` that names the target has it installed here.
fn check_target(folder: &Path) -> Result<(), CompileError> {
    let mut command = Command::new(tool("RUSTC", "rustc"));
    command.current_dir(folder);
    command.args(["--print", "target-libdir", "--target", TARGET]);
    let libraries = run(&mut command)?;
    if Path::new(libraries.trim()).is_dir() { Ok(()) } else { Err(CompileError::NoTarget) }
}

fn run(command: &mut Command) -> Result<String, CompileError> {
    let shown = shown(command);
    let output = command.output().map_err(|source| not_started(&shown, source))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let output = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(CompileError::Cargo { command: shown, output })
}

fn not_started(command: &str, source: std::io::Error) -> CompileError {
    match source.kind() {
        std::io::ErrorKind::NotFound => CompileError::NoCargo,
        _ => CompileError::Start { command: command.to_owned(), source },
    }
}

/// As one would type it.
fn shown(command: &Command) -> String {
    let flags = command.get_envs().filter_map(|(name, value)| {
        value.map(|value| format!("{}='{}'", name.to_string_lossy(), value.to_string_lossy()))
    });
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words = words.map(|word| word.to_string_lossy().into_owned());
    flags.chain(words).collect::<Vec<_>>().join(" ")
}

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script which tools to use through the environment"
)]
fn tool(variable: &str, fallback: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| fallback.into())
}
