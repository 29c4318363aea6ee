use super::*;
use p256::elliptic_curve::Generate;

/// Gives 1, 2, 3, ...
struct Counting(u8);

impl rand_core::TryRng for Counting {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut word = [0; 4];
        self.try_fill_bytes(&mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut word = [0; 8];
        self.try_fill_bytes(&mut word)?;
        Ok(u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Self::Error> {
        for byte in buffer {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Counting {}

fn keys() -> Vec<(&'static str, PrivateKey)> {
    let mut source = Counting(0);
    let rsa = rsa::PrivateKey::new(&mut source, 1024).expect("a key");
    vec![
        ("RSA PRIVATE KEY", PrivateKey::Rsa(Box::new(rsa))),
        ("EC PRIVATE KEY", PrivateKey::P256(p256::SecretKey::generate_from_rng(&mut source))),
        ("EC PRIVATE KEY", PrivateKey::P384(p384::SecretKey::generate_from_rng(&mut source))),
        ("EC PRIVATE KEY", PrivateKey::P521(p521::SecretKey::generate_from_rng(&mut source))),
        ("PRIVATE KEY", PrivateKey::Ed25519(Box::new(SigningKey::from_bytes(&[7; 32])))),
    ]
}

#[test]
fn every_form_is_read_as_it_was_written() {
    for (label, key) in keys() {
        let der = key.to_pkcs8().expect("PKCS#8");
        let same = |other: Result<PrivateKey, Rule>| {
            let other = other.expect("a key");
            assert_eq!(other.to_pkcs8().as_ref(), Ok(&der), "{label}");
            assert_eq!(other.public(), key.public(), "{label}");
        };
        let pem = key.to_pem().expect("PEM");
        let (block, _) = pem::decode(&pem).expect("a block");
        assert_eq!(String::from_utf8_lossy(&block.label), label);
        same(PrivateKey::of_pem(&pem));
        same(PrivateKey::of_any(&block.bytes));
        same(PrivateKey::of_any(&der));
        same(PrivateKey::of_pem(&pem::encode(b"PRIVATE KEY", &der)));
        assert_eq!(PrivateKey::pem_of_made(&der), Ok(pem), "{label}");
    }
}

#[test]
fn what_is_no_key_is_refused() {
    let (_, rsa) = keys().remove(0);
    let pkcs8 = rsa.to_pkcs8().expect("PKCS#8");
    for (pem, rule) in [
        (b"no block".to_vec(), Rule::NotPem),
        (pem::encode(b"CERTIFICATE", &pkcs8), Rule::NotAKey),
        (pem::encode(b"RSA PRIVATE KEY", &pkcs8), Rule::NotAKey),
        (pem::encode(b"EC PRIVATE KEY", &pkcs8), Rule::NotAKey),
        (pem::encode(b"DSA PRIVATE KEY", &pkcs8), Rule::NotAKey),
        (pem::encode(b"PRIVATE KEY", b""), Rule::NotAKey),
        (pem::encode(b"PRIVATE KEY", &vec![0x30; DER_BYTES + 1]), Rule::NotAKey),
    ] {
        assert_eq!(PrivateKey::of_pem(&pem).err(), Some(rule), "{}", String::from_utf8_lossy(&pem));
    }
}

#[test]
fn jwks() {
    use crate::limits::Budget;
    let x = "vlPTXmFEA2n0hd_fp1AjILsFbpx3maVq9OAw9Mi93rQ";
    let public = |text: &str| jwk::public(text.as_bytes(), &mut Budget::new()).map(|der| der.len());
    let private = |text: &str| jwk::private(text.as_bytes(), &mut Budget::new()).map(|_| ());
    assert_eq!(public(&format!("{{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"{x}=\"}}")), Ok(44));
    for text in [
        "[]".to_owned(),
        "{}".to_owned(),
        format!("{{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"{x}\"}}"),
        format!("{{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"{x}\",\"d\":\"{x}\"}}"),
        format!("{{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"{x}\",\"y\":\"{x}\"}}"),
        "{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}".to_owned(),
        "{\"kty\":\"RSA\",\"n\":\"***\",\"e\":\"AQAB\"}".to_owned(),
    ] {
        assert_eq!(public(&text), Err(Rule::NotAKey), "{text}");
        assert_eq!(private(&text), Err(Rule::NotAKey), "{text}");
    }
}

#[test]
fn a_dsa_key_has_the_form_of_one() {
    struct Failing;
    impl rand_core::TryRng for Failing {
        type Error = Rule;
        fn try_next_u32(&mut self) -> Result<u32, Rule> {
            Err(Rule::Work)
        }
        fn try_next_u64(&mut self) -> Result<u64, Rule> {
            Err(Rule::Work)
        }
        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Rule> {
            Err(Rule::Work)
        }
    }
    impl rand_core::TryCryptoRng for Failing {}
    assert_eq!(dsa::make(&mut Failing).err(), Some(Rule::Work));
    assert!(matches!(PrivateKey::Dsa.to_pkcs8(), Err(Rule::NotAKey)));
}
