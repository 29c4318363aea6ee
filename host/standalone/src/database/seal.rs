//! How a row looks on disk: at the keyed hash of its table and key lie a random nonce and the XChaCha20-Poly1305
//! ciphertext of key and value. Table and place are the associated data, so a row cannot be moved elsewhere unseen.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Bytes, DatabaseError};

const NONCE_BYTES: usize = 24;

pub(super) struct Seal {
    cipher: XChaCha20Poly1305,
    places: Zeroizing<[u8; 32]>,
}

/// What a row holds.
pub(super) struct Unsealed {
    pub(super) key: Vec<u8>,
    pub(super) value: Bytes,
}

impl Seal {
    /// Derives one key for the rows and one for their places.
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let rows = Zeroizing::new(keyed_hash(key, &[b"keymill rows"]));
        Self {
            cipher: XChaCha20Poly1305::new((&*rows).into()),
            places: Zeroizing::new(keyed_hash(key, &[b"keymill places"])),
        }
    }

    /// Where the row of `key` lies.
    pub(super) fn place(&self, table: &str, key: &[u8]) -> [u8; 32] {
        keyed_hash(&self.places, &[table.as_bytes(), key])
    }

    pub(super) fn close(
        &self,
        table: &str,
        place: &[u8],
        key: &[u8],
        value: &[u8],
    ) -> Result<Vec<u8>, DatabaseError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|source| DatabaseError::Random { source })?;
        let mut plain = Zeroizing::new(Vec::with_capacity(4 + key.len() + value.len()));
        plain.extend_from_slice(&length(table, key)?);
        plain.extend_from_slice(key);
        plain.extend_from_slice(value);
        let payload = Payload { msg: &plain, aad: &bound_to(table, place) };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| altered(table))?;
        let mut row = nonce.to_vec();
        row.extend_from_slice(&sealed);
        Ok(row)
    }

    pub(super) fn open(&self, table: &str, place: &[u8], row: &[u8]) -> Result<Unsealed, DatabaseError> {
        let (nonce, sealed) = row.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| altered(table))?;
        let payload = Payload { msg: sealed, aad: &bound_to(table, place) };
        let plain = self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| altered(table))?;
        let plain = Zeroizing::new(plain);
        let (length, rest) = plain.split_first_chunk::<4>().ok_or_else(|| altered(table))?;
        let split = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| altered(table))?;
        let (key, value) = rest.split_at_checked(split).ok_or_else(|| altered(table))?;
        Ok(Unsealed { key: key.to_vec(), value: Zeroizing::new(value.to_vec()) })
    }
}

/// A key longer than 4 GiB cannot exist in memory beside its row; it would be refused as damaged.
fn length(table: &str, key: &[u8]) -> Result<[u8; 4], DatabaseError> {
    u32::try_from(key.len()).map(u32::to_be_bytes).map_err(|_| altered(table))
}

fn bound_to(table: &str, place: &[u8]) -> Vec<u8> {
    [table.as_bytes(), b"\0", place].concat()
}

fn altered(table: &str) -> DatabaseError {
    DatabaseError::Altered { table: table.to_owned() }
}

/// HMAC-SHA-256 of the parts, each behind its length, so that no two lists of parts are the same bytes.
fn keyed_hash(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
    for part in parts {
        mac.update(&part.len().to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
