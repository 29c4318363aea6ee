//! JSON patch, JSON merge patch and strategic merge patch. (Server-side apply is in `ownership`.)
//!
//! Pure: a document and a patch make a document, or say why not. No message quotes a value.

mod strategic;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::resource::ResourceInfo;
use crate::schema::Field;
use crate::status::Failure;

/// How a patch is written, by its media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PatchKind {
    Edit(Edit),
    /// Server-side apply.
    Apply,
}

/// A patch that says what to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edit {
    Json,
    Merge,
    Strategic,
}

const JSON: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

impl PatchKind {
    pub(crate) fn of(media_type: &str, info: &ResourceInfo) -> Result<Self, Failure> {
        match media_type {
            JSON => Ok(Self::Edit(Edit::Json)),
            MERGE => Ok(Self::Edit(Edit::Merge)),
            APPLY => Ok(Self::Apply),
            STRATEGIC if info.builtin => Ok(Self::Edit(Edit::Strategic)),
            _ if info.builtin => Err(Failure::unsupported_patch()),
            _ => Err(Failure::unsupported_media(&[JSON, MERGE, APPLY])),
        }
    }
}

/// The document with the patch in it.
pub(crate) fn patched(edit: Edit, old: &Value, patch: &Value, field: Field<'_>) -> Result<Value, Failure> {
    let mut new = old.clone();
    match edit {
        Edit::Json => {
            let operations = patch
                .as_array()
                .ok_or_else(|| Failure::bad_request("error decoding patch: it is no list of operations"))?;
            for operation in operations {
                apply_operation(&mut new, operation)?;
            }
        }
        Edit::Merge | Edit::Strategic if !patch.is_object() => {
            return Err(Failure::bad_request("error decoding patch: it is no object"));
        }
        Edit::Merge => json_patch::merge(&mut new, patch),
        Edit::Strategic => strategic::merge(&mut new, patch, field).map_err(Failure::unforeseen)?,
    }
    Ok(new)
}

fn apply_operation(document: &mut Value, operation: &Value) -> Result<(), Failure> {
    let mut operation = operation.clone();
    if replaces_nothing(document, &operation)
        && let Some(fields) = operation.as_object_mut()
    {
        fields.insert("op".to_owned(), "add".into());
    }
    let operation: json_patch::PatchOperation =
        serde_json::from_value(operation).map_err(|_| Failure::patch_rejected())?;
    json_patch::patch(document, &[operation]).map_err(|_| Failure::patch_rejected())
}

/// Kubernetes' `replace` makes the field where there is none, as long as there is an object to make it in.
fn replaces_nothing(document: &Value, operation: &Value) -> bool {
    let text = |name: &str| operation.get(name).and_then(Value::as_str).unwrap_or_default();
    let path = text("path");
    let parent = path.rsplit_once('/').and_then(|(parent, _)| document.pointer(parent));
    text("op") == "replace" && document.pointer(path).is_none() && parent.is_some_and(Value::is_object)
}
