//! The `vault` command line on both servers: each command prints the same and ends the same.
//!
//! It is the client with the most habits: it asks which engine a path belongs to, patches with and without PATCH, and reads what
//! surrounds an answer. Nothing is recorded; the real server says what is right.

use std::process::Command;

use serde_json::Value as Json;
use standalone::kv::KvVersion;

use crate::subject::{Subject, embedded, run, vault};
use crate::wire::json::normalised;

/// Command lines; `MOUNT` is a mount of the case's own. What they print is compared as JSON where it is.
const VERSION_2: &[&str] = &[
    "kv get MOUNT/app",
    "kv put -mount=MOUNT app user=ada pw=first",
    "kv put MOUNT/app user=ada pw=second",
    "kv put -cas=0 -mount=MOUNT app pw=late",
    "kv put -cas=2 -mount=MOUNT app user=ada pw=third",
    "kv get MOUNT/app",
    "kv get -mount=MOUNT -version=1 app",
    "kv get -mount=MOUNT -field=pw app",
    "kv patch -mount=MOUNT app pw=patched",
    "kv patch -method=rw -mount=MOUNT app more=read-write",
    "kv patch -mount=MOUNT none pw=x",
    "kv get -mount=MOUNT app",
    "kv put -mount=MOUNT folder/deep x=y",
    "kv list MOUNT",
    "kv list MOUNT/folder",
    "kv list MOUNT/none",
    "kv delete -mount=MOUNT app",
    "kv get -mount=MOUNT app",
    "kv undelete -mount=MOUNT -versions=5 app",
    "kv get -mount=MOUNT app",
    "kv destroy -mount=MOUNT -versions=1,2 app",
    "kv get -mount=MOUNT -version=1 app",
    "kv rollback -mount=MOUNT -version=3 app",
    "kv metadata put -mount=MOUNT -max-versions=5 -delete-version-after=3h25m19s -custom-metadata=owner=team app",
    "kv metadata patch -mount=MOUNT -custom-metadata=more=yes app",
    "kv metadata get -mount=MOUNT app",
    "kv metadata delete -mount=MOUNT app",
    "kv metadata get -mount=MOUNT app",
    "read MOUNT/data/folder/deep",
    "read MOUNT/config",
    "write MOUNT/config max_versions=3",
    "list MOUNT/metadata",
    "delete MOUNT/metadata/folder/deep",
    "token capabilities MOUNT/data/app",
    "token lookup",
    "token renew",
    "login -no-store -no-print TOKEN",
    "login -no-store -no-print wrong",
];

const VERSION_1: &[&str] = &[
    "kv get MOUNT/app",
    "kv put MOUNT/app user=ada pw=first",
    "kv put -mount=MOUNT app n=1",
    "kv get MOUNT/app",
    "kv get -mount=MOUNT -field=n app",
    "kv patch -mount=MOUNT app pw=x",
    "kv put MOUNT/folder/deep x=y",
    "kv list MOUNT",
    "kv delete MOUNT/app",
    "kv get MOUNT/app",
    "read MOUNT/folder/deep",
    "list MOUNT/folder",
];

#[test]
fn each_command_prints_the_same_on_both() {
    let Some(real) = vault() else { return };
    let program = servers::binary("vault").unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut differences = Vec::new();
    for (version, commands) in [(KvVersion::V1, VERSION_1), (KvVersion::V2, VERSION_2)] {
        let mounts = [embedded(), real].map(|subject| {
            let mount = format!("cli-{}", subject.count());
            run(subject.mount(&mount, version));
            (subject, mount)
        });
        for command in commands {
            let [ours, theirs] = mounts.each_ref().map(|(subject, mount)| {
                let mut cli = Command::new(&program);
                cli.env_clear().env("HOME", home.path());
                told(&mut cli, subject, mount, command)
            });
            if ours != theirs {
                differences.push(format!("vault {command}\n  Vault\n{theirs}\n  the embedded KV\n{ours}"));
            }
        }
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}

/// How a command ends and what it prints, without what differs from server to server.
fn told(cli: &mut Command, subject: &Subject, mount: &str, command: &str) -> String {
    let arguments = command.split(' ').map(|word| word.replace("MOUNT", mount).replace("TOKEN", &subject.token));
    cli.env("VAULT_ADDR", subject.url()).env("VAULT_TOKEN", &subject.token).env("VAULT_FORMAT", "json");
    let output = cli.args(arguments).output().unwrap();
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let text = match serde_json::from_str::<Json>(&text) {
            Ok(_) => normalised(bytes),
            Err(_) => text,
        };
        let text = text.replace(&subject.url(), "URL").replace(&subject.token, "TOKEN");
        text.replace(mount, "MOUNT")
    };
    format!("    {} {} {}", output.status, text(&output.stdout), text(&output.stderr))
}
