//! KV version 1: one value for each path.

use serde_json::Value;
use zeroize::Zeroizing;

use super::Mount;
use super::error::KvError;
use super::reply::{Reply, Shown};
use super::request::{Call, Operation};
use crate::database::Database;

const TABLE: &str = "kv-v1";

pub(super) fn handle(database: &Database, mount: &Mount, path: &str, call: &Call) -> Result<Reply, KvError> {
    let row = super::v2::row(mount, path);
    match call.operation {
        Operation::Read => database.read(|read| {
            let Some(stored) = read.get(TABLE, &row)? else {
                return Ok(Reply::Missing);
            };
            let data: Value =
                serde_json::from_slice(&stored).map_err(|_| KvError::Stored { what: "value" })?;
            Ok(Reply::Data(Shown { leased: true, ..Shown::from(data) }))
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
            let stored =
                serde_json::to_vec(call.body.fields()).map_err(|_| KvError::Stored { what: "value" })?;
            let stored = Zeroizing::new(stored);
            database.write(|write| Ok::<_, KvError>(write.put(TABLE, &row, &stored)?))?;
            Ok(Reply::Done)
        }
        Operation::Delete => {
            database.write(|write| Ok::<_, KvError>(write.delete(TABLE, &row)?))?;
            Ok(Reply::Done)
        }
        Operation::Patch => Err(KvError::Unsupported),
    }
}
