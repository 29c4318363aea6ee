//! CustomResourceDefinitions: the defaults of their names, and the status that says that they are served.
//!
//! A definition is served as soon as it is stored, so its status is right from the start.

use serde_json::{Map, Value, json};

use crate::object;

/// Holds a definition back until its objects are gone.
pub(crate) const CLEANUP_FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

pub(super) fn read(definition: &mut Value) {
    let kind = object::text(definition, "/spec/names/kind").to_owned();
    let spec = object::child(definition, "spec");
    spec.entry("conversion").or_insert_with(|| json!({"strategy": "None"}));
    if let Some(names) = spec.get_mut("names").filter(|_| !kind.is_empty()) {
        let names = object::fields(names);
        let absent = |names: &Map<String, Value>, name: &str| names.get(name).is_none_or(|value| value == "");
        if absent(names, "singular") {
            names.insert("singular".to_owned(), kind.to_lowercase().into());
        }
        if absent(names, "listKind") {
            names.insert("listKind".to_owned(), format!("{kind}List").into());
        }
    }
}

/// Accepts the names, and remembers in which versions objects may be stored.
pub(super) fn establish(definition: &mut Value, old: Option<&Value>, now: &str) {
    let names = definition.pointer("/spec/names").cloned().unwrap_or(Value::Null);
    let mut versions: Vec<String> =
        object::strings(old.and_then(|old| old.pointer("/status/storedVersions")))
            .into_iter()
            .map(str::to_owned)
            .collect();
    if let Some(version) = storage_version(definition).filter(|version| !versions.contains(version)) {
        versions.push(version);
    }
    let conditions = match old.and_then(|old| old.pointer("/status/conditions")) {
        Some(conditions) => conditions.clone(),
        None => json!([
            condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted", now),
        ]),
    };
    let status = json!({"conditions": conditions, "acceptedNames": names, "storedVersions": versions});
    object::fields(definition).insert("status".to_owned(), status);
}

fn storage_version(definition: &Value) -> Option<String> {
    let versions = definition.pointer("/spec/versions")?.as_array()?;
    let storage = versions.iter().find(|version| version.get("storage") == Some(&Value::Bool(true)))?;
    Some(storage.get("name")?.as_str()?.to_owned())
}

fn condition(kind: &str, reason: &str, message: &str, now: &str) -> Value {
    json!({"lastTransitionTime": now, "message": message, "reason": reason, "status": "True", "type": kind})
}
