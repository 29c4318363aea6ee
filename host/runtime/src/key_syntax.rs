//! Keys as kube-apiserver has them: those of a Secret, and those of labels and annotations. A key that it would refuse is refused
//! here, before anything is drawn.

const KEY_BYTES: usize = 253;
const NAME_BYTES: usize = 63;

/// 1 to 253 of `[-._a-zA-Z0-9]`, and neither `.` nor starting with `..`.
pub(crate) fn is_key(key: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !key.is_empty()
        && key.len() <= KEY_BYTES
        && key != "."
        && !key.starts_with("..")
        && key.bytes().all(inner)
}

/// A label's or annotation's key with its prefix: a DNS name, a slash, and 1 to 63 of `[-._a-zA-Z0-9]` between letters or digits.
/// One without a prefix is a Secret's key too.
pub(crate) fn is_prefixed_key(key: &str) -> bool {
    key.split_once('/').is_some_and(|(prefix, name)| is_dns_name(prefix) && is_name(name))
}

fn is_name(name: &str) -> bool {
    name.len() <= NAME_BYTES && is_key(name) && begins_and_ends(name, |byte| byte.is_ascii_alphanumeric())
}

fn is_dns_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let label =
        |label: &str| begins_and_ends(label, plain) && label.bytes().all(|byte| plain(byte) || byte == b'-');
    name.len() <= KEY_BYTES && name.split('.').all(label)
}

fn begins_and_ends(text: &str, fits: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    bytes.first().copied().is_some_and(&fits) && bytes.last().copied().is_some_and(&fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_that_of_a_secrets_keys() {
        let longest = "k".repeat(KEY_BYTES);
        for key in ["a", "tls.crt", ".dockerconfigjson", "A_b-9", &longest] {
            assert!(is_key(key), "{key}");
        }
        let longer = "k".repeat(KEY_BYTES + 1);
        for key in ["", ".", "..", "..a", "a b", "a/b", "ä", "a\0", &longer] {
            assert!(!is_key(key), "{key}");
        }
    }

    #[test]
    fn a_prefix_is_a_dns_name() {
        for key in ["example.org/len", "a/b", "a-b.c9/X_y.z"] {
            assert!(is_prefixed_key(key), "{key}");
        }
        let longer = format!("a/{}", "k".repeat(NAME_BYTES + 1));
        for key in
            ["a", "/a", "a/", "a/b/c", "A/b", "-a/b", "a./b", "a..b/c", "a b/c", "a/-b", "a/b.", &longer]
        {
            assert!(!is_prefixed_key(key), "{key}");
        }
    }
}
