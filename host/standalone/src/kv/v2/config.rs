//! What holds for all secrets of a mount.

use serde_json::json;

use super::super::duration;
use super::super::error::KvError;
use super::super::reply::Reply;
use super::super::request::Operation;
use super::record::{self, Rows as _};
use super::{Request, stored_count};

pub(super) fn handle(request: &Request<'_>) -> Result<Reply, KvError> {
    match request.call.operation {
        Operation::Read => request.database.read(|rows| {
            let config = rows.config(request.mount)?;
            Ok(Reply::data(json!({
                "cas_required": config.cas_required,
                "delete_version_after": duration::format(config.delete_version_after),
                "max_versions": config.max_versions,
            })))
        }),
        Operation::Write => write(request),
        Operation::List | Operation::Patch | Operation::Delete => Err(KvError::Unsupported),
    }
}

fn write(request: &Request<'_>) -> Result<Reply, KvError> {
    let fields = request.call.fields(true);
    let max_versions = fields.whole("max_versions")?.map(stored_count);
    let cas_required = fields.truth("cas_required")?;
    let after = fields.duration("delete_version_after")?;
    request.database.write(|rows| {
        let mut config = rows.config(request.mount)?;
        config.max_versions = max_versions.unwrap_or(config.max_versions);
        config.cas_required = cas_required.unwrap_or(config.cas_required);
        // Anything below zero switches it off.
        config.delete_version_after = after.map_or(config.delete_version_after, |seconds| seconds.max(-1));
        record::put_config(rows, request.mount, &config)?;
        Ok(Reply::Done)
    })
}
