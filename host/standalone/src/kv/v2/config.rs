//! What holds for all secrets of a mount.

use serde_json::json;

use super::super::duration;
use super::super::error::KvError;
use super::super::reply::Reply;
use super::super::request::Operation;
use super::record::{self, Rows as _};
use super::{Request, truth, whole};

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
    let fields = request.call.body.fields();
    let broken = |name: &str| KvError::field(name);
    let max_versions = fields.get("max_versions").map(|given| {
        let most = whole(given).and_then(|most| u64::try_from(most).ok());
        most.ok_or_else(|| broken("max_versions"))
    });
    let cas_required =
        fields.get("cas_required").map(|given| truth(given).ok_or_else(|| broken("cas_required")));
    let after = fields
        .get("delete_version_after")
        .map(|given| duration::parse(given).ok_or_else(|| broken("delete_version_after")));
    let (max_versions, cas_required, after) =
        (max_versions.transpose()?, cas_required.transpose()?, after.transpose()?);
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
