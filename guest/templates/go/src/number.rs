//! Numbers as Go's `strconv` reads them: base prefixes, underscores, hexadecimal floats, `Inf` and `NaN`.
//!
//! Both literals in templates and the conversions of functions (`int`, `atoi`, `float64`) go through here. Overflow is
//! told apart from bad syntax because Go's callers treat the two differently.

/// Why a text is not a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Refused<T> {
    Syntax,
    /// Too large; the nearest value that fits.
    Overflow(T),
}

/// A signed number. Base 0 takes the base from a prefix (`0x`, `0o`, `0b`, `0`) and allows underscores.
pub(crate) fn parse_int(text: &[u8], base: u32) -> Result<i64, Refused<i64>> {
    let (negative, digits) = split_sign(text);
    let limit = if negative { i64::MIN.unsigned_abs() } else { i64::MAX.unsigned_abs() };
    let bound = if negative { i64::MIN } else { i64::MAX };
    match parse_uint(digits, base) {
        Ok(magnitude) if magnitude > limit => Err(Refused::Overflow(bound)),
        Ok(magnitude) if negative => Ok(0i64.wrapping_sub_unsigned(magnitude)),
        Ok(magnitude) => Ok(magnitude.cast_signed()),
        Err(Refused::Syntax) => Err(Refused::Syntax),
        Err(Refused::Overflow(_)) => Err(Refused::Overflow(bound)),
    }
}

/// An unsigned number, without a sign. Base 0 as in [`parse_int`].
pub(crate) fn parse_uint(text: &[u8], base: u32) -> Result<u64, Refused<u64>> {
    let (base, digits, underscores) = match (base, text) {
        (0, [b'0', b'x' | b'X', rest @ ..]) if !rest.is_empty() => (16, rest, true),
        (0, [b'0', b'o' | b'O', rest @ ..]) if !rest.is_empty() => (8, rest, true),
        (0, [b'0', b'b' | b'B', rest @ ..]) if !rest.is_empty() => (2, rest, true),
        (0, [b'0', rest @ ..]) if !rest.is_empty() => (8, rest, true),
        (0, all) => (10, all, true),
        (base, all) => (base, all, false),
    };
    if digits.is_empty() || (underscores && !underscores_fit(text)) {
        return Err(Refused::Syntax);
    }
    let mut value = Some(0u64);
    for &byte in digits {
        if byte == b'_' && underscores {
            continue;
        }
        let digit = char::from(byte).to_digit(base).ok_or(Refused::Syntax)?;
        value = value.and_then(|v| v.checked_mul(base.into())?.checked_add(digit.into()));
    }
    value.ok_or(Refused::Overflow(u64::MAX))
}

/// A float, decimal or hexadecimal. Overflow is refused, underflow is zero.
pub(crate) fn parse_float(text: &[u8]) -> Result<f64, Refused<f64>> {
    let (negative, body) = split_sign(text);
    let lower = body.to_ascii_lowercase();
    let magnitude = match lower.as_slice() {
        b"inf" | b"infinity" => {
            return Ok(if negative { f64::NEG_INFINITY } else { f64::INFINITY });
        }
        b"nan" if body.len() == text.len() => return Ok(f64::NAN),
        _ if !underscores_fit(body) => return Err(Refused::Syntax),
        [b'0', b'x', rest @ ..] if !rest.is_empty() => parse_hex_float(rest)?,
        _ => parse_decimal_float(&lower)?,
    };
    let value = if negative { -magnitude } else { magnitude };
    if value.is_infinite() { Err(Refused::Overflow(value)) } else { Ok(value) }
}

fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    }
}

/// Underscores may stand between digits and after a base prefix only.
fn underscores_fit(text: &[u8]) -> bool {
    let (hex, after_prefix, digits) = match text {
        [b'0', b'x' | b'X', rest @ ..] => (true, true, rest),
        [b'0', b'o' | b'O' | b'b' | b'B', rest @ ..] => (false, true, rest),
        all => (false, false, all),
    };
    let mut after_digit = after_prefix;
    let mut after_underscore = false;
    for byte in digits {
        let digit = byte.is_ascii_digit() || (hex && byte.is_ascii_hexdigit());
        if (*byte == b'_' && !after_digit) || (after_underscore && !digit) {
            return false;
        }
        after_underscore = *byte == b'_';
        after_digit = digit;
    }
    !after_underscore
}

