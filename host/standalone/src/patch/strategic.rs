//! Strategic merge patch: lists merge by the key that the schema gives, and directives say what JSON cannot.
//!
//! Directives: `$patch` (replace, delete, merge), `$retainKeys`, `$deleteFromPrimitiveList/x`, `$setElementOrder/x`.

use serde_json::{Map, Value};

use crate::object;
use crate::schema::{Field, PatchStrategy};

const PATCH: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const ORDER: &str = "$setElementOrder/";

/// Merges `patch` into `document`; the error says which directive is not understood.
pub(super) fn merge(document: &mut Value, patch: &Value, field: Field<'_>) -> Result<(), String> {
    let Some(patch) = patch.as_object() else {
        *document = patch.clone();
        return Ok(());
    };
    match patch.get(PATCH).map(|directive| directive.as_str().unwrap_or_default()) {
        None | Some("merge") => {}
        Some("replace") => *document = Value::Object(Map::new()),
        Some("delete") => {
            *document = Value::Object(Map::new());
            return Ok(());
        }
        Some(other) => return Err(format!("unknown patch type: {other}")),
    }
    let fields = object::fields(document);
    if let Some(retained) = patch.get(RETAIN) {
        let retained = object::strings(Some(retained));
        fields.retain(|name, _| retained.contains(&name.as_str()));
    }
    for (name, value) in patch.iter().filter(|(name, _)| !name.starts_with('$')) {
        merge_field(fields, name, value, field.property(name))?;
    }
    for (directive, value) in patch {
        if let Some(name) = directive.strip_prefix(DELETE_FROM) {
            delete_from(fields, name, value);
        } else if let Some(name) = directive.strip_prefix(ORDER) {
            order(fields, name, value, field.property(name));
        }
    }
    Ok(())
}

fn merge_field(
    fields: &mut Map<String, Value>,
    name: &str,
    patch: &Value,
    field: Field<'_>,
) -> Result<(), String> {
    match patch {
        Value::Null => {
            fields.shift_remove(name);
        }
        Value::Object(_) => {
            let document = fields.entry(name).or_insert_with(|| Value::Object(Map::new()));
            merge(document, patch, field)?;
        }
        Value::Array(items) => {
            let document = fields.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            merge_list(document, items, field)?;
        }
        scalar => {
            fields.insert(name.to_owned(), scalar.clone());
        }
    }
    Ok(())
}

fn merge_list(document: &mut Value, patch: &[Value], field: Field<'_>) -> Result<(), String> {
    let is = |item: &Value, directive: &str| object::text(item, "/$patch") == directive;
    if patch.iter().any(|item| is(item, "replace")) {
        *document = patch.iter().filter(|item| !is(item, "replace")).cloned().collect();
        return Ok(());
    }
    let Some(list) = document.as_array_mut() else {
        *document = Value::Array(patch.to_vec());
        return Ok(());
    };
    match field.patch_strategy() {
        PatchStrategy::Replace => *list = patch.to_vec(),
        PatchStrategy::Merge => {
            let old = std::mem::take(list);
            let (kept, named) = (|item: &Value| !patch.contains(item), patch.to_vec());
            *list = interleaved(&old, kept, named, |item, other| item == other);
        }
        PatchStrategy::MergeBy(key) => {
            let old = std::mem::take(list);
            let mut named = Vec::new();
            for item in patch {
                let wanted = item
                    .get(key)
                    .ok_or_else(|| format!("an item does not contain declared merge key: {key}"))?;
                if !is(item, "delete") {
                    let found = old.iter().find(|other| other.get(key) == Some(wanted));
                    let mut document = found.cloned().unwrap_or_else(|| Value::Object(Map::new()));
                    merge(&mut document, item, field.item())?;
                    named.push(document);
                }
            }
            let kept = |item: &Value| patch.iter().all(|other| other.get(key) != item.get(key));
            *list = interleaved(&old, kept, named, |item, other| item.get(key) == other.get(key));
        }
    }
    Ok(())
}

/// The items of the patch in their order, and those of the document that it does not name in theirs; between the two,
/// the order of the document decides, and what is new comes first.
fn interleaved(
    old: &[Value],
    kept: impl Fn(&Value) -> bool,
    named: Vec<Value>,
    same: impl Fn(&Value, &Value) -> bool,
) -> Vec<Value> {
    let place = |item: &Value| old.iter().position(|other| same(item, other));
    let mut rest = old.iter().filter(|item| kept(item)).peekable();
    let mut merged = Vec::with_capacity(old.len() + named.len());
    for item in named {
        let until = place(&item);
        while let Some(before) = rest.next_if(|other| until.is_some_and(|until| place(other) < Some(until))) {
            merged.push(before.clone());
        }
        merged.push(item);
    }
    merged.extend(rest.cloned());
    merged
}

fn delete_from(fields: &mut Map<String, Value>, name: &str, removed: &Value) {
    if let (Some(list), Some(removed)) =
        (fields.get_mut(name).and_then(Value::as_array_mut), removed.as_array())
    {
        list.retain(|item| !removed.contains(item));
    }
}

/// Puts the named items into the named order; those that are not named stay where they are.
fn order(fields: &mut Map<String, Value>, name: &str, order: &Value, field: Field<'_>) {
    let (Some(list), Some(order)) = (fields.get_mut(name).and_then(Value::as_array_mut), order.as_array())
    else {
        return;
    };
    let rank = |item: &Value| match field.patch_strategy() {
        PatchStrategy::MergeBy(key) => {
            order.iter().position(|named| named.get(key).is_some() && named.get(key) == item.get(key))
        }
        PatchStrategy::Merge | PatchStrategy::Replace => order.iter().position(|named| named == item),
    };
    let mut named: Vec<Value> = list.iter().filter(|item| rank(item).is_some()).cloned().collect();
    named.sort_by_key(rank);
    let mut named = named.into_iter();
    for item in list.iter_mut().filter(|item| rank(item).is_some()) {
        if let Some(next) = named.next() {
            *item = next;
        }
    }
}
