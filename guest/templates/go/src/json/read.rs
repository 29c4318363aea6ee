//! Text to values.

use crate::limits::{Budget, VALUE_DEPTH};
use crate::number::parse_float;
use crate::rule::Rule;
use crate::text::{Text, runes};
use crate::value::{Dict, Value};

/// Reads one JSON value and nothing else. What is no JSON is a bad argument; what nests too deeply says so.
pub(crate) fn read(text: &[u8], budget: &mut Budget) -> Result<Value, Rule> {
    let mut reader = Reader { text, at: 0, budget };
    let value = reader.value(0)?;
    reader.blanks();
    if reader.peek().is_some() { Err(Rule::BadArgument) } else { Ok(value) }
}

struct Reader<'t, 'b> {
    text: &'t [u8],
    at: usize,
    budget: &'b mut Budget,
}

impl<'t> Reader<'t, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Passes the byte, if it comes next.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), Rule> {
        if self.take(byte) { Ok(()) } else { Err(Rule::BadArgument) }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Rule> {
        self.budget.step()?;
        if depth > VALUE_DEPTH {
            return Err(Rule::Nesting);
        }
        self.blanks();
        match self.peek() {
            Some(b'{') => self.dict(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => Ok(Value::Text(self.string()?)),
            Some(b't') => self.word(b"true", Value::Bool(true)),
            Some(b'f') => self.word(b"false", Value::Bool(false)),
            Some(b'n') => self.word(b"null", Value::Nil),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &[u8], value: Value) -> Result<Value, Rule> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(Rule::BadArgument);
        }
        self.at += word.len();
        Ok(value)
    }

    fn dict(&mut self, depth: usize) -> Result<Value, Rule> {
        self.at += 1;
        self.budget.node()?;
        let dict = Dict::default();
        self.blanks();
        if self.take(b'}') {
            return Ok(Value::Dict(dict));
        }
        loop {
            self.blanks();
            let key = self.string()?;
            self.blanks();
            self.expect(b':')?;
            dict.insert(key, self.value(depth + 1)?)?;
            self.blanks();
            if self.take(b'}') {
                return Ok(Value::Dict(dict));
            }
            self.expect(b',')?;
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Rule> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.take(b']') {
            return Value::list(items);
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blanks();
            if self.take(b']') {
                return Value::list(items);
            }
            self.expect(b',')?;
        }
    }

    fn number(&mut self) -> Result<Value, Rule> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') && self.digits() == 0 {
            return Err(Rule::BadArgument);
        }
        if self.take(b'.') && self.digits() == 0 {
            return Err(Rule::BadArgument);
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            if self.digits() == 0 {
                return Err(Rule::BadArgument);
            }
        }
        let digits = self.text.get(start..self.at).unwrap_or_default();
        parse_float(digits).map(Value::Float).map_err(|_| Rule::BadArgument)
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Result<Text, Rule> {
        self.expect(b'"')?;
        let mut out = Vec::new();
        loop {
            let start = self.at;
            while self.peek().is_some_and(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            push_valid(&mut out, self.text.get(start..self.at).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Text::from(out));
                }
                Some(b'\\') => {
                    self.at += 1;
                    let c = self.escape()?;
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => return Err(Rule::BadArgument),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Rule> {
        let escape = self.peek().ok_or(Rule::BadArgument)?;
        self.at += 1;
        Ok(match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => return Err(Rule::BadArgument),
        })
    }

    /// After `\u`: one code unit, or two that pair up; one alone of a pair is U+FFFD.
    fn code_point(&mut self) -> Result<char, Rule> {
        let first = self.code_unit()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before = self.at;
        if self.take(b'\\') && self.take(b'u') {
            let second = self.code_unit()?;
            if (0xdc00..0xe000).contains(&second) {
                let pair = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
        self.at = before;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn code_unit(&mut self) -> Result<u32, Rule> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(Rule::BadArgument)?;
        self.at += 4;
        digits
            .iter()
            .try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
            .ok_or(Rule::BadArgument)
    }
}

/// Bytes that are not UTF-8 become U+FFFD.
fn push_valid(out: &mut Vec<u8>, bytes: &[u8]) {
    if std::str::from_utf8(bytes).is_ok() {
        out.extend_from_slice(bytes);
        return;
    }
    for rune in runes(bytes) {
        out.extend_from_slice(rune.char.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::to_text;

    fn check(text: &str, expected: Option<&str>) {
        let seen = read(text.as_bytes(), &mut Budget::new()).and_then(|value| to_text(&value)).ok();
        assert_eq!(seen.as_deref(), expected.map(str::as_bytes), "{text}");
    }

    #[test]
    fn reads() {
        for (text, expected) in [
            (" {\"b\":[1,{\"c\":null}],\"a\":\"x\"} ", "map[a:x b:[1 map[c:<nil>]]]"),
            ("[1,1000000,1e-7,-0]", "[1 1e+06 1e-07 -0]"),
            ("\"\\ud83d\\ude00 \\ud800 \\ud800\\u0041\"", "😀 \u{fffd} \u{fffd}A"),
            ("{\"a\":1,\"a\":2}", "map[a:2]"),
            ("[]", "[]"),
        ] {
            check(text, Some(expected));
        }
    }

    #[test]
    fn refuses() {
        for text in [
            "", "{", "[1,]", "{a:1}", "01", "1.", "+1", "tru", "\"\t\"", "1 2", "\"\\x\"", "nul", "[1 2]",
            "1e999",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = "[".repeat(100_000);
        assert_eq!(read(deep.as_bytes(), &mut Budget::new()).err(), Some(Rule::Nesting));
    }
}
