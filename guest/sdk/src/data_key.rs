//! What Kubernetes takes as a key of a Secret's data. A generator whose config names keys checks them in `validate`, where the
//! user sees the place; the host would refuse the output.

/// Whether `key` may be a key of a Secret: 1 to 253 ASCII letters, digits, `-`, `_` and `.`, but not
/// `.` alone or `..` at the start.
pub fn is_data_key(key: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=253).contains(&key.len()) && key.chars().all(allowed) && key != "." && !key.starts_with("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_kubernetes() {
        let check = |key: &str, expected: bool| assert_eq!(is_data_key(key), expected, "{key}");
        for key in ["password", "tls.crt", ".dockerconfigjson", "A_1-b", &"a".repeat(253)] {
            check(key, true);
        }
        for key in ["", ".", "..", "..a", "a/b", "a b", "é", &"a".repeat(254)] {
            check(key, false);
        }
    }
}
