//! Makes the filter of the lists: the fingerprint of each entry in 6 bytes, sorted. The component then carries 563 KB and no password.

#![expect(clippy::disallowed_methods, reason = "cargo talks to a build script through the environment")]

#[path = "src/fingerprint.rs"]
mod fingerprint;

use std::collections::BTreeSet;
use std::error::Error;
use std::path::PathBuf;

const LISTS: [&str; 2] = ["passwords.txt", "words.txt"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src/fingerprint.rs");
    let mut fingerprints = BTreeSet::new();
    for list in LISTS {
        println!("cargo::rerun-if-changed={list}");
        fingerprints.extend(std::fs::read_to_string(list)?.lines().map(fingerprint::of));
    }
    let filter: Vec<u8> = fingerprints.into_iter().flatten().collect();
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    Ok(std::fs::write(out.join("filter.bin"), filter)?)
}
