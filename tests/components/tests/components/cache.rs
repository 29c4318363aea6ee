//! The compilation cache: warm loads, and entries that were cut, flipped or forged.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use components::POLICY;
use runtime::{Digest, Engine, EngineConfig, EngineError, LoadLimits};

fn engine(folder: &Path) -> Engine {
    Engine::new(EngineConfig { cache_dir: Some(folder.to_owned()), ..EngineConfig::default() }).unwrap()
}

fn load(folder: &Path) {
    let component = engine(folder).load(POLICY, &LoadLimits::default()).unwrap();
    assert_eq!(component.description().name, "hostile");
}

fn entry(folder: &Path) -> PathBuf {
    folder.join(format!("{}.cwasm", Digest::of(POLICY).hex()))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn only_its_owner_may_look() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("cache");
    load(&folder);
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("key")), 0o600);
    assert_eq!(mode(&entry(&folder)), 0o600);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let config = EngineConfig { cache_dir: Some(folder), ..EngineConfig::default() };
    assert!(matches!(Engine::new(config), Err(EngineError::Cache { .. })));
}

#[test]
fn an_entry_that_is_not_ours_is_compiled_again() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("cache");
    load(&folder);
    let good = fs::read(entry(&folder)).unwrap();
    let check = |what: &str, bytes: &[u8]| {
        fs::write(entry(&folder), bytes).unwrap();
        load(&folder);
        assert_eq!(fs::read(entry(&folder)).unwrap(), good, "{what} was not replaced");
    };
    check("an empty entry", b"");
    check("a truncated entry", &good[..good.len() / 2]);
    check("an entry without code", &good[..32]);
    for at in [0, 31, 32, good.len() / 2, good.len() - 1] {
        let mut flipped = good.clone();
        flipped[at] ^= 1;
        check("a flipped bit", &flipped);
    }
    let mut forged = good.clone();
    forged[..32].fill(0);
    check("a forged tag", &forged);
}

#[test]
fn an_entry_of_another_component_or_key_does_not_count() {
    let root = tempfile::tempdir().unwrap();
    let (one, two) = (root.path().join("one"), root.path().join("two"));
    load(&one);
    load(&two);
    let foreign = fs::read(entry(&one)).unwrap();
    let own = fs::read(entry(&two)).unwrap();
    assert_ne!(foreign[..32], own[..32], "two folders have two keys");
    fs::write(entry(&two), &foreign).unwrap();
    load(&two);
    assert_eq!(fs::read(entry(&two)).unwrap(), own);
    fs::remove_file(one.join("key")).unwrap();
    load(&one);
    assert_ne!(fs::read(entry(&one)).unwrap(), foreign, "a new key signs anew");
}

#[test]
fn a_warm_load_takes_milliseconds() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("cache");
    load(&folder);
    let warm = engine(&folder);
    let started = std::time::Instant::now();
    warm.load(POLICY, &LoadLimits::default()).unwrap();
    let took = started.elapsed();
    assert!(took.as_millis() < 200, "{took:?}");
}
