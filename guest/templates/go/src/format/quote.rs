//! Go's string and character literals: writing them (`%q`, `quote`) and reading them (in templates).
//!
//! What is printable is what Go calls printable; the tables are those of Rust's standard library, which follow the same
//! categories (of a slightly newer Unicode).

use crate::rule::Rule;
use crate::text::{Buffer, Text, first_rune, runes};

/// Writes a double-quoted literal. With `ascii`, everything outside ASCII is escaped.
pub(crate) fn push_quoted(out: &mut Buffer, text: &[u8], ascii: bool) {
    out.push_byte(b'"');
    for rune in runes(text) {
        match rune.bytes {
            [byte] if rune.is_invalid() => push_hex(out, u32::from(*byte), 'x', 2),
            _ => push_escaped(out, rune.char, '"', ascii),
        }
    }
    out.push_byte(b'"');
}

/// Writes a single-quoted character literal.
pub(crate) fn push_quoted_char(out: &mut Buffer, c: char, ascii: bool) {
    out.push_byte(b'\'');
    push_escaped(out, c, '\'', ascii);
    out.push_byte(b'\'');
}

/// Whether the text could stand between backquotes as it is.
pub(crate) fn can_backquote(text: &[u8]) -> bool {
    runes(text).all(|rune| {
        let forbidden =
            (rune.char < ' ' && rune.char != '\t') || matches!(rune.char, '`' | '\u{7f}' | '\u{feff}');
        !forbidden && !rune.is_invalid()
    })
}

/// Whether Go prints the character as it is.
pub(crate) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    // Only at its start does a text's debug form escape combining characters, which Go prints.
    let pair = ['a', c].iter().collect::<String>();
    pair.escape_debug().nth(1) == Some(c)
}

fn push_escaped(out: &mut Buffer, c: char, quote: char, ascii: bool) {
    if c == quote || c == '\\' {
        out.push_byte(b'\\');
        out.push_char(c);
        return;
    }
    if is_print(c) && (c.is_ascii() || !ascii) {
        out.push_char(c);
        return;
    }
    match c {
        '\u{7}' => out.push(b"\\a"),
        '\u{8}' => out.push(b"\\b"),
        '\u{c}' => out.push(b"\\f"),
        '\n' => out.push(b"\\n"),
        '\r' => out.push(b"\\r"),
        '\t' => out.push(b"\\t"),
        '\u{b}' => out.push(b"\\v"),
        _ if c < ' ' || c == '\u{7f}' => push_hex(out, u32::from(c), 'x', 2),
        _ if u32::from(c) < 0x1_0000 => push_hex(out, u32::from(c), 'u', 4),
        _ => push_hex(out, u32::from(c), 'U', 8),
    }
}

fn push_hex(out: &mut Buffer, value: u32, letter: char, width: usize) {
    out.push_str(&format!("\\{letter}{value:0width$x}"));
}

/// Reads a string literal, quotes included, of either form.
pub(crate) fn unquote(literal: &str) -> Result<Text, Rule> {
    let inner = |quote: char| literal.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    if let Some(raw) = inner('`') {
        return Ok(Text::from(raw.replace('\r', "")));
    }
    let mut rest = inner('"').ok_or(Rule::BadLiteral)?;
    if !rest.contains('\\') {
        return Ok(Text::from(rest));
    }
    let mut out = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let (unit, tail) = unquote_unit(rest, '"')?;
        match unit {
            Unit::Byte(byte) => out.push(byte),
            Unit::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = tail;
    }
    Ok(Text::from(out))
}

/// Reads a character literal, quotes included: its code point.
pub(crate) fn unquote_char(literal: &str) -> Result<u32, Rule> {
    let rest = literal.strip_prefix('\'').ok_or(Rule::BadLiteral)?;
    let (unit, tail) = unquote_unit(rest, '\'')?;
    match (unit, tail) {
        (Unit::Byte(byte), "'") => Ok(u32::from(byte)),
        (Unit::Char(c), "'") => Ok(u32::from(c)),
        _ => Err(Rule::BadLiteral),
    }
}

/// What one escape or character stands for: `\xff` and `\377` are bytes, all else is a character.
enum Unit {
    Byte(u8),
    Char(char),
}

