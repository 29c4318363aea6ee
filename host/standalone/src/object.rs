//! Reading and setting what every object has, on objects that are JSON.
//!
//! These functions take what is there: a missing or wrongly typed field reads as empty. Whether an object is right is
//! the business of its schema, which has looked at it before it is stored.

use serde_json::{Map, Value};

/// The text at a JSON pointer, or "".
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

pub(crate) fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

pub(crate) fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// The version as text: empty on an object that was never stored.
pub(crate) fn resource_version(object: &Value) -> &str {
    text(object, "/metadata/resourceVersion")
}

pub(crate) fn is_deleting(object: &Value) -> bool {
    !text(object, "/metadata/deletionTimestamp").is_empty()
}

pub(crate) fn finalizers(object: &Value) -> Vec<&str> {
    strings(object.pointer("/metadata/finalizers"))
}

pub(crate) fn generation(object: &Value) -> i64 {
    object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0)
}

/// The entries of `metadata.ownerReferences`.
pub(crate) fn owners(object: &Value) -> impl Iterator<Item = &Value> {
    object.pointer("/metadata/ownerReferences").and_then(Value::as_array).into_iter().flatten()
}

pub(crate) fn strings(list: Option<&Value>) -> Vec<&str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The fields of an object; an object that is none becomes an empty one.
pub(crate) fn fields(object: &mut Value) -> &mut Map<String, Value> {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    #[expect(clippy::expect_used, reason = "made an object just above")]
    object.as_object_mut().expect("an object")
}

/// The fields under `name`, made where there are none.
pub(crate) fn child<'a>(object: &'a mut Value, name: &str) -> &'a mut Map<String, Value> {
    fields(fields(object).entry(name).or_insert(Value::Null))
}

pub(crate) fn metadata(object: &mut Value) -> &mut Map<String, Value> {
    child(object, "metadata")
}

/// Sets a field of the metadata, or removes it when there is no value.
pub(crate) fn set_metadata(object: &mut Value, name: &str, value: Option<Value>) {
    set(metadata(object), name, value);
}

/// Sets a field, or removes it when there is no value.
pub(crate) fn set(fields: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            fields.insert(name.to_owned(), value);
        }
        // The order of the others is what people read.
        None => {
            fields.shift_remove(name);
        }
    }
}

/// What `old` has under `name`, or nothing, takes the place of what `new` has there.
pub(crate) fn carry(new: &mut Map<String, Value>, old: Option<&Map<String, Value>>, name: &str) {
    let value = old.and_then(|old| old.get(name)).cloned();
    set(new, name, value);
}
