//! The escapes of what the config says, as the host escapes the password. Here and not there, since the host takes a derivation for
//! something that varies in length, and could then not vouch for the whole exactly.

/// Everything but RFC 3986's unreserved characters percent-encoded.
pub(crate) fn percent(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte))
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// A field of a line of `.pgpass`. Backslashes the config does not let pass.
pub(crate) fn pgpass(text: &str) -> String {
    text.replace(':', "\\:")
}

/// A JSON string. Backslashes and control characters the config does not let pass.
pub(crate) fn json(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\\\""))
}
