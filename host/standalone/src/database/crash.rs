//! What a crash leaves: a disk that lost everything after any one of its syncs still holds a whole state.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

use super::*;

const KEY: [u8; 32] = [7; 32];

/// A disk that remembers how it looked at each sync.
#[derive(Debug, Clone, Default)]
struct Disk {
    now: Arc<Mutex<Vec<u8>>>,
    synced: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Disk {
    fn of(content: Vec<u8>) -> Self {
        Self { now: Arc::new(Mutex::new(content)), synced: Arc::default() }
    }

    fn range(offset: u64, length: usize) -> Range<usize> {
        let start = usize::try_from(offset).unwrap();
        start..start + length
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, std::io::Error> {
        Ok(self.now.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        out.copy_from_slice(&self.now.lock().unwrap()[Self::range(offset, out.len())]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.now.lock().unwrap().resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        self.synced.lock().unwrap().push(self.now.lock().unwrap().clone());
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.now.lock().unwrap()[Self::range(offset, data.len())].copy_from_slice(data);
        Ok(())
    }
}

fn open(disk: Disk) -> Database {
    let engine = redb::Builder::new().create_with_backend(disk).unwrap();
    Database::start(engine, &KEY, Path::new("disk")).unwrap()
}

/// Writes `a` and `b` together, so that a state in which they differ was never committed.
fn write(database: &Database, step: u8) {
    let done: Result<(), DatabaseError> = database.write(|write| {
        write.put("t", b"a", &[step; 500])?;
        write.put("u", b"b", &[step; 500])
    });
    done.unwrap();
}

fn read(database: &Database) -> u8 {
    let pair: Result<_, DatabaseError> =
        database.read(|read| Ok((read.get("t", b"a")?, read.get("u", b"b")?)));
    let (a, b) = pair.unwrap();
    assert_eq!(a, b);
    a.map_or(0, |bytes| bytes[0])
}

#[test]
fn a_crash_after_any_sync_leaves_the_last_or_the_next_commit() {
    let disk = Disk::default();
    let database = open(disk.clone());
    let mut committed = vec![disk.synced.lock().unwrap().len()];
    for step in 1..=5 {
        write(&database, step);
        committed.push(disk.synced.lock().unwrap().len());
    }
    let synced = disk.synced.lock().unwrap().clone();
    for (at, content) in synced.iter().enumerate().skip(committed[0] - 1) {
        let found = usize::from(read(&open(Disk::of(content.clone()))));
        let reported = committed.iter().rposition(|syncs| *syncs <= at + 1).unwrap();
        assert!(found == reported || found == reported + 1, "sync {at}: {found}, reported {reported}");
    }
}
