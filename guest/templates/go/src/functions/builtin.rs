//! Go's own functions: logic, comparison, indexing, printing and escaping.
//!
//! sprig's `slice` hides Go's, as in ESO, and `call` can never succeed because a template holds no function value.

use super::arguments::{any, rest, text};
use super::{Context, Family, Function, Run, Type, p};
use crate::format;
use crate::format::quote::is_print;
use crate::rule::Rule;
use crate::text::{Buffer, Text, runes};
use crate::value::compare::{equal, less};
use crate::value::truth::is_true;
use crate::value::{UintType, Value};

const F: Family = Family::Builtin;

pub(super) const ROWS: &[Function] = &[
    F.pure("and", &[p("first", Type::Any)], "any", "The first false argument, else the last.", never)
        .rest("more", Type::Any)
        .short_circuit(Run::And),
    F.pure("or", &[p("first", Type::Any)], "any", "The first true argument, else the last.", never)
        .rest("more", Type::Any)
        .short_circuit(Run::Or),
    F.pure("not", &[p("value", Type::Any)], "bool", "Whether the value is false or empty.", not),
    F.pure("eq", &[p("left", Type::Any)], "bool", "Whether the first equals any other argument.", eq)
        .rest("others", Type::Any),
    F.pure("ne", &[p("left", Type::Any), p("right", Type::Any)], "bool", "Whether both differ.", ne),
    F.pure("lt", &[p("left", Type::Any), p("right", Type::Any)], "bool", "Whether left is less.", lt),
    F.pure(
        "le",
        &[p("left", Type::Any), p("right", Type::Any)],
        "bool",
        "Whether left is less or equal.",
        le,
    ),
    F.pure("gt", &[p("left", Type::Any), p("right", Type::Any)], "bool", "Whether left is greater.", gt),
    F.pure(
        "ge",
        &[p("left", Type::Any), p("right", Type::Any)],
        "bool",
        "Whether left is greater or equal.",
        ge,
    ),
    F.pure(
        "len",
        &[p("value", Type::Any)],
        "int",
        "Bytes of a text, items of a list, entries of a dict.",
        len,
    ),
    F.pure("index", &[p("value", Type::Any)], "any", "The item at each further argument in turn.", index)
        .rest("keys", Type::Any),
    F.pure("print", &[], "string", "Its arguments as text, a blank between two that are no text.", print)
        .rest("values", Type::Any),
    F.pure("println", &[], "string", "Its arguments with blanks between and a newline.", println)
        .rest("values", Type::Any),
    F.pure("printf", &[p("format", Type::Text)], "string", "Go's fmt.Sprintf.", printf)
        .rest("values", Type::Any),
    F.pure("html", &[], "string", "The printed arguments, escaped for HTML.", html).rest("values", Type::Any),
    F.pure("js", &[], "string", "The printed arguments, escaped for JavaScript.", js)
        .rest("values", Type::Any),
    F.pure("urlquery", &[], "string", "The printed arguments, form-encoded: a blank becomes `+`.", urlquery)
        .rest("values", Type::Any),
    F.pure("call", &[p("function", Type::Any)], "any", "Fails: no value is a function.", call)
        .rest("arguments", Type::Any),
];

/// `and` and `or` are run by the evaluator.
fn never(_: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    Err(Rule::NotAFunction)
}

fn call(_: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    Err(Rule::NotAFunction)
}

fn not(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    Ok(Value::Bool(!is_true(any(a, 0)?)))
}

