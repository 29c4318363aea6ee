//! What a server answered to one step, as it is compared and recorded.

use serde_json::{Map, Value, json};

/// An answer without what differs from run to run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The media type, where it is not JSON.
    pub(crate) media: Option<String>,
    /// The Warning headers, in their order.
    pub(crate) warnings: Vec<String>,
    /// JSON, text, or the events of a watch.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn to_json(&self) -> Value {
        let mut out = json!({"status": self.status});
        let fields = out.as_object_mut().unwrap();
        if let Some(media) = &self.media {
            fields.insert("media".to_owned(), media.as_str().into());
        }
        if !self.warnings.is_empty() {
            fields.insert("warnings".to_owned(), self.warnings.clone().into());
        }
        fields.insert("body".to_owned(), self.body.clone());
        out
    }

    /// Keeps only what `pointers` lead to.
    pub(crate) fn keep(&mut self, pointers: &[String]) {
        if !pointers.is_empty() {
            let parts = pointers.iter().map(|pointer| (pointer.clone(), part(&self.body, pointer)));
            self.body = Value::Object(parts.collect::<Map<_, _>>());
        }
    }

    /// Puts the causes of an error into an order, and takes the message, which lists them, away.
    pub(crate) fn order_causes(&mut self) {
        if let Some(causes) = self.body.pointer_mut("/details/causes").and_then(Value::as_array_mut) {
            causes.sort_by_key(Value::to_string);
            self.body.as_object_mut().unwrap().remove("message");
        }
    }
}

/// What the pointer leads to; `*` is every item or field, and what is not there is null.
fn part(value: &Value, pointer: &str) -> Value {
    let Some((before, after)) = pointer.split_once("/*") else {
        return value.pointer(pointer).cloned().unwrap_or(Value::Null);
    };
    match value.pointer(before) {
        Some(Value::Array(items)) => items.iter().map(|item| part(item, after)).collect(),
        Some(Value::Object(fields)) => {
            fields.iter().map(|(name, field)| (name.clone(), part(field, after))).collect()
        }
        _ => Value::Null,
    }
}

/// Where two answers differ: pointers with what the one and the other has there.
pub(crate) fn differences(one: &Value, other: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", one, other, &mut found);
    found
}

fn compare(at: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    let nothing = Value::String("(nothing)".to_owned());
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let added = other.keys().filter(|name| !one.contains_key(*name));
            for name in one.keys().chain(added) {
                let (one, other) = (one.get(name).unwrap_or(&nothing), other.get(name).unwrap_or(&nothing));
                compare(&format!("{at}/{name}"), one, other, found);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for index in 0..one.len().max(other.len()) {
                let (one, other) = (one.get(index).unwrap_or(&nothing), other.get(index).unwrap_or(&nothing));
                compare(&format!("{at}/{index}"), one, other, found);
            }
        }
        _ if one == other => {}
        _ => found.push(format!("{at}: {one} / {other}")),
    }
}
