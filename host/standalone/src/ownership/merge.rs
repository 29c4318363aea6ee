//! Merging, and what an object or a configuration owns, along the schema.

use serde_json::{Map, Value};

use super::set::{Entry, FieldSet, Step};
use crate::schema::{Field, MergeKind};

/// The paths that a configuration is about.
pub(super) fn owned_by(value: &Value, field: Field<'_>) -> FieldSet {
    let mut set = FieldSet::default();
    match (field.merge(value), value) {
        (MergeKind::Granular, Value::Object(fields)) => {
            for (name, value) in fields {
                let deeper = field.property(name);
                let member = is_leaf(value, deeper) || !is_declared(field, name);
                set.add(Step::Field(name.clone()), member, owned_by(value, deeper));
            }
        }
        (MergeKind::Set | MergeKind::Map(_), Value::Array(_)) => {
            for (step, item) in items_by_step(value, field) {
                set.add(step, true, owned_by(item, field.item()));
            }
        }
        _ => {}
    }
    set
}

/// The set, and in it the declared fields that it only leads through.
pub(super) fn with_named_fields(set: &FieldSet, field: Field<'_>) -> FieldSet {
    let mut out = FieldSet::default();
    for (step, Entry { member, below }) in &set.entries {
        let (deeper, named) = match step {
            Step::Field(name) => (field.property(name), is_declared(field, name) && !below.is_empty()),
            Step::Key(_) | Step::Value(_) | Step::Index(_) => (field.item(), false),
        };
        out.add(step.clone(), *member || named, with_named_fields(below, deeper));
    }
    out
}

/// `old` with what `config` says.
pub(super) fn merge(old: Option<&Value>, config: &Value, field: Field<'_>) -> Value {
    match (field.merge(config), old, config) {
        (MergeKind::Granular, old, Value::Object(fields)) => {
            let mut merged = old.and_then(Value::as_object).cloned().unwrap_or_default();
            for (name, value) in fields {
                let value = merge(merged.get(name), value, field.property(name));
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        (MergeKind::Set | MergeKind::Map(_), Some(old @ Value::Array(_)), Value::Array(_)) => {
            merge_lists(&items_by_step(old, field), &items_by_step(config, field), field)
        }
        _ => config.clone(),
    }
}

/// Items of both keep the order of the configuration; those that it does not name stay where they were among them.
fn merge_lists(old: &[(Step, &Value)], config: &[(Step, &Value)], field: Field<'_>) -> Value {
    let find = |list: &[(Step, &Value)], step: &Step| list.iter().position(|(other, _)| other == step);
    let mut merged = Vec::new();
    let mut rest = old;
    let take_unnamed = |rest: &mut &[(Step, &Value)], done: usize, merged: &mut Vec<Value>| {
        while let Some(((step, item), after)) = rest.split_first() {
            match find(config, step) {
                None => merged.push((*item).clone()),
                Some(at) if at < done => {}
                Some(_) => break,
            }
            *rest = after;
        }
    };
    for (done, (step, item)) in config.iter().enumerate() {
        take_unnamed(&mut rest, done, &mut merged);
        let before = find(old, step).and_then(|at| old.get(at)).map(|(_, item)| *item);
        merged.push(merge(before, item, field.item()));
    }
    take_unnamed(&mut rest, config.len(), &mut merged);
    Value::Array(merged)
}

/// `value` without the members of `removed` and all that is below them.
pub(super) fn without(value: &Value, removed: &FieldSet, field: Field<'_>) -> Value {
    let none = Entry::default();
    let entry = |step: &Step| removed.entries.get(step).unwrap_or(&none).clone();
    match (field.merge(value), value) {
        _ if removed.is_empty() => value.clone(),
        (MergeKind::Granular, Value::Object(fields)) => {
            let mut kept = Map::new();
            for (name, value) in fields {
                let entry = entry(&Step::Field(name.clone()));
                if !entry.member {
                    kept.insert(name.clone(), without(value, &entry.below, field.property(name)));
                }
            }
            Value::Object(kept)
        }
        (MergeKind::Set | MergeKind::Map(_), Value::Array(_)) => {
            let items = items_by_step(value, field).into_iter().filter(|(step, _)| !entry(step).member);
            items.map(|(step, item)| without(item, &entry(&step).below, field.item())).collect()
        }
        _ => value.clone(),
    }
}

/// The items of a list of type set or map, each with the step to it.
pub(super) fn items_by_step<'v>(list: &'v Value, field: Field<'_>) -> Vec<(Step, &'v Value)> {
    let kind = field.merge(list);
    let items = list.as_array().into_iter().flatten();
    items
        .map(|item| {
            let step = match kind {
                MergeKind::Map(keys) => {
                    Step::key(keys.iter().filter_map(|key| key_of(item, key, field)).collect())
                }
                MergeKind::Set | MergeKind::Granular | MergeKind::Atomic => Step::Value(item.to_string()),
            };
            (step, item)
        })
        .collect()
}

fn key_of(item: &Value, key: &str, field: Field<'_>) -> Option<(String, Value)> {
    let value = item.get(key).or_else(|| field.item().property(key).default())?;
    Some((key.to_owned(), value.clone()))
}

pub(super) fn problems(config: &Value, field: Field<'_>, path: &str, found: &mut Vec<String>) {
    if let Some(expected) = field.mismatch(config) {
        let kind = if config.is_object() {
            "map"
        } else if config.is_array() {
            "list"
        } else {
            "value"
        };
        let shown = config.as_i64().filter(|_| kind == "value");
        found.push(match shown {
            Some(number) => {
                format!("{path}: expected {expected}, got &value.valueUnstructured{{Value:{number}}}")
            }
            None => format!("{path}: expected {expected}, got another {kind}"),
        });
        return;
    }
    match config {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = format!("{path}.{name}");
                if field.allows(name) {
                    problems(value, field.property(name), &path, found);
                } else {
                    found.push(format!("{path}: field not declared in schema"));
                }
            }
        }
        Value::Array(_) if matches!(field.merge(config), MergeKind::Set | MergeKind::Map(_)) => {
            let mut seen = Vec::new();
            for (step, item) in items_by_step(config, field) {
                if seen.contains(&step) {
                    found.push(format!("{path}: duplicate entries for key {}", step.to_path()));
                    continue;
                }
                problems(item, field.item(), &format!("{path}{}", step.to_path()), found);
                seen.push(step);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                problems(item, field.item(), &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn is_leaf(value: &Value, field: Field<'_>) -> bool {
    let is_empty_map = value.as_object().is_some_and(Map::is_empty);
    is_empty_map || field.merge(value) == MergeKind::Atomic
}

/// Whether the schema names the field, as opposed to a free key of a map.
fn is_declared(parent: Field<'_>, name: &str) -> bool {
    parent.is_known() && !parent.is_map() && parent.property(name).is_known()
}
