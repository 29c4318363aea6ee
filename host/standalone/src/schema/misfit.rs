//! Values that a typed decoder would not take: in built-in kinds, and in the metadata of all.
//!
//! The texts are those of Go's JSON decoder. They name fields and types and never quote a value, which may be
//! secret.

use serde_json::Value;

use super::format;
use super::node::{Additional, Node, Type};

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
            let (kind, found, wanted) = (go_type(kind, path), found(value), wanted(node));
            format!("json: cannot unmarshal {found} into Go struct field {kind}.{path} of type {wanted}")
        }
        Value::Object(fields) => {
            let known = fields.iter().filter_map(|(name, field)| Some((name, field, node.property(name)?)));
            let inner = known.flat_map(|(name, field, schema)| {
                let below = match path {
                    // Go does not tell the entries of a map apart, nor the items of a list.
                    path if node.additional.is_some() => path.to_owned(),
                    "" => name.clone(),
                    path => format!("{path}.{name}"),
                };
                find(field, schema, kind, &below)
            });
            return inner.collect();
        }
        Value::Array(items) => {
            let schema = node.item();
            let inner = items.iter();
            return inner
                .flat_map(|item| schema.map(|schema| find(item, schema, kind, path)))
                .flatten()
                .collect();
        }
        Value::String(text) => match node.checks.format.as_deref() {
            Some("byte") if format::is_broken("byte", text) => {
                format!("illegal base64 data at input byte {}", illegal_byte(text))
            }
            Some("date-time") if format::is_broken("date-time", text) => {
                "parsing time: cannot parse as \"2006-01-02T15:04:05Z07:00\"".to_owned()
            }
            _ => return Vec::new(),
        },
        Value::Bool(_) | Value::Number(_) => return Vec::new(),
    };
    vec![Misfit { field: path.to_owned(), problem }]
}

/// The Go type that a field belongs to.
fn go_type<'a>(kind: &'a str, path: &str) -> &'a str {
    if path.starts_with("metadata.") { "ObjectMeta" } else { kind }
}

/// The first byte that base64 does not have there.
fn illegal_byte(text: &str) -> usize {
    let is_base64 =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\n' | b'\r');
    text.bytes().position(|byte| !is_base64(byte)).unwrap_or(text.len())
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
        Some(Type::Object) => match &node.additional {
            Some(Additional::Of(entry)) if entry.checks.format.as_deref() == Some("byte") => {
                "map[string][]uint8"
            }
            Some(_) => "map[string]string",
            None => "struct",
        },
        Some(Type::Array) => "[]string",
        Some(Type::Boolean) => "bool",
        Some(Type::Integer) => "int64",
        Some(Type::Number) => "float64",
        Some(Type::String) | None => "string",
    }
}
