//! From JSON to CEL values, by the schema: formats become timestamps, durations and bytes, field names are
//! escaped, map keys are not.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube_cel::cel::objects::{Key, Map as CelMap};
use kube_cel::cel::{Context, Program, Value as CelValue};
use serde_json::{Map, Number, Value};

use super::node::{Node, Type};

/// Words that cannot be field names in CEL.
const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// The value as rules see it.
pub(super) fn to_cel(value: &Value, schema: &Node) -> CelValue {
    convert(value, Some(schema))
}

fn convert(value: &Value, schema: Option<&Node>) -> CelValue {
    match value {
        Value::Null => CelValue::Null,
        Value::Bool(flag) => CelValue::Bool(*flag),
        Value::Number(number) => from_number(number, schema),
        Value::String(text) => from_string(text, schema),
        Value::Array(items) => {
            let item = schema.and_then(Node::item);
            CelValue::List(Arc::new(items.iter().map(|value| convert(value, item)).collect()))
        }
        Value::Object(fields) => from_object(fields, schema),
    }
}

fn from_number(number: &Number, schema: Option<&Node>) -> CelValue {
    let float = schema.is_some_and(|schema| schema.kind == Some(Type::Number));
    match (number.as_i64(), number.as_f64()) {
        (Some(integer), _) if !float => CelValue::Int(integer),
        (_, Some(float)) => CelValue::Float(float),
        (Some(integer), None) => CelValue::Int(integer),
        (None, None) => CelValue::Null,
    }
}

fn from_string(text: &str, schema: Option<&Node>) -> CelValue {
    static TIMESTAMP: LazyLock<Option<Program>> = LazyLock::new(|| Program::compile("timestamp(text)").ok());
    static DURATION: LazyLock<Option<Program>> = LazyLock::new(|| Program::compile("duration(text)").ok());
    let plain = || CelValue::String(Arc::new(text.to_owned()));
    let format = schema
        .filter(|schema| schema.kind == Some(Type::String))
        .and_then(|schema| schema.checks.format.as_deref());
    match format {
        Some("date-time" | "datetime") => parsed(&TIMESTAMP, text).unwrap_or_else(plain),
        Some("date") => parsed(&TIMESTAMP, &format!("{text}T00:00:00Z")).unwrap_or_else(plain),
        Some("duration") => parsed(&DURATION, text).unwrap_or_else(plain),
        Some("byte") => {
            STANDARD.decode(text).map_or_else(|_| plain(), |bytes| CelValue::Bytes(Arc::new(bytes)))
        }
        _ => plain(),
    }
}

fn parsed(program: &LazyLock<Option<Program>>, text: &str) -> Option<CelValue> {
    let mut context = Context::default();
    context.add_variable_from_value("text", text.to_owned());
    program.as_ref()?.execute(&context).ok()
}

/// Fields without a schema do not exist for a rule, as in kube-apiserver, unless they are the entries of a
/// map.
fn from_object(fields: &Map<String, Value>, schema: Option<&Node>) -> CelValue {
    let mut map = HashMap::with_capacity(fields.len());
    for (name, value) in fields {
        let entry = match schema {
            None => Some((name.clone(), None)),
            Some(schema) => match schema.properties.get(name) {
                Some(field) => Some((escape(name), Some(&**field))),
                None if schema.additional.is_some() => Some((name.clone(), schema.property(name))),
                None if schema.preserve_unknown && schema.kind.is_none() => Some((name.clone(), None)),
                None => None,
            },
        };
        if let Some((name, schema)) = entry {
            map.insert(Key::String(Arc::new(name)), convert(value, schema));
        }
    }
    CelValue::Map(CelMap { map: Arc::new(map) })
}

/// `foo-bar` becomes `foo__dash__bar`, `namespace` becomes `__namespace__`.
pub(super) fn escape(name: &str) -> String {
    if RESERVED.contains(&name) {
        return format!("__{name}__");
    }
    name.replace("__", "__underscores__")
        .replace('.', "__dot__")
        .replace('-', "__dash__")
        .replace('/', "__slash__")
}
