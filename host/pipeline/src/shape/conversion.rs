//! Keys that a Secret may have.

use std::collections::BTreeMap;

use api::external_secret::ConversionStrategy;

use super::ShapeError;
use crate::field::{Fields, Value};

const LENGTH_MAX: usize = 253;

/// Whether the API server accepts it as a key of a Secret.
fn is_valid_key(key: &str) -> bool {
    (1..=LENGTH_MAX).contains(&key.len()) && key.chars().all(is_valid) && key != "." && !key.starts_with("..")
}

fn is_valid(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_')
}

/// Makes keys valid; two that become the same are an error.
pub(crate) fn convert(fields: Fields, strategy: ConversionStrategy) -> Result<Fields, ShapeError> {
    let mut converted: BTreeMap<String, (String, Value)> = BTreeMap::new();
    for (original, value) in fields {
        let key = convert_key(&original, strategy);
        if let Some((first, _)) = converted.get(&key) {
            return Err(ShapeError::Collision { first: first.clone(), second: original, key });
        }
        converted.insert(key, (original, value));
    }
    Ok(converted.into_iter().map(|(key, (_, value))| (key, value)).collect())
}

fn convert_key(key: &str, strategy: ConversionStrategy) -> String {
    let mut converted = String::with_capacity(key.len());
    for character in key.chars() {
        match strategy {
            _ if is_valid(character) => converted.push(character),
            ConversionStrategy::Default => converted.push('_'),
            ConversionStrategy::Unicode => converted.push_str(&format!("_U{:04x}_", u32::from(character))),
        }
    }
    converted
}

/// Undoes what `Unicode` did to a key; what is not a code point stays as it is.
pub(crate) fn reverse_unicode(key: &str) -> String {
    let mut reversed = String::with_capacity(key.len());
    let mut rest = key;
    while let Some(at) = rest.find("_U") {
        let (before, escape) = rest.split_at_checked(at).unwrap_or((rest, ""));
        reversed.push_str(before);
        match code_point(escape) {
            Some((character, after)) => {
                reversed.push(character);
                rest = after;
            }
            None => {
                reversed.push_str("_U");
                rest = escape.get(2..).unwrap_or_default();
            }
        }
    }
    reversed.push_str(rest);
    reversed
}

/// The character of `_U002f_...`, and what follows.
fn code_point(escape: &str) -> Option<(char, &str)> {
    let (digits, after) = escape.strip_prefix("_U")?.split_once('_')?;
    let valid = (4..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let code = u32::from_str_radix(digits, 16).ok().filter(|_| valid)?;
    char::from_u32(code).map(|character| (character, after))
}

/// Checks the keys of one entry; an empty key is left out, as in ESO.
pub(crate) fn check_keys(mut fields: Fields) -> Result<Fields, ShapeError> {
    fields.remove("");
    check_target_keys(&fields)?;
    Ok(fields)
}

/// Checks all keys that are to be written.
pub(super) fn check_target_keys(fields: &Fields) -> Result<(), ShapeError> {
    match fields.keys().find(|key| !is_valid_key(key)) {
        Some(key) => Err(ShapeError::InvalidKey { key: key.clone() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(strategy: ConversionStrategy, keys: &[&str], want: Result<&[&str], &str>) {
        let fields = keys.iter().map(|key| ((*key).to_owned(), Value::from(*key))).collect();
        let got = convert(fields, strategy).map(|fields| fields.into_keys().collect::<Vec<_>>());
        match (got, want) {
            (Ok(got), Ok(want)) => assert_eq!(got, want, "{keys:?}"),
            (Err(got), Err(want)) => assert_eq!(got.to_string(), want, "{keys:?}"),
            (got, want) => panic!("{keys:?}: {got:?}, not {want:?}"),
        }
    }

    #[test]
    fn characters_that_no_key_may_have_are_replaced() {
        use ConversionStrategy::{Default, Unicode};
        check(Default, &["a/b", "c d", "e:f", "ok-1.x_y"], Ok(&["a_b", "c_d", "e_f", "ok-1.x_y"]));
        check(Unicode, &["a/b", "c d", "e:f"], Ok(&["a_U002f_b", "c_U0020_d", "e_U003a_f"]));
        check(Unicode, &["schlüssel", "😀"], Ok(&["_U1f600_", "schl_U00fc_ssel"]));
        check(Default, &["a/b", "a:b"], Err("convert the keys a/b and a:b: both become a_b"));
        check(Default, &["a_b", "a/b"], Err("convert the keys a/b and a_b: both become a_b"));
        check(Unicode, &["a/b", "a:b"], Ok(&["a_U002f_b", "a_U003a_b"]));
    }

    #[test]
    fn reverse_undoes_code_points_only() {
        for (key, want) in [
            ("a_U002f_b", "a/b"),
            ("a_U002F_b", "a/b"),
            ("_U1f600_", "😀"),
            ("_U002f__U003a_", "/:"),
            ("_U_U002f_", "_U/"),
            ("_U02f_", "_U02f_"),
            ("_Ud800_", "_Ud800_"),
            ("_U002f", "_U002f"),
            ("_Uüüüü_", "_Uüüüü_"),
            ("plain", "plain"),
        ] {
            assert_eq!(reverse_unicode(key), want, "{key}");
        }
    }

    #[test]
    fn a_key_is_what_the_api_server_accepts() {
        for (key, valid) in [
            ("a", true),
            ("A-1._", true),
            ("", false),
            (".", false),
            ("..", false),
            ("...a", false),
            (".a", true),
            ("a/b", false),
            ("é", false),
        ] {
            assert_eq!(is_valid_key(key), valid, "{key}");
        }
        assert!(is_valid_key(&"k".repeat(253)));
        assert!(!is_valid_key(&"k".repeat(254)));
    }

    proptest! {
        #[test]
        fn a_converted_key_comes_back(key in "[^_]{0,12}") {
            let converted = convert_key(&key, ConversionStrategy::Unicode);
            prop_assert!(converted.chars().all(is_valid));
            prop_assert_eq!(reverse_unicode(&converted), key);
        }
    }
}
