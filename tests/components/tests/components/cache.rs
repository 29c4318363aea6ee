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

fn code(folder: &Path) -> PathBuf {
    folder.join(format!("{}.cwasm", Digest::of(POLICY).hex()))
}

fn tag(folder: &Path) -> PathBuf {
    folder.join(format!("{}.hmac", Digest::of(POLICY).hex()))
}

/// Both files of the entry.
fn entry(folder: &Path) -> [Vec<u8>; 2] {
    [fs::read(code(folder)).unwrap(), fs::read(tag(folder)).unwrap()]
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
    assert_eq!([mode(&code(&folder)), mode(&tag(&folder))], [0o600; 2]);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let config = EngineConfig { cache_dir: Some(folder), ..EngineConfig::default() };
    assert!(matches!(Engine::new(config), Err(EngineError::Cache { .. })));
}

#[test]
fn an_entry_that_is_not_ours_is_compiled_again() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("cache");
    load(&folder);
    let good = entry(&folder);
    let check = |what: &str, path: PathBuf, bytes: &[u8]| {
        fs::write(path, bytes).unwrap();
        load(&folder);
        assert_eq!(entry(&folder), good, "{what} was not replaced");
    };
    for (path, bytes) in [code(&folder), tag(&folder)].into_iter().zip(&good) {
        check("an empty file", path.clone(), b"");
        check("a truncated file", path.clone(), &bytes[..bytes.len() / 2]);
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            check("a flipped bit", path.clone(), &flipped);
        }
        fs::remove_file(&path).unwrap();
        load(&folder);
        assert_eq!(entry(&folder), good, "a file that was gone is back");
    }
    check("a forged tag", tag(&folder), &[0; 32]);
}

#[test]
fn an_entry_of_another_component_or_key_does_not_count() {
    let root = tempfile::tempdir().unwrap();
    let (one, two) = (root.path().join("one"), root.path().join("two"));
    load(&one);
    load(&two);
    let (foreign, own) = (entry(&one), entry(&two));
    assert_ne!(foreign[1], own[1], "two folders have two keys");
    fs::copy(code(&one), code(&two)).unwrap();
    fs::copy(tag(&one), tag(&two)).unwrap();
    load(&two);
    assert_eq!(entry(&two), own);
    fs::remove_file(one.join("key")).unwrap();
    load(&one);
    assert_ne!(entry(&one)[1], foreign[1], "a new key signs anew");
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
