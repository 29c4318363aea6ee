//! Between a template's values and YAML. Both ways lead through JSON, as in ESO: numbers that are read are floats, and
//! what JSON cannot say cannot be written.

use super::load::load;
use super::{Node, emit, key_text};
use crate::json::{Style, write};
use crate::limits::{Budget, VALUE_DEPTH};
use crate::rule::Rule;
use crate::text::{Text, runes};
use crate::value::{Dict, Value};

/// Reads the first document.
pub(crate) fn from_text(text: &[u8], budget: &mut Budget) -> Result<Value, Rule> {
    let document = load(text, budget)?;
    value(document, budget)
}

#[expect(clippy::cast_precision_loss, reason = "JSON's numbers are floats")]
fn value(node: Node, budget: &mut Budget) -> Result<Value, Rule> {
    Ok(match node {
        Node::Null => Value::Nil,
        Node::Bool(value) => Value::Bool(value),
        Node::Int(value) => Value::Float(value as f64),
        Node::Uint(value) => Value::Float(value as f64),
        Node::Float(value) if value.is_finite() => Value::Float(value),
        Node::Float(_) | Node::Plain(_) => return Err(Rule::NotYaml),
        Node::Text(text) => Value::Text(valid(&text)),
        Node::List(items) => {
            Value::list(items.into_iter().map(|item| value(item, budget)).collect::<Result<_, _>>()?)?
        }
        Node::Map(entries) => {
            budget.node()?;
            let dict = Dict::default();
            for (key, item) in entries {
                dict.insert(key_text(&key)?.into(), value(item, budget)?)?;
            }
            Value::Dict(dict)
        }
    })
}

/// Writes a value.
pub(crate) fn to_text(value: &Value, budget: &mut Budget) -> Result<Text, Rule> {
    emit::emit(&node(value, budget, 0)?)
}

fn node(value: &Value, budget: &mut Budget, depth: usize) -> Result<Node, Rule> {
    budget.steps(4)?;
    if depth > VALUE_DEPTH {
        return Err(Rule::Nesting);
    }
    Ok(match value {
        Value::Nil => Node::Null,
        Value::Bool(value) => Node::Bool(*value),
        Value::Int(value, _) => Node::Plain(value.to_string()),
        Value::Uint(value, _) => Node::Plain(value.to_string()),
        Value::Float(_) => number(value)?,
        Value::Text(text) => Node::Text(checked(text)?),
        Value::List(list) if list.is_nil() => Node::Null,
        Value::List(list) => Node::List(
            list.items().iter().map(|item| node(item, budget, depth + 1)).collect::<Result<_, _>>()?,
        ),
        Value::Dict(dict) => {
            let entries = dict.entries().into_iter();
            let entry = |(key, item): (Text, Value)| {
                Ok((Node::Text(checked(&key)?), node(&item, budget, depth + 1)?))
            };
            Node::Map(entries.map(entry).collect::<Result<_, Rule>>()?)
        }
        Value::Texts(texts) => {
            let entry =
                |(key, text): (&Text, &Text)| Ok((Node::Text(checked(key)?), Node::Text(checked(text)?)));
            Node::Map(texts.iter().map(entry).collect::<Result<_, Rule>>()?)
        }
        Value::Object(object) => match object.fields() {
            Some(fields) => {
                let entry = |(name, field): (&str, Value)| {
                    Ok((Node::Text(name.into()), node(&field, budget, depth + 1)?))
                };
                Node::Map(fields.into_iter().map(entry).collect::<Result<_, Rule>>()?)
            }
            None => Node::Text(object.json().to_vec()),
        },
        Value::Complex(..) => return Err(Rule::BadArgument),
    })
}

/// A float as JSON writes it, then as YAML reads that and writes it again: whole numbers have no exponent.
fn number(value: &Value) -> Result<Node, Rule> {
    let json = write(value, Style::Compact)?;
    let text = String::from_utf8_lossy(&json).into_owned();
    let whole = text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok();
    match value {
        Value::Float(float) if !whole => {
            Ok(Node::Plain(crate::format::float::format_float(*float, 'g', None)))
        }
        _ => Ok(Node::Plain(text)),
    }
}

/// JSON's text, in which go-yaml takes no control character that JSON does not escape.
fn checked(text: &[u8]) -> Result<Vec<u8>, Rule> {
    let text = valid(text);
    let refused = |c: char| matches!(c, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    if runes(&text).any(|rune| refused(rune.char)) { Err(Rule::BadArgument) } else { Ok(text.to_vec()) }
}

/// What is not UTF-8 becomes U+FFFD.
fn valid(text: &[u8]) -> Text {
    match std::str::from_utf8(text) {
        Ok(text) => Text::from(text),
        Err(_) => Text::from(runes(text).map(|rune| rune.char).collect::<String>()),
    }
}
