//! The public half of a key, as SubjectPublicKeyInfo; and both halves of the keys that are 32 bytes each, as they are.

use p256::elliptic_curve;
use rsa::pkcs8::{DecodePrivateKey, EncodePublicKey};
use zeroize::Zeroizing;

use super::pem;
use crate::bindings::types::KeyAlgorithm;
use crate::draw::key::{ED25519_DER, X25519_DER};
use crate::error::RecipeFault;

/// What stands before the 32 bytes of a public key of RFC 8410: sequence, algorithm, bit string.
const ED25519_SPKI: &[u8; 12] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
const X25519_SPKI: &[u8; 12] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\x00";

pub(super) fn pem(der: &[u8], algorithm: KeyAlgorithm) -> Result<Vec<u8>, RecipeFault> {
    let spki = match algorithm {
        KeyAlgorithm::Rsa => {
            let key = rsa::PrivateKey::from_pkcs8_der(der).map_err(|_| unreadable())?;
            key.to_public_key().to_public_key_der().map_err(|_| unreadable())?.into_vec()
        }
        KeyAlgorithm::EcdsaP256 => ec::<p256::NistP256>(der)?,
        KeyAlgorithm::EcdsaP384 => ec::<p384::NistP384>(der)?,
        KeyAlgorithm::EcdsaP521 => ec::<p521::NistP521>(der)?,
        KeyAlgorithm::Ed25519 => [ED25519_SPKI.as_slice(), &raw(der, algorithm)?].concat(),
        KeyAlgorithm::X25519 => [X25519_SPKI.as_slice(), &raw(der, algorithm)?].concat(),
    };
    Ok(pem::pem("PUBLIC KEY", &spki, 64))
}

/// The 32 bytes of a public key of RFC 8410.
pub(super) fn raw(der: &[u8], algorithm: KeyAlgorithm) -> Result<[u8; 32], RecipeFault> {
    match algorithm {
        KeyAlgorithm::Ed25519 => Ok(ed25519(der)?.verifying_key().to_bytes()),
        KeyAlgorithm::X25519 => {
            let secret = x25519_dalek::StaticSecret::from(*seed(der, X25519_DER)?);
            Ok(x25519_dalek::PublicKey::from(&secret).to_bytes())
        }
        _ => Err(not_32_bytes()),
    }
}

/// The 32 bytes of a private key of RFC 8410. X25519 overwrites five bits at each use (RFC 7748); other tools print them overwritten.
pub(super) fn raw_private(der: &[u8], algorithm: KeyAlgorithm) -> Result<Zeroizing<[u8; 32]>, RecipeFault> {
    match algorithm {
        KeyAlgorithm::Ed25519 => seed(der, ED25519_DER),
        KeyAlgorithm::X25519 => {
            let mut scalar = seed(der, X25519_DER)?;
            let [first, .., last] = &mut *scalar;
            *first &= 0b1111_1000;
            *last = *last & 0b0111_1111 | 0b0100_0000;
            Ok(scalar)
        }
        _ => Err(not_32_bytes()),
    }
}

fn not_32_bytes() -> RecipeFault {
    RecipeFault::Transform { via: "a key's raw bytes", detail: "only ed25519 and x25519 keys have them" }
}

fn ec<C>(der: &[u8]) -> Result<Vec<u8>, RecipeFault>
where
    C: elliptic_curve::CurveArithmetic,
    elliptic_curve::SecretKey<C>: DecodePrivateKey,
    elliptic_curve::PublicKey<C>: EncodePublicKey,
{
    let key = elliptic_curve::SecretKey::<C>::from_pkcs8_der(der).map_err(|_| unreadable())?;
    let public = key.public_key().to_public_key_der().map_err(|_| unreadable())?;
    Ok(public.into_vec())
}

pub(super) fn ed25519(der: &[u8]) -> Result<ed25519_dalek::SigningKey, RecipeFault> {
    Ok(ed25519_dalek::SigningKey::from_bytes(&*seed(der, ED25519_DER)?))
}

fn seed(der: &[u8], before: &[u8]) -> Result<Zeroizing<[u8; 32]>, RecipeFault> {
    let seed = der.strip_prefix(before).and_then(|seed| seed.try_into().ok());
    seed.map(Zeroizing::new).ok_or_else(unreadable)
}

/// Keys are made by us, so this is not expected; it is still an error rather than a panic.
pub(super) fn unreadable() -> RecipeFault {
    RecipeFault::Transform { via: "a key's form", detail: "it is not a key of its algorithm" }
}
