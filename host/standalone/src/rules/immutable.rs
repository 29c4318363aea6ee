//! Changes that are refused: fields that stay as they were made, and Secrets and ConfigMaps marked immutable.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::object;
use crate::resource::ResourceInfo;
use crate::schema::Cause;

const IMMUTABLE: &str = "field is immutable";
const MARKED: &str = "field is immutable when `immutable` is set";
/// What the data of one Secret or ConfigMap may come to.
const MOST_BYTES: usize = 1 << 20;

/// What is wrong with `new`; with `old`, also with the change.
pub(crate) fn causes(info: &ResourceInfo, old: Option<&Value>, new: &Value) -> Vec<Cause> {
    let mut causes = old.map(|old| changes(info, old, new)).unwrap_or_default();
    if info.builtin {
        match info.plural.as_str() {
            "secrets" if secret_bytes(new) > MOST_BYTES => {
                causes.push(Cause::too_long("data", MOST_BYTES as u64))
            }
            "configmaps" if config_bytes(new) > MOST_BYTES => {
                causes.push(Cause::too_long("", MOST_BYTES as u64))
            }
            _ => {}
        }
    }
    causes
}

fn changes(info: &ResourceInfo, old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for name in ["name", "namespace", "uid", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        let at = format!("/metadata/{name}");
        if let Some(value) = new.pointer(&at).filter(|value| old.pointer(&at) != Some(value)) {
            causes.push(Cause::invalid(format!("metadata.{name}"), value, IMMUTABLE));
        }
    }
    causes.extend(new_finalizers(old, new));
    // kube-apiserver asks twice: for all kinds, and for the one. Its message lists each answer once.
    causes.extend(causes.clone());
    if info.builtin && info.plural == "secrets" && old.get("type") != new.get("type") {
        causes.push(Cause::invalid("type", new.get("type").unwrap_or(&Value::Null), IMMUTABLE));
    }
    if info.builtin && matches!(info.plural.as_str(), "secrets" | "configmaps") {
        causes.extend(marked(old, new));
    }
    causes
}

fn new_finalizers(old: &Value, new: &Value) -> Option<Cause> {
    let before = object::finalizers(old);
    let added: Vec<&str> =
        object::finalizers(new).into_iter().filter(|name| !before.contains(name)).collect();
    if !object::is_deleting(old) || added.is_empty() {
        return None;
    }
    let quoted: Vec<String> = added.iter().map(|name| format!("{name:?}")).collect();
    let why = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        quoted.join(", ")
    );
    Some(Cause::forbidden("metadata.finalizers", &why))
}

fn marked(old: &Value, new: &Value) -> Vec<Cause> {
    let is_marked = |value: &Value| value.get("immutable") == Some(&Value::Bool(true));
    if !is_marked(old) {
        return Vec::new();
    }
    let mut causes = Vec::new();
    if !is_marked(new) {
        causes.push(Cause::forbidden("immutable", MARKED));
    }
    for name in ["data", "binaryData"] {
        if old.get(name) != new.get(name) {
            causes.push(Cause::forbidden(name, MARKED));
        }
    }
    causes
}

fn secret_bytes(secret: &Value) -> usize {
    decoded_bytes(secret.get("data"))
}

fn config_bytes(config: &Value) -> usize {
    let texts = config.get("data").and_then(Value::as_object).into_iter().flatten();
    let plain: usize = texts.map(|(_, text)| text.as_str().map_or(0, str::len)).sum();
    plain + decoded_bytes(config.get("binaryData"))
}

fn decoded_bytes(data: Option<&Value>) -> usize {
    let values =
        data.and_then(Value::as_object).into_iter().flatten().filter_map(|(_, value)| value.as_str());
    values.map(|value| STANDARD.decode(value).map_or(value.len(), |bytes| bytes.len())).sum()
}
