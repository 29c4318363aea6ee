//! Defaulting: defaults of missing fields, and removal of nulls that the schema does not allow.

use serde_json::{Map, Value};

use super::node::{Additional, Node};

/// Removes nulls that have neither permission nor a default, then fills in defaults, top down.
pub(super) fn apply(value: &mut Value, node: &Node) {
    drop_nulls(value, node);
    fill(value, node);
}

fn drop_nulls(value: &mut Value, node: &Node) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, field| {
                let schema = node.property(name);
                !(field.is_null()
                    && schema.is_some_and(|schema| !schema.nullable && schema.default.is_none()))
            });
            for (name, field) in fields.iter_mut() {
                if let Some(schema) = node.property(name) {
                    drop_nulls(field, schema);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = node.item() {
                items.iter_mut().for_each(|item| drop_nulls(item, schema));
            }
        }
        _ => {}
    }
}

fn fill(value: &mut Value, node: &Node) {
    match value {
        Value::Object(fields) => fill_object(fields, node),
        Value::Array(items) => {
            if let Some(schema) = node.item() {
                for item in items {
                    replace_null(item, schema);
                    fill(item, schema);
                }
            }
        }
        _ => {}
    }
}

fn fill_object(fields: &mut Map<String, Value>, node: &Node) {
    for (name, schema) in &node.properties {
        let Some(default) = &schema.default else { continue };
        if fields.get(name).is_none_or(|field| field.is_null() && !schema.nullable) {
            fields.insert(name.clone(), default.clone());
        }
    }
    for (name, field) in fields.iter_mut() {
        if let Some(schema) = node.properties.get(name) {
            fill(field, schema);
        } else if let Some(Additional::Of(schema)) = &node.additional {
            replace_null(field, schema);
            fill(field, schema);
        }
    }
}

fn replace_null(value: &mut Value, schema: &Node) {
    if let (Value::Null, false, Some(default)) = (&*value, schema.nullable, &schema.default) {
        *value = default.clone();
    }
}
