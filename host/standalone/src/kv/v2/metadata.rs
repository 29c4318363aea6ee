//! The metadata of a secret: read, list, change, and removal of the secret with all its versions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::error::KvError;
use super::super::field::Fields;
use super::super::reply::{Reply, Shown};
use super::super::request::{Call, Operation};
use super::super::{custom, duration};
use super::record::{self, Record, Rows as _};
use super::{Request, children, row, stored_count};

const CAS_MANDATED: &str =
    "\"cas_required\" set to false, but is mandated by backend config. This value will be ignored.";

pub(super) fn handle(request: Request<'_>) -> Result<Reply, KvError> {
    match request.call.operation {
        Operation::Read => read(&request),
        Operation::List => list(&request),
        Operation::Write => write(&request),
        Operation::Patch => patch(&request),
        Operation::Delete => {
            request.database.write(|rows| record::drop_record(rows, request.mount, request.path))?;
            Ok(Reply::Done)
        }
    }
}

fn read(request: &Request<'_>) -> Result<Reply, KvError> {
    request.database.read(|rows| {
        let Some(record) = rows.record(request.mount, request.path)? else {
            return Ok(Reply::Missing);
        };
        let versions = record
            .versions
            .iter()
            .map(|(number, version)| (number.to_string(), Value::Object(version.times())));
        Ok(Reply::data(json!({
            "cas_required": record.cas_required,
            "created_time": record.created.clone().unwrap_or_default(),
            "current_version": record.current,
            "custom_metadata": record.custom,
            "delete_version_after": duration::format(record.delete_version_after),
            "max_versions": record.max_versions,
            "oldest_version": record.oldest,
            "updated_time": record.updated.clone().unwrap_or_default(),
            "versions": Value::Object(versions.collect()),
        })))
    })
}

fn list(request: &Request<'_>) -> Result<Reply, KvError> {
    let prefix = row(request.mount, request.path);
    request
        .database
        .read(|rows| Ok(Reply::keys(children(rows.keys(record::METADATA, &prefix), prefix.len()))))
}

/// What a request changes; checked before anything is read.
#[derive(Default)]
struct Change {
    max_versions: Option<u64>,
    cas_required: Option<bool>,
    delete_version_after: Option<i64>,
    custom: Option<Custom>,
}

enum Custom {
    Replace(BTreeMap<String, String>),
    /// The texts to set, and the keys to remove.
    Merge(BTreeMap<String, String>, Vec<String>),
    /// A patch with null takes all away.
    Remove,
}

impl Change {
    fn parse(call: &Call) -> Result<Self, KvError> {
        let patch = call.operation == Operation::Patch;
        let fields = call.fields(patch);
        Ok(Self {
            max_versions: fields.whole("max_versions")?.map(stored_count),
            cas_required: fields.truth("cas_required")?,
            delete_version_after: delete_version_after(fields)?,
            custom: match fields.get("custom_metadata") {
                None => None,
                Some(Value::Null) if patch => Some(Custom::Remove),
                Some(Value::Null) => Some(Custom::Replace(BTreeMap::new())),
                Some(Value::Object(given)) if patch => {
                    let nulls = given.iter().filter(|(_, value)| value.is_null());
                    Some(Custom::Merge(
                        custom::parse(given, true)?,
                        nulls.map(|(key, _)| key.clone()).collect(),
                    ))
                }
                Some(Value::Object(given)) => Some(Custom::Replace(custom::parse(given, false)?)),
                Some(_) => return Err(fields.hidden("custom_metadata")),
            },
        })
    }

    fn is_empty(&self) -> bool {
        self.max_versions.is_none()
            && self.cas_required.is_none()
            && self.delete_version_after.is_none()
            && self.custom.is_none()
    }

    fn apply(self, record: &mut Record) {
        record.max_versions = self.max_versions.unwrap_or(record.max_versions);
        record.cas_required = self.cas_required.unwrap_or(record.cas_required);
        record.delete_version_after = self.delete_version_after.unwrap_or(record.delete_version_after);
        match self.custom {
            None => {}
            Some(Custom::Remove) => record.custom = None,
            Some(Custom::Replace(custom)) => record.custom = Some(custom),
            Some(Custom::Merge(set, removed)) => {
                let custom = record.custom.get_or_insert_default();
                custom.retain(|key, _| !removed.contains(key));
                custom.extend(set);
            }
        }
        // An empty map is not told from none once it was stored.
        record.custom = record.custom.take().filter(|custom| !custom.is_empty());
    }
}

/// Null leaves it as it is.
fn delete_version_after(fields: Fields<'_>) -> Result<Option<i64>, KvError> {
    let name = "delete_version_after";
    let given = fields.get(name).filter(|given| !given.is_null());
    match given.map(|_| fields.duration(name)).transpose()?.flatten() {
        Some(seconds) if seconds < 0 => {
            Err(fields.refused(name, &format!("cannot provide negative value '{seconds}'")))
        }
        given => Ok(given),
    }
}

/// Changes the metadata; a secret without versions comes to be that way too.
fn write(request: &Request<'_>) -> Result<Reply, KvError> {
    let Request { database, now, mount, path, call } = request;
    let change = Change::parse(call)?;
    if change.is_empty() {
        return Ok(Reply::Done);
    }
    database.write(|rows| {
        let warned = change.cas_required == Some(false) && rows.config(mount)?.cas_required;
        let mut record = rows.record(mount, path)?.unwrap_or_else(|| Record {
            created: Some(now.to_string()),
            updated: Some(now.to_string()),
            ..Record::default()
        });
        change.apply(&mut record);
        record::put_record(rows, mount, path, &record)?;
        Ok(done(warned))
    })
}

fn patch(request: &Request<'_>) -> Result<Reply, KvError> {
    let Request { database, mount, path, call, .. } = request;
    let change = Change::parse(call)?;
    database.write(|rows| {
        let warned = change.cas_required == Some(false) && rows.config(mount)?.cas_required;
        let Some(mut record) = rows.record(mount, path)? else {
            return Ok(Reply::Nowhere);
        };
        change.apply(&mut record);
        record::put_record(rows, mount, path, &record)?;
        Ok(done(warned))
    })
}

fn done(warned: bool) -> Reply {
    if warned {
        Reply::Data(Shown { warnings: vec![CAS_MANDATED.to_owned()], ..Shown::default() })
    } else {
        Reply::Done
    }
}
