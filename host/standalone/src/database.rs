//! One encrypted, crash-safe file of named tables from bytes to bytes, on redb.
//!
//! What it guarantees: a write transaction is there whole or not at all, also after SIGKILL; the file holds neither a
//! value nor a key in the clear, and a wrong key or an altered row is an error and never a value. In memory the same
//! code runs on redb's memory backend with a key that is drawn and forgotten.
//! The keys (not the values) are held in memory in their order, since those on disk are hashes, which have none.
//! It does not hide the number, the size or the age of rows, nor can it tell an older copy of the whole file.

#[cfg(test)]
mod crash;
mod seal;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use redb::{ReadableDatabase, ReadableTable, TableDefinition, TableHandle};
use zeroize::Zeroizing;

use seal::{Seal, Unsealed};

/// The bytes of a value, zeroed when dropped.
pub type Bytes = Zeroizing<Vec<u8>>;

/// The table that tells a wrong key from a damaged row; its name is not for callers.
const KEY_CHECK: &str = "keymill-key-check";
/// What redb may keep of the file in memory: enough for every hot page of a state of a few thousand objects.
const CACHE_BYTES: usize = 8 << 20;

type Rows<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;
type Keys = BTreeMap<String, BTreeSet<Vec<u8>>>;

/// Why the database could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The file is not there to be made, not a database, damaged as a whole, or open in another process.
    #[error("open the database {path:?}")]
    Open { path: PathBuf, source: Box<redb::Error> },
    /// The file is in order, and was written under another key.
    #[error("open the database {path:?}: it was encrypted with another key")]
    WrongKey { path: PathBuf },
    /// A byte of the file was changed. The engine has gone back to the state before the last write, which the next
    /// opening takes for good.
    #[error(
        "open the database {path:?}: it is damaged, and was taken back to its state before the last write"
    )]
    Damaged { path: PathBuf },
    /// A row of this table does not authenticate.
    #[error("read table {table} of the database: a row was altered or damaged")]
    Altered { table: String },
    /// The disk or the database engine failed.
    #[error("{doing} the database")]
    Engine { doing: &'static str, source: Box<redb::Error> },
    /// The operating system gave no randomness.
    #[error("draw a nonce for the database")]
    Random { source: getrandom::Error },
}

/// A handle on the database; clones share it.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

struct Inner {
    engine: redb::Database,
    seal: Seal,
    /// Guarded together with the commit, so that a reader's keys and rows are of one moment.
    keys: RwLock<Keys>,
}

