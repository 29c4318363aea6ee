//! Tables: what `kubectl get` shows, as `meta.k8s.io/v1` Table objects.
//!
//! The printer is pure: it gets objects and the time. It never shows data of Secrets or ConfigMaps, only how
//! many keys they have.
//!
//! # Differences
//!
//! From kube-apiserver: descriptions of columns of built-in kinds are in our words.

mod age;
mod builtin;
mod path;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::{Value, json};

pub use builtin::BuiltinColumns;
pub use path::{JsonPath, PathError};

const NAME_DESCRIPTION: &str = "The object's name, unique within its kind and namespace.";
const CREATED_DESCRIPTION: &str = "When the object was created.";

/// Which columns a kind has.
#[derive(Debug, Clone)]
pub enum Columns {
    /// Those of a CustomResourceDefinition, after NAME.
    Declared(Vec<Column>),
    /// Those of a built-in kind, and of a CustomResourceDefinition that declares none.
    Builtin(BuiltinColumns),
}

/// A column that a CustomResourceDefinition declares.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    /// integer, number, string, boolean or date.
    pub kind: String,
    pub format: String,
    pub description: String,
    /// 0 is always shown; more only in wide output.
    pub priority: i64,
    pub path: JsonPath,
}

impl Column {
    /// A column from the definition; none if its path does not parse.
    pub(crate) fn parse(source: &Value) -> Option<Self> {
        let text = |name: &str| source.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Self {
            name: text("name"),
            kind: text("type"),
            format: text("format"),
            description: text("description"),
            priority: source.get("priority").and_then(Value::as_i64).unwrap_or(0),
            path: JsonPath::parse(&text("jsonPath")).ok()?,
        })
    }

    fn definition(&self) -> Value {
        let description = match self.description.as_str() {
            "" => format!("Custom resource definition column (in JSONPath format): {}", self.path.text()),
            description => description.to_owned(),
        };
        definition(&self.name, &self.kind, &self.format, &description, self.priority)
    }

    fn cell(&self, object: &Value, now: Timestamp) -> Value {
        let found = self.path.find(object);
        let Some(value) = found.first().filter(|value| !value.is_null()) else {
            return Value::Null;
        };
        match (self.kind.as_str(), value) {
            ("string", Value::String(text)) => Value::from(text.as_str()),
            ("string", other) => Value::from(other.to_string()),
            ("integer", Value::Number(number)) => whole(number),
            ("number", Value::Number(number)) => Value::from(number.clone()),
            ("boolean", Value::Bool(flag)) => Value::Bool(*flag),
            ("date", Value::String(text)) => Value::from(age::of_text(text, now)),
            _ => Value::Null,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "an integer column cuts off fractions, as kube-apiserver does"
)]
fn whole(number: &serde_json::Number) -> Value {
    number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)).map_or(Value::Null, Value::from)
}

/// What goes into the `object` of each row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IncludeObject {
    None,
    #[default]
    Metadata,
    Object,
}

impl IncludeObject {
    /// The query parameter `includeObject`; `None` if it is not one of its values.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "None" => Self::None,
            "Metadata" | "" => Self::Metadata,
            "Object" => Self::Object,
            _ => return None,
        })
    }
}

/// How a table is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct TableOptions {
    pub include_object: IncludeObject,
    /// Leaves the column definitions out, as in all but the first event of a watch.
    pub no_headers: bool,
}

impl Columns {
    /// The table of these objects. `metadata` is the list's, or that of a single object of which only the
    /// version counts.
    pub fn table<'a>(
        &self,
        objects: impl IntoIterator<Item = &'a Value>,
        metadata: &Value,
        options: TableOptions,
        now: Timestamp,
    ) -> Value {
        let rows = objects.into_iter().map(|object| self.row(object, options.include_object, now));
        json!({
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": list_metadata(metadata),
            "columnDefinitions": if options.no_headers { Value::Null } else { self.definitions() },
            "rows": rows.collect::<Vec<_>>(),
        })
    }

    fn definitions(&self) -> Value {
        match self {
            Self::Declared(columns) => {
                let name = definition("Name", "string", "name", NAME_DESCRIPTION, 0);
                std::iter::once(name).chain(columns.iter().map(Column::definition)).collect()
            }
            Self::Builtin(columns) => columns.definitions(),
        }
    }

    fn row(&self, object: &Value, include: IncludeObject, now: Timestamp) -> Value {
        let cells: Value = match self {
            Self::Declared(columns) => {
                let name = object.pointer("/metadata/name").cloned().unwrap_or_default();
                std::iter::once(name).chain(columns.iter().map(|column| column.cell(object, now))).collect()
            }
            Self::Builtin(columns) => columns.cells(object, now).into(),
        };
        let included = match include {
            IncludeObject::None => Value::Null,
            IncludeObject::Metadata => partial(object),
            IncludeObject::Object => object.clone(),
        };
        json!({"cells": cells, "object": included})
    }
}

/// Only what says where the list stands.
fn list_metadata(metadata: &Value) -> Value {
    let kept = ["resourceVersion", "continue", "remainingItemCount"];
    let fields = kept.into_iter().filter_map(|name| Some((name.to_owned(), metadata.get(name)?.clone())));
    Value::Object(fields.collect())
}

fn partial(object: &Value) -> Value {
    let metadata = object.get("metadata").cloned().unwrap_or_else(|| json!({}));
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
}

fn definition(name: &str, kind: &str, format: &str, description: &str, priority: i64) -> Value {
    json!({"name": name, "type": kind, "format": format, "description": description, "priority": priority})
}
