//! PEM: base64 in lines between two labels (RFC 7468).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

pub(super) fn pkcs8(der: &[u8]) -> Vec<u8> {
    pem("PRIVATE KEY", der, 64)
}

pub(super) fn pem(label: &str, der: &[u8], width: usize) -> Vec<u8> {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = Vec::with_capacity(body.len() + body.len() / width + 2 * label.len() + 40);
    text.extend_from_slice(format!("-----BEGIN {label}-----\n").as_bytes());
    for line in body.as_bytes().chunks(width) {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text.extend_from_slice(format!("-----END {label}-----\n").as_bytes());
    text
}
