//! KV version 2: versions with metadata, soft deletion and check-and-set.

mod config;
mod data;
mod metadata;
mod record;
mod versions;

use jiff::Timestamp;
use serde_json::Value;

use super::Mount;
use super::error::KvError;
use super::reply::{Reply, Shown};
use super::request::{Call, Operation};
use crate::database::Database;

/// A request to a mount, at one moment.
struct Request<'a> {
    database: &'a Database,
    now: Timestamp,
    mount: &'a Mount,
    /// The path of the secret.
    path: &'a str,
    call: Call,
}

pub(super) fn handle(
    database: &Database,
    now: Timestamp,
    mount: &Mount,
    path: &str,
    call: Call,
) -> Result<Reply, KvError> {
    let (area, path) = path.split_once('/').unwrap_or((path, ""));
    let operation = call.operation;
    let request = Request { database, now, mount, path, call };
    match area {
        "config" if path.is_empty() && operation != Operation::List => config::handle(&request),
        "metadata" if !path.is_empty() || operation == Operation::List => metadata::handle(request),
        "data" if !path.is_empty() && !path.ends_with('/') => data::handle(request),
        "subkeys" if !path.is_empty() => data::subkeys(&request),
        "delete" | "undelete" | "destroy" if !path.is_empty() => versions::handle(area, &request),
        "metadata" | "data" | "delete" | "undelete" | "destroy"
            if path.is_empty() && operation != Operation::List =>
        {
            Ok(warning("Non-listing operations on the root of a K/V v2 mount are not supported.".to_owned()))
        }
        _ => Ok(no_such_area(operation)),
    }
}

/// What a client hears that takes the mount for version 1.
fn no_such_area(operation: Operation) -> Reply {
    let command = match operation {
        Operation::Read => "get",
        Operation::List => "list",
        Operation::Write => "put",
        Operation::Patch => "patch",
        Operation::Delete => "delete",
    };
    warning(format!(
        "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. If using the Vault CLI, \
         use 'vault kv {command}' for this operation."
    ))
}

fn warning(text: String) -> Reply {
    Reply::Gone(Shown { warnings: vec![text], ..Shown::default() })
}

/// Where a path of a mount is stored.
pub(super) fn row(mount: &Mount, path: &str) -> Vec<u8> {
    [mount.path.as_bytes(), b"\0", path.as_bytes()].concat()
}

/// The names right below a prefix of `skip` bytes: keys, and folders with a slash.
pub(super) fn children(keys: Vec<Vec<u8>>, skip: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for key in keys {
        let rest = String::from_utf8_lossy(key.get(skip..).unwrap_or_default()).into_owned();
        let end = rest.find('/').map_or(rest.len(), |slash| slash + 1);
        let name = rest.get(..end).unwrap_or_default();
        if !name.is_empty() && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    names
}

/// A whole number however a client writes it.
fn whole(value: &Value) -> Option<i64> {
    match value {
        #[expect(clippy::cast_possible_truncation, reason = "fractions are cut off, as Vault does")]
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)),
        Value::String(text) if text.is_empty() => Some(0),
        Value::String(text) => text.parse().ok(),
        Value::Bool(flag) => Some(i64::from(*flag)),
        Value::Null => Some(0),
        _ => None,
    }
}

/// A yes or no however a client writes it.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => match text.as_str() {
            "1" | "t" | "true" | "True" | "TRUE" => Some(true),
            "" | "0" | "f" | "false" | "False" | "FALSE" => Some(false),
            _ => None,
        },
        Value::Number(number) => number.as_i64().map(|number| number != 0),
        Value::Null => Some(false),
        _ => None,
    }
}
