//! Go's `fmt`: `print`, `println`, `printf` and how a value looks when an action writes it.
//!
//! Guarantees the bytes of Go's verbs and flags for every kind of value that a template can hold, including Go's
//! markers for misuse (`%!d(string=x)`), since they end up in what people render. Addresses (`%p`) are not printed, so
//! that a rendering cannot depend on where something lies in memory.

mod directive;
pub(crate) mod float;
pub(crate) mod quote;
mod scalar;

use crate::limits::VALUE_DEPTH;
use crate::object::Object;
use crate::rule::Rule;
use crate::text::{Buffer, Text};
use crate::value::{IntType, List, Value, kind};

/// `print`: a blank between two operands of which neither is a text.
pub(crate) fn print(values: &[Value]) -> Result<Text, Rule> {
    let mut out = Buffer::default();
    let mut after_text = true;
    for (at, value) in values.iter().enumerate() {
        let text = matches!(value, Value::Text(_));
        if at > 0 && !text && !after_text {
            out.push_byte(b' ');
        }
        display(&mut out, value);
        after_text = text;
    }
    out.into_text()
}

/// `println`: a blank between all operands, a newline at the end.
pub(crate) fn println(values: &[Value]) -> Result<Text, Rule> {
    let mut out = Buffer::default();
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push_byte(b' ');
        }
        display(&mut out, value);
    }
    out.push_byte(b'\n');
    out.into_text()
}

/// `printf`.
pub(crate) fn printf(format: &[u8], values: &[Value]) -> Result<Text, Rule> {
    let mut out = Buffer::default();
    directive::write(&mut out, format, values);
    out.into_text()
}

/// Writes a value as `%v` does.
pub(crate) fn display(out: &mut Buffer, value: &Value) {
    match value {
        Value::Text(text) => out.push(text),
        _ => Printer::new(out).argument(value, 'v'),
    }
}

/// A value as `%v` shows it, as a text of its own.
pub(crate) fn to_text(value: &Value) -> Result<Text, Rule> {
    if let Value::Text(text) = value {
        return Ok(text.clone());
    }
    let mut out = Buffer::default();
    display(&mut out, value);
    out.into_text()
}

/// What stands between `%` and the verb.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%+v`: structs with field names.
    plus_v: bool,
    /// `%#v`: Go syntax.
    sharp_v: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

struct Printer<'o> {
    out: &'o mut Buffer,
    flags: Flags,
    /// While a misuse is reported, no `String` method is asked.
    misuse: bool,
}

impl<'o> Printer<'o> {
    fn new(out: &'o mut Buffer) -> Self {
        Self { out, flags: Flags::default(), misuse: false }
    }

    /// One operand of a verb.
    fn argument(&mut self, value: &Value, verb: char) {
        match (verb, value) {
            ('T' | 'v', Value::Nil) => self.pad(b"<nil>"),
            ('T', _) => self.string(kind::type_name(value).as_bytes()),
            (_, Value::Nil) => self.bad_verb(value, verb),
            _ => self.value(value, verb, 0),
        }
    }

    fn value(&mut self, value: &Value, verb: char, depth: usize) {
        if self.out.is_full() {
            return;
        }
        if depth > VALUE_DEPTH {
            self.out.refuse(Rule::Nesting);
            return;
        }
        match value {
            Value::Nil if self.flags.sharp_v => self.out.push(b"interface {}(nil)"),
            Value::Nil => self.out.push(b"<nil>"),
            Value::Bool(flag) if matches!(verb, 't' | 'v') => {
                self.pad(if *flag { b"true" } else { b"false" })
            }
            Value::Int(int, IntType::Int | IntType::Int64) => self.integer(*int, value, verb),
            Value::Int(int, int_type) => match self.stringable(verb).then(|| int_type.show(*int)).flatten() {
                Some(text) => self.text(text.as_bytes(), value, verb),
                None => self.integer(*int, value, verb),
            },
            Value::Uint(uint, _) => self.unsigned(*uint, value, verb),
            Value::Float(float) => self.float(*float, value, verb),
            Value::Complex(real, imaginary) => self.complex(*real, *imaginary, value, verb),
            Value::Text(text) => self.text(text, value, verb),
            Value::List(list) => self.list(list, value, verb, depth),
            Value::Dict(dict) => self.map(value, &dict.entries(), verb, depth),
            Value::Texts(texts) => {
                let entries: Vec<_> =
                    texts.iter().map(|(key, text)| (key.clone(), Value::Text(text.clone()))).collect();
                self.map(value, &entries, verb, depth);
            }
            Value::Object(object) => self.object(object, value, verb, depth),
            Value::Bool(_) => self.bad_verb(value, verb),
        }
    }