impl Database {
    /// An empty database that lives in memory and dies with the last handle.
    pub fn memory() -> Result<Self, DatabaseError> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut()).map_err(|source| DatabaseError::Random { source })?;
        let engine = redb::Builder::new()
            .create_with_backend(redb::backends::InMemoryBackend::new())
            .map_err(engine("open"))?;
        Self::start(engine, &key, Path::new(":memory:"))
    }

    /// Opens or creates the file at `path`, of mode 0600, under `key`. Only one process can have it open.
    pub fn open(path: impl AsRef<Path>, key: &[u8; 32]) -> Result<Self, DatabaseError> {
        let path = path.as_ref();
        let failed =
            |source: redb::Error| DatabaseError::Open { path: path.into(), source: Box::new(source) };
        create_private(path).map_err(|error| failed(error.into()))?;
        let opened = redb::Builder::new().set_cache_size(CACHE_BYTES).create(path);
        let mut engine = opened.map_err(|error| failed(error.into()))?;
        if !engine.check_integrity().map_err(|error| failed(error.into()))? {
            return Err(DatabaseError::Damaged { path: path.into() });
        }
        Self::start(engine, key, path)
    }

    /// Runs `f` on one unchanging view. `f` must not call [`Database::write`], which would wait for it for ever.
    pub fn read<T, E: From<DatabaseError>>(&self, f: impl FnOnce(&Read<'_>) -> Result<T, E>) -> Result<T, E> {
        let keys = self.keys();
        let rows = self.inner.engine.begin_read().map_err(engine("read"))?;
        f(&Read { inner: &self.inner, keys, rows })
    }

    /// Runs `f` and commits what it wrote when it returns `Ok`; nothing is written when it returns `Err` or panics.
    /// When this returns `Ok` the change is on the disk. Writes happen one after the other; `f` must not nest
    /// another one.
    pub fn write<T, E: From<DatabaseError>>(
        &self,
        f: impl FnOnce(&mut Write<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let rows = self.inner.engine.begin_write().map_err(engine("write"))?;
        let mut write = Write { inner: &self.inner, rows, changed: BTreeMap::new() };
        let value = f(&mut write)?;
        let Write { rows, changed, .. } = write;
        let mut keys = self.inner.keys.write().unwrap_or_else(PoisonError::into_inner);
        rows.commit().map_err(engine("commit to"))?;
        for ((table, key), present) in changed {
            let table = keys.entry(table).or_default();
            if present {
                table.insert(key)
            } else {
                table.remove(&key)
            };
        }
        Ok(value)
    }

    fn keys(&self) -> RwLockReadGuard<'_, Keys> {
        self.inner.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(engine: redb::Database, key: &[u8; 32], path: &Path) -> Result<Self, DatabaseError> {
        let seal = Seal::new(key);
        let database = Self { inner: Arc::new(Inner { engine, seal, keys: RwLock::default() }) };
        database.check_key(path)?;
        let keys = database.load_keys()?;
        *database.inner.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(database)
    }

    /// The first opening writes a known row; a later one must be able to read it.
    fn check_key(&self, path: &Path) -> Result<(), DatabaseError> {
        let known = self.inner.engine.begin_read().map_err(engine("read"))?;
        let is_new = known.list_tables().map_err(engine("read"))?.next().is_none();
        if is_new {
            return self.write(|write| write.put(KEY_CHECK, b"", b""));
        }
        match fetch(&self.inner, &known, KEY_CHECK, b"") {
            Ok(Some(_)) => Ok(()),
            Ok(None) | Err(DatabaseError::Altered { .. }) => {
                Err(DatabaseError::WrongKey { path: path.into() })
            }
            Err(other) => Err(other),
        }
    }

    /// Unseals every row once: the order of the keys, and the proof that the file is whole.
    fn load_keys(&self) -> Result<Keys, DatabaseError> {
        let view = self.inner.engine.begin_read().map_err(engine("read"))?;
        let mut keys = Keys::new();
        for handle in view.list_tables().map_err(engine("read"))? {
            let name = handle.name().to_owned();
            let rows = view.open_table(Rows::new(&name)).map_err(engine("read"))?;
            let table = keys.entry(name.clone()).or_default();
            for row in rows.iter().map_err(engine("read"))? {
                let (place, sealed) = row.map_err(engine("read"))?;
                let Unsealed { key, .. } = self.inner.seal.open(&name, place.value(), sealed.value())?;
                table.insert(key);
            }
        }
        Ok(keys)
    }
}

/// One unchanging view of all tables.
pub struct Read<'a> {
    inner: &'a Inner,
    keys: RwLockReadGuard<'a, Keys>,
    rows: redb::ReadTransaction,
}

impl Read<'_> {
    /// The value under `key`, or `None`.
    pub fn get(&self, table: &str, key: &[u8]) -> Result<Option<Bytes>, DatabaseError> {
        if !self.keys.get(table).is_some_and(|keys| keys.contains(key)) {
            return Ok(None);
        }
        fetch(self.inner, &self.rows, table, key)
    }

    /// The pairs whose key starts with `prefix`, in the order of their keys.
    pub fn scan(&self, table: &str, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Bytes)>, DatabaseError> {
        let mut found = Vec::new();
        for key in self.keys(table, prefix) {
            if let Some(value) = fetch(self.inner, &self.rows, table, &key)? {
                found.push((key, value));
            }
        }
        Ok(found)
    }

    /// The keys that start with `prefix`, in their order; reads no value.
    pub fn keys(&self, table: &str, prefix: &[u8]) -> Vec<Vec<u8>> {
        with_prefix(&self.keys, table, prefix).cloned().collect()
    }
}

