//! Values to text.

use crate::format::float::format_float;
use crate::limits::VALUE_DEPTH;
use crate::rule::Rule;
use crate::text::{Buffer, Text, runes};
use crate::value::Value;

/// How JSON is laid out.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Style {
    Compact,
    /// Two blanks a level.
    Pretty,
    /// Compact, with `<>&` as they are.
    Raw,
}

/// Writes a value. What JSON cannot say, such as infinity, is a bad argument.
pub(crate) fn write(value: &Value, style: Style) -> Result<Text, Rule> {
    let mut writer = Writer { out: Buffer::default(), style };
    writer.value(value, 0)?;
    writer.out.into_text()
}

struct Writer {
    out: Buffer,
    style: Style,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Rule> {
        self.out.check()?;
        if depth > VALUE_DEPTH {
            return Err(Rule::Nesting);
        }
        match value {
            Value::Nil => self.out.push(b"null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value, _) => self.out.push_str(&value.to_string()),
            Value::Uint(value, _) => self.out.push_str(&value.to_string()),
            Value::Float(value) => self.out.push_str(&number(*value)?),
            Value::Text(text) => self.string(text),
            Value::List(list) if list.is_nil() => self.out.push(b"null"),
            Value::List(list) => {
                let items = list.items().iter();
                self.members(b'[', b']', depth, items, |writer, item| writer.value(item, depth + 1))?;
            }
            Value::Dict(dict) => {
                self.members(b'{', b'}', depth, dict.entries().into_iter(), |writer, (key, item)| {
                    writer.key(&key);
                    writer.value(&item, depth + 1)
                })?;
            }
            Value::Texts(texts) => self.members(b'{', b'}', depth, texts.iter(), |writer, (key, text)| {
                writer.key(key);
                writer.string(text);
                Ok(())
            })?,
            Value::Object(object) => match object.fields() {
                Some(fields) => {
                    self.members(b'{', b'}', depth, fields.into_iter(), |writer, (name, field)| {
                        writer.key(name.as_bytes());
                        writer.value(&field, depth + 1)
                    })?
                }
                None => self.string(&object.json()),
            },
            Value::Complex(..) => return Err(Rule::BadArgument),
        }
        Ok(())
    }

    fn members<T>(
        &mut self,
        open: u8,
        close: u8,
        depth: usize,
        members: impl ExactSizeIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Result<(), Rule>,
    ) -> Result<(), Rule> {
        let empty = members.len() == 0;
        self.out.push_byte(open);
        for (at, member) in members.enumerate() {
            if at > 0 {
                self.out.push_byte(b',');
            }
            self.newline(depth + 1);
            write(self, member)?;
        }
        if !empty {
            self.newline(depth);
        }
        self.out.push_byte(close);
        Ok(())
    }

    fn newline(&mut self, depth: usize) {
        if self.style == Style::Pretty {
            self.out.push_byte(b'\n');
            self.out.push_repeated(b' ', 2 * depth);
        }
    }

    fn key(&mut self, key: &[u8]) {
        self.string(key);
        self.out.push(if self.style == Style::Pretty { b": " } else { b":" });
    }

    fn string(&mut self, text: &[u8]) {
        self.out.push_byte(b'"');
        for rune in runes(text) {
            match rune.char {
                '"' | '\\' => {
                    self.out.push_byte(b'\\');
                    self.out.push(rune.bytes);
                }
                '\u{8}' => self.out.push(b"\\b"),
                '\u{c}' => self.out.push(b"\\f"),
                '\n' => self.out.push(b"\\n"),
                '\r' => self.out.push(b"\\r"),
                '\t' => self.out.push(b"\\t"),
                _ if rune.is_invalid() => self.out.push(b"\\ufffd"),
                c if c < ' ' || matches!(c, '\u{2028}' | '\u{2029}') => self.escaped(c),
                c @ ('<' | '>' | '&') if self.style != Style::Raw => self.escaped(c),
                _ => self.out.push(rune.bytes),
            }
        }
        self.out.push_byte(b'"');
    }

    fn escaped(&mut self, c: char) {
        self.out.push_str(&format!("\\u{:04x}", u32::from(c)));
    }
}

/// As JavaScript writes numbers: an exponent for the very small and the very large only.
fn number(value: f64) -> Result<String, Rule> {
    if !value.is_finite() {
        return Err(Rule::BadArgument);
    }
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format_float(value, 'e', None);
        // `e-09` becomes `e-9`; a positive exponent has two digits at least.
        return Ok(text.replace("e-0", "e-"));
    }
    Ok(format_float(value, 'f', None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Dict, Elements, List};

    #[test]
    fn numbers() {
        for (value, expected) in [
            (1.0, "1"),
            (0.1, "0.1"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1e-7, "1e-7"),
            (1e-10, "1e-10"),
            (0.0, "0"),
        ] {
            assert_eq!(number(value).as_deref(), Ok(expected));
        }
        assert!(number(f64::NAN).is_err());
    }

    #[test]
    fn styles() {
        let dict = Dict::default();
        dict.insert("b".into(), Value::text("")).expect("shallow");
        dict.insert("a".into(), Value::List(List::nil(Elements::Any))).expect("shallow");
        let value = Value::Dict(dict);
        for (style, expected) in [
            (Style::Compact, "{\"a\":null,\"b\":\"\"}"),
            (Style::Pretty, "{\n  \"a\": null,\n  \"b\": \"\"\n}"),
        ] {
            assert_eq!(write(&value, style).as_deref(), Ok(expected.as_bytes()));
        }
    }

    #[test]
    fn strings() {
        let text = Value::text(b"<&\"\\\x01\x7f\xff\n/".to_vec());
        let escaped = write(&text, Style::Compact);
        assert_eq!(escaped.as_deref(), Ok("\"\\u003c\\u0026\\\"\\\\\\u0001\u{7f}\\ufffd\\n/\"".as_bytes()));
        let raw = write(&text, Style::Raw);
        assert_eq!(raw.as_deref(), Ok("\"<&\\\"\\\\\\u0001\u{7f}\\ufffd\\n/\"".as_bytes()));
    }

    #[test]
    fn what_contains_itself_is_refused() {
        let dict = Dict::default();
        dict.insert("self".into(), Value::Dict(dict.clone())).expect("shallow");
        assert_eq!(write(&Value::Dict(dict), Style::Compact).err(), Some(Rule::Nesting));
    }
}