fn unquote_unit(text: &str, quote: char) -> Result<(Unit, &str), Rule> {
    let mut chars = text.chars();
    let first = chars.next().filter(|c| *c != quote).ok_or(Rule::BadLiteral)?;
    if first != '\\' {
        return Ok((Unit::Char(first), chars.as_str()));
    }
    let escape = chars.next().ok_or(Rule::BadLiteral)?;
    let simple = match escape {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' => '\\',
        c if c == quote => quote,
        'x' => return escaped_byte(chars.as_str(), 2, 16),
        '0'..='7' => return escaped_byte(text.get(1..).unwrap_or_default(), 3, 8),
        'u' => return escaped_char(chars.as_str(), 4),
        'U' => return escaped_char(chars.as_str(), 8),
        _ => return Err(Rule::BadLiteral),
    };
    Ok((Unit::Char(simple), chars.as_str()))
}

fn escaped_byte(text: &str, digits: usize, base: u32) -> Result<(Unit, &str), Rule> {
    let (value, rest) = escaped_number(text, digits, base)?;
    Ok((Unit::Byte(u8::try_from(value).map_err(|_| Rule::BadLiteral)?), rest))
}

fn escaped_char(text: &str, digits: usize) -> Result<(Unit, &str), Rule> {
    let (value, rest) = escaped_number(text, digits, 16)?;
    Ok((Unit::Char(char::from_u32(value).ok_or(Rule::BadLiteral)?), rest))
}

fn escaped_number(text: &str, digits: usize, base: u32) -> Result<(u32, &str), Rule> {
    let (number, rest) = text.split_at_checked(digits).ok_or(Rule::BadLiteral)?;
    if !number.chars().all(|c| c.is_digit(base)) {
        return Err(Rule::BadLiteral);
    }
    Ok((u32::from_str_radix(number, base).map_err(|_| Rule::BadLiteral)?, rest))
}

/// The first characters of a text, as many as asked for.
pub(crate) fn truncate(text: &[u8], characters: usize) -> &[u8] {
    let mut end = 0;
    for _ in 0..characters {
        match text.get(end..).and_then(first_rune) {
            Some(rune) => end += rune.bytes.len(),
            None => break,
        }
    }
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &[u8], ascii: bool) -> String {
        let mut out = Buffer::default();
        push_quoted(&mut out, text, ascii);
        String::from_utf8(out.bytes().to_vec()).expect("escapes are ASCII")
    }

    #[test]
    fn quoting() {
        for (text, ascii, expected) in [
            (&b"a\"b\\"[..], false, r#""a\"b\\""#),
            (b"\x07\n\x00\x7f", false, r#""\a\n\x00\x7f""#),
            (b"\xff\xc3", false, r#""\xff\xc3""#),
            ("é☃\u{200b}😀".as_bytes(), false, "\"é☃\\u200b😀\""),
            ("é😀".as_bytes(), true, r#""\u00e9\U0001f600""#),
            ("e\u{301}\u{a0}".as_bytes(), false, "\"e\u{301}\\u00a0\""),
        ] {
            assert_eq!(quoted(text, ascii), expected);
        }
    }

    #[test]
    fn unquoting() {
        for (literal, expected) in [
            (r#""a\tb""#, Ok(&b"a\tb"[..])),
            (r#""\xff\377""#, Ok(b"\xff\xff")),
            (r#""\u00e9""#, Ok("é".as_bytes())),
            ("`a\\n\r`", Ok(b"a\\n")),
            (r#""\'""#, Err(Rule::BadLiteral)),
            (r#""\z""#, Err(Rule::BadLiteral)),
            (r#""\ud800""#, Err(Rule::BadLiteral)),
            (r#""\400""#, Err(Rule::BadLiteral)),
            (r#""\x+1""#, Err(Rule::BadLiteral)),
        ] {
            assert_eq!(unquote(literal).as_deref(), expected.as_deref(), "{literal}");
        }
    }

    #[test]
    fn character_literals() {
        for (literal, expected) in [
            ("'a'", Ok(97)),
            (r"'\''", Ok(39)),
            (r"'\x80'", Ok(128)),
            ("'é'", Ok(233)),
            ("''", Err(Rule::BadLiteral)),
            ("'ab'", Err(Rule::BadLiteral)),
        ] {
            assert_eq!(unquote_char(literal), expected, "{literal}");
        }
    }
}
