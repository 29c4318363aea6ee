//! The texts that `keymill component new` writes: the contract, the SDK, and the projects that an author begins with. They are the very
//! files of this tree, so they cannot differ from what the binary runs, but for one: the SDK's bindings of the contract are made here,
//! once, since making them takes three quarters of the time of an author's first build.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use wit_bindgen_core::{Files, WorldGenerator as _};
use wit_bindgen_rust::{Opts, WithOption};
use wit_parser::Resolve;

const BINDINGS: &str = "\
//! The contract in `wit/`, as Rust: what `wit_bindgen::generate!` makes of it.

pub mod generator;
pub mod policy;
pub mod template;

pub(crate) use generator::keymill::guest::types;
";

/// What the worlds share is generated with the first and mapped into the others, as in the SDK's own `bindings.rs`.
const WORLDS: [(&str, &[&str]); 3] =
    [("generator", &[]), ("template", &["types", "entropy", "clock"]), ("policy", &["types"])];

/// Writes `wit.rs`, `sdk.rs` and `starter.rs` into `out_dir`: tables of paths and texts.
pub(crate) fn write(root: &Path, out_dir: &Path) -> Result<(), Box<dyn Error>> {
    write_table(out_dir, "wit.rs", &files(&root.join("wit"), &["wit"])?)?;
    let mut sdk = files(&root.join("guest/sdk/src"), &["rs"])?;
    sdk.retain(|(path, _)| path != "bindings.rs");
    sdk.extend(bindings(&root.join("wit"), &out_dir.join("bindings"))?);
    write_table(out_dir, "sdk.rs", &sdk)?;
    write_table(out_dir, "starter.rs", &files(&root.join("guest/starter"), &[])?)
}

type Listed = Vec<(String, PathBuf)>;

/// The files below a folder that end so, or all, by their paths in it.
fn files(folder: &Path, endings: &[&str]) -> Result<Listed, Box<dyn Error>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next)? {
            let path = entry?.path();
            let fits = path.extension().is_some_and(|end| endings.iter().any(|wanted| end == *wanted));
            if path.is_dir() {
                folders.push(path);
            } else if endings.is_empty() || fits {
                let name = path.strip_prefix(folder)?.to_string_lossy().replace('\\', "/");
                found.push((name, path));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn bindings(wit: &Path, folder: &Path) -> Result<Listed, Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    let mut written = vec![("bindings.rs".to_owned(), folder.join("bindings.rs"))];
    std::fs::write(folder.join("bindings.rs"), BINDINGS)?;
    for (world, shared) in WORLDS {
        let path = folder.join(format!("{world}.rs"));
        std::fs::write(&path, format!("//! The world `{world}`.\n\n{}", bind(wit, world, shared)?))?;
        written.push((format!("bindings/{world}.rs"), path));
    }
    Ok(written)
}

fn bind(wit: &Path, world: &str, shared: &[&str]) -> Result<String, Box<dyn Error>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit)?;
    let world = resolve.select_world(&[package], Some(world))?;
    let ours = |name: &&str| {
        let path = format!("crate::bindings::generator::keymill::guest::{name}");
        (format!("keymill:guest/{name}@0.1.0"), WithOption::Path(path))
    };
    let options = Opts {
        format: true,
        pub_export_macro: true,
        generate_all: true,
        with: shared.iter().map(ours).collect(),
        ..Opts::default()
    };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files)?;
    let (_, text) = files.iter().next().ok_or("wit-bindgen made nothing")?;
    Ok(String::from_utf8(text.to_vec())?)
}

fn write_table(out_dir: &Path, name: &str, files: &Listed) -> Result<(), Box<dyn Error>> {
    let mut table = String::from("&[\n");
    for (path, file) in files {
        writeln!(table, "    Source {{ path: {path:?}, text: include_str!({file:?}) }},")?;
    }
    table.push(']');
    Ok(std::fs::write(out_dir.join(name), table)?)
}
