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

/// A PKCS#8 key of this algorithm, as a draw gives it.
fn value(algorithm: KeyAlgorithm, der: impl AsRef<[u8]>) -> Value {
    Value { bytes: Zeroizing::new(der.as_ref().to_vec()), key: Some(algorithm), ..ed25519() }
}

fn check_jwk(key: impl Fn() -> Value, public: &str, private: &str, thumbprint: &str) {
    assert_eq!(derived(key(), &Transform::JwkPublic), public);
    assert_eq!(derived(key(), &Transform::JwkPrivate), format!("{public},{private}"));
    assert_eq!(derived(key(), &Transform::JwkThumbprint), thumbprint);
}

fn decoded(text: &str) -> Vec<u8> {
    data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
}

#[test]
fn the_jwk_of_an_rsa_key_is_that_of_rfc_7517_and_its_thumbprint_that_of_rfc_7638() {
    use rsa::pkcs8::EncodePrivateKey as _;
    // RFC 7517 appendix A.2, and RFC 7638 section 3.1, which is of the same key.
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let d = "X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH-HLLKD9M7dx5oo7GURknchnrRweUkC7hT5fJLM0WbFAKNLWY2vv7B6NqXSzUvxT0_YSfqijwp3RTzlBaCxWp4doFk5N2o8Gy_nHNKroADIkJ46pRUohsXywbReAdYaMwFs9tv8d_cPVY3i07a3t8MN6TNwm0dSawm9v47UiCl3Sk5ZiG7xojPLu4sbg1U2jx4IBTNBznbJSzFHK66jT8bgkuqsk0GjskDJk19Z4qwjwbsnn4j2WBii3RL-Us2lGVkY8fkFzme1z0HbIkfz0Y6mqnOYtqc0X4jfcKoAC8Q";
    let p = "83i-7IvMGXoMXCskv73TKr8637FiO7Z27zv8oj6pbWUQyLPQBQxtPVnwD20R-60eTDmD2ujnMt5PoqMrm8RfmNhVWDtjjMmCMjOpSXicFHj7XOuVIYQyqVWlWEh6dN36GVZYk93N8Bc9vY41xy8B9RzzOGVQzXvNEvn7O0nVbfs";
    let q = "3dfOR9cuYq-0S-mkFLzgItgMEfFzB2q3hWehMuG0oCuqnb3vobLyumqjVZQO1dIrdwgTnCdpYzBcOfW5r370AFXjiWft_NGEiovonizhKpo9VVS78TzFgxkIdrecRezsZ-1kYd_s1qDbxtkDEgfAITAG9LUnADun4vIcb6yelxk";
    let dp = "G4sPXkc6Ya9y8oJW9_ILj4xuppu0lzi_H7VTkS8xj5SdX3coE0oimYwxIi2emTAue0UOa5dpgFGyBJ4c8tQ2VF402XRugKDTP8akYhFo5tAA77Qe_NmtuYZc3C3m3I24G2GvR5sSDxUyAN2zq8Lfn9EUms6rY3Ob8YeiKkTiBj0";
    let dq = "s9lAH9fggBsoFR8Oac2R_E2gw282rT2kGOAhvIllETE1efrA6huUUvMfBcMpn8lqeW6vzznYY5SSQF7pMdC_agI3nG8Ibp1BUb0JUiraRNqUfLhcQb_d9GF4Dh7e74WbRsobRonujTYN1xCaP6TO61jvWrX-L18txXw494Q_cgk";
    let qi = "GyM_p6JrXySiz1toFgKbWV-JdI3jQ4ypu9rbMWx3rQJBfmt0FoYzgUIZEVFEcOqwemRN81zoDAaa-Bk0KWNGDjJHZDdDmFhW3AN7lI-puxk_mHZGJ11rxyR8O55XLSe3SPmRfKwZI6yU24ZxvQKFYItdldUKGzO6Ia6zTKhAVRU";
    let number = |text| rsa::BoxedUint::from_be_slice_vartime(&decoded(text));
    let primes = vec![number(p), number(q)];
    let key = rsa::PrivateKey::from_components(number(n), number("AQAB"), number(d), primes).unwrap();
    let der = key.to_pkcs8_der().unwrap();
    check_jwk(
        || value(KeyAlgorithm::Rsa, der.as_bytes()),
        &format!(r#""e":"AQAB","kty":"RSA","n":"{n}""#),
        &format!(r#""d":"{d}","p":"{p}","q":"{q}","dp":"{dp}","dq":"{dq}","qi":"{qi}""#),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    );
}

#[test]
fn the_jwk_of_an_ec_key_is_that_of_rfc_7517_and_rfc_7520() {
    use rsa::pkcs8::EncodePrivateKey as _;
    // RFC 7517 appendix A.2.
    let d = "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE";
    let der = p256::SecretKey::from_slice(&decoded(d)).unwrap().to_pkcs8_der().unwrap();
    check_jwk(
        || value(KeyAlgorithm::EcdsaP256, der.as_bytes()),
        concat!(
            r#""crv":"P-256","kty":"EC","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","#,
            r#""y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM""#
        ),
        &format!(r#""d":"{d}""#),
        "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
    );
    // RFC 7520 section 3.2: coordinates and scalar begin with zeros, and keep them (RFC 7518 section 6.2).
    let d = "AAhRON2r9cqXX1hg-RoI6R1tX5p2rUAYdmpHZoC1XNM56KtscrX6zbKipQrCW9CGZH3T4ubpnoTKLDYJ_fF3_rJt";
    let der = p521::SecretKey::from_slice(&decoded(d)).unwrap().to_pkcs8_der().unwrap();
    check_jwk(
        || value(KeyAlgorithm::EcdsaP521, der.as_bytes()),
        concat!(
            r#""crv":"P-521","kty":"EC","#,
            r#""x":"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt","#,
            r#""y":"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1""#
        ),
        &format!(r#""d":"{d}""#),
        "dHri3SADZkrush5HU_50AoRhcKFryN-PI6jPBtPL55M",
    );
}

/// Checked by the compiler: what holds a private key's bytes zeroizes itself.
#[test]
fn a_private_form_is_zeroized_by_its_type() {
    let key = ed25519();
    let jwk: Zeroizing<Vec<u8>> = jwk::private(&key.bytes, KeyAlgorithm::Ed25519).unwrap();
    let raw: Zeroizing<[u8; 32]> = public::raw_private(&key.bytes, KeyAlgorithm::Ed25519).unwrap();
    assert!(!jwk.is_empty() && *raw == SEED);
}

#[test]
fn a_raw_x25519_key_is_that_of_rfc_7748() {
    // Section 6.1, Alice: her 32 random bytes, and her public key.
    let alice = HEXLOWER.decode(b"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a").unwrap();
    let key = || value(KeyAlgorithm::X25519, [key::X25519_DER.as_slice(), &alice].concat());
    let private = bytes(key(), &Transform::RawPrivate);
    assert_eq!(private[1..31], alice[1..31]);
    assert_eq!((private[0], private[31]), (alice[0] & 0xf8, alice[31] & 0x7f | 0x40));
    let public = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
    assert_eq!(HEXLOWER.encode(&bytes(key(), &Transform::RawPublic)), public);
}

#[test]
fn a_raw_x25519_key_in_bech32_is_what_age_reads() {
    // A pair that age's own implementations test with.
    let raw = HEXLOWER.decode(b"400bef1d8036f72664f0b7a5a62cfc956ed0765c641387636f534e8cb81e5058").unwrap();
    let key = || value(KeyAlgorithm::X25519, [key::X25519_DER.as_slice(), &raw].concat());
    let written = |form, prefix: &str| {
        let raw = literal(&bytes(key(), &form));
        derived(raw, &Transform::Bech32(prefix.to_owned()))
    };
    let identity = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
    let recipient = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
    assert_eq!(written(Transform::RawPrivate, "AGE-SECRET-KEY-"), identity);
    assert_eq!(written(Transform::RawPublic, "age"), recipient);
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
