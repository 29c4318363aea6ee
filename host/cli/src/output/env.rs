//! A map of values as assignments for a POSIX shell, fit for `eval`, `source` and an env file of the same quoting.
//!
//! A key becomes a name by one rule: upper case, `_` for each character that a name cannot have, `_` before a leading digit.
//! Two keys that become the same name are refused: one would silently replace the other.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::{Pair, as_text};

pub(super) fn text(pairs: &[Pair<'_>]) -> Result<Zeroizing<String>, String> {
    let mut text = Zeroizing::new(String::new());
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for (key, value) in pairs {
        let value = as_text(key, value, "an assignment")?;
        if value.contains('\0') {
            return Err(format!("write {key} as an assignment: a variable cannot hold a NUL; use -o yaml"));
        }
        let name = name(key);
        text.push_str(&name);
        text.push_str("='");
        push_quoted(&mut text, value);
        text.push_str("'\n");
        if let Some(other) = taken.insert(name.clone(), key) {
            return Err(format!("write {other} and {key} as assignments: both would be {name}; use -o yaml"));
        }
    }
    Ok(text)
}

fn name(key: &str) -> String {
    let digit = key.starts_with(|c: char| c.is_ascii_digit());
    let inner = |c: char| {
        if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }
    };
    let name = key.chars().map(inner);
    if digit { std::iter::once('_').chain(name).collect() } else { name.collect() }
}

/// Within single quotes only the single quote means something: it ends them, is written escaped, and begins them again.
fn push_quoted(text: &mut String, value: &str) {
    for (index, part) in value.split('\'').enumerate() {
        if index > 0 {
            text.push_str("'\\''");
        }
        text.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_names() {
        for (key, expected) in
            [("password", "PASSWORD"), ("jdbc-uri", "JDBC_URI"), ("tls.key", "TLS_KEY"), ("2fa", "_2FA")]
        {
            assert_eq!(name(key), expected);
        }
    }

    #[test]
    fn one_name_is_one_key() {
        let refused = text(&[("tls.key", b"a"), ("tls-key", b"b")]).unwrap_err();
        assert_eq!(refused, "write tls.key and tls-key as assignments: both would be TLS_KEY; use -o yaml");
        assert!(text(&[("a", b"x\0y")]).unwrap_err().contains("NUL"));
    }

    /// The shell itself says what it reads.
    #[test]
    fn a_shell_reads_what_was_written() {
        let value = "'\"$(false)`false`\\ \n!*?~#&;|<>{}[]ä'";
        let script =
            format!("{}printf %s \"$PASSWORD\"", text(&[("password", value.as_bytes())]).unwrap().as_str());
        let shell = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
        assert_eq!(String::from_utf8(shell.stdout).unwrap(), value);
    }
}
