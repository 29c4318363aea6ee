//! What a plain scalar means: go-yaml's resolution, which is YAML 1.1 with Go's number syntax.

use super::Node;
use crate::number::{parse_float, parse_int, parse_uint};
use crate::rule::Rule;

/// The tags that say what a scalar must be.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Tag {
    /// None: the text decides.
    Plain,
    Text,
    Binary,
    Bool,
    Int,
    Float,
    Null,
    Timestamp,
    /// Any other: the text is kept.
    Other,
}

/// A scalar with its tag.
pub(super) fn resolve(tag: Tag, text: &str) -> Result<Node, Rule> {
    let keep = || Node::Text(text.as_bytes().to_vec());
    let node = match tag {
        Tag::Text | Tag::Other => return Ok(keep()),
        Tag::Binary => return decode(text),
        _ => plain(text).unwrap_or_else(keep),
    };
    match (tag, &node) {
        (Tag::Plain, _)
        | (Tag::Bool, Node::Bool(_))
        | (Tag::Int, Node::Int(_) | Node::Uint(_))
        | (Tag::Float, Node::Float(_))
        | (Tag::Null, Node::Null) => Ok(node),
        #[expect(clippy::cast_precision_loss, reason = "a float is asked for")]
        (Tag::Float, Node::Int(int)) => Ok(Node::Float(*int as f64)),
        (Tag::Timestamp, Node::Text(text)) if is_timestamp(text) => Ok(node),
        _ => Err(Rule::NotYaml),
    }
}

/// Binary data is kept as the bytes that it stands for.
fn decode(text: &str) -> Result<Node, Rule> {
    use base64::Engine;
    let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(digits);
    bytes.map(Node::Text).map_err(|_| Rule::NotYaml)
}

/// The value of a text that is no text.
fn plain(text: &str) -> Option<Node> {
    let word = match text {
        "" | "~" | "null" | "Null" | "NULL" => Node::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Node::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Node::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Node::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Node::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Node::Float(f64::NEG_INFINITY),
        _ => return number(text),
    };
    Some(word)
}

fn number(text: &str) -> Option<Node> {
    match text.as_bytes().first()? {
        b'.' => parse_float(text.as_bytes()).ok().map(Node::Float),
        b'0'..=b'9' | b'+' | b'-' if !is_timestamp(text.as_bytes()) => {
            let digits = text.replace('_', "");
            let bytes = digits.as_bytes();
            let int = parse_int(bytes, 0).ok().map(Node::Int);
            let uint = || parse_uint(bytes, 0).ok().map(Node::Uint);
            let float = || is_decimal(&digits).then(|| parse_float(bytes).ok().map(Node::Float)).flatten();
            int.or_else(uint).or_else(float)
        }
        _ => None,
    }
}

/// Go's number syntax is wider than YAML's; only decimal floats count.
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    unsigned.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
}

/// A timestamp is kept as the text that it is, so all that matters is that it is not taken for something else.
pub(super) fn is_timestamp(text: &[u8]) -> bool {
    const LAYOUTS: [&[u8]; 4] = [
        b"2006-1-2T15:4:5.999999999Z07:00",
        b"2006-1-2t15:4:5.999999999Z07:00",
        b"2006-1-2 15:4:5.999999999",
        b"2006-1-2",
    ];
    let year =
        matches!(text, [a, b, c, d, b'-', ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()));
    year && LAYOUTS.iter().any(|layout| crate::time::parse(layout, text).is_ok())
}
