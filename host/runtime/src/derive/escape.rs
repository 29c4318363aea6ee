//! Escapes of texts, each one-to-one, so that what a consumer reads back is what was drawn.

use crate::error::RecipeFault;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Percent-encodes everything but RFC 3986's unreserved characters: safe in userinfo, in a query and in a path segment alike.
pub(super) fn percent(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(3 * bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(byte);
        } else {
            text.push(b'%');
            for nibble in [byte >> 4, byte & 15] {
                text.extend(HEX.get(usize::from(nibble)));
            }
        }
    }
    text
}

/// A field of a `.pgpass` line: `:` and `\` escaped.
pub(super) fn pgpass(bytes: &[u8]) -> Result<Vec<u8>, RecipeFault> {
    if bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
        return Err(fault("pgpass", "a line of pgpass cannot hold a line break or NUL"));
    }
    let mut text = Vec::with_capacity(2 * bytes.len());
    for &byte in bytes {
        if matches!(byte, b':' | b'\\') {
            text.push(b'\\');
        }
        text.push(byte);
    }
    Ok(text)
}

/// A whole JSON string, with its quotes.
pub(super) fn json_string(bytes: &[u8]) -> Result<Vec<u8>, RecipeFault> {
    let text = std::str::from_utf8(bytes).map_err(|_| fault("json-string", "it is not UTF-8"))?;
    // Room for the longest escape, so that no shorter copy is left behind.
    let mut json = Vec::with_capacity(6 * bytes.len() + 2);
    serde_json::to_writer(&mut json, text).map_err(|_| fault("json-string", "it is not UTF-8"))?;
    Ok(json)
}

/// One word of a POSIX shell, with its quotes.
pub(super) fn single_quote(bytes: &[u8]) -> Result<Vec<u8>, RecipeFault> {
    if bytes.contains(&0) {
        return Err(fault("single-quote", "a shell's word cannot hold NUL"));
    }
    let mut text = Vec::with_capacity(4 * bytes.len() + 2);
    text.push(b'\'');
    for &byte in bytes {
        match byte {
            b'\'' => text.extend_from_slice(b"'\\''"),
            _ => text.push(byte),
        }
    }
    text.push(b'\'');
    Ok(text)
}

fn fault(via: &'static str, detail: &'static str) -> RecipeFault {
    RecipeFault::Transform { via, detail }
}
