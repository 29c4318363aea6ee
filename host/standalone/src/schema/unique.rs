//! Uniqueness of the items of lists of type set and map.

use serde_json::{Map, Value};

use super::cause::{Cause, Path};
use super::node::{ListType, Node};

/// The first repetition of each item. An object that had repetitions before may keep them.
pub(super) fn validate(root: &Node, new: &Value, old: Option<&Value>) -> Vec<Cause> {
    let repetitions = |object: &Value| {
        let mut causes = Vec::new();
        walk(root, Path::Root, object, &mut causes);
        causes
    };
    let causes = repetitions(new);
    let forgiven = !causes.is_empty() && old.is_some_and(|old| !repetitions(old).is_empty());
    if forgiven { Vec::new() } else { causes }
}

fn walk(schema: &Node, at: Path<'_>, value: &Value, causes: &mut Vec<Cause>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let below = if schema.properties.contains_key(name) { at.child(name) } else { at.key(name) };
                // Lists of metadata are not checked, in any kind.
                let of_metadata = schema.embedded && name == "metadata";
                if let (Some(schema), false) = (schema.property(name), of_metadata) {
                    walk(schema, below, field, causes);
                }
            }
        }
        Value::Array(items) => {
            match &schema.list_type {
                Some(ListType::Set) => repeated(items)
                    .for_each(|(index, item)| causes.push(Cause::duplicate(at.index(index), item))),
                Some(ListType::Map(keys)) => {
                    let keys: Vec<Value> = items.iter().map(|item| key_of(item, keys)).collect();
                    repeated(&keys)
                        .for_each(|(index, key)| causes.push(Cause::duplicate(at.index(index), key)));
                }
                Some(ListType::Atomic) | None => {}
            }
            if let Some(schema) = schema.item() {
                for (index, item) in items.iter().enumerate() {
                    walk(schema, at.index(index), item, causes);
                }
            }
        }
        _ => {}
    }
}

fn key_of(item: &Value, keys: &[String]) -> Value {
    let fields = keys.iter().filter_map(|key| Some((key.clone(), item.get(key)?.clone())));
    Value::Object(fields.collect::<Map<_, _>>())
}

/// Items that are there before, each once.
fn repeated(items: &[Value]) -> impl Iterator<Item = (usize, &Value)> {
    items
        .iter()
        .enumerate()
        .filter(move |(index, item)| items.iter().take(*index).filter(|earlier| earlier == item).count() == 1)
}
