//! RSA keys: two primes of half the size, whose highest two bits are set so that the product has all its bits; the exponent is 65537.
//!
//! The search for a prime is ours: half the size in bytes at a time, each an independent candidate, the first prime is taken. The crates
//! say what is prime and write the key. No two primes are alike in practice; nothing is done to keep them apart.

use crypto_primes::{Flavor, is_prime};
use rand_core::TryCryptoRng;
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::{BoxedUint, PrivateKey};
use zeroize::Zeroizing;

use super::super::DrawError;
use super::failed;

const EXPONENT: u32 = 65_537;
/// What is divisible by one below this is not looked at further: nine candidates of ten.
const SMALL: u32 = 2_000;

/// PKCS#8 DER.
///
/// # Errors
/// Only if `random` fails.
pub(super) fn make<R: TryCryptoRng + ?Sized>(
    bits: u32,
    random: &mut R,
) -> Result<Zeroizing<Vec<u8>>, DrawError> {
    let (p, q) = (prime(bits / 2, random)?, prime(bits / 2, random)?);
    let key = PrivateKey::from_p_q(p, q, BoxedUint::from(EXPONENT)).map_err(|_| failed())?;
    let der = key.to_pkcs8_der().map_err(|_| failed())?;
    Ok(Zeroizing::new(der.as_bytes().to_vec()))
}

fn prime<R: TryCryptoRng + ?Sized>(bits: u32, random: &mut R) -> Result<BoxedUint, DrawError> {
    let mut bytes = Zeroizing::new(vec![0; bits as usize / 8]);
    let small = small_primes();
    loop {
        random.try_fill_bytes(&mut bytes).map_err(|_| failed())?;
        if let [first, .., last] = bytes.as_mut_slice() {
            *first |= 0b1100_0000;
            *last |= 1;
        }
        // One more than a multiple of the exponent has no inverse of it.
        if remainder(&bytes, EXPONENT) == 1 || small.iter().any(|prime| remainder(&bytes, *prime) == 0) {
            continue;
        }
        let candidate = BoxedUint::from_be_slice(&bytes, bits).map_err(|_| failed())?;
        if is_prime(Flavor::Any, &candidate) {
            return Ok(candidate);
        }
    }
}

fn remainder(bytes: &[u8], divisor: u32) -> u32 {
    bytes.iter().fold(0, |rest, byte| (rest << 8 | u32::from(*byte)) % divisor)
}

fn small_primes() -> Vec<u32> {
    let is_prime = |number: &u32| !(2..*number).any(|divisor| number.is_multiple_of(divisor));
    (3..SMALL).filter(is_prime).collect()
}
