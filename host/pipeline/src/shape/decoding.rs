//! Values that a store holds encoded.
//!
//! As Go decodes: padding is needed, line ends are skipped, spare bits at the end are ignored.

use api::external_secret::{DecodingStrategy, NullBytePolicy};
use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::GeneralPurposeConfig;
use base64::engine::general_purpose::GeneralPurpose;
use zeroize::Zeroizing;

use super::ShapeError;
use crate::field::Value;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// Decodes the value of `key`.
pub(crate) fn decode(key: &str, value: Value, strategy: DecodingStrategy) -> Result<Value, ShapeError> {
    let error = |strategy| ShapeError::Decode { key: key.to_owned(), strategy };
    match strategy {
        DecodingStrategy::None => Ok(value),
        DecodingStrategy::Base64 => by(&BASE64, &value).ok_or_else(|| error("Base64")),
        DecodingStrategy::Base64Url => by(&BASE64_URL, &value).ok_or_else(|| error("Base64URL")),
        DecodingStrategy::Auto => {
            Ok(by(&BASE64, &value).or_else(|| by(&BASE64_URL, &value)).unwrap_or(value))
        }
    }
}

fn by(engine: &GeneralPurpose, value: &Value) -> Option<Value> {
    let bytes = value.expose().iter().copied();
    let text: Zeroizing<Vec<u8>> =
        Zeroizing::new(bytes.filter(|byte| !matches!(byte, b'\r' | b'\n')).collect());
    engine.decode(text.as_slice()).ok().map(Value::new)
}

/// Refuses a value with a null byte where the policy says so.
pub(crate) fn check_null_bytes(key: &str, value: &Value, policy: NullBytePolicy) -> Result<(), ShapeError> {
    match policy {
        NullBytePolicy::Fail if value.expose().contains(&0) => {
            Err(ShapeError::NullByte { key: key.to_owned() })
        }
        NullBytePolicy::Fail | NullBytePolicy::Ignore => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use DecodingStrategy::{Auto, Base64, Base64Url, None};

    use super::*;

    fn check(strategy: DecodingStrategy, text: &str, want: Option<&[u8]>) {
        let got = decode("k", Value::from(text), strategy).ok();
        assert_eq!(got.as_ref().map(Value::expose), want, "{strategy:?} {text:?}");
    }

    #[test]
    fn values_decode_as_go_decodes_them() {
        check(None, "YQ==", Some(b"YQ=="));
        check(Base64, "aGVsbG8/Pj4=", Some(b"hello?>>"));
        check(Base64, "YQ", Option::None);
        check(Base64, "Pz8_Pj4-", Option::None);
        check(Base64, "not base64", Option::None);
        check(Base64, "aGVs\r\nbG8=\n", Some(b"hello"));
        check(Base64, "YR==", Some(b"a"));
        check(Base64, "", Some(b""));
        check(Base64Url, "Pz8_Pj4-", Some(b"???>>>"));
        check(Base64Url, "X19-fg==", Some(b"__~~"));
        check(Base64Url, "Pz8/", Option::None);
        check(Auto, "Pz8/Pj4+", Some(b"???>>>"));
        check(Auto, "Pz8_Pj4-", Some(b"???>>>"));
        check(Auto, "hello, world", Some(b"hello, world"));
        check(Auto, "abcd", Some(&[0x69, 0xb7, 0x1d]));
        check(Auto, "AP8Q", Some(&[0, 255, 16]));
    }

    #[test]
    fn the_error_names_the_key_and_not_the_value() {
        let error = decode("pw", Value::from("s3cret!"), Base64).unwrap_err().to_string();
        assert_eq!(error, "decode the value of pw as Base64: it is not valid Base64");
    }

    #[test]
    fn null_bytes_are_refused_when_the_policy_says_so() {
        for (value, policy, accepted) in [
            ("a\0b", NullBytePolicy::Ignore, true),
            ("a\0b", NullBytePolicy::Fail, false),
            ("ab", NullBytePolicy::Fail, true),
        ] {
            assert_eq!(check_null_bytes("k", &Value::from(value), policy).is_ok(), accepted, "{policy:?}");
        }
    }
}