fn eq(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    let left = any(a, 0)?;
    let others = rest(a, 1);
    if others.is_empty() {
        return Err(Rule::ArgumentCount);
    }
    for other in others {
        if equal(left, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn ne(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    Ok(Value::Bool(!equal(any(a, 0)?, any(a, 1)?)?))
}

fn lt(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    Ok(Value::Bool(less(any(a, 0)?, any(a, 1)?)?))
}

fn le(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    Ok(Value::Bool(at_most(a)?))
}

fn gt(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    Ok(Value::Bool(!at_most(a)?))
}

fn ge(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    Ok(Value::Bool(!less(any(a, 0)?, any(a, 1)?)?))
}

fn at_most(a: &[Value]) -> Result<bool, Rule> {
    Ok(less(any(a, 0)?, any(a, 1)?)? || equal(any(a, 0)?, any(a, 1)?)?)
}

fn len(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    Ok(Value::count(match any(a, 0)? {
        Value::Text(text) => text.len(),
        Value::List(list) => list.items().len(),
        Value::Dict(dict) => dict.len(),
        Value::Texts(texts) => texts.len(),
        _ => return Err(Rule::ArgumentType),
    }))
}

fn index(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    let mut item = any(a, 0)?.clone();
    if matches!(item, Value::Nil) {
        return Err(Rule::ArgumentType);
    }
    for key in rest(a, 1) {
        item = index_one(&item, key)?;
    }
    Ok(item)
}

/// A missing key gives the zero of the map's values: nothing, or an empty text.
fn index_one(item: &Value, key: &Value) -> Result<Value, Rule> {
    match (item, key) {
        (Value::Dict(dict), Value::Text(key)) => Ok(dict.get(key).unwrap_or(Value::Nil)),
        (Value::Texts(texts), Value::Text(key)) => {
            Ok(Value::Text(texts.get(key).cloned().unwrap_or_else(|| "".into())))
        }
        (Value::List(list), _) => list.items().get(position(key)?).cloned().ok_or(Rule::OutOfRange),
        (Value::Text(text), _) => {
            let byte = text.get(position(key)?).copied().ok_or(Rule::OutOfRange)?;
            Ok(Value::Uint(u64::from(byte), UintType::Byte))
        }
        _ => Err(Rule::ArgumentType),
    }
}

fn position(key: &Value) -> Result<usize, Rule> {
    match key {
        Value::Int(int, _) => usize::try_from(*int).map_err(|_| Rule::OutOfRange),
        Value::Uint(uint, _) => usize::try_from(*uint).map_err(|_| Rule::OutOfRange),
        _ => Err(Rule::ArgumentType),
    }
}

fn print(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    format::print(a).map(Value::Text)
}

fn println(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    format::println(a).map(Value::Text)
}

fn printf(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    format::printf(text(a, 0)?, rest(a, 1)).map(Value::Text)
}

/// What the escaping functions escape: the arguments printed, nothing being `<no value>`.
fn printed(a: &[Value]) -> Result<Text, Rule> {
    if let [Value::Text(text)] = a {
        return Ok(text.clone());
    }
    let shown = |value: &Value| {
        if matches!(value, Value::Nil) { Value::text("<no value>") } else { value.clone() }
    };
    format::print(&a.iter().map(shown).collect::<Vec<_>>())
}

fn html(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    let mut out = Buffer::default();
    for &byte in printed(a)?.iter() {
        match byte {
            0 => out.push_char(char::REPLACEMENT_CHARACTER),
            b'"' => out.push(b"&#34;"),
            b'\'' => out.push(b"&#39;"),
            b'&' => out.push(b"&amp;"),
            b'<' => out.push(b"&lt;"),
            b'>' => out.push(b"&gt;"),
            _ => out.push_byte(byte),
        }
    }
    out.into_text().map(Value::Text)
}

fn js(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    let mut out = Buffer::default();
    for rune in runes(&printed(a)?) {
        match rune.char {
            '\\' | '\'' | '"' => {
                out.push_byte(b'\\');
                out.push(rune.bytes);
            }
            '<' | '>' | '&' | '=' => out.push_str(&format!("\\u{:04X}", u32::from(rune.char))),
            c if c < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c if c.is_ascii() || is_print(c) => out.push(rune.bytes),
            c => out.push_str(&format!("\\u{:04X}", u32::from(c))),
        }
    }
    out.into_text().map(Value::Text)
}

fn urlquery(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    let mut out = Buffer::default();
    for &byte in printed(a)?.iter() {
        match byte {
            b' ' => out.push_byte(b'+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push_byte(byte),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out.into_text().map(Value::Text)
}
