//! The operator's clock moved by a day, forwards and back: libfaketime stands between the process and the system's clock, and
//! only the operator is lied to. Its timers are not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::world::{World, cluster};

/// Where Debian puts it.
fn library() -> Option<PathBuf> {
    let machines = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut found = machines.map(|machine| machine.path().join("faketime/libfaketimeMT.so.1"));
    let found = found.find(|path| path.is_file());
    if found.is_none() {
        servers::say_missing("libfaketime is missing: install the package libfaketime of your distribution");
    }
    found
}

fn lied_to(mut command: Command, library: &Path, offset: &Path) -> Command {
    command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", offset);
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command
}

#[test]
fn moved_by_a_day_both_ways() {
    let (Some(cluster), Some(vault), Some(library)) = (cluster(), servers::vault(), library()) else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let offset = folder.path().join("offset");
    std::fs::write(&offset, "+0\n").unwrap();
    let world = World::start_with(cluster, vault, "clock", |command| lied_to(command, &library, &offset));
    let before = world.kept(vault);
    for (at, moved) in ["+86400", "+0", "-86400", "+0"].into_iter().enumerate() {
        let value = format!("value-{at}");
        let newcomer = format!("newcomer-{at}");
        // In one piece, so that nobody reads half of it.
        let new = folder.path().join("new");
        std::fs::write(&new, format!("{moved}\n")).unwrap();
        world.recovers(&value, &newcomer, || {
            std::fs::rename(&new, &offset).unwrap();
            world.write_remote(vault, &value);
            world.create_generated(&newcomer);
        });
        assert_eq!(world.kept(vault), before, "the clock at {moved} s wrote what was right");
    }
    let days = days(&world);
    assert!(days.len() >= 3, "the operator has not seen three days: {days:?}");
}

/// The days of the lines that the operator printed.
fn days(world: &World<'_>) -> BTreeSet<String> {
    let output = world.operator.output();
    output
        .lines()
        .filter_map(|line| line.get(..10))
        .filter(|day| day.starts_with("20"))
        .map(str::to_owned)
        .collect()
}
