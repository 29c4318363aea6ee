use der::Encode;
use ed25519_dalek::SigningKey;
use p256::ecdsa::signature::Verifier;
use rsa::pkcs8::DecodePublicKey;

use super::*;
use crate::key::PrivateKey;
use crate::limits::Budget;

fn wanted(authority: bool) -> Wanted {
    Wanted {
        common_name: if authority { "mill ca" } else { "mühle" }.to_owned(),
        addresses: vec!["10.0.0.1".parse().expect("IPv4"), "::ffff:10.0.0.2".parse().expect("IPv6")],
        names: vec!["a.example".to_owned()],
        not_before: 1_790_000_000,
        not_after: 2_600_000_000,
        serial: [0x81; 16],
        authority,
    }
}

fn ed25519(seed: u8) -> PrivateKey {
    PrivateKey::Ed25519(Box::new(SigningKey::from_bytes(&[seed; 32])))
}

fn p256(seed: u8) -> PrivateKey {
    PrivateKey::P256(p256::SecretKey::from_slice(&[seed; 32]).expect("a key"))
}

fn made(wanted: &Wanted, key: &PrivateKey, signer: &Signer<'_>) -> Certificate {
    Certificate::of_der(&make(wanted, key, signer).expect("a certificate")).expect("a certificate")
}

#[test]
fn it_says_what_was_wanted() {
    let certificate = made(&wanted(false), &ed25519(1), &Signer::Itself);
    let names = ["a.example", "10.0.0.1", "10.0.0.2"].map(str::to_owned).to_vec();
    assert_eq!(certificate.names(), Ok(names));
    assert_eq!(certificate.subject(), "CN=mühle");
    let validity = certificate.parsed.tbs_certificate().validity();
    let seconds = |time: x509_cert::time::Time| time.to_unix_duration().as_secs();
    assert_eq!((seconds(validity.not_before), seconds(validity.not_after)), (1_790_000_000, 2_600_000_000));
    assert!(certificate.is_root());
    assert_eq!(certificate.public_key(), ed25519(1).public());
}

#[test]
fn the_signature_is_that_of_the_authority() {
    let (authority_key, key) = (p256(1), ed25519(2));
    let authority = made(&wanted(true), &authority_key, &Signer::Itself);
    let certificate = made(&wanted(false), &key, &Signer::Authority(&authority, &authority_key));
    for signed in [&authority, &certificate] {
        let public = p256::ecdsa::VerifyingKey::from_public_key_der(&authority_key.public().expect("a key"));
        let signature = p256::ecdsa::DerSignature::from_bytes(signed.parsed.signature().raw_bytes());
        let content = signed.parsed.tbs_certificate().to_der().expect("DER");
        assert!(public.expect("a key").verify(&content, &signature.expect("a signature")).is_ok());
    }
    assert!(authority.is_root() && !certificate.is_root());
    assert_eq!(certificate.authority_key, authority.subject_key);
    assert_eq!(certificate.public_key(), key.public());
}

#[test]
fn what_cannot_be_signed_is_refused() {
    let authority = made(&wanted(true), &p256(1), &Signer::Itself);
    let foreign = make(&wanted(false), &p256(2), &Signer::Authority(&authority, &p256(3)));
    assert_eq!(foreign.err(), Some(Rule::NotAKey));
    assert_eq!(make(&wanted(true), &PrivateKey::Dsa, &Signer::Itself).err(), Some(Rule::NotAKey));
    let far = Wanted { not_after: u64::MAX, ..wanted(true) };
    assert_eq!(make(&far, &p256(1), &Signer::Itself).err(), Some(Rule::BadArgument));
    let strange = Wanted { names: vec!["ü.example".to_owned()], ..wanted(true) };
    assert_eq!(make(&strange, &p256(1), &Signer::Itself).err(), Some(Rule::BadArgument));
}

#[test]
fn without_a_subject_the_names_are_critical() {
    let nameless = Wanted { common_name: String::new(), ..wanted(false) };
    let certificate = made(&nameless, &p256(1), &Signer::Itself);
    let found = certificate.parsed.tbs_certificate().get_extension::<SubjectAltName>();
    assert!(matches!(found, Ok(Some((true, _)))));
}

#[test]
fn one_chain_is_put_in_order() {
    let mut budget = Budget::new();
    let root = made(&wanted(true), &p256(1), &Signer::Itself);
    let leaf = made(&wanted(false), &p256(2), &Signer::Authority(&root, &p256(1)));
    // Neither the root has an authority's identifier nor the leaf one of its own, which count as equal.
    let both = ordered(&[root.clone(), leaf.clone()], &mut budget);
    assert_eq!(both.map(|chain| chain.len()).err(), Some(Rule::NotAChain));
    let alone = ordered(std::slice::from_ref(&leaf), &mut budget).expect("a chain");
    assert_eq!(alone.len(), 1);
    assert_eq!(ordered(&[], &mut budget).map(|chain| chain.len()).err(), Some(Rule::NotAChain));
}
