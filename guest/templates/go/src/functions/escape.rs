//! Escaping for connection strings: keymill's own functions, which neither sprig nor ESO has.
//!
//! The published CloudNativePG templates encode a password for a query with `urlquery`, which turns a blank into `+`; in
//! the user part of a URI that is a plus sign. These three say which consumer they are for, so that a password with any
//! byte in it reaches the server as it is.

use super::arguments::text;
use super::{Context, Family, Function, Type, p};
use crate::rule::Rule;
use crate::text::Buffer;
use crate::value::Value;

const F: Family = Family::Escape;

pub(super) const ROWS: &[Function] = &[
    F.pure(
        "pgpassEscape",
        &[p("text", Type::Text)],
        "string",
        "A field of a pgpass file: `\\` before `:` and `\\`.",
        pgpass,
    ),
    F.pure(
        "uriUserinfo",
        &[p("text", Type::Text)],
        "string",
        "User or password in a URI, percent-encoded.",
        percent,
    ),
    F.pure(
        "jdbcQuery",
        &[p("text", Type::Text)],
        "string",
        "A parameter of a JDBC URL, percent-encoded.",
        percent,
    ),
];

fn pgpass(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    let mut out = Buffer::default();
    for &byte in text(a, 0)?.iter() {
        if matches!(byte, b':' | b'\\') {
            out.push_byte(b'\\');
        }
        out.push_byte(byte);
    }
    out.into_text().map(Value::Text)
}

/// All but RFC 3986's unreserved characters. pgjdbc decodes a parameter as a form, where `%20` is a blank just as in a
/// URI and a literal plus is `%2B` in both, so one encoding is right in both places.
fn percent(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    let mut out = Buffer::default();
    for &byte in text(a, 0)?.iter() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push_byte(byte);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out.into_text().map(Value::Text)
}
