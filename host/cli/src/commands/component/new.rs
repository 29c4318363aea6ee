//! `keymill component new`: a project that builds anywhere. Its files are those of `guest/starter`, the SDK and the contract, as they were
//! when this binary was built. It writes into a new or an empty folder only, so it never overwrites.

use std::path::{Path, PathBuf};

use bundle::Source;

use crate::args::{Language, NewComponent, WorldName};
use crate::ending::Ending;
use crate::output::Output;

/// What stands in the files for the component's name.
const NAME: &str = "my-component";

pub(crate) fn run(args: &NewComponent) -> Result<(), Ending> {
    let folder = args.dir.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    let files = project(args);
    free(&args.name, &files)?;
    empty(&folder)?;
    for (path, text) in files {
        write(&folder.join(path), &text)?;
    }
    let mut output = Output::open();
    output.write(next(args, &folder).as_bytes())?;
    output.finish()
}

/// # Errors
/// When the project uses a crate of that name: cargo could not tell the two apart.
fn free(name: &str, files: &[(String, String)]) -> Result<(), Ending> {
    let line = format!("name = \"{name}\"\n");
    let lock = files.iter().find(|(path, _)| path == "Cargo.lock");
    if lock.is_some_and(|(_, lock)| lock.matches(&line).count() > 1) {
        return Err(Ending::usage(format!("call a component {name}: the project uses a crate of that name")));
    }
    Ok(())
}

/// # Errors
/// When something is there already, or cannot be looked at.
fn empty(folder: &Path) -> Result<(), Ending> {
    let shown = folder.display();
    match std::fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Ending::failed(format!(
            "make a project in {shown}: the folder is not empty; name another with --dir"
        ))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Ending::failed(format!("make a project in {shown}: {error}"))),
    }
}

/// All files of the project.
fn project(args: &NewComponent) -> Vec<(String, String)> {
    let (language, world) = (folder(args.lang), word(args.world));
    let mut files = Vec::new();
    for below in [format!("{language}/project/"), format!("{language}/{world}/"), format!("any/{world}/")] {
        for Source { path, text } in bundle::STARTER {
            if let Some(path) = path.strip_prefix(&below).and_then(|path| path.strip_suffix(".in")) {
                files.push((path.to_owned(), filled(path, text, args)));
            }
        }
    }
    let given = |folder: &'static str, sources: &'static [Source]| {
        sources.iter().map(move |source| (format!("{folder}/{}", source.path), source.text.to_owned()))
    };
    if args.lang == Language::Rust {
        files.extend(given("vendor/keymill-sdk/src", bundle::SDK));
    }
    files.extend(given("wit", bundle::WIT));
    files
}

fn filled(path: &str, text: &str, args: &NewComponent) -> String {
    let text = text.replace("@WORLD@", title(args.world)).replace("@TRY@", trial(args.world));
    let text = text.replace("@WIT@", word(args.world)).replace(NAME, &args.name);
    if path == "Cargo.lock" { sorted(&text) } else { text }
}

/// cargo keeps the packages of a lock sorted, and the component's name has just come among them.
fn sorted(lock: &str) -> String {
    const PACKAGE: &str = "\n[[package]]\n";
    let mut parts = lock.trim_end().split(PACKAGE);
    let head = parts.next().unwrap_or_default();
    let mut packages: Vec<&str> = parts.map(str::trim_end).collect();
    packages.sort_unstable();
    let packages = packages.iter().map(|package| format!("{PACKAGE}{package}\n"));
    std::iter::once(format!("{}\n", head.trim_end())).chain(packages).collect()
}

/// What shows the component at work.
const fn trial(world: WorldName) -> &'static str {
    match world {
        WorldName::Generator => "keymill generate --component ./my-component.wasm",
        WorldName::Template => "keymill render --engine ./my-component.wasm external-secret.yaml data.yaml",
        WorldName::Policy => "echo 'password: abbba' | keymill check --policy ./my-component.wasm",
    }
}

fn next(args: &NewComponent, folder: &Path) -> String {
    let trial = trial(args.world).replace(NAME, &args.name);
    let (title, shown) = (title(args.world), folder.display());
    format!("{shown} holds a {title} that works. Next:\n  cd {shown} && keymill component build\n  {trial}\n")
}

const fn folder(language: Language) -> &'static str {
    match language {
        Language::Rust => "rust",
        Language::Js => "js",
    }
}

const fn word(world: WorldName) -> &'static str {
    match world {
        WorldName::Generator => "generator",
        WorldName::Template => "template",
        WorldName::Policy => "policy",
    }
}

const fn title(world: WorldName) -> &'static str {
    match world {
        WorldName::Template => "template engine",
        other => word(other),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Ending> {
    let written = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    let written = written.and_then(|()| std::fs::write(path, text));
    written.map_err(|error| Ending::failed(format!("write {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(name: &str, lang: Language, world: WorldName) -> NewComponent {
        NewComponent { name: name.to_owned(), lang, world, dir: None }
    }

    const OF_RUST: &[&str] = &[
        "Cargo.toml",
        "Cargo.lock",
        "rust-toolchain.toml",
        ".cargo/config.toml",
        "src/lib.rs",
        "vendor/keymill-sdk/Cargo.toml",
        "vendor/keymill-sdk/src/lib.rs",
        "vendor/keymill-sdk/src/bindings/template.rs",
    ];
    const OF_JS: &[&str] = &["package.json", "src/component.js", "build/README.md"];
    const OF_BOTH: &[&str] = &["README.md", ".gitignore", "cases.yaml", "wit/types.wit"];

    #[test]
    fn a_project_is_whole_and_filled_in() {
        let all = [WorldName::Generator, WorldName::Template, WorldName::Policy];
        let of = |lang: Language, wanted: &'static [&'static str]| all.map(|world| (lang, world, wanted));
        for (lang, world, wanted) in of(Language::Rust, OF_RUST).into_iter().chain(of(Language::Js, OF_JS)) {
            let files = project(&args("a-b", lang, world));
            for wanted in OF_BOTH.iter().chain(wanted) {
                assert_eq!(files.iter().filter(|(path, _)| path == wanted).count(), 1, "{wanted}");
            }
            let open = files.iter().find(|(path, text)| {
                let fill_in = ["@TRY@", "@WORLD@", "@WIT@", NAME];
                !path.starts_with("vendor/") && fill_in.iter().any(|word| text.contains(word))
            });
            assert_eq!(open.map(|(path, _)| path), None);
        }
    }

    #[test]
    fn the_lock_names_versions_that_this_tree_is_tested_with() {
        let tree = include_str!("../../../../../Cargo.lock");
        let files = project(&args("zz", Language::Rust, WorldName::Policy));
        let lock = &files.iter().find(|(path, _)| path == "Cargo.lock").unwrap().1;
        let version = |package: &str| package.lines().take(2).map(str::to_owned).collect::<Vec<_>>();
        let known: Vec<_> = tree.split("[[package]]\n").map(version).collect();
        let names: Vec<_> = lock.split("[[package]]\n").skip(1).map(version).collect();
        for package in names.iter().filter(|package| package[0] != "name = \"zz\"") {
            assert!(
                known.contains(package),
                "{package:?}; guest/starter/README.md says how to make the lock again"
            );
        }
        assert!(names.is_sorted() && names.len() > 10, "{names:?}");
    }
}
