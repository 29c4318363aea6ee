//! What is stored of a secret: its metadata in one row, each version's data in another.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value, json};
use zeroize::Zeroizing;

use super::super::error::KvError;
use super::super::sensitive::Sensitive;
use super::super::{Mount, reply::Shown};
use super::row;
use crate::database::{Read, Write};

pub(super) const METADATA: &str = "kv-v2-metadata";
const DATA: &str = "kv-v2-data";
const CONFIG: &str = "kv-v2-config";
/// How many versions are kept where nobody says.
const DEFAULT_MAX_VERSIONS: u64 = 10;

/// What holds for all secrets of a mount.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Config {
    pub(super) max_versions: u64,
    pub(super) cas_required: bool,
    /// In seconds; below zero switches deletion by age off.
    pub(super) delete_version_after: i64,
}

/// The metadata of a secret.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) versions: BTreeMap<u64, Version>,
    pub(super) current: u64,
    pub(super) oldest: u64,
    pub(super) created: Option<String>,
    pub(super) updated: Option<String>,
    pub(super) max_versions: u64,
    pub(super) cas_required: bool,
    /// In seconds.
    pub(super) delete_version_after: i64,
    pub(super) custom: Option<BTreeMap<String, String>>,
}

/// The metadata of a version. Times are RFC 3339.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) created: String,
    pub(super) deleted: Option<String>,
    pub(super) destroyed: bool,
}

impl Version {
    /// Whether its data is out of reach at that moment.
    pub(super) fn is_gone(&self, now: Timestamp) -> bool {
        self.destroyed || self.is_deleted(now)
    }

    pub(super) fn is_deleted(&self, now: Timestamp) -> bool {
        let at = self.deleted.as_ref().and_then(|deleted| deleted.parse::<Timestamp>().ok());
        at.is_some_and(|deleted| deleted <= now)
    }

