//! JSON Web Keys (RFC 7517, 7518, 8037) to the DER that their PEM holds: RSA, EC and Ed25519, public and private.
//!
//! A key that has a `d` is private. What is asked for must be there: a private key is no public one, as in ESO.

use der::asn1::{Any, BitString, UintRef};
use der::oid::ObjectIdentifier;
use der::{Encode, asn1::Null};
use p256::elliptic_curve::sec1::{FromSec1Point, ToSec1Point};
use p256::elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytesSize, PublicKey, SecretKey};
use rsa::BoxedUint;
use rsa::pkcs1::RsaPublicKey;
use rsa::pkcs8::{AssociatedOid, EncodePublicKey};
use x509_cert::spki::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::PrivateKey;
use crate::json;
use crate::limits::Budget;
use crate::rule::Rule;
use crate::value::{Dict, Value};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The public key in a JWK: SubjectPublicKeyInfo, DER.
///
/// # Errors
/// If it is no JWK, or none of a public key that is known here.
pub(crate) fn public(text: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Rule> {
    let jwk = Jwk::read(text, budget)?;
    if jwk.0.contains(b"d") {
        return Err(Rule::NotAKey);
    }
    match (jwk.word("kty")?.as_slice(), jwk.word("crv").unwrap_or_default().as_slice()) {
        (b"RSA", _) => jwk.rsa_public(),
        (b"EC", b"P-256") => jwk.ec_public::<p256::NistP256>(32),
        (b"EC", b"P-384") => jwk.ec_public::<p384::NistP384>(48),
        (b"EC", b"P-521") => jwk.ec_public::<p521::NistP521>(66),
        (b"OKP", b"Ed25519") => {
            let bytes = jwk.bytes("x")?.try_into().map_err(|_| Rule::NotAKey)?;
            let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| Rule::NotAKey)?;
            Ok(key.to_public_key_der().map_err(|_| Rule::NotAKey)?.as_bytes().to_vec())
        }
        _ => Err(Rule::NotAKey),
    }
}

/// The private key in a JWK.
///
/// # Errors
/// If it is no JWK, or none of a private key that is known here.
pub(crate) fn private(text: &[u8], budget: &mut Budget) -> Result<PrivateKey, Rule> {
    let jwk = Jwk::read(text, budget)?;
    match (jwk.word("kty")?.as_slice(), jwk.word("crv").unwrap_or_default().as_slice()) {
        (b"RSA", _) => jwk.rsa_private(),
        (b"EC", b"P-256") => jwk.ec_private::<p256::NistP256>(32).map(PrivateKey::P256),
        (b"EC", b"P-384") => jwk.ec_private::<p384::NistP384>(48).map(PrivateKey::P384),
        (b"EC", b"P-521") => jwk.ec_private::<p521::NistP521>(66).map(PrivateKey::P521),
        (b"OKP", b"Ed25519") => {
            let seed = jwk.bytes("d")?.try_into().map_err(|_| Rule::NotAKey)?;
            let key = ed25519_dalek::SigningKey::from_bytes(&seed);
            let is_its_own = key.verifying_key().as_bytes().as_slice() == jwk.bytes("x")?;
            if is_its_own { Ok(PrivateKey::Ed25519(Box::new(key))) } else { Err(Rule::NotAKey) }
        }
        _ => Err(Rule::NotAKey),
    }
}

/// The members of a JWK.
struct Jwk(Dict);

impl Jwk {
    fn read(text: &[u8], budget: &mut Budget) -> Result<Self, Rule> {
        match json::read(text, budget)? {
            Value::Dict(members) => Ok(Self(members)),
            _ => Err(Rule::NotAKey),
        }
    }

    fn word(&self, name: &str) -> Result<Vec<u8>, Rule> {
        match self.0.get(name.as_bytes()) {
            Some(Value::Text(text)) => Ok(text.to_vec()),
            _ => Err(Rule::NotAKey),
        }
    }

