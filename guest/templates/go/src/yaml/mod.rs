//! YAML as ESO reads it: YAML 1.1 scalars, the last of two equal keys wins, only the first document counts.
//!
//! The syntax comes from a parser crate; what a scalar means is decided here, by go-yaml's rules, including the lossy ones:
//! an unquoted `0123` is the number 83, and a number that becomes a text keeps 32 bits. Errors carry no text.

mod convert;
mod emit;
mod load;
mod resolve;
mod scalar;

pub(crate) use convert::{from_text, to_text};

use std::collections::BTreeMap;

use crate::format::float::format_float32;
use crate::limits::Budget;
use crate::rule::Rule;
use load::load;

/// One YAML value.
#[derive(Clone)]
enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    /// A number as it is written; never read.
    Plain(String),
    Text(Vec<u8>),
    List(Vec<Node>),
    /// In the order of the document; the last of two equal keys counts.
    Map(Vec<(Node, Node)>),
}

/// Reads a map of keys to scalars, which become texts. No document at all is an empty map.
pub(crate) fn keys_and_values(text: &[u8], budget: &mut Budget) -> Result<BTreeMap<String, Vec<u8>>, Rule> {
    let entries = match load(text, budget)? {
        Node::Null => Vec::new(),
        Node::Map(entries) => entries,
        _ => return Err(Rule::NotAMap),
    };
    let mut map = BTreeMap::new();
    for (key, value) in entries {
        map.insert(key_text(&key)?, value_text(value)?);
    }
    Ok(map)
}

/// A key as a text. What is no scalar cannot be one.
fn key_text(key: &Node) -> Result<String, Rule> {
    Ok(match key {
        Node::Null => return Err(Rule::NullKey),
        Node::Float(float) => match format_float32(*float).as_str() {
            "+Inf" => ".inf".to_owned(),
            "-Inf" => "-.inf".to_owned(),
            "NaN" => ".nan".to_owned(),
            text => text.to_owned(),
        },
        Node::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Node::Bool(_) | Node::Int(_) => String::from_utf8_lossy(&value_text(key.clone())?).into_owned(),
        Node::Uint(_) | Node::Plain(_) | Node::List(_) | Node::Map(_) => return Err(Rule::NotAMap),
    })
}

fn value_text(value: Node) -> Result<Vec<u8>, Rule> {
    Ok(match value {
        Node::Null => Vec::new(),
        Node::Bool(value) => value.to_string().into_bytes(),
        Node::Int(value) => value.to_string().into_bytes(),
        Node::Uint(value) => value.to_string().into_bytes(),
        Node::Float(value) => format_float32(value).into_bytes(),
        Node::Text(text) => text,
        Node::Plain(_) | Node::List(_) | Node::Map(_) => return Err(Rule::NotAMap),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[(&str, &str)], Rule>) {
        let seen = keys_and_values(text.as_bytes(), &mut Budget::new());
        let expected = expected.map(|entries| {
            entries
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()))
                .collect::<BTreeMap<_, _>>()
        });
        assert_eq!(seen, expected, "{text}");
    }

    #[test]
    fn scalars_become_texts() {
        for (scalar, expected) in [
            ("0123", "83"),
            ("12e4", "120000"),
            ("123456789.125", "1.2345679e+08"),
            ("1_000", "1000"),
            ("190:20:30", "190:20:30"),
            ("2024-01-02", "2024-01-02"),
            ("yes", "true"),
            ("Off", "false"),
            ("nULL", "nULL"),
            ("~", ""),
            ("", ""),
            ("'0123'", "0123"),
            ("\"a\\tb\"", "a\tb"),
            ("!!str 0x10", "0x10"),
            ("!!binary aGVsbG8=", "hello"),
            (".inf", "+Inf"),
            ("18446744073709551615", "18446744073709551615"),
            ("0b101", "5"),
            ("x #y", "x"),
        ] {
            check(&format!("k: {scalar}"), Ok(&[("k", expected)]));
        }
    }

    #[test]
    fn documents() {
        for (text, expected) in [
            ("", Ok(&[][..])),
            ("\n# nothing\n", Ok(&[])),
            ("a: 1\na: 2", Ok(&[("a", "2")])),
            ("a: 1\n---\nb: 2", Ok(&[("a", "1")])),
            ("yes: a\n1: b\n1.5: c", Ok(&[("true", "a"), ("1", "b"), ("1.5", "c")])),
            ("a: &x 1\nb: *x", Ok(&[("a", "1"), ("b", "1")])),
            ("- a", Err(Rule::NotAMap)),
            ("a: [1]", Err(Rule::NotAMap)),
            ("plain", Err(Rule::NotAMap)),
            ("~: a", Err(Rule::NullKey)),
            ("a:\n\tb: c", Err(Rule::NotYaml)),
            ("a: b: c", Err(Rule::NotYaml)),
            ("a: *nope", Err(Rule::NotYaml)),
            ("a: !!int x", Err(Rule::NotYaml)),
            ("a: \u{1}", Err(Rule::NotYaml)),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = format!("a: {}{}", "[".repeat(300), "]".repeat(300));
        assert!(keys_and_values(deep.as_bytes(), &mut Budget::new()).is_err());
    }

    #[test]
    fn aliases_of_aliases_end() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let alias = format!("*a{}, ", level - 1).repeat(9);
            text.push_str(&format!("a{level}: &a{level} [{alias}]\n"));
        }
        assert_eq!(keys_and_values(text.as_bytes(), &mut Budget::new()), Err(Rule::Work));
    }
}
