//! OpenSSH's own forms of a key: the line of `authorized_keys`, and the file that `ssh-keygen` writes, without a passphrase
//! (PROTOCOL.key in OpenSSH's source). X25519 keys have none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::elliptic_curve::{
    AffinePoint, CurveArithmetic, FieldBytesSize, SecretKey,
    sec1::{FromSec1Point, ModulusSize, ToSec1Point},
};
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{pem, public};
use crate::bindings::types::KeyAlgorithm;
use crate::error::RecipeFault;

const COMMENT_BYTES: usize = 256;
const BLOCK: usize = 8;

/// `ssh-ed25519 AAAA... comment`, without a line break.
pub(super) fn public(der: &[u8], algorithm: KeyAlgorithm, comment: &str) -> Result<Vec<u8>, RecipeFault> {
    check_comment(comment)?;
    let parts = Parts::of(der, algorithm)?;
    let blob = STANDARD.encode(parts.public_blob().0.as_slice());
    let line = format!("{} {blob} {comment}", parts.name);
    Ok(line.trim_end().as_bytes().to_vec())
}

pub(super) fn private(der: &[u8], algorithm: KeyAlgorithm, comment: &str) -> Result<Vec<u8>, RecipeFault> {
    check_comment(comment)?;
    let parts = Parts::of(der, algorithm)?;
    let public = parts.public_blob();
    let mut secret = Wire::default();
    // Two equal words tell a right passphrase from a wrong one; without a passphrase any will do, and these repeat.
    let check = Sha256::digest(public.0.as_slice());
    let check = check.get(..4).unwrap_or_default();
    secret.raw(check).raw(check).string(parts.name.as_bytes());
    for field in &parts.private {
        secret.raw(&field.0);
    }
    secret.string(comment.as_bytes());
    for pad in 1_u8.. {
        if secret.0.len() % BLOCK == 0 {
            break;
        }
        secret.raw(&[pad]);
    }
    let mut file = Wire::default();
    file.raw(b"openssh-key-v1\0").string(b"none").string(b"none").string(b"");
    file.raw(&1_u32.to_be_bytes()).string(&public.0).string(&secret.0);
    Ok(pem::pem("OPENSSH PRIVATE KEY", &file.0, 70))
}

fn check_comment(comment: &str) -> Result<(), RecipeFault> {
    if comment.len() > COMMENT_BYTES || comment.contains(char::is_control) {
        return Err(RecipeFault::Size("openssh: a comment is one line of at most 256 bytes"));
    }
    Ok(())
}

/// A key's fields as SSH writes them; `private` holds the public ones again, where the file wants them.
struct Parts {
    name: &'static str,
    public: Vec<Wire>,
    private: Vec<Wire>,
}

impl Parts {
    fn of(der: &[u8], algorithm: KeyAlgorithm) -> Result<Self, RecipeFault> {
        match algorithm {
            KeyAlgorithm::Rsa => rsa(der),
            KeyAlgorithm::EcdsaP256 => ec::<p256::NistP256>(der, "ecdsa-sha2-nistp256", "nistp256"),
            KeyAlgorithm::EcdsaP384 => ec::<p384::NistP384>(der, "ecdsa-sha2-nistp384", "nistp384"),
            KeyAlgorithm::EcdsaP521 => ec::<p521::NistP521>(der, "ecdsa-sha2-nistp521", "nistp521"),
            KeyAlgorithm::Ed25519 => ed25519(der),
            KeyAlgorithm::X25519 => Err(RecipeFault::Transform {
                via: "openssh-private or openssh-public",
                detail: "OpenSSH has no X25519 keys",
            }),
        }
    }

    fn public_blob(&self) -> Wire {
        let mut blob = Wire::default();
        blob.string(self.name.as_bytes());
        for field in &self.public {
            blob.raw(&field.0);
        }
        blob
    }
}

fn ed25519(der: &[u8]) -> Result<Parts, RecipeFault> {
    let key = public::ed25519(der)?;
    let point = key.verifying_key().to_bytes();
    let pair = Zeroizing::new(key.to_keypair_bytes());
    Ok(Parts {
        name: "ssh-ed25519",
        public: vec![Wire::of_string(&point)],
        private: vec![Wire::of_string(&point), Wire::of_string(pair.as_slice())],
    })
}

fn ec<C>(der: &[u8], name: &'static str, curve: &str) -> Result<Parts, RecipeFault>
where
    C: CurveArithmetic,
    SecretKey<C>: DecodePrivateKey,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    let key = SecretKey::<C>::from_pkcs8_der(der).map_err(|_| public::unreadable())?;
    let point = key.public_key().to_sec1_point(false);
    let scalar = Zeroizing::new(key.to_bytes());
    let fields = || vec![Wire::of_string(curve.as_bytes()), Wire::of_string(point.as_bytes())];
    let mut private = fields();
    private.push(Wire::of_number(&scalar));
    Ok(Parts { name, public: fields(), private })
}

fn rsa(der: &[u8]) -> Result<Parts, RecipeFault> {
    let key = rsa::PrivateKey::from_pkcs8_der(der).map_err(|_| public::unreadable())?;
    let modulus = Wire::of_number(&key.n_bytes());
    let exponent = Wire::of_number(&key.e_bytes());
    let number = |number: &rsa::BoxedUint| Wire::of_number(&Zeroizing::new(number.to_be_bytes()));
    let [p, q] = key.primes() else {
        return Err(public::unreadable());
    };
    let coefficient = Zeroizing::new(key.crt_coefficient().ok_or_else(public::unreadable)?);
    Ok(Parts {
        name: "ssh-rsa",
        public: vec![exponent.clone(), modulus.clone()],
        private: vec![modulus, exponent, number(key.d()), number(&coefficient), number(p), number(q)],
    })
}

/// Bytes as SSH puts them on the wire: strings with their length, numbers without leading zeros and with room for a sign.
#[derive(Clone, Default)]
struct Wire(Zeroizing<Vec<u8>>);

impl Wire {
    fn of_string(bytes: &[u8]) -> Self {
        let mut wire = Self::default();
        wire.string(bytes);
        wire
    }

    fn of_number(big_endian: &[u8]) -> Self {
        let zeros = big_endian.iter().take_while(|byte| **byte == 0).count();
        let digits = big_endian.get(zeros..).unwrap_or_default();
        let sign: &[u8] = if digits.first().is_some_and(|byte| byte & 0x80 != 0) { &[0] } else { &[] };
        let mut wire = Self::default();
        wire.length(sign.len() + digits.len()).raw(sign).raw(digits);
        wire
    }

    fn string(&mut self, bytes: &[u8]) -> &mut Self {
        self.length(bytes.len()).raw(bytes)
    }

    fn length(&mut self, length: usize) -> &mut Self {
        // Keys are a few thousand bytes.
        self.raw(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes())
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }
}
