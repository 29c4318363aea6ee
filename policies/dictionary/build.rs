//! Makes the filter of the list: the fingerprint of each password in 5 bytes, sorted. The component then carries 150 KB and no password.

#![expect(clippy::disallowed_methods, reason = "cargo talks to a build script through the environment")]

#[path = "src/fingerprint.rs"]
mod fingerprint;

use std::collections::BTreeSet;
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=passwords.txt");
    println!("cargo::rerun-if-changed=src/fingerprint.rs");
    let list = std::fs::read_to_string("passwords.txt")?;
    let fingerprints: BTreeSet<_> = list.lines().map(fingerprint::of).collect();
    let filter: Vec<u8> = fingerprints.into_iter().flatten().collect();
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    Ok(std::fs::write(out.join("filter.bin"), filter)?)
}
