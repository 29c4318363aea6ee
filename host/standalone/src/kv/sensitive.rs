//! JSON that holds secrets: it cannot be printed, and its texts are zeroed when it is dropped.

use serde_json::{Map, Value};
use zeroize::Zeroize as _;

/// The fields of a JSON object.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Sensitive(Map<String, Value>);

impl Sensitive {
    pub(super) fn new(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    pub(super) fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    pub(super) fn fields_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.0
    }

    /// The object of that name, taken out.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }
}

impl std::fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sensitive").field("keys", &self.0.len()).finish_non_exhaustive()
    }
}

impl Drop for Sensitive {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
