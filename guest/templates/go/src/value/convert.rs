//! sprig's conversions: whatever cannot be converted is zero, never an error. A text is read as Go reads a literal, so
//! a leading zero means octal.

use super::Value;
use crate::number::{parse_float, parse_int};

/// `int`, `int64` and the operands of arithmetic.
pub(crate) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Bool(value) => i64::from(*value),
        Value::Int(value, _) => *value,
        Value::Uint(value, _) => value.cast_signed(),
        Value::Float(value) => float_to_int(*value),
        Value::Text(text) => parse_int(whole_part(text), 0).unwrap_or_default(),
        Value::Nil
        | Value::Complex(..)
        | Value::List(_)
        | Value::Dict(_)
        | Value::Texts(_)
        | Value::Object(_) => 0,
    }
}

/// `float64` and the operands of float arithmetic.
#[expect(clippy::cast_precision_loss, reason = "rounding to the nearest float is what Go does")]
pub(crate) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Int(value, _) => *value as f64,
        Value::Uint(value, _) => *value as f64,
        Value::Float(value) => *value,
        Value::Text(text) => parse_float(text).unwrap_or_default(),
        Value::Nil
        | Value::Complex(..)
        | Value::List(_)
        | Value::Dict(_)
        | Value::Texts(_)
        | Value::Object(_) => 0.0,
    }
}

/// Go's conversion on amd64: towards zero, and the smallest integer for what does not fit.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked before the cast")]
pub(crate) fn float_to_int(value: f64) -> i64 {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if (-BOUND..BOUND).contains(&value) { value as i64 } else { i64::MIN }
}

/// A decimal number without its fraction; any other text as it is.
fn whole_part(text: &[u8]) -> &[u8] {
    let Some(dot) = text.iter().position(|byte| *byte == b'.') else {
        return text;
    };
    let (whole, fraction) = text.split_at(dot);
    let digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    let unsigned = whole.strip_prefix(b"-").or_else(|| whole.strip_prefix(b"+")).unwrap_or(whole);
    if !digits(unsigned) || !digits(fraction.get(1..).unwrap_or_default()) {
        return text;
    }
    if unsigned.is_empty() { b"0" } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_integers() {
        for (value, expected) in [
            (Value::text("42"), 42),
            (Value::text("3.7"), 3),
            (Value::text("0755"), 493),
            (Value::text("09"), 0),
            (Value::text("1e3"), 0),
            (Value::text("1_000"), 1000),
            (Value::text("-.5"), 0),
            (Value::text("-3."), -3),
            (Value::text("x.5"), 0),
            (Value::Float(-2.9), -2),
            (Value::Float(f64::NAN), i64::MIN),
            (Value::Float(1e30), i64::MIN),
            (Value::Bool(true), 1),
            (Value::Nil, 0),
        ] {
            assert_eq!(to_int(&value), expected, "{value:?}");
        }
    }

    #[test]
    fn to_floats() {
        for (value, expected) in [
            (Value::text("3.5"), 3.5),
            (Value::text(" 1"), 0.0),
            (Value::int(-2), -2.0),
            (Value::Bool(true), 1.0),
        ] {
            assert_eq!(to_float(&value).to_bits(), f64::to_bits(expected), "{value:?}");
        }
    }
}
