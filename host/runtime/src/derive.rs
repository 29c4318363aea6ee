//! Deriving a value from earlier ones: the parts are joined, then transformed. What a transformation is worth (does it give its input
//! back, does it keep lengths) stands beside what it does, so that entropy cannot be forgotten. Slow ones share one budget per call.

mod bech32;
mod escape;
mod hash;
mod jwk;
mod openssh;
mod pem;
mod public;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use data_encoding::{BASE32, HEXLOWER};
use zeroize::Zeroizing;

use crate::bindings::generate::Transform;
use crate::bindings::types::KeyAlgorithm;
use crate::draw::DrawError;
use crate::entropy::Trace;
use crate::error::RecipeFault;
use crate::random::Random;

/// Whatever is joined: bytes, where they come from, and which key they are.
pub(crate) struct Value {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) trace: Trace,
    /// If it is a private key, PKCS#8 DER, unchanged.
    pub(crate) key: Option<KeyAlgorithm>,
}

/// What the slow transformations of one call may still cost, in units of about 10 microseconds.
pub(crate) struct Work(u32);

impl Work {
    pub(crate) const fn of_one_call() -> Self {
        Self(200_000)
    }

    fn spend(&mut self, units: u32) -> Result<(), RecipeFault> {
        self.0 = self.0.checked_sub(units).ok_or(RecipeFault::Size(
            "bcrypt and scram-sha256: the costs of one call are too high together",
        ))?;
        Ok(())
    }
}

pub(crate) fn derive(
    input: Value,
    via: &Transform,
    random: &mut Random<'_>,
    work: &mut Work,
) -> Result<Value, DrawError> {
    let bytes = input.bytes.as_slice();
    Ok(match via {
        Transform::Join => return Ok(input),
        Transform::Base64 => one_to_one(&input, STANDARD.encode(bytes).into_bytes(), true),
        Transform::Base64url => one_to_one(&input, URL_SAFE.encode(bytes).into_bytes(), true),
        Transform::Base32 => one_to_one(&input, BASE32.encode(bytes).into_bytes(), true),
        Transform::Hex => one_to_one(&input, HEXLOWER.encode(bytes).into_bytes(), true),
        Transform::UriUserinfo => one_to_one(&input, escape::percent(bytes), false),
        Transform::UriQuery => one_to_one(&input, escape::percent(bytes), false),
        Transform::Pgpass => one_to_one(&input, escape::pgpass(bytes)?, false),
        Transform::JsonString => one_to_one(&input, escape::json_string(bytes)?, false),
        Transform::SingleQuote => one_to_one(&input, escape::single_quote(bytes)?, false),
        Transform::Sha256Hex => digest(&input, hash::sha256_hex(bytes), 256.0),
        Transform::Bcrypt(cost) => {
            // Cost 10 takes about 50 ms.
            work.spend(hash::check_bcrypt(*cost)? * 5)?;
            digest(&input, hash::bcrypt(bytes, *cost, random)?, 184.0)
        }
        Transform::ScramSha256(iterations) => {
            work.spend(hash::check_scram(*iterations)? / 10)?;
            digest(&input, hash::scram_sha256(bytes, *iterations, random)?, 256.0)
        }
        Transform::Pkcs8Pem => one_to_one(&input, pem::pkcs8(key(&input, "pkcs8-pem")?.0), true),
        Transform::PublicPem => {
            let (der, algorithm) = key(&input, "public-pem")?;
            one_to_one(&input, public::pem(der, algorithm)?, false)
        }
        Transform::OpensshPrivate(comment) => {
            let (der, algorithm) = key(&input, "openssh-private")?;
            one_to_one(&input, openssh::private(der, algorithm, comment)?, false)
        }
        Transform::OpensshPublic(comment) => {
            let (der, algorithm) = key(&input, "openssh-public")?;
            one_to_one(&input, openssh::public(der, algorithm, comment)?, false)
        }
        Transform::RawPrivate => {
            let (der, algorithm) = key(&input, "raw-private")?;
            one_to_one(&input, Zeroizing::new(public::raw_private(der, algorithm)?.to_vec()), true)
        }
        Transform::RawPublic => {
            let (der, algorithm) = key(&input, "raw-public")?;
            one_to_one(&input, public::raw(der, algorithm)?.to_vec(), true)
        }
        Transform::JwkPrivate => {
            let (der, algorithm) = key(&input, "jwk-private")?;
            one_to_one(&input, jwk::private(der, algorithm)?, false)
        }
        Transform::JwkPublic => {
            let (der, algorithm) = key(&input, "jwk-public")?;
            one_to_one(&input, jwk::public(der, algorithm)?, false)
        }
        Transform::JwkThumbprint => {
            let (der, algorithm) = key(&input, "jwk-thumbprint")?;
            digest(&input, jwk::thumbprint(der, algorithm)?, 256.0)
        }
        Transform::Bech32(prefix) => one_to_one(&input, bech32::encode(prefix, bytes)?, true),
    })
}

/// The bytes are the secret in another form, so they come zeroizing, or become so here, as they are.
fn one_to_one(input: &Value, bytes: impl Into<Zeroizing<Vec<u8>>>, keeps_length: bool) -> Value {
    Value { bytes: bytes.into(), trace: input.trace.clone().one_to_one(keeps_length), key: None }
}

fn digest(input: &Value, bytes: Vec<u8>, bits: f64) -> Value {
    Value { bytes: Zeroizing::new(bytes), trace: input.trace.clone().digest(bits), key: None }
}

fn key<'a>(input: &'a Value, via: &'static str) -> Result<(&'a [u8], KeyAlgorithm), RecipeFault> {
    let algorithm =
        input.key.ok_or(RecipeFault::Transform { via, detail: "it is not one drawn key alone" })?;
    Ok((&input.bytes, algorithm))
}

#[cfg(test)]
mod tests;