    /// A member in base64, of either alphabet, with padding or without.
    fn bytes(&self, name: &str) -> Result<Vec<u8>, Rule> {
        let mut digits = self.word(name)?;
        while digits.pop_if(|last| *last == b'=').is_some() {}
        for digit in &mut digits {
            match *digit {
                b'+' => *digit = b'-',
                b'/' => *digit = b'_',
                _ => {}
            }
        }
        let decoded = data_encoding::BASE64URL_NOPAD.decode(&digits).map_err(|_| Rule::NotAKey)?;
        if decoded.is_empty() { Err(Rule::NotAKey) } else { Ok(decoded) }
    }

    /// A number, without the zeros that may stand before it.
    fn number(&self, name: &str) -> Result<Vec<u8>, Rule> {
        let bytes = self.bytes(name)?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Ok(bytes.get(zeros..).unwrap_or_default().to_vec())
    }

    /// A number as that many bytes.
    fn padded(&self, name: &str, width: usize) -> Result<Vec<u8>, Rule> {
        let number = self.number(name)?;
        let zeros = width.checked_sub(number.len()).ok_or(Rule::NotAKey)?;
        Ok([vec![0; zeros], number].concat())
    }

    /// Written as it is: Go does not ask whether it is a good key.
    fn rsa_public(&self) -> Result<Vec<u8>, Rule> {
        let (modulus, exponent) = (self.number("n")?, self.number("e")?);
        let encode = || {
            let key =
                RsaPublicKey { modulus: UintRef::new(&modulus)?, public_exponent: UintRef::new(&exponent)? };
            let algorithm = AlgorithmIdentifier { oid: RSA, parameters: Some(Any::from(Null)) };
            let subject_public_key = BitString::from_bytes(&key.to_der()?)?;
            SubjectPublicKeyInfo { algorithm, subject_public_key }.to_der()
        };
        encode().map_err(|_| Rule::NotAKey)
    }

    fn rsa_private(&self) -> Result<PrivateKey, Rule> {
        let bits = u32::try_from(self.number("n")?.len() * 8).map_err(|_| Rule::NotAKey)?;
        let number =
            |name: &str| BoxedUint::from_be_slice(&self.number(name)?, bits).map_err(|_| Rule::NotAKey);
        let exponent = self.number("e")?;
        let exponent_bits = u32::try_from(exponent.len() * 8).map_err(|_| Rule::NotAKey)?;
        let exponent = BoxedUint::from_be_slice(&exponent, exponent_bits).map_err(|_| Rule::NotAKey)?;
        let primes = vec![number("p")?, number("q")?];
        let key = rsa::PrivateKey::from_components(number("n")?, exponent, number("d")?, primes);
        Ok(PrivateKey::Rsa(Box::new(key.map_err(|_| Rule::NotAKey)?)))
    }

    fn point(&self, width: usize) -> Result<Vec<u8>, Rule> {
        Ok([vec![4], self.padded("x", width)?, self.padded("y", width)?].concat())
    }

    fn ec_public<C>(&self, width: usize) -> Result<Vec<u8>, Rule>
    where
        C: CurveArithmetic + AssociatedOid,
        AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
        FieldBytesSize<C>: p256::elliptic_curve::sec1::ModulusSize,
    {
        let key = PublicKey::<C>::from_sec1_bytes(&self.point(width)?).map_err(|_| Rule::NotAKey)?;
        Ok(key.to_public_key_der().map_err(|_| Rule::NotAKey)?.as_bytes().to_vec())
    }

    fn ec_private<C>(&self, width: usize) -> Result<SecretKey<C>, Rule>
    where
        C: CurveArithmetic,
        AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
        FieldBytesSize<C>: p256::elliptic_curve::sec1::ModulusSize,
    {
        let key = SecretKey::<C>::from_slice(&self.padded("d", width)?).map_err(|_| Rule::NotAKey)?;
        let point = key.public_key().to_sec1_point(false);
        let is_its_own = point.as_bytes() == self.point(width)?;
        if is_its_own { Ok(key) } else { Err(Rule::NotAKey) }
    }
}
