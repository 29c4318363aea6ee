use super::*;
use crate::bindings::types::KeySpec;
use crate::draw::key;
use crate::entropy::Entropy;
use crate::random::SystemRandom;

fn literal(bytes: &[u8]) -> Value {
    Value { bytes: Zeroizing::new(bytes.to_vec()), trace: Trace::literal(), key: None }
}

fn text(input: &[u8], via: &Transform) -> Result<String, DrawError> {
    let derived = derive(literal(input), via, &mut Random::new(&SystemRandom), &mut Work::of_one_call())?;
    Ok(String::from_utf8(derived.bytes.to_vec()).unwrap())
}

fn check(input: &[u8], via: &Transform, expected: &str) {
    assert_eq!(text(input, via).unwrap(), expected, "{via:?} of {input:?}");
}

#[test]
fn encodings() {
    check(b"foob", &Transform::Join, "foob");
    check(b"foob\xff\xfe", &Transform::Base64, "Zm9vYv/+");
    check(b"foob\xff", &Transform::Base64url, "Zm9vYv8=");
    check(b"foob", &Transform::Base32, "MZXW6YQ=");
    check(b"\x00\xabz", &Transform::Hex, "00ab7a");
    check(b"abc", &Transform::Sha256Hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn escapes() {
    check(b"a-._~Z9:@/?#%+ \xc3\xa4", &Transform::UriUserinfo, "a-._~Z9%3A%40%2F%3F%23%25%2B%20%C3%A4");
    check(b"a=b&c", &Transform::UriQuery, "a%3Db%26c");
    check(b"a:b\\c", &Transform::Pgpass, "a\\:b\\\\c");
    check("a\"b\\\nä".as_bytes(), &Transform::JsonString, "\"a\\\"b\\\\\\nä\"");
    check(b"it's", &Transform::SingleQuote, "'it'\\''s'");
}

#[test]
fn refuses_what_a_form_cannot_hold() {
    let refused = |input: &[u8], via: Transform| {
        let error = text(input, &via).unwrap_err();
        assert!(
            matches!(error, DrawError::Fault(RecipeFault::Transform { .. } | RecipeFault::Size(_))),
            "{via:?}"
        );
    };
    refused(b"a\nb", Transform::Pgpass);
    refused(b"a\0b", Transform::SingleQuote);
    refused(b"\xff", Transform::JsonString);
    refused(&[b'x'; 73], Transform::Bcrypt(4));
    refused(b"x", Transform::Bcrypt(3));
    refused(b"x", Transform::Bcrypt(15));
    refused(b"x", Transform::ScramSha256(1));
    refused(b"x", Transform::Bech32("aB".to_owned()));
    refused(b"x", Transform::Pkcs8Pem);
    refused(b"x", Transform::RawPublic);
    refused(b"x", Transform::JwkPrivate);
    refused(b"x", Transform::OpensshPublic("c".to_owned()));
}

#[test]
fn slow_ones_share_a_budget() {
    let mut work = Work::of_one_call();
    let mut once = || {
        derive(literal(b"x"), &Transform::ScramSha256(1_000_000), &mut Random::new(&SystemRandom), &mut work)
    };
    assert!(once().is_ok());
    assert!(once().is_ok());
    assert!(matches!(once(), Err(DrawError::Fault(RecipeFault::Size(_)))));
}

#[test]
fn scram_is_that_of_rfc_7677() {
    let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    assert_eq!(
        hash::verifier(b"pencil", 4096, &salt),
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
         wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    );
    // SASLprep: a non-breaking space becomes a space, a soft hyphen nothing.
    assert_eq!(hash::verifier("a\u{a0}b\u{ad}".as_bytes(), 4096, &salt), hash::verifier(b"a b", 4096, &salt));
}

#[test]
fn bcrypt_verifies_and_is_salted() {
    let one = text(b"pencil", &Transform::Bcrypt(4)).unwrap();
    let two = text(b"pencil", &Transform::Bcrypt(4)).unwrap();
    assert!(one.starts_with("$2y$04$") && one.len() == 60, "{one}");
    assert_ne!(one, two);
    assert!(bcrypt::verify("pencil", &one).unwrap());
}

/// The forms of this seed below are what openssl prints.
const SEED: [u8; 32] = *b"keymill test seed of 32 bytes !!";

fn ed25519() -> Value {
    let der = [key::ED25519_DER.as_slice(), &SEED].concat();
    let trace = Trace::draw(0, Entropy { bits: 256.0, exact: true }, true);
    Value { bytes: Zeroizing::new(der), trace, key: Some(KeyAlgorithm::Ed25519) }
}

fn derived(input: Value, via: &Transform) -> String {
    let derived = derive(input, via, &mut Random::new(&SystemRandom), &mut Work::of_one_call()).unwrap();
    String::from_utf8(derived.bytes.to_vec()).unwrap()
}

#[test]
fn forms_of_an_ed25519_key() {
    let pkcs8 = derived(ed25519(), &Transform::Pkcs8Pem);
    assert_eq!(
        pkcs8,
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIGtleW1pbGwgdGVzdCBzZWVkIG9mIDMyIGJ5dGVzICEh\n-----END PRIVATE KEY-----\n"
    );
    let public = derived(ed25519(), &Transform::PublicPem);
    assert_eq!(
        public,
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAV2jMyfxjsg1bvJgTQRAH3cMx0ePUraXZw/PbICY30a4=\n-----END PUBLIC KEY-----\n"
    );
    let line = derived(ed25519(), &Transform::OpensshPublic("me@host".to_owned()));
    assert_eq!(
        line,
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFdozMn8Y7INW7yYE0EQB93DMdHj1K2l2cPz2yAmN9Gu me@host"
    );
    let bare = derived(ed25519(), &Transform::OpensshPublic(String::new()));
    assert_eq!(bare.split(' ').count(), 2, "{bare}");
}

#[test]
fn every_algorithm_has_its_forms() {
    use KeyAlgorithm as A;
    for (algorithm, bits, openssh) in [
        (A::Rsa, Some(2048), Some("ssh-rsa ")),
        (A::EcdsaP256, None, Some("ecdsa-sha2-nistp256 ")),
        (A::EcdsaP384, Some(384), Some("ecdsa-sha2-nistp384 ")),
        (A::EcdsaP521, None, Some("ecdsa-sha2-nistp521 ")),
        (A::Ed25519, None, Some("ssh-ed25519 ")),
        (A::X25519, None, None),
    ] {
        let spec = KeySpec { algorithm, bits };
        key::check(&spec).unwrap();
        let pair = key::make(&spec, &mut Random::new(&SystemRandom)).unwrap();
        let value = || Value {
            bytes: Zeroizing::new(pair.der().to_vec()),
            trace: Trace::literal(),
            key: Some(algorithm),
        };
        assert!(derived(value(), &Transform::Pkcs8Pem).starts_with("-----BEGIN PRIVATE KEY-----\n"));
        assert!(derived(value(), &Transform::PublicPem).starts_with("-----BEGIN PUBLIC KEY-----\n"));
        let jwk = |via| format!("{{{}}}", derived(value(), &via));
        let public: serde_json::Value = serde_json::from_str(&jwk(Transform::JwkPublic)).unwrap();
        let private: serde_json::Value = serde_json::from_str(&jwk(Transform::JwkPrivate)).unwrap();
        for (name, member) in public.as_object().unwrap() {
            assert_eq!(private[name], *member, "{algorithm:?}");
        }
        let secret = if algorithm == A::Rsa { 6 } else { 1 };
        assert_eq!(private.as_object().unwrap().len(), public.as_object().unwrap().len() + secret);
        assert_eq!(derived(value(), &Transform::JwkThumbprint).len(), 43);
        let try_openssh = |via: Transform| {
            derive(value(), &via, &mut Random::new(&SystemRandom), &mut Work::of_one_call()).ok()
        };
        let line = try_openssh(Transform::OpensshPublic("c".to_owned()));
        let file = try_openssh(Transform::OpensshPrivate("c".to_owned()));
        match openssh {
            Some(start) => {
                assert!(line.unwrap().bytes.starts_with(start.as_bytes()), "{algorithm:?}");
                check_openssh_file(&file.unwrap().bytes);
            }
            None => assert!(line.is_none() && file.is_none()),
        }
    }
}

/// The frame of the file: magic, no cipher, one key, and a secret part of whole blocks.
fn check_openssh_file(file: &[u8]) {
    let text = std::str::from_utf8(file).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let bytes = STANDARD.decode(body).unwrap();
    let rest = bytes.strip_prefix(b"openssh-key-v1\0").unwrap();
    let mut rest = rest;
    let mut string = || {
        let (length, after) = rest.split_at(4);
        let (value, after) = after.split_at(u32::from_be_bytes(length.try_into().unwrap()) as usize);
        rest = after;
        value
    };
    assert_eq!((string(), string(), string()), (&b"none"[..], &b"none"[..], &b""[..]));
    assert_eq!(rest[..4], 1_u32.to_be_bytes());
    rest = &rest[4..];
    let mut string = || {
        let (length, after) = rest.split_at(4);
        let (value, after) = after.split_at(u32::from_be_bytes(length.try_into().unwrap()) as usize);
        rest = after;
        value
    };
    let public = string();
    let secret = string();
    assert_eq!(rest, b"");
    assert!(!public.is_empty());
    assert_eq!(secret.len() % 8, 0);
    assert_eq!(secret[..4], secret[4..8]);
}

#[test]
fn a_raw_key_and_its_jwk_are_those_of_rfc_8037() {
    // Appendix A: the key, its JWK and its thumbprint.
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let key = || {
        let seed = HEXLOWER.decode(seed.as_bytes()).unwrap();
        Value { bytes: Zeroizing::new([key::ED25519_DER.as_slice(), &seed].concat()), ..ed25519() }
    };
    let jwk = r#""crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
    assert_eq!(derived(key(), &Transform::JwkPublic), jwk);
    let private = format!(r#"{jwk},"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A""#);
    assert_eq!(derived(key(), &Transform::JwkPrivate), private);
    assert_eq!(derived(key(), &Transform::JwkThumbprint), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(HEXLOWER.encode(&bytes(key(), &Transform::RawPrivate)), seed);
    assert_eq!(HEXLOWER.encode(&bytes(key(), &Transform::RawPublic)), public);
}

#[test]
fn a_raw_x25519_key_is_that_of_rfc_7748() {
    // Section 6.1, Alice: her 32 random bytes, and her public key.
    let alice = HEXLOWER.decode(b"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a").unwrap();
    let key = || Value {
        bytes: Zeroizing::new([key::X25519_DER.as_slice(), &alice].concat()),
        trace: Trace::literal(),
        key: Some(KeyAlgorithm::X25519),
    };
    let private = bytes(key(), &Transform::RawPrivate);
    assert_eq!(private[1..31], alice[1..31]);
    assert_eq!((private[0], private[31]), (alice[0] & 0xf8, alice[31] & 0x7f | 0x40));
    let public = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
    assert_eq!(HEXLOWER.encode(&bytes(key(), &Transform::RawPublic)), public);
}

fn bytes(input: Value, via: &Transform) -> Vec<u8> {
    derive(input, via, &mut Random::new(&SystemRandom), &mut Work::of_one_call()).unwrap().bytes.to_vec()
}

#[test]
fn a_key_can_only_have_the_sizes_that_it_has() {
    let ok = |algorithm, bits| key::check(&KeySpec { algorithm, bits }).is_ok();
    assert!(ok(KeyAlgorithm::Rsa, None));
    assert!(!ok(KeyAlgorithm::Rsa, Some(1024)));
    assert!(!ok(KeyAlgorithm::Rsa, Some(16_384)));
    assert!(!ok(KeyAlgorithm::Ed25519, Some(255)));
}

#[test]
fn entropy_follows_the_transformation() {
    let bits = |via: Transform| {
        let trace = Trace::draw(0, Entropy { bits: 300.0, exact: true }, true);
        let value = Value { bytes: Zeroizing::new(b"x".to_vec()), trace, key: None };
        let derived = derive(value, &via, &mut Random::new(&SystemRandom), &mut Work::of_one_call()).unwrap();
        derived.trace.entropy().unwrap()
    };
    assert_eq!(bits(Transform::Base64), Entropy { bits: 300.0, exact: true });
    assert_eq!(bits(Transform::UriUserinfo), Entropy { bits: 300.0, exact: true });
    assert_eq!(bits(Transform::Sha256Hex), Entropy { bits: 256.0, exact: false });
    assert_eq!(bits(Transform::Bcrypt(4)), Entropy { bits: 184.0, exact: false });
}
