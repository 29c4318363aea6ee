//! The built-in components on one engine, and where their cases are. Compiled code is kept below the target folder, so that only the
//! first run after a component changed has to compile it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use runtime::{Call, Component, Description, Engine, EngineConfig, LoadLimits, Occasion, Owner};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance-compiled");
    Engine::new(EngineConfig { cache_dir: Some(cache), ..EngineConfig::default() }).unwrap()
});

/// The built-in component of that world and name, which describes itself by that name.
pub(crate) fn load(world: &str, name: &str) -> Component {
    let builtin = bundle::builtin(world, name);
    let builtin =
        builtin.unwrap_or_else(|| panic!("there are cases of the {world} {name}, but it is not built in"));
    let component = ENGINE.load(builtin.bytes, &LoadLimits::default()).unwrap();
    assert_eq!(component.description().name, name, "a component is called as its folder is");
    component
}

/// What does not hold of a built-in's cases, one line each.
pub(crate) fn misses(world: &str, name: &str, cases: &::cases::Cases) -> Vec<String> {
    let ran = ::cases::run(&load(world, name), cases, None).unwrap();
    let missed = |ran: ::cases::Ran| {
        ran.misses.into_iter().map(move |miss| format!("{name}, {}: {miss}", ran.name)).collect::<Vec<_>>()
    };
    ran.into_iter().flat_map(missed).collect()
}

/// The names of a world's built-in components.
pub(crate) fn names(world: &str) -> BTreeSet<String> {
    let of_world = bundle::BUILTINS.iter().filter(|builtin| builtin.world == world);
    of_world.map(|builtin| builtin.name.to_owned()).collect()
}

/// A call that grants nothing.
pub(crate) fn call() -> Call {
    let owner = Owner { namespace: "team".to_owned(), name: "app".to_owned() };
    Call::new(owner, Occasion::Initial, keymill_sdk::testing::NOW)
}

/// The rules that a component declares for its own config and values. Those of a config's shape are the SDK's, and tested there.
pub(crate) fn own_rules(description: &Description) -> BTreeSet<String> {
    let names = description.rules.iter().map(|rule| rule.name.clone());
    names.filter(|name| !name.starts_with("config-")).collect()
}

/// A folder of the tree.
pub(crate) fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The names of the folders in a folder.
pub(crate) fn folders(path: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    folders.map(|entry| entry.file_name().into_string().unwrap()).collect()
}
