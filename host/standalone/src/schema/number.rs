//! Checks of numbers: range of the format, limits, multiples. Integers compare as integers, everything else
//! as floats.

use serde_json::{Number, Value};

use super::cause::{Cause, Path};
use super::node::{Node, Type};

/// Adds what is wrong with a number.
pub(super) fn check(schema: &Node, at: Path<'_>, number: &Number, causes: &mut Vec<Cause>) {
    check_range(schema, at, number, causes);
    let checks = &schema.checks;
    let value = Value::from(number.clone());
    let mut fail = |detail: String| {
        causes.push(Cause::invalid(at, &value, &format!("{} in body should be {detail}", at.text())))
    };
    if let Some(factor) = checks.multiple_of.as_ref().filter(|factor| !is_multiple(number, factor)) {
        fail(format!("a multiple of {}", shown(factor)));
    }
    if let Some(limit) = &checks.minimum {
        let below = less(number, limit) || (checks.exclusive_minimum && !less(limit, number));
        if below {
            let word = if checks.exclusive_minimum { "greater than" } else { "greater than or equal to" };
            fail(format!("{word} {}", shown(limit)));
        }
    }
    if let Some(limit) = &checks.maximum {
        let above = less(limit, number) || (checks.exclusive_maximum && !less(number, limit));
        if above {
            let word = if checks.exclusive_maximum { "less than" } else { "less than or equal to" };
            fail(format!("{word} {}", shown(limit)));
        }
    }
}

fn check_range(schema: &Node, at: Path<'_>, number: &Number, causes: &mut Vec<Cause>) {
    let format = schema.checks.format.as_deref();
    let (fits, with) = match (schema.kind, format) {
        (Some(Type::Integer), Some("int32")) => {
            (integer(number).is_some_and(|value| i32::try_from(value).is_ok()), " with format int32")
        }
        (Some(Type::Integer), Some("int64")) => (integer(number).is_some(), " with format int64"),
        (Some(Type::Integer), _) => (integer(number).is_some() || has_fraction(number), " (default format)"),
        (Some(Type::Number), Some("float")) => {
            (number.as_f64().is_none_or(|value| value.abs() <= f64::from(f32::MAX)), " with format float")
        }
        _ => return,
    };
    if !fits {
        let kind = schema.kind.map_or("", Type::name);
        let detail = format!("Checked value must be of type {kind}{with} in {}", at.text());
        causes.push(Cause::invalid(Path::Root, &Value::from(""), &detail));
    }
}

/// A fraction is a wrong type, and said so once.
fn has_fraction(number: &Number) -> bool {
    number.as_f64().is_some_and(|value| value.fract() != 0.0)
}

#[expect(clippy::cast_possible_truncation, reason = "a whole float inside the range of i64 loses nothing")]
fn integer(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        number
            .as_f64()
            .filter(|value| number.is_f64() && value.fract() == 0.0 && value.abs() < 9.2e18)
            .map(|value| value as i64)
    })
}

fn less(left: &Number, right: &Number) -> bool {
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => left < right,
        _ => left.as_f64() < right.as_f64(),
    }
}

fn is_multiple(number: &Number, factor: &Number) -> bool {
    if let (Some(number), Some(factor)) = (integer(number), integer(factor)) {
        return factor > 0 && number.checked_rem(factor) == Some(0);
    }
    let (Some(number), Some(factor)) = (number.as_f64(), factor.as_f64()) else {
        return false;
    };
    let quotient = if factor < 1.0 { 1.0 / factor * number } else { number / factor };
    (quotient - quotient.round()).abs() < 1e-9
}

/// Equality of JSON values in which 1 and 1.0 are the same.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => !less(left, right) && !less(right, left),
        _ => left == right,
    }
}

/// A number as Go prints it: whole ones without a fraction.
pub(super) fn shown(number: &Number) -> String {
    integer(number).map_or_else(|| number.to_string(), |value| value.to_string())
}
