//! Deleting, undeleting and destroying given versions.

use super::super::error::KvError;
use super::super::reply::Reply;
use super::super::request::Operation;
use super::Request;
use super::record::{self, Rows as _};

/// `area` is delete, undelete or destroy.
pub(super) fn handle(area: &str, request: &Request<'_>) -> Result<Reply, KvError> {
    if request.call.operation != Operation::Write {
        return Err(KvError::Unsupported);
    }
    let Request { database, now, mount, path, .. } = request;
    let versions = request.call.fields(true).wholes("versions")?;
    if versions.is_empty() {
        let text =
            if area == "destroy" { "no version number provided" } else { "No version number provided" };
        return Err(KvError::invalid(text));
    }
    // There is no version with a number below one.
    let versions: Vec<u64> = versions.into_iter().filter_map(|number| number.try_into().ok()).collect();
    database.write(|rows| {
        let Some(mut record) = rows.record(mount, path)? else {
            return Ok(Reply::Done);
        };
        let deletion = record.deletion(&rows.config(mount)?, *now);
        for number in &versions {
            let Some(version) = record.versions.get_mut(number).filter(|version| !version.destroyed) else {
                continue;
            };
            match area {
                "destroy" => version.destroyed = true,
                "undelete" => version.deleted.clone_from(&deletion),
                _ if version.is_deleted(*now) => {}
                _ => version.deleted = Some(now.to_string()),
            }
        }
        if area == "destroy" {
            record::drop_versions(rows, mount, path, versions)?;
        }
        record::put_record(rows, mount, path, &record)?;
        Ok(Reply::Done)
    })
}
