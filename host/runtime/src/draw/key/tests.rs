//! Known answers. A failure here means that an upgrade would change keys which templates made: mend the code, never the answer.

use chacha20::ChaCha20Rng;
use data_encoding::HEXLOWER;
use rand_core::SeedableRng as _;
use sha2::{Digest as _, Sha256};

use super::*;

fn check(algorithm: KeyAlgorithm, bits: Option<u32>, answer: &str) {
    let mut stream = ChaCha20Rng::from_seed([7; 32]);
    let pair = make(&KeySpec { algorithm, bits }, &mut stream).unwrap();
    let seen = HEXLOWER.encode(&Sha256::digest(pair.der()));
    assert_eq!(seen, answer, "{algorithm:?} {bits:?}");
}

#[test]
fn the_same_stream_gives_the_same_key_in_every_release() {
    check(KeyAlgorithm::Rsa, Some(2048), "b84c6dc9fde74dd6822e7bd5abe9e4c480af4027d8c61b9d35842108a132ec1b");
    check(KeyAlgorithm::Rsa, Some(4096), "aa80ca21f429cd0d218e6a1619c48f34c3e555b39db2b76815170791f2bdec35");
    check(KeyAlgorithm::EcdsaP256, None, "3ba746e9e2562b753723a62ecd116429319b36aeb97dfeaf52f8e7ada1204ac8");
    check(KeyAlgorithm::EcdsaP384, None, "53bda8db0ca14927c012623b60fe0b6b4b90a119fac37c95ccff1655091558c5");
    check(KeyAlgorithm::EcdsaP521, None, "38e00498e1435fe2248fd4e80ac5e7a5a90a8f578ecb91424a012901a468cecf");
    check(KeyAlgorithm::Ed25519, None, "ba1d47312f3a62b16e7795265f515e7b87b86b959187758a8aaf70cae6b75b4d");
    check(KeyAlgorithm::X25519, None, "33d32dc1027e96131a7a16e252462fe33afb8a63dc63ca5e513eb4e60ed7632a");
}

#[test]
fn an_rsa_key_has_all_its_bits_and_works() {
    use ::rsa::pkcs8::DecodePrivateKey as _;
    use ::rsa::traits::PublicKeyParts as _;
    let mut stream = ChaCha20Rng::from_seed([8; 32]);
    for bits in [2048, 3072] {
        let pair = make(&KeySpec { algorithm: KeyAlgorithm::Rsa, bits: Some(bits) }, &mut stream).unwrap();
        let key = ::rsa::PrivateKey::from_pkcs8_der(pair.der()).unwrap();
        assert_eq!(key.size() * 8, bits as usize);
        key.validate().unwrap();
    }
}
