//! Reading checked arguments. The evaluator has compared them with the signature, so a mismatch here would be a row whose
//! signature lies; it ends as a wrong argument type, not as a panic.

use crate::rule::Rule;
use crate::text::Text;
use crate::value::{Dict, Value};

pub(super) fn any(arguments: &[Value], at: usize) -> Result<&Value, Rule> {
    arguments.get(at).ok_or(Rule::ArgumentCount)
}

pub(super) fn text(arguments: &[Value], at: usize) -> Result<&Text, Rule> {
    match arguments.get(at) {
        Some(Value::Text(text)) => Ok(text),
        _ => Err(Rule::ArgumentType),
    }
}

pub(super) fn int(arguments: &[Value], at: usize) -> Result<i64, Rule> {
    match arguments.get(at) {
        Some(Value::Int(int, _)) => Ok(*int),
        _ => Err(Rule::ArgumentType),
    }
}

pub(super) fn boolean(arguments: &[Value], at: usize) -> Result<bool, Rule> {
    match arguments.get(at) {
        Some(Value::Bool(boolean)) => Ok(*boolean),
        _ => Err(Rule::ArgumentType),
    }
}

/// A nil dict reads like an empty one.
pub(super) fn dict(arguments: &[Value], at: usize) -> Result<Dict, Rule> {
    match arguments.get(at) {
        Some(Value::Dict(dict)) => Ok(dict.clone()),
        Some(Value::Nil) => Ok(Dict::default()),
        _ => Err(Rule::ArgumentType),
    }
}

/// A nil list reads like an empty one.
pub(super) fn list(arguments: &[Value], at: usize) -> Result<&[Value], Rule> {
    match arguments.get(at) {
        Some(Value::List(list)) => Ok(list.items()),
        Some(Value::Nil) => Ok(&[]),
        _ => Err(Rule::ArgumentType),
    }
}

/// The arguments from `at` on.
pub(super) fn rest(arguments: &[Value], at: usize) -> &[Value] {
    arguments.get(at..).unwrap_or_default()
}
