//! Compiles the guests of these tests, as the bundle compiles the built-in ones.

#![expect(clippy::disallowed_methods, reason = "cargo talks to a build script through the environment")]

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets it")?);
    let root = root.join("../..").canonicalize()?;
    let out_dir = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    for path in ["tests/components/guests", "wit", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    let guests = keymill_compile::find(&root.join("tests/components/guests"))?;
    match keymill_compile::compile(&root, &out_dir, &guests) {
        Ok(outcome) => {
            for guest in outcome.built {
                std::fs::write(out_dir.join(format!("{}.wasm", guest.name)), guest.component)?;
            }
        }
        // cargo shows an error's `Debug`, which would fold the compiler's lines into one.
        Err(error) => {
            for line in error.to_string().lines() {
                println!("cargo::error={line}");
            }
        }
    }
    Ok(())
}