    /// Whether Go would ask a value's `String` method for this verb.
    fn stringable(&self, verb: char) -> bool {
        !self.misuse && !self.flags.sharp_v && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q')
    }

    fn list(&mut self, list: &List, value: &Value, verb: char, depth: usize) {
        let (open, between, close) = if self.flags.sharp_v { ("{", ", ", "}") } else { ("[", " ", "]") };
        if self.flags.sharp_v {
            self.out.push_str(&kind::type_name(value));
            if list.is_nil() {
                self.out.push(b"(nil)");
                return;
            }
        }
        self.out.push_str(open);
        for (at, item) in list.items().iter().enumerate() {
            if at > 0 {
                self.out.push_str(between);
            }
            self.value(item, verb, depth + 1);
            if self.out.is_full() {
                return;
            }
        }
        self.out.push_str(close);
    }

    fn map(&mut self, value: &Value, entries: &[(Text, Value)], verb: char, depth: usize) {
        let (between, close) = if self.flags.sharp_v { (", ", "}") } else { (" ", "]") };
        if self.flags.sharp_v {
            self.out.push_str(&kind::type_name(value));
            self.out.push_byte(b'{');
        } else {
            self.out.push(b"map[");
        }
        for (at, (key, item)) in entries.iter().enumerate() {
            if at > 0 {
                self.out.push_str(between);
            }
            self.text(key, &Value::Text(key.clone()), verb);
            self.out.push_byte(b':');
            self.value(item, verb, depth + 1);
            if self.out.is_full() {
                return;
            }
        }
        self.out.push_str(close);
    }

    fn object(&mut self, object: &Object, value: &Value, verb: char, depth: usize) {
        if let Some(fields) = object.fields() {
            self.fields(&fields, value, verb, depth);
        } else if self.stringable(verb) || self.flags.sharp_v {
            self.text(&object.show(), value, if self.flags.sharp_v { 's' } else { verb });
        } else if self.misuse {
            self.out.push(&object.show());
        } else {
            self.bad_verb(value, verb);
        }
    }

    fn fields(&mut self, fields: &[(&'static str, Value)], value: &Value, verb: char, depth: usize) {
        if self.flags.sharp_v {
            self.out.push_str(&kind::type_name(value));
        }
        self.out.push_byte(b'{');
        for (at, (name, field)) in fields.iter().enumerate() {
            if at > 0 {
                self.out.push_str(if self.flags.sharp_v { ", " } else { " " });
            }
            if self.flags.plus_v || self.flags.sharp_v {
                self.out.push_str(name);
                self.out.push_byte(b':');
            }
            self.value(field, verb, depth + 1);
        }
        self.out.push_byte(b'}');
    }

    /// Go's marker for a verb that does not go with the value.
    fn bad_verb(&mut self, value: &Value, verb: char) {
        self.out.push(b"%!");
        self.out.push_char(verb);
        self.out.push_byte(b'(');
        if matches!(value, Value::Nil) {
            self.out.push(b"<nil>");
        } else {
            self.out.push_str(&kind::type_name(value));
            self.out.push_byte(b'=');
            let misuse = std::mem::replace(&mut self.misuse, true);
            self.value(value, 'v', 0);
            self.misuse = misuse;
        }
        self.out.push_byte(b')');
    }
}

#[cfg(test)]
mod tests;
