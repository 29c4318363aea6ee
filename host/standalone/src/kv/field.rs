//! Fields of a request as Vault reads them, however a client writes them: `7`, `"7"` and `true` are numbers.
//!
//! What does not fit is told in Vault's words, with the value: numbers, truths and durations are no secrets. The fields that hold
//! secrets are not read here.

use serde_json::{Map, Value};

use super::duration;
use super::error::KvError;

/// The fields of one request.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    fields: &'a Map<String, Value>,
    /// Whether Vault says first that it validates: not where it looks for the secret before.
    validates: bool,
}

impl<'a> Fields<'a> {
    pub(super) const fn new(fields: &'a Map<String, Value>, validates: bool) -> Self {
        Self { fields, validates }
    }

    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        self.fields.get(name)
    }

    /// A whole number; 0 for null.
    pub(super) fn whole(self, name: &str) -> Result<Option<i64>, KvError> {
        self.read(name, whole)
    }

    pub(super) fn truth(self, name: &str) -> Result<Option<bool>, KvError> {
        self.read(name, truth)
    }

    /// Seconds.
    pub(super) fn duration(self, name: &str) -> Result<Option<i64>, KvError> {
        let invalid = |value: &Value| format!("time: invalid duration {:?}", written(value));
        self.read(name, |value| duration::parse(value).ok_or_else(|| invalid(value)))
    }

    /// A list of whole numbers, one of them, or some with commas between them.
    pub(super) fn wholes(self, name: &str) -> Result<Vec<i64>, KvError> {
        Ok(self.read(name, wholes)?.unwrap_or_default())
    }

    /// That the value of a field is not acceptable, and why.
    pub(super) fn refused(self, name: &str, why: &str) -> KvError {
        let input = self.fields.get(name).map(written).unwrap_or_default();
        self.error(&format!("error converting input {input} for field {name:?}: {why}"))
    }

    /// The same without the value, which may be secret.
    pub(super) fn hidden(self, name: &str) -> KvError {
        self.error(&format!("error converting input for field {name:?}"))
    }

    fn error(self, text: &str) -> KvError {
        let first = if self.validates { "Field validation failed: " } else { "" };
        KvError::Invalid(format!("{first}{text}"))
    }

    fn read<T>(
        self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Result<Option<T>, KvError> {
        let read = self.fields.get(name).map(read).transpose();
        read.map_err(|why| self.refused(name, &why))
    }
}

/// A whole number, or why it is none.
pub(super) fn whole(value: &Value) -> Result<i64, String> {
    match value {
        Value::Number(number) => integer("", &number.to_string()),
        Value::String(text) if text.is_empty() => Ok(0),
        Value::String(text) => integer("", text),
        Value::Bool(flag) => Ok(i64::from(*flag)),
        Value::Null => Ok(0),
        Value::Array(_) | Value::Object(_) => Err("'' expected type 'int'".to_owned()),
    }
}

fn integer(place: &str, text: &str) -> Result<i64, String> {
    text.parse().map_err(|error: std::num::ParseIntError| {
        use std::num::IntErrorKind::{NegOverflow, PosOverflow};
        let why = match error.kind() {
            PosOverflow | NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        format!("cannot parse '{place}' as int: strconv.ParseInt: parsing {text:?}: {why}")
    })
}

fn truth(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if text.is_empty() => Ok(false),
        Value::String(text) => parse_truth(text).ok_or_else(|| {
            format!("cannot parse '' as bool: strconv.ParseBool: parsing {text:?}: invalid syntax")
        }),
        Value::Number(number) => Ok(number.as_f64() != Some(0.0)),
        Value::Null => Ok(false),
        Value::Array(_) | Value::Object(_) => Err("'' expected type 'bool'".to_owned()),
    }
}

/// The words that Go takes for a truth.
pub(super) fn parse_truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn wholes(value: &Value) -> Result<Vec<i64>, String> {
    let values = match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values.clone(),
        Value::String(text) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(Value::from).collect()
        }
        other => vec![other.clone()],
    };
    let one = |(index, value): (usize, &Value)| match value {
        Value::String(text) if !text.is_empty() => integer(&format!("[{index}]"), text),
        other => whole(other),
    };
    let all: Result<_, String> = values.iter().enumerate().map(one).collect();
    all.map_err(|why| format!("1 error(s) decoding:\n\n* {why}"))
}

/// A value as Go prints it.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