fn parse_decimal_float(text: &[u8]) -> Result<f64, Refused<f64>> {
    let plain = text.first().is_some_and(|b| b.is_ascii_digit() || *b == b'.');
    let digits: String = text.iter().filter(|b| **b != b'_').map(|b| char::from(*b)).collect();
    if !plain {
        return Err(Refused::Syntax);
    }
    digits.parse().map_err(|_| Refused::Syntax)
}

/// What follows `0x`: mantissa, `p`, exponent.
fn parse_hex_float(text: &[u8]) -> Result<f64, Refused<f64>> {
    let split = text.iter().position(|b| *b == b'p').ok_or(Refused::Syntax)?;
    let (mantissa, exponent) = text.split_at(split);
    let exponent = exponent.get(1..).unwrap_or_default();
    let exponent = parse_int(exponent, 10).or_else(|refused| match refused {
        Refused::Overflow(bound) => Ok(bound),
        Refused::Syntax => Err(Refused::Syntax),
    })?;
    let mut exponent = exponent.clamp(-20_000, 20_000);
    let (mut value, mut seen_dot, mut seen_digit) = (0u64, false, false);
    for &byte in mantissa.iter().filter(|b| **b != b'_') {
        if byte == b'.' && !seen_dot {
            seen_dot = true;
            continue;
        }
        let digit = char::from(byte).to_digit(16).ok_or(Refused::Syntax)?;
        seen_digit = true;
        if value >> 58 == 0 {
            value = value << 4 | u64::from(digit);
            exponent -= if seen_dot { 4 } else { 0 };
        } else {
            value |= u64::from(digit != 0);
            exponent += if seen_dot { 0 } else { 4 };
        }
    }
    if seen_digit { Ok(scale(value, exponent)) } else { Err(Refused::Syntax) }
}

/// `value` times two to the `exponent`, in steps that cannot overflow on the way.
#[expect(clippy::cast_precision_loss, reason = "rounding to the nearest float is what is wanted")]
fn scale(value: u64, mut exponent: i64) -> f64 {
    let mut scaled = value as f64;
    while exponent != 0 && scaled != 0.0 && scaled.is_finite() {
        let step = exponent.clamp(-1000, 1000);
        scaled *= 2f64.powi(i32::try_from(step).unwrap_or_default());
        exponent -= step;
    }
    scaled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        for (text, base, expected) in [
            ("42", 0, Ok(42)),
            ("-0x1F", 0, Ok(-31)),
            ("0b101", 0, Ok(5)),
            ("0o17", 0, Ok(15)),
            ("0755", 0, Ok(493)),
            ("09", 0, Err(Refused::Syntax)),
            ("1_000", 0, Ok(1000)),
            ("1__0", 0, Err(Refused::Syntax)),
            ("0x_FF", 0, Ok(255)),
            ("10_", 0, Err(Refused::Syntax)),
            ("1_000", 10, Err(Refused::Syntax)),
            ("", 0, Err(Refused::Syntax)),
            ("0x", 0, Err(Refused::Syntax)),
            ("9223372036854775808", 0, Err(Refused::Overflow(i64::MAX))),
            ("-9223372036854775808", 0, Ok(i64::MIN)),
            ("99999999999999999999999", 10, Err(Refused::Overflow(i64::MAX))),
        ] {
            assert_eq!(parse_int(text.as_bytes(), base), expected, "{text}");
        }
    }

    #[test]
    fn floats() {
        for (text, expected) in [
            ("1.5", Ok(1.5)),
            (".5", Ok(0.5)),
            ("5.", Ok(5.0)),
            ("1e3", Ok(1000.0)),
            ("1_0.5", Ok(10.5)),
            ("0x1p4", Ok(16.0)),
            ("0x1.8p1", Ok(3.0)),
            ("-0X.8P-1", Ok(-0.25)),
            ("Inf", Ok(f64::INFINITY)),
            ("-infinity", Ok(f64::NEG_INFINITY)),
            (" 1", Err(Refused::Syntax)),
            ("1e", Err(Refused::Syntax)),
            ("0x1", Err(Refused::Syntax)),
            ("+nan", Err(Refused::Syntax)),
            ("1e400", Err(Refused::Overflow(f64::INFINITY))),
        ] {
            assert_eq!(parse_float(text.as_bytes()), expected, "{text}");
        }
        assert!(parse_float(b"NaN").is_ok_and(f64::is_nan));
    }
}
