//! The `vault` command line on both servers: each command prints the same and ends the same.
//!
//! It is the client with the most habits: it asks which engine a path belongs to, patches with and without PATCH, and reads what
//! surrounds an answer. Nothing is recorded; the real server says what is right.

use std::process::Command;

use serde_json::Value as Json;
use standalone::kv::KvVersion;

use crate::subject::{Subject, embedded, run, vault};
use crate::wire::json::normalised;

/// How a command ends, and the command; `MOUNT` is a mount of its own. What it prints is compared as JSON where it is that.
type Commands = [(i32, &'static str)];

const VERSION_2: &Commands = &[
    (2, "kv get MOUNT/app"),
    (0, "kv put -mount=MOUNT app user=ada pw=first"),
    (0, "kv put MOUNT/app user=ada pw=second"),
    (2, "kv put -cas=0 -mount=MOUNT app pw=late"),
    (0, "kv put -cas=2 -mount=MOUNT app user=ada pw=third"),
    (0, "kv get MOUNT/app"),
    (0, "kv get -mount=MOUNT -version=1 app"),
    (0, "kv get -mount=MOUNT -field=pw app"),
    (0, "kv patch -mount=MOUNT app pw=patched"),
    (0, "kv patch -method=rw -mount=MOUNT app more=read-write"),
    (2, "kv patch -mount=MOUNT none pw=x"),
    (0, "kv get -mount=MOUNT app"),
    (0, "kv put -mount=MOUNT folder/deep x=y"),
    (0, "kv list MOUNT"),
    (0, "kv list MOUNT/folder"),
    (2, "kv list MOUNT/none"),
    (0, "kv delete -mount=MOUNT app"),
    (0, "kv get -mount=MOUNT app"),
    (0, "kv undelete -mount=MOUNT -versions=5 app"),
    (0, "kv get -mount=MOUNT app"),
    (0, "kv destroy -mount=MOUNT -versions=1,2 app"),
    (0, "kv get -mount=MOUNT -version=1 app"),
    (0, "kv rollback -mount=MOUNT -version=3 app"),
    (
        0,
        "kv metadata put -mount=MOUNT -max-versions=5 -delete-version-after=3h25m19s -custom-metadata=owner=team app",
    ),
    (0, "kv metadata patch -mount=MOUNT -custom-metadata=more=yes app"),
    (0, "kv metadata get -mount=MOUNT app"),
    (0, "kv metadata delete -mount=MOUNT app"),
    (2, "kv metadata get -mount=MOUNT app"),
    (0, "read MOUNT/data/folder/deep"),
    (0, "read MOUNT/config"),
    (0, "write MOUNT/config max_versions=3"),
    (0, "list MOUNT/metadata"),
    (0, "delete MOUNT/metadata/folder/deep"),
    (0, "token capabilities MOUNT/data/app"),
    (0, "token lookup"),
    (2, "token renew"),
    (0, "login -no-store TOKEN"),
    (2, "login -no-store wrong"),
];

const VERSION_1: &Commands = &[
    (2, "kv get MOUNT/app"),
    (0, "kv put MOUNT/app user=ada pw=first"),
    (0, "kv put -mount=MOUNT app n=1"),
    (0, "kv get MOUNT/app"),
    (0, "kv get -mount=MOUNT -field=n app"),
    (2, "kv patch -mount=MOUNT app pw=x"),
    (0, "kv put MOUNT/folder/deep x=y"),
    (0, "kv list MOUNT"),
    (0, "kv delete MOUNT/app"),
    (2, "kv get MOUNT/app"),
    (0, "read MOUNT/folder/deep"),
    (0, "list MOUNT/folder"),
];

#[test]
fn each_command_prints_the_same_on_version_1() {
    compare(KvVersion::V1, VERSION_1);
}

#[test]
fn each_command_prints_the_same_on_version_2() {
    compare(KvVersion::V2, VERSION_2);
}

fn compare(version: KvVersion, commands: &Commands) {
    let Some(real) = vault() else { return };
    let program = servers::binary("vault").unwrap();
    let home = tempfile::tempdir().unwrap();
    let mounts = [embedded(), real].map(|subject| {
        let mount = format!("cli-{}", subject.count());
        run(subject.mount(&mount, version));
        (subject, mount)
    });
    let mut differences = Vec::new();
    for (code, command) in commands {
        let [ours, theirs] = mounts.each_ref().map(|(subject, mount)| {
            let mut cli = Command::new(&program);
            cli.env_clear().env("HOME", home.path());
            told(&mut cli, subject, mount, command)
        });
        if ours != theirs || theirs.0 != Some(*code) {
            let differs =
                format!("vault {command}\n  Vault {theirs:?}\n  the embedded KV {ours:?}\n  not {code}");
            differences.push(differs);
        }
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}

/// How a command ends and what it prints, without what differs from server to server.
fn told(cli: &mut Command, subject: &Subject, mount: &str, command: &str) -> (Option<i32>, String, String) {
    let arguments =
        command.split(' ').map(|word| word.replace("MOUNT", mount).replace("TOKEN", &subject.token));
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
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}