    pub(super) fn times(&self) -> Map<String, Value> {
        let deleted = self.deleted.clone().unwrap_or_default();
        let fields = [
            ("created_time", json!(self.created)),
            ("deletion_time", json!(deleted)),
            ("destroyed", json!(self.destroyed)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl Record {
    /// What is said of a version with every answer.
    pub(super) fn described(&self, number: u64, version: &Version) -> Value {
        let mut fields = version.times();
        fields.insert("version".to_owned(), json!(number));
        fields.insert("custom_metadata".to_owned(), json!(self.custom));
        Value::Object(fields)
    }

    /// The version that was asked for: 0 is the current one.
    pub(super) fn version(&self, asked: u64) -> Option<(u64, &Version)> {
        let number = if asked == 0 { self.current } else { asked };
        Some((number, self.versions.get(&number)?))
    }

    /// Adds a version; the numbers of those that are too many now.
    pub(super) fn add(&mut self, config: &Config, now: Timestamp) -> Vec<u64> {
        self.current += 1;
        let version =
            Version { created: now.to_string(), deleted: self.deletion(config, now), destroyed: false };
        self.versions.insert(self.current, version);
        self.updated = Some(now.to_string());
        self.created.get_or_insert_with(|| now.to_string());
        let keep = match self.max_versions.max(config.max_versions) {
            0 => DEFAULT_MAX_VERSIONS,
            most => most,
        };
        if self.current.saturating_sub(self.oldest) < keep {
            return Vec::new();
        }
        let last = self.current.saturating_sub(keep);
        let dropped: Vec<u64> = self.versions.range(..=last).map(|(number, _)| *number).collect();
        self.versions.retain(|number, _| *number > last);
        self.oldest = last + 1;
        dropped
    }

    /// When a version that is made or undeleted now will be deleted by its age.
    pub(super) fn deletion(&self, config: &Config, now: Timestamp) -> Option<String> {
        let after = match (config.delete_version_after, self.delete_version_after) {
            (mount, _) if mount < 0 => return None,
            (0, 0) => return None,
            (0, own) => own,
            (mount, 0) => mount,
            (mount, own) => mount.min(own),
        };
        now.checked_add(SignedDuration::from_secs(after)).ok().map(|at| at.to_string())
    }
}

/// The rows of one secret, seen from a transaction.
pub(super) trait Rows {
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, KvError>;

    fn config(&self, mount: &Mount) -> Result<Config, KvError> {
        let stored = self.get(CONFIG, mount.path.as_bytes())?;
        stored.map_or_else(|| Ok(Config::default()), |stored| parsed(&stored, "configuration"))
    }

    fn record(&self, mount: &Mount, path: &str) -> Result<Option<Record>, KvError> {
        let stored = self.get(METADATA, &row(mount, path))?;
        stored.map(|stored| parsed(&stored, "metadata")).transpose()
    }

    fn data(&self, mount: &Mount, path: &str, version: u64) -> Result<Sensitive, KvError> {
        let stored =
            self.get(DATA, &data_row(mount, path, version))?.ok_or(KvError::Stored { what: "version" })?;
        parsed(&stored, "version").map(Sensitive::new)
    }
}

impl Rows for Read<'_> {
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, KvError> {
        Ok(Read::get(self, table, key)?)
    }
}

impl Rows for Write<'_> {
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, KvError> {
        Ok(Write::get(self, table, key)?)
    }
}

fn parsed<T: for<'de> Deserialize<'de>>(stored: &[u8], what: &'static str) -> Result<T, KvError> {
    serde_json::from_slice(stored).map_err(|_| KvError::Stored { what })
}

fn encoded<T: Serialize>(value: &T, what: &'static str) -> Result<Zeroizing<Vec<u8>>, KvError> {
    serde_json::to_vec(value).map(Zeroizing::new).map_err(|_| KvError::Stored { what })
}

fn data_row(mount: &Mount, path: &str, version: u64) -> Vec<u8> {
    [row(mount, path).as_slice(), b"\0", &version.to_be_bytes()].concat()
}

pub(super) fn put_config(write: &mut Write<'_>, mount: &Mount, config: &Config) -> Result<(), KvError> {
    Ok(write.put(CONFIG, mount.path.as_bytes(), &encoded(config, "configuration")?)?)
}

pub(super) fn put_record(
    write: &mut Write<'_>,
    mount: &Mount,
    path: &str,
    record: &Record,
) -> Result<(), KvError> {
    Ok(write.put(METADATA, &row(mount, path), &encoded(record, "metadata")?)?)
}

/// Writes a new version and what follows from it; the answer to the writer.
pub(super) fn put_version(
    write: &mut Write<'_>,
    (mount, path): (&Mount, &str),
    mut record: Record,
    data: &Map<String, Value>,
    now: Timestamp,
) -> Result<Shown, KvError> {
    let config = write.config(mount)?;
    let dropped = record.add(&config, now);
    write.put(DATA, &data_row(mount, path, record.current), &encoded(data, "version")?)?;
    drop_versions(write, mount, path, dropped)?;
    put_record(write, mount, path, &record)?;
    let (number, version) = record.version(0).ok_or(KvError::Stored { what: "version" })?;
    Ok(record.described(number, version).into())
}

pub(super) fn drop_versions(
    write: &mut Write<'_>,
    mount: &Mount,
    path: &str,
    versions: impl IntoIterator<Item = u64>,
) -> Result<(), KvError> {
    for version in versions {
        write.delete(DATA, &data_row(mount, path, version))?;
    }
    Ok(())
}

/// Removes a secret with all its versions.
pub(super) fn drop_record(write: &mut Write<'_>, mount: &Mount, path: &str) -> Result<(), KvError> {
    let Some(record) = write.record(mount, path)? else {
        return Ok(());
    };
    drop_versions(write, mount, path, record.versions.keys().copied())?;
    write.delete(METADATA, &row(mount, path))?;
    Ok(())
}

/// Numbers as a reader of version 2 gets them: all of them went through a 64-bit float. Go writes those without a fraction as if they
/// were whole, as `json` does.
pub(super) fn as_floats(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().and_then(Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(as_floats),
        Value::Object(fields) => fields.values_mut().for_each(as_floats),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
