//! Custom metadata: texts that a writer keeps beside a secret.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::KvError;
use super::printable::is_printable;

const MAX_KEYS: usize = 64;
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 512;
const FAILED: &str = "custom_metadata validation failed";

/// Checked custom metadata. A null removes the key in a patch, and is an empty text otherwise.
pub(super) fn parse(fields: &Map<String, Value>, patch: bool) -> Result<BTreeMap<String, String>, KvError> {
    let mut parsed = BTreeMap::new();
    for (key, value) in fields.iter().filter(|(_, value)| !(patch && value.is_null())) {
        parsed.insert(key.clone(), text(key, value)?);
    }
    let problems = check(&parsed);
    if problems.is_empty() { Ok(parsed) } else { Err(KvError::Invalid(listed(&problems))) }
}

fn text(key: &str, value: &Value) -> Result<String, KvError> {
    Ok(match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        Value::Null => String::new(),
        Value::Array(_) | Value::Object(_) => {
            return Err(KvError::Invalid(format!("{FAILED}: value for key {key:?} is not a string")));
        }
    })
}

fn check(custom: &BTreeMap<String, String>) -> Vec<String> {
    if custom.len() > MAX_KEYS {
        return vec![format!(
            "{FAILED}: payload must contain at most {MAX_KEYS} keys, provided {}",
            custom.len()
        )];
    }
    let mut problems = Vec::new();
    for (key, value) in custom {
        if key.is_empty() || key.len() > MAX_KEY {
            problems.push(format!(
                "{FAILED}: length of key {key:?} is {} but must be 0 < len(key) <= {MAX_KEY}",
                key.len()
            ));
        }
        if value.is_empty() || value.len() > MAX_VALUE {
            problems.push(format!(
                "{FAILED}: length of value for key {key:?} is {} but must be 0 < len(value) <= {MAX_VALUE}",
                value.len()
            ));
        }
        if !is_printable(key) {
            problems.push(format!("{FAILED}: key {} ({key}) contains unprintable characters", quoted(key)));
        }
        if !is_printable(value) {
            problems.push(format!("{FAILED}: value for key {key:?} contains unprintable characters"));
        }
    }
    problems
}

/// As Go quotes: the control characters that have a letter are written by it.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|character| match character {
        '\x07' => "\\a".to_owned(),
        '\x08' => "\\b".to_owned(),
        '\x0b' => "\\v".to_owned(),
        '\x0c' => "\\f".to_owned(),
        '\'' => "'".to_owned(),
        control if control.is_ascii_control() && !"\n\r\t".contains(control) => {
            format!("\\x{:02x}", u32::from(control))
        }
        other => other.escape_debug().to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// Several problems in one text, as Vault lists them.
fn listed(problems: &[String]) -> String {
    let count = problems.len();
    let noun = if count == 1 { "error" } else { "errors" };
    let lines: Vec<String> = problems.iter().map(|problem| format!("* {problem}")).collect();
    format!("{count} {noun} occurred:\n\t{}\n\n", lines.join("\n\t"))
}
