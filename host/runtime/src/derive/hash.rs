//! One-way derivations: digests and password verifiers. Salts come from the host's randomness.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::draw::DrawError;
use crate::error::RecipeFault;
use crate::random::Random;

/// More than this bcrypt ignores: two passwords could share a hash.
const BCRYPT_BYTES: usize = 72;

pub(super) fn sha256_hex(bytes: &[u8]) -> Vec<u8> {
    HEXLOWER.encode(&Sha256::digest(bytes)).into_bytes()
}

/// The rounds of a cost.
pub(super) fn check_bcrypt(cost: u32) -> Result<u32, RecipeFault> {
    if !(4..=14).contains(&cost) {
        return Err(RecipeFault::Size("bcrypt: the cost is between 4 and 14"));
    }
    Ok(1 << cost)
}

/// As htpasswd writes it: `$2y$`.
pub(super) fn bcrypt(password: &[u8], cost: u32, random: &mut Random<'_>) -> Result<Vec<u8>, DrawError> {
    let fault = |detail| RecipeFault::Transform { via: "bcrypt", detail };
    if password.len() > BCRYPT_BYTES || password.contains(&0) {
        return Err(fault("bcrypt takes at most 72 bytes, without NUL").into());
    }
    let mut salt = [0; 16];
    random.fill(&mut salt)?;
    let hash = bcrypt::hash_with_salt(password, cost, salt);
    let hash = hash.map_err(|_| fault("bcrypt refused it"))?;
    Ok(hash.format_for_version(bcrypt::Version::TwoY).into_bytes())
}

pub(super) fn check_scram(iterations: u32) -> Result<u32, RecipeFault> {
    if !(4096..=1_000_000).contains(&iterations) {
        return Err(RecipeFault::Size("scram-sha256: between 4096 and 1000000 iterations"));
    }
    Ok(iterations)
}

/// PostgreSQL's verifier of a password (RFC 5803's form with its separators): `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`.
pub(super) fn scram_sha256(
    password: &[u8],
    iterations: u32,
    random: &mut Random<'_>,
) -> Result<Vec<u8>, DrawError> {
    let mut salt = [0; 16];
    random.fill(&mut salt)?;
    Ok(verifier(password, iterations, &salt).into_bytes())
}

pub(super) fn verifier(password: &[u8], iterations: u32, salt: &[u8]) -> String {
    let mut salted = Zeroizing::new([0; 32]);
    pbkdf2::pbkdf2_hmac::<Sha256>(&prepared(password), salt, iterations, salted.as_mut_slice());
    let client_key = Zeroizing::new(hmac(&salted, b"Client Key"));
    let stored_key = Sha256::digest(client_key.as_slice());
    let server_key = hmac(&salted, b"Server Key");
    format!(
        "SCRAM-SHA-256${iterations}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored_key),
        STANDARD.encode(server_key)
    )
}

/// As PostgreSQL does: SASLprep where it applies, the bytes as they are where it does not.
fn prepared(password: &[u8]) -> Zeroizing<Vec<u8>> {
    let text = std::str::from_utf8(password).ok();
    let prepared = text.and_then(|text| stringprep::saslprep(text).ok());
    Zeroizing::new(prepared.map_or_else(|| password.to_vec(), |text| text.into_owned().into_bytes()))
}

fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    // A key shorter than the block is padded with zeros: then no length can be wrong.
    let mut block = Zeroizing::new([0; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}
