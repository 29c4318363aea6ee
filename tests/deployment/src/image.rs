//! The image: what its Containerfile collects, without a container engine. Only where a release binary is at hand, which takes minutes to
//! build: `cargo build --release -p keymill` beside the tests' own build. KEYMILL_FULL=1 wants it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::manifests::folder;

const MIB: u64 = 1024 * 1024;

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

/// The step of the Containerfile that makes the root of the image, made elsewhere and of another binary.
fn collect(root: &Path, binary: &Path) {
    let text = std::fs::read_to_string(folder().join("Containerfile")).unwrap();
    let step = text.split("\nRUN ").find(|step| step.starts_with("mkdir -p /root-fs")).unwrap();
    let lines = step.split_inclusive('\n');
    let mut more = true;
    let step: String =
        lines.take_while(|line| std::mem::replace(&mut more, line.ends_with("\\\n"))).collect();
    let step = step.replace("/root-fs", root.to_str().unwrap());
    let step = step.replace("target/release/keymill", binary.to_str().unwrap());
    let made = Command::new("sh").args(["-euc", &step]).output().unwrap();
    assert!(made.status.success(), "{step}\n{}", String::from_utf8_lossy(&made.stderr));
}

fn files(folder: &Path, found: &mut Vec<(PathBuf, u64)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            let size = path.metadata().unwrap().len();
            found.push((path, size));
        }
    }
}

#[test]
fn it_is_small_and_runs_by_itself() {
    let binary = match support::release_keymill() {
        Ok(binary) if is_root() => binary,
        Err(error) if support::is_full() => panic!("{error:#}"),
        Ok(_) | Err(_) => {
            let line = "image: not looked at; that takes root and `cargo build --release -p keymill`";
            writeln!(std::io::stderr(), "{line}").unwrap();
            return;
        }
    };
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("root-fs");
    collect(&root, &binary);
    let mut found = Vec::new();
    files(&root, &mut found);
    let size: u64 = found.iter().map(|(_, size)| size).sum();
    assert!(size < 60 * MIB, "{size} bytes: {found:#?}");
    assert!(found.iter().all(|(path, _)| !path.ends_with("sh")), "a shell: {found:#?}");
    let run = |arguments: &[&str]| {
        let mut command = Command::new("chroot");
        command.arg("--userspec=65532:65532").arg(&root).arg("/usr/bin/keymill").args(arguments);
        let output = command.env_clear().env("PATH", "/usr/sbin:/usr/bin").output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(run(&["--version"]).starts_with("keymill "));
    assert!(run(&["install"]).contains("kind: Deployment"));
    assert!(run(&["generate", "--component", "uuid"]).contains('-'), "a component runs without a shell");
}
