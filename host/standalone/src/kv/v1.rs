//! KV version 1: one value for each path, returned as it was written, digit for digit.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::KvError;
use super::reply::{Reply, Shown};
use super::request::{Call, Operation};
use super::{Mount, duration};
use crate::database::Database;

const TABLE: &str = "kv-v1";
/// The lease of a value that names none: Vault's default, 32 days.
const LEASE: i64 = 2_764_800;

pub(super) fn handle(database: &Database, mount: &Mount, path: &str, call: &Call) -> Result<Reply, KvError> {
    if path.contains("..") {
        return Err(relative(call.operation));
    }
    let row = super::v2::row(mount, path);
    match call.operation {
        Operation::Read => database.read(|read| {
            let Some(stored) = read.get(TABLE, &row)? else {
                return Ok(Reply::Missing);
            };
            let text = serde_json::from_slice::<&RawValue>(&stored).map(RawValue::to_owned);
            let text = text.map_err(|_| KvError::Stored { what: "value" })?;
            Ok(Reply::Data(Shown { lease: lease(&stored), text: Some(text), ..Shown::default() }))
        }),
        Operation::List => {
            database.read(|read| Ok(Reply::keys(super::v2::children(read.keys(TABLE, &row), row.len()))))
        }
        Operation::Write => {
            if path.is_empty() {
                return Err(KvError::invalid("missing path"));
            }
            if call.body.fields().is_empty() {
                return Err(KvError::invalid("missing data fields"));
            }
            database.write(|write| Ok::<_, KvError>(write.put(TABLE, &row, &call.text)?))?;
            Ok(Reply::Done)
        }
        Operation::Delete => {
            database.write(|write| Ok::<_, KvError>(write.delete(TABLE, &row)?))?;
            Ok(Reply::Done)
        }
        Operation::Patch => Err(KvError::Unsupported),
    }
}

/// The engine refuses two dots anywhere in a path, each operation in its own words.
fn relative(operation: Operation) -> KvError {
    let (status, text) = match operation {
        Operation::Read => (StatusCode::INTERNAL_SERVER_ERROR, "read failed: relative paths not supported"),
        Operation::Write => (StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
        Operation::List | Operation::Delete => (StatusCode::BAD_REQUEST, "relative paths not supported"),
        Operation::Patch => return KvError::Unsupported,
    };
    KvError::Engine { status, text }
}

/// A writer says with `ttl` (or `lease`) when a reader should look again.
fn lease(stored: &[u8]) -> i64 {
    #[derive(Deserialize)]
    struct Hints {
        ttl: Option<Value>,
        lease: Option<Value>,
    }
    let hints = serde_json::from_slice::<Hints>(stored).ok();
    let hint = hints.and_then(|hints| hints.ttl.or(hints.lease));
    hint.as_ref().and_then(duration::parse).unwrap_or(LEASE)
}
