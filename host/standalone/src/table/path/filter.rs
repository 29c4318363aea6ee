//! Filters of a JSONPath: `?(@.type=="Ready")`, `?(@.count > 1)`, `?(@.name)`.

use std::cmp::Ordering;

use serde_json::Value;

use super::{JsonPath, Parser, PathError};

/// A comparison, or the existence of a value.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    left: Operand,
    right: Option<(Comparison, Operand)>,
}

#[derive(Debug, Clone)]
enum Operand {
    Path(JsonPath),
    Literal(Value),
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Longer tokens first.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

impl Filter {
    pub(super) fn matches(&self, item: &Value) -> bool {
        let left = self.left.value(item);
        let Some((comparison, right)) = &self.right else {
            return left.is_some();
        };
        let (Some(left), Some(right)) = (left, right.value(item)) else {
            return false;
        };
        let order = compare(left, right);
        match comparison {
            Comparison::Equal => left == right || order == Some(Ordering::Equal),
            Comparison::NotEqual => left != right && order != Some(Ordering::Equal),
            Comparison::Less => order == Some(Ordering::Less),
            Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Comparison::Greater => order == Some(Ordering::Greater),
            Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

impl Operand {
    fn value<'a>(&'a self, item: &'a Value) -> Option<&'a Value> {
        match self {
            Self::Path(path) => path.find(item).into_iter().next(),
            Self::Literal(value) => Some(value),
        }
    }
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// Parses `(...)`.
pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Filter, PathError> {
    if !parser.eat("(") {
        return Err(parser.error("( is missing"));
    }
    let left = operand(parser)?;
    parser.spaces();
    let comparison =
        COMPARISONS.into_iter().find(|(token, _)| parser.eat(token)).map(|(_, comparison)| comparison);
    let right = match comparison {
        Some(comparison) => Some((comparison, operand(parser)?)),
        None => None,
    };
    parser.spaces();
    if parser.eat(")") { Ok(Filter { left, right }) } else { Err(parser.error(") is missing")) }
}

fn operand(parser: &mut Parser<'_>) -> Result<Operand, PathError> {
    parser.spaces();
    if parser.eat("@") {
        let start = parser.at;
        let steps = parser.steps()?;
        let text = parser.text.get(start..parser.at).unwrap_or_default().to_owned();
        return Ok(Operand::Path(JsonPath { text, steps }));
    }
    if let Some(text) = parser.quoted()? {
        return Ok(Operand::Literal(Value::from(text)));
    }
    let rest = parser.rest();
    let length = rest.find([')', ' ', '=', '!', '<', '>']).unwrap_or(rest.len());
    let word = rest.get(..length).unwrap_or_default();
    let literal = serde_json::from_str(word).map_err(|_| parser.error("a literal is missing"))?;
    parser.at += length;
    Ok(Operand::Literal(literal))
}
