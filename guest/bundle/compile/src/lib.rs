//! Compiles guest crates into components: cargo for wasm32-unknown-unknown, then wit-component. Crates of this workspace for build scripts,
//! in a target folder of its own: what comes out imports nothing but `keymill:guest`, and what cannot be built is an error that holds the
//! compiler's words and the command that failed. An author's project for the CLI: what comes out is a valid component, which the runtime
//! judges. It passes no WASI adapter.

mod cargo;
mod encode;
mod npm;

use std::path::{Path, PathBuf};

pub use encode::World;

/// A crate that is to become a component.
#[derive(Debug, Clone)]
pub struct Guest {
    /// The name of its folder.
    pub name: String,
    /// The name of its package.
    pub package: String,
}

/// A component that was built.
#[derive(Debug, Clone)]
pub struct Built {
    /// The name of its folder.
    pub name: String,
    /// What it exports.
    pub world: World,
    /// Its bytes.
    pub component: Vec<u8>,
}

/// What an author's project was made into.
#[derive(Debug, Clone)]
pub struct Project {
    /// The package's name.
    pub name: String,
    /// Its bytes: a valid component.
    pub component: Vec<u8>,
}

/// What came of the guests.
#[derive(Debug, Default)]
pub struct Outcome {
    /// By name.
    pub built: Vec<Built>,
    /// The names of crates that export no world, and so are no components yet.
    pub worldless: Vec<String>,
}

/// Why guests were not built.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The file system refused.
    #[error("read {}", .path.display())]
    Read {
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A manifest without a package name.
    #[error("find the package's name in {}", .0.display())]
    Unnamed(PathBuf),
    /// The target is not installed.
    #[error(
        "compile for WebAssembly: rustc has no wasm32-unknown-unknown here; run: rustup target add wasm32-unknown-unknown"
    )]
    NoTarget,
    /// A command could not be started.
    #[error("run {command}")]
    Start {
        /// The command.
        command: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// rustup's commands are not on the path.
    #[error("find cargo and rustc: install Rust with rustup, then open a new shell")]
    NoCargo,
    /// npm is not on the path.
    #[error("find npm: install Node.js, 18 or newer")]
    NoNpm,
    /// There is no project.
    #[error(
        "find a project in {}: there is neither Cargo.toml nor package.json; keymill component new makes one", .0.display()
    )]
    NoProject(PathBuf),
    /// The compiler refused an author's project, and has said why on standard error.
    #[error("compile the project, as said above; the command was\n  {command}")]
    Project {
        /// The command.
        command: String,
    },
    /// The project's library is no module.
    #[error("find the module: {} needs, under [lib], crate-type = [\"cdylib\"]", .0.display())]
    NoModule(PathBuf),
    /// The script `build` of a project did not put a component there.
    #[error("find {}: the script build of package.json has to make it", .0.display())]
    NoOutput(PathBuf),
    /// The compiler refused.
    #[error("compile guests; the command was\n  {command}\nand it said\n{output}")]
    Cargo {
        /// The command.
        command: String,
        /// What it printed.
        output: String,
    },
    /// A module that is no component of ours.
    #[error("make a component of {name}: {detail}")]
    Encode {
        /// The guest.
        name: String,
        /// Why not.
        detail: String,
    },
}

/// The crates in the folders directly below `parent`, by name. A folder without a manifest is none.
///
/// # Errors
/// [`CompileError`]: something cannot be read, or a manifest names no package.
pub fn find(parent: &Path) -> Result<Vec<Guest>, CompileError> {
    let unreadable = |source| CompileError::Read { path: parent.to_owned(), source };
    let mut guests = Vec::new();
    for entry in std::fs::read_dir(parent).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let manifest = entry.path().join("Cargo.toml");
        if manifest.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            guests.push(Guest { name, package: package(&manifest)? });
        }
    }
    guests.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(guests)
}

/// Compiles these crates of the workspace at `root`. `out_dir` is the build script's: modules are kept in `guest` of the target folder
/// above it, so that debug and release builds share them.
///
/// # Errors
/// [`CompileError`].
pub fn compile(root: &Path, out_dir: &Path, guests: &[Guest]) -> Result<Outcome, CompileError> {
    let mut outcome = Outcome::default();
    let modules = cargo::build(root, out_dir, guests)?;
    for (guest, path) in guests.iter().zip(modules) {
        let module = std::fs::read(&path).map_err(|source| CompileError::Read { path, source })?;
        let encoded = encode::encode(&module);
        let encoded = encoded.map_err(|detail| CompileError::Encode { name: guest.name.clone(), detail })?;
        match encoded {
            Some((world, component)) => {
                outcome.built.push(Built { name: guest.name.clone(), world, component });
            }
            None => outcome.worldless.push(guest.name.clone()),
        }
    }
    Ok(outcome)
}

/// Compiles the project in `folder` and makes a component of it: a crate of its own, with release as its profile, or else a package of npm,
/// whose script `build` does the work. cargo and npm may download what it depends on. Where a crate lies does not show in the bytes.
///
/// # Errors
/// [`CompileError`].
pub fn project(folder: &Path) -> Result<Project, CompileError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        |source| CompileError::Read { path, source }
    };
    let folder = folder.canonicalize().map_err(|_| CompileError::NoProject(folder.to_owned()))?;
    if let Some(manifest) = npm::manifest(&folder)
        && !folder.join("Cargo.toml").is_file()
    {
        return npm::build_project(&folder, &manifest);
    }
    let path = cargo::build_project(&folder)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().replace('_', "-");
    let module = std::fs::read(&path).map_err(unreadable(&path))?;
    let component = encode::component(&module);
    let component = component.map_err(|detail| CompileError::Encode { name: name.clone(), detail })?;
    Ok(Project { name, component })
}

/// The first `name = "..."` of a manifest: the package's, which stands first in ours.
fn package(manifest: &Path) -> Result<String, CompileError> {
    let text = std::fs::read_to_string(manifest);
    let text = text.map_err(|source| CompileError::Read { path: manifest.to_owned(), source })?;
    let name = text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    name.map(str::to_owned).ok_or_else(|| CompileError::Unnamed(manifest.to_owned()))
}
