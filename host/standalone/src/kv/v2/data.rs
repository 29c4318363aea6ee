//! Versions' data: read, write, merge patch, soft deletion, and the structure without the values.

use serde_json::{Map, Value, json};

use http::StatusCode;

use super::super::error::KvError;
use super::super::field;
use super::super::reply::Reply;
use super::super::request::{Call, Operation};
use super::super::sensitive::Sensitive;
use super::Request;
use super::record::{self, Config, Record, Rows as _};

pub(super) fn handle(request: Request<'_>) -> Result<Reply, KvError> {
    match request.call.operation {
        Operation::Read => read(&request),
        Operation::Write => write(request),
        Operation::Patch => patch(request),
        Operation::Delete => delete(&request),
        Operation::List => Err(KvError::Unsupported),
    }
}

/// The version asked for; its metadata alone when its data is out of reach.
fn read(request: &Request<'_>) -> Result<Reply, KvError> {
    let asked = asked_version(&request.call)?;
    request.database.read(|rows| {
        let Some(record) = rows.record(request.mount, request.path)? else {
            return Ok(Reply::Missing);
        };
        let Some((number, version)) = record.version(asked) else {
            return Ok(Reply::Missing);
        };
        let metadata = record.described(number, version);
        if version.is_gone(request.now) {
            return Ok(Reply::Gone(json!({"data": null, "metadata": metadata}).into()));
        }
        let data = rows.data(request.mount, request.path, number)?;
        let mut data = Value::Object(data.fields().clone());
        record::as_floats(&mut data);
        Ok(Reply::data(json!({"data": data, "metadata": metadata})))
    })
}

pub(super) fn subkeys(request: &Request<'_>) -> Result<Reply, KvError> {
    if request.call.operation != Operation::Read {
        return Err(KvError::Unsupported);
    }
    let (asked, depth) = (asked_version(&request.call)?, request.call.number("depth")?);
    request.database.read(|rows| {
        let Some(record) = rows.record(request.mount, request.path)? else {
            return Ok(Reply::Missing);
        };
        let Some((number, version)) = record.version(asked) else {
            return Ok(Reply::Missing);
        };
        let metadata = record.described(number, version);
        if version.is_gone(request.now) {
            return Ok(Reply::Gone(json!({"subkeys": null, "metadata": metadata}).into()));
        }
        let data = rows.data(request.mount, request.path, number)?;
        Ok(Reply::data(json!({"subkeys": structure(data.fields(), depth, 1), "metadata": metadata})))
    })
}

/// Numbers below zero ask for nothing in particular.
fn asked_version(call: &Call) -> Result<u64, KvError> {
    Ok(call.number("version")?.try_into().unwrap_or_default())
}

/// Keys down to a depth (0 is all), with null for every value.
fn structure(fields: &Map<String, Value>, depth: i64, at: i64) -> Value {
    let keys = fields.iter().map(|(key, value)| {
        let deeper = value.as_object().filter(|inner| !inner.is_empty() && (depth == 0 || at < depth));
        (key.clone(), deeper.map_or(Value::Null, |inner| structure(inner, depth, at + 1)))
    });
    Value::Object(keys.collect())
}

fn write(request: Request<'_>) -> Result<Reply, KvError> {
    let Request { database, now, mount, path, mut call } = request;
    let data = taken_data(&mut call)?;
    let shown = database.write(|rows| {
        let record = rows.record(mount, path)?.unwrap_or_default();
        check_and_set(&call, &rows.config(mount)?, &record)?;
        record::put_version(rows, (mount, path), record, data.fields(), now)
    })?;
    Ok(Reply::Data(shown))
}

/// Merges into the current version, which must be there.
fn patch(request: Request<'_>) -> Result<Reply, KvError> {
    let Request { database, now, mount, path, mut call } = request;
    if call.body.fields().get("data").is_some_and(Value::is_null) {
        let (status, text) = (StatusCode::INTERNAL_SERVER_ERROR, "Invalid JSON Patch");
        return Err(KvError::Engine { status, text });
    }
    let patch = taken_data(&mut call)?;
    database.write(|rows| {
        let Some(record) = rows.record(mount, path)? else {
            return Ok(Reply::Nowhere);
        };
        check_and_set(&call, &rows.config(mount)?, &record)?;
        let Some((number, version)) = record.version(0) else {
            return Ok(Reply::Nowhere);
        };
        if version.is_gone(now) {
            return Ok(Reply::Gone(record.described(number, version).into()));
        }
        let mut data = rows.data(mount, path, number)?;
        merge(data.fields_mut(), patch.fields());
        let shown = record::put_version(rows, (mount, path), record, data.fields(), now)?;
        Ok(Reply::Data(shown))
    })
}

/// RFC 7386.
fn merge(into: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, change) in patch {
        match change {
            Value::Null => {
                into.remove(name);
            }
            Value::Object(change) => {
                let inner = into.entry(name.clone()).or_insert_with(|| json!({}));
                if !inner.is_object() {
                    *inner = json!({});
                }
                if let Value::Object(inner) = inner {
                    merge(inner, change);
                }
            }
            other => {
                into.insert(name.clone(), other.clone());
            }
        }
    }
}

/// Marks the current version as deleted.
fn delete(request: &Request<'_>) -> Result<Reply, KvError> {
    let Request { database, now, mount, path, .. } = request;
    database.write(|rows| {
        let Some(mut record) = rows.record(mount, path)? else {
            return Ok(Reply::Done);
        };
        let current = record.current;
        if let Some(version) = record.versions.get_mut(&current).filter(|version| !version.is_gone(*now)) {
            version.deleted = Some(now.to_string());
            record::put_record(rows, mount, path, &record)?;
        }
        Ok(Reply::Done)
    })
}

fn taken_data(call: &mut Call) -> Result<Sensitive, KvError> {
    match call.body.take("data") {
        None => Err(KvError::invalid("no data provided")),
        Some(Value::Object(data)) => Ok(Sensitive::new(data)),
        Some(Value::Null) => Ok(Sensitive::default()),
        Some(Value::Array(none)) if none.is_empty() => Ok(Sensitive::default()),
        Some(_) => Err(call.fields(call.operation == Operation::Patch).hidden("data")),
    }
}

fn check_and_set(call: &Call, config: &Config, record: &Record) -> Result<(), KvError> {
    let options = match call.body.fields().get("options") {
        None | Some(Value::Null) => None,
        Some(Value::Array(none)) if none.is_empty() => None,
        Some(Value::Object(options)) => Some(options),
        Some(_) => return Err(call.fields(call.operation == Operation::Patch).hidden("options")),
    };
    match options.and_then(|options| options.get("cas")) {
        Some(cas) => {
            let cas = field::whole(cas);
            let cas = cas.map_err(|_| KvError::invalid("error parsing check-and-set parameter"))?;
            if u64::try_from(cas) == Ok(record.current) {
                Ok(())
            } else {
                Err(KvError::invalid("check-and-set parameter did not match the current version"))
            }
        }
        None if config.cas_required || record.cas_required => {
            Err(KvError::invalid("check-and-set parameter required for this call"))
        }
        None => Ok(()),
    }
}
