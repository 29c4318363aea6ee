//! The syntax of names, labels and the like, in the words of Kubernetes. Each function returns what is wrong, or `None`.

use std::sync::LazyLock;

use regex::Regex;

const NAME: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const KEY: &str = "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end \
    with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. \
    'example.com/MyName')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
    and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
    start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
    must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
    validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// The name of most objects.
pub(crate) fn subdomain(name: &str) -> Option<String> {
    limited(name, 253, name.split('.').all(is_label), SUBDOMAIN)
}

/// The name of a namespace.
pub(crate) fn label(name: &str) -> Option<String> {
    match name {
        name if name.contains('.') => Some("must not contain dots".to_owned()),
        name if name.len() > 63 => Some("must be no more than 63 characters".to_owned()),
        name => (!is_label(name)).then(|| LABEL.to_owned()),
    }
}

/// The key of a label or an annotation: a name, and before it maybe a DNS prefix and a slash.
pub(crate) fn label_key(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if name.contains('/') {
        return Some(KEY.to_owned());
    }
    match prefix {
        Some("") => return Some("prefix part must be non-empty".to_owned()),
        Some(prefix) => {
            if let Some(why) = subdomain(prefix) {
                return Some(format!("prefix part {why}"));
            }
        }
        None => {}
    }
    match name {
        "" => Some("name part must be non-empty".to_owned()),
        name if name.len() > 63 => Some("name part must be no more than 63 bytes".to_owned()),
        name => (!is_qualified(name)).then(|| NAME.to_owned()),
    }
}

/// The value of a label.
pub(crate) fn label_value(value: &str) -> Option<String> {
    limited(value, 63, value.is_empty() || is_qualified(value), VALUE)
}

fn limited(text: &str, limit: usize, is_right: bool, rule: &str) -> Option<String> {
    if text.len() > limit {
        return Some(format!("must be no more than {limit} bytes"));
    }
    (!is_right).then(|| rule.to_owned())
}

fn is_label(text: &str) -> bool {
    let inside = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    let bytes = text.as_bytes();
    let edges = [bytes.first(), bytes.last()];
    bytes.iter().all(inside) && edges.into_iter().all(|edge| edge.is_some_and(|byte| *byte != b'-'))
}

fn is_qualified(text: &str) -> bool {
    #[expect(clippy::expect_used, reason = "a constant expression, compiled by every test")]
    static QUALIFIED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$").expect("a valid expression")
    });
    QUALIFIED.is_match(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        let check = |rule: fn(&str) -> Option<String>, good: &[&str], bad: &[&str]| {
            for name in good {
                assert_eq!(rule(name), None, "{name}");
            }
            for name in bad {
                assert!(rule(name).is_some(), "{name}");
            }
        };
        check(
            subdomain,
            &["a", "a-b.c", "1", "system.admin-1"],
            &["", "A", "a_b", "-a", "a.", "a..b", &"a".repeat(254)],
        );
        check(label, &["a", "a-b"], &["", "a.b", "a-", &"a".repeat(64)]);
        check(
            label_key,
            &["a", "A_b.c", "example.com/x"],
            &["", "/x", "x/", "a/b/c", "-a", "Ex/a", &"a".repeat(64)],
        );
        check(label_value, &["", "a", "A_b.c-1"], &["-", "a b", "a/b", &"a".repeat(64)]);
    }
}
