//! Values that a typed decoder would not take: in built-in kinds, and in the metadata of all.
//!
//! The texts are those of Go's JSON decoder. They name fields and types and never quote a value, which may be
//! secret.

use serde_json::Value;

use super::format;
use super::node::{Node, Type};

/// A field and why its value does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    /// Path of the field, as `data.k`.
    pub(super) field: String,
    pub(super) problem: String,
}

/// All misfits, in order.
pub(super) fn find(value: &Value, node: &Node, kind: &str, path: &str) -> Vec<Misfit> {
    let problem = match value {
        Value::Null => return Vec::new(),
        _ if !fits(value, node) => {
            format!(
                "json: cannot unmarshal {} into Go struct field {kind}.{path} of type {}",
                found(value),
                wanted(node)
            )
        }
        Value::Object(fields) => {
            let known = fields.iter().filter_map(|(name, field)| Some((name, field, node.property(name)?)));
            let inner = known.flat_map(|(name, field, schema)| {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                find(field, schema, kind, &below)
            });
            return inner.collect();
        }
        Value::Array(items) => {
            let schema = node.item();
            let inner = items.iter().enumerate();
            return inner
                .flat_map(|(index, item)| {
                    schema.map(|schema| find(item, schema, kind, &format!("{path}[{index}]")))
                })
                .flatten()
                .collect();
        }
        Value::String(text) => match node.checks.format.as_deref() {
            Some("byte") if format::is_broken("byte", text) => "illegal base64 data".to_owned(),
            Some("date-time") if format::is_broken("date-time", text) => {
                "parsing time: cannot parse as \"2006-01-02T15:04:05Z07:00\"".to_owned()
            }
            _ => return Vec::new(),
        },
        Value::Bool(_) | Value::Number(_) => return Vec::new(),
    };
    vec![Misfit { field: path.to_owned(), problem }]
}

fn fits(value: &Value, node: &Node) -> bool {
    match node.kind {
        None => true,
        Some(Type::Object) => value.is_object(),
        Some(Type::Array) => value.is_array(),
        Some(Type::String) => value.is_string(),
        Some(Type::Boolean) => value.is_boolean(),
        Some(Type::Integer) => value.is_i64() || value.is_u64(),
        Some(Type::Number) => value.is_number(),
    }
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn wanted(node: &Node) -> &'static str {
    match node.kind {
        Some(Type::Object) if node.additional.is_some() => "map[string]string",
        Some(Type::Object) => "struct",
        Some(Type::Array) => "[]string",
        Some(Type::Boolean) => "bool",
        Some(Type::Integer) => "int64",
        Some(Type::Number) => "float64",
        Some(Type::String) | None => "string",
    }
}
