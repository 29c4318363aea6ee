//! A map of values as a YAML document that every YAML 1.1 and 1.2 reader takes for the same strings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::Pair;

pub(super) fn text(pairs: &[Pair<'_>], notes: &[String]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    for note in notes {
        text.push_str("# ");
        text.extend(note.chars().map(|c| if c.is_control() { ' ' } else { c }));
        text.push('\n');
    }
    for (key, value) in pairs {
        push_key(&mut text, key);
        text.push_str(": ");
        push_value(&mut text, value);
        text.push('\n');
    }
    if pairs.is_empty() {
        text.push_str("{}\n");
    }
    text
}

fn push_key(text: &mut String, key: &str) {
    if is_plain(key) { text.push_str(key) } else { quote(text, key) }
}

/// Text that no YAML reader takes for anything but itself: a word that begins with a letter and is none that some version reads
/// as a boolean or as nothing.
fn is_plain(key: &str) -> bool {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "true", "false", "on", "off", "null"];
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(inner)
        && !WORDS.iter().any(|word| key.eq_ignore_ascii_case(word))
}

fn push_value(text: &mut String, value: &[u8]) {
    match std::str::from_utf8(value) {
        Ok(value) => quote(text, value),
        Err(_) => {
            text.push_str("!!binary \"");
            STANDARD.encode_string(value, text);
            text.push('"');
        }
    }
}

/// Double quotes, with an escape for everything that a reader may fold, strip or refuse.
fn quote(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            _ if needs_escape(c) => push_escape(text, c),
            _ => text.push(c),
        }
    }
    text.push('"');
}

fn needs_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn push_escape(text: &mut String, c: char) {
    text.push_str(&format!("\\u{:04x}", u32::from(c)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_find_what_was_written() {
        let value = "a\"b\\c\nd\re\tf\0g\u{7f}h\u{85}i\u{2028}j\u{feff}k\u{1f511}ä: # ' {x}";
        for key in ["password", "null", "Yes", "1.5", "-", "..", "tls.key", "a: b", "~"] {
            let written = text(&[(key, value.as_bytes()), ("other", b"5432")], &["a\nnote".to_owned()]);
            let read: std::collections::BTreeMap<String, serde_json::Value> =
                serde_saphyr::from_str(&written).unwrap();
            assert_eq!(read.get(key).unwrap(), value, "{written:?}");
            assert_eq!(read.get("other").unwrap(), "5432");
        }
    }

    #[test]
    fn words_that_mean_something_are_quoted() {
        for (key, plain) in
            [("password", true), ("jdbc-uri", true), ("NO", false), ("null", false), ("1e3", false)]
        {
            assert_eq!(is_plain(key), plain, "{key}");
        }
    }
}
