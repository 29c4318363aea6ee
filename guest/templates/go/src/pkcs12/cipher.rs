//! Encryption and authentication under a password: PBES2, the older schemes of RFC 7292, and the MAC over the whole.

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, InnerIvInit, KeyInit};
use der::asn1::{Any, ObjectIdentifier};
use der::{Decode, Encode};
use des::TdesEde3;
use hmac::digest::FixedOutputReset;
use hmac::digest::block_api::BlockSizeUser;
use hmac::{Mac, SimpleHmac};
use pkcs5::pbes2;
use pkcs12::MacData;
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use pkcs12::pbe_params::Pkcs12PbeParams;
use rc2::Rc2;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::{Password, SHA1, SHA256, SHA512};
use crate::limits::{Budget, Costly};
use crate::rule::Rule;

const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");

/// What go-pkcs12 writes with.
pub(super) const ITERATIONS: u16 = 2048;

/// # Errors
/// If the password is wrong, the algorithm is not known, or the work is too much.
pub(super) fn decrypt(
    algorithm: &AlgorithmIdentifierOwned,
    encrypted: &[u8],
    password: &Password,
    budget: &mut Budget,
) -> Result<Vec<u8>, Rule> {
    let parameters = algorithm.parameters.as_ref().ok_or(Rule::Undecryptable)?;
    budget.bytes(encrypted.len().saturating_mul(16))?;
    if algorithm.oid == PBES2 {
        let parameters = parameters.to_der().map_err(|_| Rule::Undecryptable)?;
        let parameters = pbes2::Parameters::from_der(&parameters).map_err(|_| Rule::Undecryptable)?;
        let kdf = parameters.kdf.pbkdf2().ok_or(Rule::Undecryptable)?;
        budget.costly(Costly::Iterations(kdf.iteration_count))?;
        return parameters.decrypt(&password.text, encrypted).map_err(|_| Rule::Undecryptable);
    }
    let parameters = parameters.decode_as::<Pkcs12PbeParams>().map_err(|_| Rule::Undecryptable)?;
    let derive = |kind, length, budget: &mut Budget| {
        derived::<Sha1>(password, parameters.salt.as_bytes(), kind, parameters.iterations, length, budget)
    };
    let vector = derive(Pkcs12KeyType::Iv, 8, budget)?;
    let length = match algorithm.oid {
        pkcs12::PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC => 24,
        pkcs12::PKCS_12_PBE_WITH_SHAAND128_BIT_RC2_CBC => 16,
        pkcs12::PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC => 5,
        _ => return Err(Rule::Undecryptable),
    };
    let key = derive(Pkcs12KeyType::EncryptionKey, length, budget)?;
    if length == 24 {
        let cipher = TdesEde3::new_from_slice(&key).map_err(|_| Rule::Undecryptable)?;
        chained(cipher, &vector, encrypted)
    } else {
        chained(Rc2::new_with_eff_key_len(&key, 8 * length), &vector, encrypted)
    }
}

/// PBES2 as OpenSSL 3 writes it: the algorithm and the ciphertext.
pub(super) fn encrypt(
    plain: &[u8],
    password: &Password,
    salt: &[u8],
    vector: [u8; 16],
    budget: &mut Budget,
) -> Result<(AlgorithmIdentifierOwned, Vec<u8>), Rule> {
    budget.bytes(plain.len().saturating_mul(16))?;
    budget.costly(Costly::Iterations(ITERATIONS.into()))?;
    let parameters = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS.into(), salt, vector)
        .map_err(|_| Rule::BadArgument)?;
    let encrypted = parameters.encrypt(&password.text, plain).map_err(|_| Rule::BadArgument)?;
    let parameters =
        parameters.to_der().and_then(|der| Any::from_der(&der)).map_err(|_| Rule::BadArgument)?;
    Ok((AlgorithmIdentifierOwned { oid: PBES2, parameters: Some(parameters) }, encrypted))
}

/// # Errors
/// If the MAC is another, so mostly if the password is.
pub(super) fn verify(
    mac: &MacData,
    message: &[u8],
    password: &Password,
    budget: &mut Budget,
) -> Result<(), Rule> {
    let (salt, iterations) = (mac.mac_salt.as_bytes(), mac.iterations);
    let expected = match mac.mac.algorithm.oid {
        SHA1 => authenticated::<Sha1>(message, password, salt, iterations, budget),
        SHA256 => authenticated::<Sha256>(message, password, salt, iterations, budget),
        SHA512 => authenticated::<Sha512>(message, password, salt, iterations, budget),
        _ => return Err(Rule::Undecryptable),
    };
    let is_same = expected?.ct_eq(mac.mac.digest.as_bytes());
    if is_same.into() { Ok(()) } else { Err(Rule::Undecryptable) }
}

/// The MAC that is written.
pub(super) fn authenticate(
    message: &[u8],
    password: &Password,
    salt: &[u8],
    budget: &mut Budget,
) -> Result<Vec<u8>, Rule> {
    authenticated::<Sha256>(message, password, salt, ITERATIONS.into(), budget)
}

fn authenticated<D>(
    message: &[u8],
    password: &Password,
    salt: &[u8],
    iterations: i32,
    budget: &mut Budget,
) -> Result<Vec<u8>, Rule>
where
    D: Digest + FixedOutputReset + BlockSizeUser,
{
    let length = <D as Digest>::output_size();
    let key = derived::<D>(password, salt, Pkcs12KeyType::Mac, iterations, length, budget)?;
    budget.bytes(message.len().saturating_mul(16))?;
    let mut mac = SimpleHmac::<D>::new_from_slice(&key).map_err(|_| Rule::Undecryptable)?;
    mac.update(message);
    Ok(mac.finalize().into_bytes().to_vec())
}

/// RFC 7292's key derivation, counted before it runs: an iteration is one hash for each block of the result.
fn derived<D>(
    password: &Password,
    salt: &[u8],
    kind: Pkcs12KeyType,
    iterations: i32,
    length: usize,
    budget: &mut Budget,
) -> Result<Vec<u8>, Rule>
where
    D: Digest + FixedOutputReset + BlockSizeUser,
{
    let count = u32::try_from(iterations).ok().filter(|count| *count > 0).ok_or(Rule::Undecryptable)?;
    budget.costly(Costly::Iterations(count))?;
    Ok(derive_key::<D>(&password.bmp, salt, kind, iterations, length))
}

fn chained<C: BlockCipherDecrypt>(cipher: C, vector: &[u8], encrypted: &[u8]) -> Result<Vec<u8>, Rule> {
    let cipher = cbc::Decryptor::inner_iv_slice_init(cipher, vector).map_err(|_| Rule::Undecryptable)?;
    let mut buffer = encrypted.to_vec();
    let plain = cipher.decrypt_padded::<Pkcs7>(&mut buffer).map_err(|_| Rule::Undecryptable)?;
    Ok(plain.to_vec())
}
