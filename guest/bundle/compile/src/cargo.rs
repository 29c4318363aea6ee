//! The nested cargo: same toolchain, same lock, own target folder (the outer cargo holds the lock of its own), and none of what the outer
//! one puts into a build script's environment, which would silence the flags that guests need.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

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
    check_target()?;
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

/// `<target>/<profile>/build/<package>/out` is what cargo gives a build script.
fn target_dir(out_dir: &Path) -> PathBuf {
    out_dir.ancestors().nth(4).unwrap_or(out_dir).join("guest")
}

fn check_target() -> Result<(), CompileError> {
    let mut command = Command::new(tool("RUSTC", "rustc"));
    command.args(["--print", "target-libdir", "--target", TARGET]);
    let libraries = run(&mut command)?;
    if Path::new(libraries.trim()).is_dir() { Ok(()) } else { Err(CompileError::NoTarget) }
}

fn run(command: &mut Command) -> Result<String, CompileError> {
    let shown = shown(command);
    let output = command.output().map_err(|source| CompileError::Start { command: shown.clone(), source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let output = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(CompileError::Cargo { command: shown, output })
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
