//! Upper, lower and title case as Go maps them: one character to one character, so `ß` has no upper case.
//!
//! Rust maps to as many characters as Unicode's full mapping has; where that is more than one, Go's simple mapping is
//! either given here or is the character itself.

use crate::rule::Rule;
use crate::text::{Buffer, Text, runes};

/// Maps every character; a byte that is not UTF-8 becomes U+FFFD, as in Go, but only where something is mapped at all:
/// a text of ASCII is not decoded.
pub(crate) fn map(text: &[u8], mut mapping: impl FnMut(char) -> char) -> Result<Text, Rule> {
    let mut out = Buffer::default();
    for rune in runes(text) {
        out.push_char(mapping(rune.char));
    }
    out.into_text()
}

pub(crate) fn upper(c: char) -> char {
    match c {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => shifted(c, 8),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => shifted(c, 9),
        _ => single(c.to_uppercase(), c),
    }
}

pub(crate) fn lower(c: char) -> char {
    if c == 'İ' { 'i' } else { single(c.to_lowercase(), c) }
}

pub(crate) fn title(c: char) -> char {
    match c {
        'Ǆ'..='ǆ' => 'ǅ',
        'Ǉ'..='ǉ' => 'ǈ',
        'Ǌ'..='ǌ' => 'ǋ',
        'Ǳ'..='ǳ' => 'ǲ',
        'ა'..='ჿ' => c,
        _ => upper(c),
    }
}

/// Title-case letters, which are neither upper nor lower.
pub(crate) fn is_title(c: char) -> bool {
    matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ' | '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}' | '\u{1fa8}'..='\u{1faf}')
        || matches!(c, '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}')
}

fn single(mut mapped: impl Iterator<Item = char>, c: char) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(only), None) => only,
        _ => c,
    }
}

fn shifted(c: char, by: u32) -> char {
    char::from_u32(u32::from(c) + by).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_are_one_to_one() {
        for (c, to_upper, to_lower, to_title) in [
            ('a', 'A', 'a', 'A'),
            ('ß', 'ß', 'ß', 'ß'),
            ('İ', 'İ', 'i', 'İ'),
            ('ǆ', 'Ǆ', 'ǆ', 'ǅ'),
            ('ა', 'Ა', 'ა', 'ა'),
            ('ᾳ', 'ᾼ', 'ᾳ', 'ᾼ'),
        ] {
            assert_eq!((upper(c), lower(c), title(c)), (to_upper, to_lower, to_title), "{c}");
        }
    }
}
