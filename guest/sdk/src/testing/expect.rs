//! What a case may say of a field. Each line of it that does not hold is a miss, worded without the value that came.

use std::collections::BTreeSet;

use data_encoding::{BASE32, BASE64, BASE64URL, DecodeError, HEXLOWER};
use regex::Regex;
use serde::Deserialize;

/// What a field must be like. Only what is said is checked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct FieldCase {
    /// It must decode from this (`base64`, `base64url`, `base32`, `hex`), and the rest is said of what is decoded.
    pub encoding: Option<String>,
    /// So many characters.
    pub length: Option<usize>,
    /// So many ASCII letters.
    pub letters: Option<usize>,
    /// So many ASCII digits.
    pub digits: Option<usize>,
    /// So many other characters.
    pub symbols: Option<usize>,
    /// Every character is one of these.
    pub alphabet: Option<String>,
    /// No character is there twice.
    #[serde(default)]
    pub distinct: bool,
    /// A regular expression that the whole must match.
    pub pattern: Option<String>,
    /// Exactly this.
    pub value: Option<String>,
}

impl FieldCase {
    /// What does not hold of `value`.
    pub fn misses(&self, value: &[u8]) -> Vec<String> {
        let decoded = match self.decode(value) {
            Ok(decoded) => decoded,
            Err(miss) => return vec![miss],
        };
        let Ok(text) = String::from_utf8(decoded) else {
            return vec!["is not text".to_owned()];
        };
        let mut misses = self.count_misses(&text);
        let mut expect = |holds: bool, miss: &str| {
            if !holds {
                misses.push(miss.to_owned());
            }
        };
        if let Some(alphabet) = &self.alphabet {
            let holds = text.chars().all(|c| alphabet.contains(c));
            expect(holds, &format!("has a character outside {alphabet:?}"));
        }
        if self.distinct {
            let different: BTreeSet<char> = text.chars().collect();
            expect(different.len() == text.chars().count(), "has a character twice");
        }
        if let Some(pattern) = &self.pattern {
            let whole = Regex::new(&format!("^(?:{pattern})$"));
            let holds = whole.is_ok_and(|whole| whole.is_match(&text));
            expect(holds, &format!("does not match the pattern {pattern}"));
        }
        if let Some(value) = &self.value {
            expect(&text == value, &format!("is not {value:?}"));
        }
        misses
    }

    fn decode(&self, value: &[u8]) -> Result<Vec<u8>, String> {
        let decode: fn(&[u8]) -> Result<Vec<u8>, DecodeError> = match self.encoding.as_deref() {
            None => return Ok(value.to_vec()),
            Some("base64") => |value| BASE64.decode(value),
            Some("base64url") => |value| BASE64URL.decode(value),
            Some("base32") => |value| BASE32.decode(value),
            Some("hex") => |value| HEXLOWER.decode(value),
            Some(other) => return Err(format!("the case names an unknown encoding {other}")),
        };
        decode(value).map_err(|_| "does not decode".to_owned())
    }

    fn count_misses(&self, text: &str) -> Vec<String> {
        let count = |wanted: fn(char) -> bool| text.chars().filter(|c| wanted(*c)).count();
        let counts = [
            ("characters", self.length, count(|_| true)),
            ("letters", self.letters, count(|c| c.is_ascii_alphabetic())),
            ("digits", self.digits, count(|c| c.is_ascii_digit())),
            ("symbols", self.symbols, count(|c| !c.is_ascii_alphanumeric())),
        ];
        let wrong = counts.into_iter().filter_map(|(what, expected, found)| {
            let expected = expected.filter(|expected| *expected != found)?;
            Some(format!("has {found} {what}, not {expected}"))
        });
        wrong.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_is_missed() {
        let check = |case: &str, value: &str, expected: &[&str]| {
            let case: FieldCase = serde_saphyr::from_str(case).expect(case);
            assert_eq!(case.misses(value.as_bytes()), expected, "{value}");
        };
        let counts = "{length: 4, letters: 2, digits: 1, symbols: 1, alphabet: 'ab1é', distinct: true, pattern: '[ab1é]+'}";
        check(counts, "a1éb", &[]);
        check(counts, "aab1", &["has 3 letters, not 2", "has 0 symbols, not 1", "has a character twice"]);
        check(counts, "ab1-", &["has a character outside \"ab1é\"", "does not match the pattern [ab1é]+"]);
        check("{encoding: hex, value: ab}", "6162", &[]);
        check("{encoding: hex, value: ab}", "6163", &["is not \"ab\""]);
        check("{encoding: base64}", "a", &["does not decode"]);
        check("{pattern: '('}", "(", &["does not match the pattern ("]);
    }
}
