//! Encrypting and decrypting texts: sprig's AES, ESO's RSA.

use aes::Aes256;
use cbc::cipher::block_padding::{NoPadding, Pkcs7};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use rsa::Oaep;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::arguments::text;
use super::encoding::decode_base64;
use super::{Context, Family, Function, Type, p};
use crate::key::PrivateKey;
use crate::limits::{Costly, check_text};
use crate::pem;
use crate::rule::Rule;
use crate::value::Value;

const F: Family = Family::Encryption;

/// Bytes of an AES block, and of the vector that stands before the first.
const BLOCK: usize = 16;

pub(super) const ROWS: &[Function] = &[
    F.pure(
        "encryptAES",
        &[p("password", Type::Text), p("text", Type::Text)],
        "string",
        "Encrypted with AES-256-CBC, in base64; the first 32 bytes of the password are the key.",
        encrypt_aes,
    )
    .drawing(),
    F.pure(
        "decryptAES",
        &[p("password", Type::Text), p("text", Type::Text)],
        "string",
        "What `encryptAES` encrypted.",
        decrypt_aes,
    ),
    F.pure(
        "rsaDecrypt",
        &[p("scheme", Type::Text), p("hash", Type::Text), p("ciphertext", Type::Text), p("key", Type::Text)],
        "string",
        "Decrypted with an RSA key in PEM; the scheme is `RSA-OAEP`, or `None` for what is not encrypted.",
        rsa_decrypt,
    ),
];

type Answer = Result<Value, Rule>;

/// sprig's key: the password's first bytes, filled up with zeros.
fn aes_key(password: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    for (to, from) in key.iter_mut().zip(password) {
        *to = *from;
    }
    key
}

fn encrypt_aes(a: &[Value], context: &mut Context<'_>) -> Answer {
    let plain = text(a, 1)?;
    if plain.is_empty() {
        return Ok(Value::text(""));
    }
    check_text(plain.len().saturating_mul(3) / 2)?;
    context.budget.bytes(plain.len().saturating_mul(4))?;
    let vector: [u8; BLOCK] = context.draw(BLOCK)?.try_into().map_err(|_| Rule::Work)?;
    let mut sealed = vector.to_vec();
    sealed.extend_from_slice(plain);
    sealed.extend_from_slice(&[0; BLOCK]);
    let cipher = cbc::Encryptor::<Aes256>::new(&aes_key(text(a, 0)?).into(), &vector.into());
    let (_, body) = sealed.split_at_mut_checked(BLOCK).ok_or(Rule::Size)?;
    let length = cipher.encrypt_padded::<Pkcs7>(body, plain.len()).map_err(|_| Rule::Size)?.len();
    sealed.truncate(BLOCK + length);
    Ok(Value::text(data_encoding::BASE64.encode(&sealed)))
}

/// Of the padding only the last byte is looked at, as in sprig; so a wrong password often gives garbage and no error.
fn decrypt_aes(a: &[Value], context: &mut Context<'_>) -> Answer {
    if text(a, 1)?.is_empty() {
        return Ok(Value::text(""));
    }
    context.budget.bytes(text(a, 1)?.len().saturating_mul(4))?;
    let sealed = decode_base64(text(a, 1)?).map_err(|_| Rule::BadArgument)?;
    let (vector, body) = sealed.split_at_checked(BLOCK).ok_or(Rule::Undecryptable)?;
    let vector: [u8; BLOCK] = vector.try_into().map_err(|_| Rule::Undecryptable)?;
    let cipher = cbc::Decryptor::<Aes256>::new(&aes_key(text(a, 0)?).into(), &vector.into());
    let mut body = body.to_vec();
    cipher.decrypt_padded::<NoPadding>(&mut body).map_err(|_| Rule::Undecryptable)?;
    let padding = body.last().copied().map(usize::from);
    let length = padding.and_then(|padding| body.len().checked_sub(padding)).ok_or(Rule::Undecryptable)?;
    body.truncate(length);
    Ok(Value::text(body))
}

/// A hash that ESO does not know counts as SHA-256.
fn rsa_decrypt(a: &[Value], context: &mut Context<'_>) -> Answer {
    let ciphertext = text(a, 2)?;
    match &**text(a, 0)? {
        b"None" => return Ok(Value::Text(ciphertext.clone())),
        b"RSA-OAEP" => {}
        _ => return Err(Rule::BadArgument),
    }
    let der = pem::first(text(a, 3)?)?;
    context.budget.costly(Costly::ReadKey)?;
    let key = PrivateKey::of_pkcs1(&der).or_else(|_| PrivateKey::of_pkcs8(&der))?;
    context.budget.costly(key.cost())?;
    let PrivateKey::Rsa(key) = key else {
        return Err(Rule::NotAKey);
    };
    let plain = match &**text(a, 1)? {
        b"SHA1" => key.decrypt(Oaep::<Sha1>::new(), ciphertext),
        b"SHA512" => key.decrypt(Oaep::<Sha512>::new(), ciphertext),
        _ => key.decrypt(Oaep::<Sha256>::new(), ciphertext),
    };
    Ok(Value::text(plain.map_err(|_| Rule::Undecryptable)?))
}
