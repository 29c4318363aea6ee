//! PKCS#12 (RFC 7292), as far as Go's package reads and writes it: one key with its certificates, or certificates alone.
//!
//! Written is what is modern (PBES2 with AES-256-CBC, HMAC-SHA-256), read also what is old (3DES and RC2 by SHA-1). Only
//! DER is read. The iterations of a file count as work before they are done. Forms and key derivation are the RustCrypto
//! crates', but for a bag, whose attributes real files do not sort.

mod cipher;
mod read;
mod write;

use der::asn1::{ObjectIdentifier, OctetString};
use der::{Any, Sequence};
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::rule::Rule;

pub(crate) use read::{Content, read};
pub(crate) use write::{DRAWN, DRAWN_TRUSTSTORE, write, write_truststore};

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

/// A bag of a safe.
#[derive(Sequence)]
struct SafeBag {
    id: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: Any,
    /// A set of attributes, as it stands.
    #[asn1(optional = "true")]
    attributes: Option<Any>,
}

/// A key under a password.
#[derive(Sequence)]
struct ShroudedKey {
    algorithm: AlgorithmIdentifierOwned,
    encrypted: OctetString,
}

/// A password in the two forms that the algorithms take.
struct Password {
    text: String,
    /// UCS-2 with a zero at the end, or nothing at all.
    bmp: Vec<u8>,
}

impl Password {
    /// # Errors
    /// If a character lies outside of Unicode's basic plane.
    fn new(text: &[u8]) -> Result<Self, Rule> {
        let text = String::from_utf8_lossy(text).into_owned();
        let bmp = [bmp(&text)?, vec![0, 0]].concat();
        Ok(Self { text, bmp })
    }

    /// Some programs take no bytes at all for an empty password.
    fn without_bytes() -> Self {
        Self { text: String::new(), bmp: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// A text in UCS-2.
fn bmp(text: &str) -> Result<Vec<u8>, Rule> {
    let mut bytes = Vec::with_capacity(2 * text.len());
    for c in text.chars() {
        let unit = u16::try_from(u32::from(c)).map_err(|_| Rule::BadArgument)?;
        bytes.extend_from_slice(&unit.to_be_bytes());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
