//! Private keys in the forms that Go's `crypto/x509` reads and writes: PKCS#1, SEC1, PKCS#8, PEM; and the public half of each.
//!
//! RSA of 1024 to 8192 bits, the curves P-256, P-384 and P-521, Ed25519. Of a DSA key only the form is known, since no
//! certificate is made with one. The arithmetic is the RustCrypto crates'; here is only which form is which.

pub(crate) mod dsa;
pub(crate) mod jwk;

use der::Decode;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::KeypairBytes;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, PrivateKeyInfoRef};
use rsa::traits::PublicKeyParts;

use crate::limits::Costly;
use crate::pem;
use crate::rule::Rule;

/// The longest DER that is read: more than an RSA key of 8192 bits takes.
const DER_BYTES: usize = 8 << 10;

/// A private key. Boxed where it is large.
pub(crate) enum PrivateKey {
    Rsa(Box<rsa::PrivateKey>),
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    P521(p521::SecretKey),
    Ed25519(Box<SigningKey>),
    /// A DSA key, of which nothing is kept.
    Dsa,
}

impl PrivateKey {
    /// # Errors
    /// If it is no such key; so for all that read.
    pub(crate) fn of_pkcs8(der: &[u8]) -> Result<Self, Rule> {
        check_length(der)?;
        if let Ok(key) = p256::SecretKey::from_pkcs8_der(der) {
            return Ok(Self::P256(key));
        }
        if let Ok(key) = p384::SecretKey::from_pkcs8_der(der) {
            return Ok(Self::P384(key));
        }
        if let Ok(key) = p521::SecretKey::from_pkcs8_der(der) {
            return Ok(Self::P521(key));
        }
        if let Ok(key) = SigningKey::from_pkcs8_der(der) {
            return Ok(Self::Ed25519(Box::new(key)));
        }
        let key = rsa::PrivateKey::from_pkcs8_der(der).map_err(|_| Rule::NotAKey)?;
        Ok(Self::Rsa(Box::new(key)))
    }

    pub(crate) fn of_pkcs1(der: &[u8]) -> Result<Self, Rule> {
        check_length(der)?;
        let key = rsa::PrivateKey::from_pkcs1_der(der).map_err(|_| Rule::NotAKey)?;
        Ok(Self::Rsa(Box::new(key)))
    }

    pub(crate) fn of_sec1(der: &[u8]) -> Result<Self, Rule> {
        if let Ok(key) = p256::SecretKey::from_sec1_der(der) {
            return Ok(Self::P256(key));
        }
        if let Ok(key) = p384::SecretKey::from_sec1_der(der) {
            return Ok(Self::P384(key));
        }
        p521::SecretKey::from_sec1_der(der).map(Self::P521).map_err(|_| Rule::NotAKey)
    }

    /// Whichever of the three forms it is.
    pub(crate) fn of_any(der: &[u8]) -> Result<Self, Rule> {
        Self::of_pkcs1(der).or_else(|_| Self::of_pkcs8(der)).or_else(|_| Self::of_sec1(der))
    }

    /// PEM of a key that the host made, in the form that sprig chooses. The numbers of an RSA key are not looked at.
    pub(crate) fn pem_of_made(der: &[u8]) -> Result<Vec<u8>, Rule> {
        let info = PrivateKeyInfoRef::from_der(der).map_err(|_| Rule::NotAKey)?;
        if info.algorithm.oid == rsa::pkcs1::ALGORITHM_OID {
            return Ok(pem::encode(b"RSA PRIVATE KEY", info.private_key.as_bytes()));
        }
        Self::of_pkcs8(der)?.to_pem()
    }

    /// As sprig reads a key: the label says the form.
    pub(crate) fn of_pem(text: &[u8]) -> Result<Self, Rule> {
        let (block, _) = pem::decode(text).ok_or(Rule::NotPem)?;
        match block.label.as_slice() {
            b"PRIVATE KEY" => Self::of_pkcs8(&block.bytes),
            b"RSA PRIVATE KEY" => Self::of_pkcs1(&block.bytes),
            b"EC PRIVATE KEY" => Self::of_sec1(&block.bytes),
            b"DSA PRIVATE KEY" => {
                dsa::DsaKey::from_der(&block.bytes).map(|_| Self::Dsa).map_err(|_| Rule::NotAKey)
            }
            _ => Err(Rule::NotAKey),
        }
    }

    /// What it costs to sign or decrypt with it.
    pub(crate) fn cost(&self) -> Costly {
        match self {
            Self::Rsa(key) => Costly::Rsa(8 * key.size()),
            Self::P256(_) | Self::P384(_) | Self::P521(_) | Self::Ed25519(_) | Self::Dsa => Costly::Curve,
        }
    }

    /// PKCS#8, DER.
    ///
    /// # Errors
    /// For DSA; so for the others that write.
    pub(crate) fn to_pkcs8(&self) -> Result<Vec<u8>, Rule> {
        let der = match self {
            Self::Rsa(key) => key.to_pkcs8_der(),
            Self::P256(key) => key.to_pkcs8_der(),
            Self::P384(key) => key.to_pkcs8_der(),
            Self::P521(key) => key.to_pkcs8_der(),
            // Version 1: Go does not write the public half.
            Self::Ed25519(key) => {
                KeypairBytes { secret_key: key.to_bytes(), public_key: None }.to_pkcs8_der()
            }
            Self::Dsa => return Err(Rule::NotAKey),
        };
        Ok(der.map_err(|_| Rule::NotAKey)?.as_bytes().to_vec())
    }

    /// PEM in the form that sprig chooses: an RSA and an elliptic curve key have their own, the rest is PKCS#8.
    pub(crate) fn to_pem(&self) -> Result<Vec<u8>, Rule> {
        let (label, der) = match self {
            Self::Rsa(key) => ("RSA PRIVATE KEY", key.to_pkcs1_der().map(|der| der.as_bytes().to_vec()).ok()),
            Self::P256(key) => ("EC PRIVATE KEY", key.to_sec1_der().map(|der| der.to_vec()).ok()),
            Self::P384(key) => ("EC PRIVATE KEY", key.to_sec1_der().map(|der| der.to_vec()).ok()),
            Self::P521(key) => ("EC PRIVATE KEY", key.to_sec1_der().map(|der| der.to_vec()).ok()),
            Self::Ed25519(_) | Self::Dsa => ("PRIVATE KEY", Some(self.to_pkcs8()?)),
        };
        Ok(pem::encode(label.as_bytes(), &der.ok_or(Rule::NotAKey)?))
    }

    /// The public half: SubjectPublicKeyInfo, DER.
    pub(crate) fn public(&self) -> Result<Vec<u8>, Rule> {
        let der = match self {
            Self::Rsa(key) => key.to_public_key().to_public_key_der(),
            Self::P256(key) => key.public_key().to_public_key_der(),
            Self::P384(key) => key.public_key().to_public_key_der(),
            Self::P521(key) => key.public_key().to_public_key_der(),
            Self::Ed25519(key) => key.verifying_key().to_public_key_der(),
            Self::Dsa => return Err(Rule::NotAKey),
        };
        Ok(der.map_err(|_| Rule::NotAKey)?.as_bytes().to_vec())
    }
}

fn check_length(der: &[u8]) -> Result<(), Rule> {
    if der.len() > DER_BYTES { Err(Rule::NotAKey) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
