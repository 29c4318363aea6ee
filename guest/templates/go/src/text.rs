//! Go strings: bytes that are usually, but not necessarily, UTF-8.
//!
//! Secret values are arbitrary bytes and ESO hands them to the template as they are, so every text in the engine is a
//! byte string; where Go looks at characters, an invalid byte counts as one U+FFFD. Nothing here is zeroed on drop: the
//! component's whole memory is thrown away after each call.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use crate::limits;
use crate::rule::Rule;

/// An immutable byte string, cheap to clone. Ordered bytewise, as Go orders strings.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text(Rc<[u8]>);

impl Text {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(Rc::from(bytes))
    }
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl std::borrow::Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Rc::from(bytes))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl fmt::Debug for Text {
    /// A text may be a secret: only its length is shown.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Text({} bytes)", self.0.len())
    }
}

/// A text under construction that never grows past the limit. What does not fit is dropped and remembered, so writers
/// need no error path; they only ask [`Buffer::is_full`] where they would go on for long.
#[derive(Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    refused: Option<Rule>,
}

impl Buffer {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.fits(bytes.len()) {
            self.bytes.extend_from_slice(bytes);
        }
    }

    pub(crate) fn push_str(&mut self, text: &str) {
        self.push(text.as_bytes());
    }

    pub(crate) fn push_byte(&mut self, byte: u8) {
        self.push(&[byte]);
    }

    pub(crate) fn push_char(&mut self, c: char) {
        self.push(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    pub(crate) fn push_repeated(&mut self, byte: u8, count: usize) {
        if self.fits(count) {
            self.bytes.resize(self.bytes.len() + count, byte);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing more is taken, so that a long loop may as well end.
    pub(crate) fn is_full(&self) -> bool {
        self.refused.is_some()
    }

    /// Takes nothing more and ends with that rule.
    pub(crate) fn refuse(&mut self, rule: Rule) {
        self.refused.get_or_insert(rule);
    }

    fn fits(&mut self, more: usize) -> bool {
        if self.bytes.len().saturating_add(more) > limits::TEXT_BYTES {
            self.refuse(Rule::Size);
        }
        !self.is_full()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Fails if something did not fit.
    pub(crate) fn check(&self) -> Result<(), Rule> {
        self.refused.map_or(Ok(()), Err)
    }

    /// The bytes, unless something did not fit.
    pub(crate) fn into_bytes(self) -> Result<Vec<u8>, Rule> {
        match self.refused {
            Some(rule) => Err(rule),
            None => Ok(self.bytes),
        }
    }

    pub(crate) fn into_text(self) -> Result<Text, Rule> {
        self.into_bytes().map(Text::from)
    }
}

/// One character of a byte string as Go decodes it.
#[derive(Clone, Copy)]
pub(crate) struct Rune<'a> {
    /// U+FFFD for an invalid byte.
    pub(crate) char: char,
    /// What was decoded: one byte if it was invalid.
    pub(crate) bytes: &'a [u8],
}

impl Rune<'_> {
    /// Whether this stands for a byte that is not UTF-8.
    pub(crate) fn is_invalid(self) -> bool {
        self.char == char::REPLACEMENT_CHARACTER && self.bytes.len() == 1
    }
}

/// The characters of a byte string, an invalid byte being one U+FFFD.
pub(crate) fn runes(mut rest: &[u8]) -> impl Iterator<Item = Rune<'_>> {
    std::iter::from_fn(move || {
        let rune = first_rune(rest)?;
        rest = rest.get(rune.bytes.len()..).unwrap_or_default();
        Some(rune)
    })
}

/// The first character, or none at the end.
pub(crate) fn first_rune(bytes: &[u8]) -> Option<Rune<'_>> {
    let first = *bytes.first()?;
    let one = bytes.get(..1)?;
    if first.is_ascii() {
        return Some(Rune { char: char::from(first), bytes: one });
    }
    for len in 2..=4 {
        if let Some(prefix) = bytes.get(..len)
            && let Ok(text) = std::str::from_utf8(prefix)
            && let Some(char) = text.chars().next()
        {
            return Some(Rune { char, bytes: prefix });
        }
    }
    Some(Rune { char: char::REPLACEMENT_CHARACTER, bytes: one })
}

/// Where `needle` first occurs at or after `from`.
pub(crate) fn find(haystack: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let rest = haystack.get(from..)?;
    match needle {
        [] => Some(from),
        [first, ..] => {
            let last = rest.len().checked_sub(needle.len())?;
            rest.get(..=last)?
                .iter()
                .enumerate()
                .find(|(at, byte)| {
                    *byte == first && rest.get(*at..).is_some_and(|tail| tail.starts_with(needle))
                })
                .map(|(at, _)| from + at)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_byte_is_one_rune() {
        let seen: Vec<_> =
            runes(b"a\xff\xe2\x98\xc3\xa9").map(|rune| (rune.char, rune.bytes.len())).collect();
        assert_eq!(seen, [('a', 1), ('\u{fffd}', 1), ('\u{fffd}', 1), ('\u{fffd}', 1), ('é', 2)]);
    }

    #[test]
    fn a_buffer_stops_at_its_limit() {
        let mut buffer = Buffer::default();
        buffer.push_repeated(b'x', limits::TEXT_BYTES);
        assert!(!buffer.is_full());
        buffer.push_byte(b'x');
        assert!(buffer.is_full());
        assert_eq!(buffer.into_bytes().err(), Some(Rule::Size));
    }

    #[test]
    fn find_finds() {
        for (haystack, needle, from, at) in [
            ("hello", "l", 0, Some(2)),
            ("hello", "lo", 3, Some(3)),
            ("hello", "", 5, Some(5)),
            ("hello", "x", 0, None),
            ("he", "hello", 0, None),
        ] {
            assert_eq!(find(haystack.as_bytes(), needle.as_bytes(), from), at, "{haystack} {needle}");
        }
    }
}
