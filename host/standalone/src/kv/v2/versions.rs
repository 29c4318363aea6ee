//! Deleting, undeleting and destroying given versions.

use serde_json::Value;

use super::super::error::KvError;
use super::super::reply::Reply;
use super::super::request::Operation;
use super::record::{self, Rows as _};
use super::{Request, whole};

/// `area` is delete, undelete or destroy.
pub(super) fn handle(area: &str, request: &Request<'_>) -> Result<Reply, KvError> {
    if request.call.operation != Operation::Write {
        return Err(KvError::Unsupported);
    }
    let Request { database, now, mount, path, .. } = request;
    let versions = versions(request.call.body.fields().get("versions"))?;
    if versions.is_empty() {
        let text =
            if area == "destroy" { "no version number provided" } else { "No version number provided" };
        return Err(KvError::invalid(text));
    }
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

/// A list of numbers, a number, or numbers with commas between them.
fn versions(given: Option<&Value>) -> Result<Vec<u64>, KvError> {
    let values = match given {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(values)) => values.clone(),
        Some(Value::String(text)) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(Value::from).collect()
        }
        Some(other) => vec![other.clone()],
    };
    let number = |value: &Value| whole(value).and_then(|number| u64::try_from(number).ok());
    values.iter().map(|value| number(value).ok_or_else(|| KvError::field("versions"))).collect()
}
