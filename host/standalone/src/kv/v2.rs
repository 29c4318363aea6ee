//! KV version 2: versions with metadata, soft deletion and check-and-set.

mod config;
mod data;
mod metadata;
mod record;
mod versions;

use jiff::Timestamp;

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
    let operation = call.operation;
    // The root of an area is told from the folder without a name in it.
    let Some((area, path)) = path.split_once('/') else {
        return Ok(match path {
            "config" if operation != Operation::List => {
                config::handle(&Request { database, now, mount, path: "", call })?
            }
            "metadata" | "data" | "delete" | "undelete" | "destroy" if operation != Operation::List => {
                warning("Non-listing operations on the root of a K/V v2 mount are not supported.".to_owned())
            }
            _ => no_such_area(operation),
        });
    };
    let writes = matches!(operation, Operation::Write | Operation::Patch);
    if writes && path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(KvError::invalid("a path has no empty and no relative segments"));
    }
    let known: &[&str] = match area {
        "subkeys" => &["path", "version", "depth"],
        "metadata" => &["path", "cas_required", "max_versions", "delete_version_after", "custom_metadata"],
        "delete" | "undelete" | "destroy" => &["path", "versions"],
        _ => &["path", "version", "options", "data"],
    };
    let ignored = call.ignored(known);
    let path =
        if area == "metadata" && operation != Operation::List { path.trim_end_matches('/') } else { path };
    let request = Request { database, now, mount, path, call };
    let reply = match area {
        "metadata" if !path.is_empty() || operation == Operation::List => metadata::handle(request)?,
        "data" if !path.is_empty() && !path.ends_with('/') => data::handle(request)?,
        "subkeys" if !path.is_empty() => data::subkeys(&request)?,
        "delete" | "undelete" | "destroy" if !path.is_empty() => versions::handle(area, &request)?,
        _ => return Ok(no_such_area(operation)),
    };
    Ok(reply.warned(ignored))
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

/// A number of versions as it is kept: in 32 bits without a sign, whatever was sent.
fn stored_count(sent: i64) -> u64 {
    sent.rem_euclid(1 << 32).unsigned_abs()
}