/// A write transaction: it sees its own writes, and nobody else sees them before it commits.
pub struct Write<'a> {
    inner: &'a Inner,
    rows: redb::WriteTransaction,
    changed: BTreeMap<(String, Vec<u8>), bool>,
}

impl Write<'_> {
    /// The value under `key`, or `None`.
    pub fn get(&self, table: &str, key: &[u8]) -> Result<Option<Bytes>, DatabaseError> {
        let place = self.inner.seal.place(table, key);
        let rows = self.rows.open_table(Rows::new(table)).map_err(engine("read"))?;
        let Some(sealed) = rows.get(place.as_slice()).map_err(engine("read"))? else {
            return Ok(None);
        };
        Ok(Some(self.inner.seal.open(table, &place, sealed.value())?.value))
    }

    /// Puts `value` under `key`, in place of the one that was there.
    pub fn put(&mut self, table: &str, key: &[u8], value: &[u8]) -> Result<(), DatabaseError> {
        let place = self.inner.seal.place(table, key);
        let sealed = self.inner.seal.close(table, &place, key, value)?;
        let mut rows = self.rows.open_table(Rows::new(table)).map_err(engine("write"))?;
        rows.insert(place.as_slice(), sealed.as_slice()).map_err(engine("write"))?;
        self.changed.insert((table.to_owned(), key.to_owned()), true);
        Ok(())
    }

    /// Removes `key`; says whether it was there.
    pub fn delete(&mut self, table: &str, key: &[u8]) -> Result<bool, DatabaseError> {
        let place = self.inner.seal.place(table, key);
        let mut rows = self.rows.open_table(Rows::new(table)).map_err(engine("write"))?;
        let was_there = rows.remove(place.as_slice()).map_err(engine("write"))?.is_some();
        self.changed.insert((table.to_owned(), key.to_owned()), false);
        Ok(was_there)
    }

    /// The pairs whose key starts with `prefix`, in the order of their keys, this transaction's writes included.
    pub fn scan(&self, table: &str, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Bytes)>, DatabaseError> {
        let mut found = Vec::new();
        for key in self.keys(table, prefix) {
            if let Some(value) = self.get(table, &key)? {
                found.push((key, value));
            }
        }
        Ok(found)
    }

    /// The keys that start with `prefix`, in their order, this transaction's writes included.
    pub fn keys(&self, table: &str, prefix: &[u8]) -> Vec<Vec<u8>> {
        let committed = self.inner.keys.read().unwrap_or_else(PoisonError::into_inner);
        let mut keys: BTreeSet<Vec<u8>> = with_prefix(&committed, table, prefix).cloned().collect();
        for ((changed, key), present) in &self.changed {
            if changed == table && key.starts_with(prefix) {
                if *present {
                    keys.insert(key.clone())
                } else {
                    keys.remove(key)
                };
            }
        }
        keys.into_iter().collect()
    }
}

impl std::fmt::Debug for Read<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Read").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Write<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Write").finish_non_exhaustive()
    }
}

fn with_prefix<'a>(keys: &'a Keys, table: &str, prefix: &'a [u8]) -> impl Iterator<Item = &'a Vec<u8>> {
    let from = (Bound::Included(prefix), Bound::Unbounded);
    let table = keys.get(table).into_iter();
    table.flat_map(move |keys| keys.range::<[u8], _>(from).take_while(move |key| key.starts_with(prefix)))
}

fn fetch(
    inner: &Inner,
    view: &redb::ReadTransaction,
    table: &str,
    key: &[u8],
) -> Result<Option<Bytes>, DatabaseError> {
    let place = inner.seal.place(table, key);
    let rows = match view.open_table(Rows::new(table)) {
        Ok(rows) => rows,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(engine("read")(error)),
    };
    let Some(sealed) = rows.get(place.as_slice()).map_err(engine("read"))? else {
        return Ok(None);
    };
    Ok(Some(inner.seal.open(table, &place, sealed.value())?.value))
}

fn engine<E: Into<redb::Error>>(doing: &'static str) -> impl Fn(E) -> DatabaseError {
    move |source| DatabaseError::Engine { doing, source: Box::new(source.into()) }
}

/// The state is for its owner's eyes even though it is encrypted: the key may lie beside it.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
