//! The keys of a Secret, as kube-apiserver has them. A key that it would refuse is refused here, before anything is drawn.

const KEY_BYTES: usize = 253;

/// 1 to 253 of `[-._a-zA-Z0-9]`, and neither `.` nor starting with `..`.
pub(crate) fn is_key(key: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !key.is_empty()
        && key.len() <= KEY_BYTES
        && key != "."
        && !key.starts_with("..")
        && key.bytes().all(inner)
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
}
