//! What Go calls printable: letters, marks, numbers, punctuation, symbols and the plain space. Vault refuses paths and custom
//! metadata of anything else.

use std::sync::LazyLock;

use regex::Regex;

static PRINTABLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$").ok());

pub(super) fn is_printable(text: &str) -> bool {
    PRINTABLE.as_ref().is_some_and(|printable| printable.is_match(text))
}

#[test]
fn spaces_of_other_kinds_and_controls_are_not_printable() {
    for text in ["", "a b", "ü漢😀", "a\u{301}", "-._~!$&'()*+,;=:@/%", "\u{fffd}"] {
        assert!(is_printable(text), "{text:?}");
    }
    for text in ["a\nb", "\0", "\u{7f}", "\u{a0}", "\u{2028}", "\u{200d}", "\u{e000}"] {
        assert!(!is_printable(text), "{text:?}");
    }
}
