//! A key as a JWK (RFC 7517, 7518, 8037), and its thumbprint (RFC 7638). Members only, without the braces: whoever asks puts `kid`, `alg`
//! and `use` beside them. The public ones are those of the thumbprint in its order; the private ones follow.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::elliptic_curve::{
    AffinePoint, CurveArithmetic, FieldBytesSize, SecretKey,
    sec1::{FromSec1Point, ModulusSize, ToSec1Point},
};
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::public::{raw, raw_private, unreadable};
use crate::bindings::types::KeyAlgorithm;
use crate::error::RecipeFault;

pub(super) fn public(der: &[u8], algorithm: KeyAlgorithm) -> Result<Vec<u8>, RecipeFault> {
    Ok(Members::of(der, algorithm)?.public.to_vec())
}

pub(super) fn private(der: &[u8], algorithm: KeyAlgorithm) -> Result<Zeroizing<Vec<u8>>, RecipeFault> {
    let Members { public, private } = Members::of(der, algorithm)?;
    Ok(Zeroizing::new([public.as_slice(), b",", &private].concat()))
}

pub(super) fn thumbprint(der: &[u8], algorithm: KeyAlgorithm) -> Result<Vec<u8>, RecipeFault> {
    let object = [b"{", Members::of(der, algorithm)?.public.as_slice(), b"}"].concat();
    Ok(URL_SAFE_NO_PAD.encode(Sha256::digest(object)).into_bytes())
}

struct Members {
    public: Zeroizing<Vec<u8>>,
    private: Zeroizing<Vec<u8>>,
}

impl Members {
    fn of(der: &[u8], algorithm: KeyAlgorithm) -> Result<Self, RecipeFault> {
        match algorithm {
            KeyAlgorithm::Rsa => rsa(der),
            KeyAlgorithm::EcdsaP256 => ec::<p256::NistP256>(der, "P-256"),
            KeyAlgorithm::EcdsaP384 => ec::<p384::NistP384>(der, "P-384"),
            KeyAlgorithm::EcdsaP521 => ec::<p521::NistP521>(der, "P-521"),
            KeyAlgorithm::Ed25519 => octets(der, algorithm, "Ed25519"),
            KeyAlgorithm::X25519 => octets(der, algorithm, "X25519"),
        }
    }
}

fn octets(der: &[u8], algorithm: KeyAlgorithm, curve: &str) -> Result<Members, RecipeFault> {
    let point = encoded(&raw(der, algorithm)?);
    let seed = encoded(raw_private(der, algorithm)?.as_slice());
    Ok(Members {
        public: members(&[("crv", curve), ("kty", "OKP"), ("x", &point)]),
        private: members(&[("d", &seed)]),
    })
}

fn ec<C>(der: &[u8], curve: &str) -> Result<Members, RecipeFault>
where
    C: CurveArithmetic,
    SecretKey<C>: DecodePrivateKey,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    let key = SecretKey::<C>::from_pkcs8_der(der).map_err(|_| unreadable())?;
    let scalar = Zeroizing::new(key.to_bytes());
    let point = key.public_key().to_sec1_point(false);
    // Uncompressed: one byte that says so, then the two coordinates, each as long as the scalar.
    let coordinates = point.as_bytes().get(1..).ok_or_else(unreadable)?;
    let (x, y) = coordinates.split_at_checked(scalar.len()).ok_or_else(unreadable)?;
    Ok(Members {
        public: members(&[("crv", curve), ("kty", "EC"), ("x", &encoded(x)), ("y", &encoded(y))]),
        private: members(&[("d", &encoded(&scalar))]),
    })
}

fn rsa(der: &[u8]) -> Result<Members, RecipeFault> {
    let key = rsa::PrivateKey::from_pkcs8_der(der).map_err(|_| unreadable())?;
    let number = |number: &rsa::BoxedUint| {
        let bytes = Zeroizing::new(number.to_be_bytes());
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        encoded(bytes.get(zeros..).unwrap_or_default())
    };
    let [p, q] = key.primes() else {
        return Err(unreadable());
    };
    let (Some(dp), Some(dq), Some(qi)) = (key.dp(), key.dq(), key.crt_coefficient()) else {
        return Err(unreadable());
    };
    let qi = Zeroizing::new(qi);
    let (n, e) = (encoded(&key.n_bytes()), encoded(&key.e_bytes()));
    Ok(Members {
        public: members(&[("e", &e), ("kty", "RSA"), ("n", &n)]),
        private: members(&[
            ("d", &number(key.d())),
            ("p", &number(p)),
            ("q", &number(q)),
            ("dp", &number(dp)),
            ("dq", &number(dq)),
            ("qi", &number(&qi)),
        ]),
    })
}

fn encoded(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes))
}

/// None of the names and values has a character that JSON escapes. In one allocation, so that no copy is left behind.
fn members(members: &[(&str, &str)]) -> Zeroizing<Vec<u8>> {
    let size = members.iter().map(|(name, value)| name.len() + value.len() + 6).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(size));
    for (name, value) in members {
        if !text.is_empty() {
            text.push(b',');
        }
        for part in ["\"", name, "\":\"", value, "\""] {
            text.extend_from_slice(part.as_bytes());
        }
    }
    text
}
