//! `keymill compile`, which the operator starts for each component that users bring: it limits itself before it reads anything, takes nothing
//! but a component, and leaves compiled code in the cache.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::KEYMILL;

fn start(cache: &Path) -> Child {
    let mut command = Command::new(KEYMILL);
    command.arg("compile").arg("--cache-dir").arg(cache).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn compile(cache: &Path, bytes: &[u8]) -> Output {
    let mut child = start(cache);
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap()
}

/// The soft and the hard limit of a process, as its kernel has them.
fn limit(child: &Child, name: &str) -> Vec<String> {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().take(2).map(str::to_owned).collect()
}

#[test]
fn it_limits_itself_before_it_reads() {
    let cache = tempfile::tempdir().unwrap();
    let mut child = start(cache.path());
    let begun = Instant::now();
    let memory = (256 << 20).to_string();
    let expected = [("Max data size", memory.as_str()), ("Max cpu time", "60"), ("Max core file size", "0")];
    // What it is to read is not there yet, so it lives until all of them are seen.
    while !expected.iter().all(|(name, most)| limit(&child, name) == [*most, *most]) {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{:?}",
            expected.map(|(name, _)| limit(&child, name))
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(1), "nothing is no component");
}

#[test]
fn a_component_is_left_in_the_cache_and_anything_else_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    // It makes the folder, for nobody else.
    let cache = folder.path().join("cache");
    let refused = compile(&cache, b"\0asm\x01\0\0\0");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1));
    assert!(said.contains("it is a core module"), "{said}");
    let code = || {
        let entries = std::fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|end| end == "cwasm")).count()
    };
    assert_eq!(code(), 0);
    let uuid = bundle::builtin("generator", "uuid").unwrap();
    let compiled = compile(&cache, uuid.bytes);
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    assert_eq!(code(), 1);
}
