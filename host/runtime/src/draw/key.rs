//! Private keys, made natively: a guest would need seconds for what takes the host milliseconds. A key is PKCS#8 DER from here on; its
//! other forms are derivations. The same random bytes give the same key, so a template's keys can be rendered again; which bytes are taken
//! for what is decided here and in no crate, so an upgrade changes no key.

use ::rsa::pkcs8::EncodePrivateKey as _;
use rand_core::TryCryptoRng;
use zeroize::{Zeroize as _, Zeroizing};

use super::{DrawError, Drawn};
use crate::bindings::types::{KeyAlgorithm, KeySpec};
use crate::entropy::Entropy;
use crate::error::RecipeFault;
use crate::random::Random;

mod rsa;
#[cfg(test)]
mod tests;

const RSA_DEFAULT_BITS: u32 = 3072;

/// A private key.
pub(crate) struct KeyPair {
    der: Zeroizing<Vec<u8>>,
    entropy: Entropy,
}

impl KeyPair {
    /// PKCS#8 DER.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }
}

pub(super) fn draw(spec: &KeySpec, random: &mut Random<'_>) -> Result<Drawn, DrawError> {
    check(spec)?;
    let pair = make(spec, random)?;
    let fixed = spec.algorithm != KeyAlgorithm::Rsa;
    Ok(Drawn { entropy: pair.entropy, bytes: pair.der, fixed, key: Some(spec.algorithm) })
}

/// # Errors
/// A size that the algorithm does not have, or that is too weak or too slow.
pub(crate) fn check(spec: &KeySpec) -> Result<(), RecipeFault> {
    let allowed: &[u32] = match spec.algorithm {
        KeyAlgorithm::Rsa => &[2048, 3072, 4096],
        KeyAlgorithm::EcdsaP256 | KeyAlgorithm::Ed25519 | KeyAlgorithm::X25519 => &[256],
        KeyAlgorithm::EcdsaP384 => &[384],
        KeyAlgorithm::EcdsaP521 => &[521],
    };
    if spec.bits.is_none_or(|bits| allowed.contains(&bits)) {
        return Ok(());
    }
    Err(RecipeFault::Size("key: rsa has 2048, 3072 or 4096 bits, each other algorithm one size"))
}

/// # Errors
/// Only if `random` fails, or if `spec` was not checked.
pub(crate) fn make<R: TryCryptoRng + ?Sized>(spec: &KeySpec, random: &mut R) -> Result<KeyPair, DrawError> {
    match spec.algorithm {
        KeyAlgorithm::Rsa => rsa(spec.bits.unwrap_or(RSA_DEFAULT_BITS), random),
        KeyAlgorithm::EcdsaP256 => ec::<p256::NistP256, R>(256, random),
        KeyAlgorithm::EcdsaP384 => ec::<p384::NistP384, R>(384, random),
        KeyAlgorithm::EcdsaP521 => ec::<p521::NistP521, R>(521, random),
        KeyAlgorithm::Ed25519 => seed(ED25519_DER, 256.0, random),
        // Five of its bits are overwritten at each use (RFC 7748).
        KeyAlgorithm::X25519 => seed(X25519_DER, 251.0, random),
    }
}

/// The strength that NIST SP 800-57 gives such a key: a bound on what it is worth, not on the bits that went into it.
fn rsa<R: TryCryptoRng + ?Sized>(bits: u32, random: &mut R) -> Result<KeyPair, DrawError> {
    let der = rsa::make(bits, random)?;
    let strength = match bits {
        ..3072 => 112.0,
        3072..4096 => 128.0,
        _ => 140.0,
    };
    let entropy = Entropy { bits: strength, exact: false };
    Ok(KeyPair { der, entropy })
}

/// Bytes that are no key of the curve are drawn again; the highest bits of a P-521 are cut. The order of each curve is less than a
/// billionth of a bit from 2^bits.
fn ec<C, R>(bits: u16, random: &mut R) -> Result<KeyPair, DrawError>
where
    C: p256::elliptic_curve::CurveArithmetic,
    p256::elliptic_curve::SecretKey<C>: ::rsa::pkcs8::EncodePrivateKey,
    R: TryCryptoRng + ?Sized,
{
    let mut bytes = Zeroizing::new(vec![0; usize::from(bits.div_ceil(8))]);
    loop {
        random.try_fill_bytes(&mut bytes).map_err(|_| failed())?;
        if let (Some(highest), 1..) = (bytes.first_mut(), bits % 8) {
            *highest &= (1 << (bits % 8)) - 1;
        }
        if let Ok(key) = p256::elliptic_curve::SecretKey::<C>::from_slice(&bytes) {
            let der = key.to_pkcs8_der().map_err(|_| failed())?;
            let entropy = Entropy { bits: f64::from(bits), exact: true };
            return Ok(KeyPair { der: Zeroizing::new(der.as_bytes().to_vec()), entropy });
        }
    }
}

/// What stands before the 32 bytes of a key of RFC 8410, version 1: sequence, version 0, algorithm, octet string in octet string.
pub(crate) const ED25519_DER: &[u8; 16] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
pub(crate) const X25519_DER: &[u8; 16] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6e\x04\x22\x04\x20";

fn seed<R: TryCryptoRng + ?Sized>(before: &[u8], bits: f64, random: &mut R) -> Result<KeyPair, DrawError> {
    let mut seed = [0; 32];
    random.try_fill_bytes(&mut seed).map_err(|_| failed())?;
    let mut der = Zeroizing::new(Vec::with_capacity(before.len() + seed.len()));
    der.extend_from_slice(before);
    der.extend_from_slice(&seed);
    seed.zeroize();
    Ok(KeyPair { der, entropy: Entropy { bits, exact: true } })
}

fn failed() -> DrawError {
    DrawError::Random(crate::error::RandomError)
}
