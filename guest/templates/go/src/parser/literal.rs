//! Number literals, kept in every type that can represent them, as Go keeps its ideal constants.

use crate::ast::Number;
use crate::format::quote::unquote_char;
use crate::lexer::{Kind, scan_number};
use crate::number::{Refused, parse_float, parse_int, parse_uint};
use crate::rule::Rule;
use crate::value::Value;
use crate::value::convert::float_to_int;

/// Reads a number, a complex number or a character.
pub(super) fn number(kind: Kind, text: &str) -> Result<Number, Rule> {
    match kind {
        Kind::Character => character(unquote_char(text)?),
        Kind::Complex => complex(text),
        _ => plain(text),
    }
}

fn character(code: u32) -> Result<Number, Rule> {
    let int = i64::from(code);
    Ok(Number { int: Some(int), float: Some(f64::from(code)), ideal: Ok(Value::int(int)) })
}

/// `1+2i`: two numbers without a blank between them.
fn complex(text: &str) -> Result<Number, Rule> {
    // The first number ends where the second one's sign is, which only the lexer's scan can tell.
    let split = (1..text.len())
        .find(|end| text.get(..*end).and_then(scan_number) == Some(*end) && starts_signed(text, *end));
    let (real, imaginary) = text.split_at_checked(split.ok_or(Rule::BadLiteral)?).ok_or(Rule::BadLiteral)?;
    let imaginary = imaginary.strip_suffix('i').ok_or(Rule::BadLiteral)?;
    let read = |text: &str| parse_float(text.as_bytes()).map_err(|_| Rule::BadLiteral);
    Ok(of_complex(read(real)?, read(imaginary)?))
}

fn starts_signed(text: &str, at: usize) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with(['+', '-']) && scan_number(rest) == Some(rest.len()))
}

fn of_complex(real: f64, imaginary: f64) -> Number {
    let ideal = Ok(Value::Complex(real, imaginary));
    let float = (imaginary == 0.0).then_some(real);
    Number { int: float.and_then(whole), float, ideal }
}

fn plain(text: &str) -> Result<Number, Rule> {
    let bytes = text.as_bytes();
    if let Some(imaginary) = text.strip_suffix('i').and_then(|digits| parse_float(digits.as_bytes()).ok()) {
        return Ok(of_complex(0.0, imaginary));
    }
    let int = parse_int(bytes, 0).ok();
    let uint = parse_uint(bytes, 0).ok();
    let has_point = text.contains(['.', 'e', 'E', 'p', 'P']);
    if int.is_some() || uint.is_some() {
        return Ok(of_integer(text, int, uint, has_point));
    }
    let float = parse_float(bytes).map_err(|_: Refused<f64>| Rule::BadLiteral)?;
    if !has_point {
        return Err(Rule::BadLiteral);
    }
    Ok(Number { int: whole(float), float: Some(float), ideal: Ok(Value::Float(float)) })
}

/// Go decides by the spelling: `-0x1e` has an `e` and no plain `0x` in front, so it is a float.
#[expect(clippy::cast_precision_loss, reason = "Go promotes the integer in the same way")]
fn of_integer(text: &str, int: Option<i64>, uint: Option<u64>, has_point: bool) -> Number {
    let float = int.map(|int| int as f64).or(uint.map(|uint| uint as f64));
    let hex = text.starts_with("0x") || text.starts_with("0X");
    let ideal = match (int, float) {
        (_, Some(float)) if has_point && !hex => Ok(Value::Float(float)),
        (Some(int), _) => Ok(Value::int(int)),
        (None, _) => Err(Rule::BadLiteral),
    };
    Number { int, float, ideal }
}

/// The float as an integer, if it is one.
#[expect(clippy::cast_precision_loss, reason = "the comparison is meant to be exact only where the cast is")]
fn whole(float: f64) -> Option<i64> {
    let int = float_to_int(float);
    (int as f64 == float).then_some(int)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::to_text;

    #[test]
    fn ideal_values_follow_the_spelling() {
        for (text, expected) in [
            ("0x1e", Ok("30")),
            ("-0x1e", Ok("-30")),
            ("1e3", Ok("1000")),
            ("0755", Ok("493")),
            ("1_000", Ok("1000")),
            ("2i", Ok("(0+2i)")),
            ("18446744073709551615", Err(Rule::BadLiteral)),
        ] {
            let shown = plain(text).and_then(|number| number.ideal).and_then(|value| to_text(&value));
            assert_eq!(shown.as_deref(), expected.map(str::as_bytes).as_deref(), "{text}");
        }
    }

    #[test]
    fn what_fits_which_parameter() {
        for (kind, text, int, float) in [
            (Kind::Number, "3.0", Some(3), Some(3.0)),
            (Kind::Number, "3.5", None, Some(3.5)),
            (Kind::Complex, "3+0i", Some(3), Some(3.0)),
            (Kind::Complex, "1e3-2i", None, None),
            (Kind::Character, "'a'", Some(97), Some(97.0)),
            (Kind::Number, "1e0", Some(1), Some(1.0)),
        ] {
            let number = number(kind, text).expect("valid");
            assert_eq!((number.int, number.float), (int, float), "{text}");
        }
    }

    #[test]
    fn refused() {
        for text in ["10_", "0x", "1e400", "99999999999999999999", "08"] {
            assert!(plain(text).is_err(), "{text}");
        }
    }
}
