//! Compiles every crate in guest/generators, guest/templates and policies into a component, and writes the table that `lib.rs` includes.
//! Adding a built-in is adding a folder.

#![expect(clippy::disallowed_methods, reason = "cargo talks to a build script through the environment")]

mod sources;

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

const FOLDERS: [&str; 3] = ["guest/generators", "guest/templates", "policies"];
/// What a change of any means that guests are built again.
const WATCHED: [&str; 8] = [
    "guest/sdk",
    "guest/generators",
    "guest/templates",
    "guest/starter",
    "policies",
    "wit",
    "Cargo.toml",
    "Cargo.lock",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets it")?);
    let root = root.join("../..").canonicalize()?;
    let out_dir = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    for path in WATCHED {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    sources::write(&root, &out_dir)?;
    let mut guests = Vec::new();
    for folder in FOLDERS {
        guests.extend(keymill_compile::find(&root.join(folder))?);
    }
    match keymill_compile::compile(&root, &out_dir, &guests) {
        Ok(outcome) => Ok(write_table(&root, &out_dir, &outcome)?),
        // cargo shows an error's `Debug`, which would fold the compiler's lines into one.
        Err(error) => {
            for line in error.to_string().lines() {
                println!("cargo::error={line}");
            }
            Ok(())
        }
    }
}

fn write_table(
    root: &Path,
    out_dir: &Path,
    outcome: &keymill_compile::Outcome,
) -> Result<(), Box<dyn Error>> {
    for name in &outcome.worldless {
        println!("cargo::warning=the guest {name} exports no world, so it is not built in");
    }
    let mut built: Vec<_> = outcome.built.iter().collect();
    built.sort_by_key(|built| (built.world, &built.name));
    let mut table = String::from("&[\n");
    for guest in built {
        let path = out_dir.join(format!("{}-{}.wasm", guest.world, guest.name));
        std::fs::write(&path, &guest.component)?;
        writeln!(
            table,
            "    Builtin {{ name: {:?}, world: {:?}, bytes: include_bytes!({:?}), digest: {:?}, functions: {} }},",
            guest.name,
            guest.world.to_string(),
            path,
            <[u8; 32]>::from(Sha256::digest(&guest.component)),
            functions(root, &guest.name)
        )?;
    }
    table.push(']');
    std::fs::write(out_dir.join("builtins.rs"), table)?;
    Ok(())
}

/// Of a template engine that has a table of its functions, that table.
fn functions(root: &Path, name: &str) -> String {
    let file = root.join("guest/templates").join(name).join("functions.tsv");
    if file.is_file() { format!("include_str!({file:?})") } else { "\"\"".to_owned() }
}
