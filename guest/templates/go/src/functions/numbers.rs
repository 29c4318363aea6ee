//! Integers: converting, counting, arithmetic that wraps, and rounding. Whatever is no number counts as zero.

use std::cmp::Ordering;

use super::arguments::{any, int, rest, text};
use super::{Context, Family, Function, Parameter, Type, p};
use crate::format::to_text;
use crate::limits::check_list;
use crate::number::{Refused, parse_int};
use crate::rule::Rule;
use crate::value::convert::{to_float, to_int};
use crate::value::{Elements, List, Value};

const F: Family = Family::Numbers;

const VALUE: Parameter = p("value", Type::Any);
const LEFT: Parameter = p("left", Type::Any);
const RIGHT: Parameter = p("right", Type::Any);

pub(super) const ROWS: &[Function] = &[
    F.pure("atoi", &[p("text", Type::Text)], "int", "The decimal number, or 0.", atoi),
    F.pure("int", &[VALUE], "int", "As int; a leading 0 means octal.", to_int_value),
    F.pure("int64", &[VALUE], "int64", "As int64; a leading 0 means octal.", to_int64_value),
    F.pure("float64", &[VALUE], "float64", "As float64.", to_float_value),
    F.pure("toDecimal", &[VALUE], "int64", "The octal number, or 0.", to_decimal),
    F.pure(
        "seq",
        &[],
        "string",
        "The numbers to END, from START to END, or START STEP END, with blanks.",
        seq,
    )
    .rest("bounds", Type::Int),
    F.pure("until", &[p("count", Type::Int)], "list", "The numbers from 0 to before count.", until),
    F.pure(
        "untilStep",
        &[p("start", Type::Int), p("stop", Type::Int), p("step", Type::Int)],
        "list",
        "The numbers from start to before stop.",
        until_step,
    ),
    F.pure("add1", &[VALUE], "int64", "One more.", add1),
    F.pure("add", &[], "int64", "The sum.", add).rest("values", Type::Any),
    F.pure("sub", &[LEFT, RIGHT], "int64", "The difference.", sub),
    F.pure("mul", &[p("first", Type::Any)], "int64", "The product.", mul).rest("more", Type::Any),
    F.pure("div", &[LEFT, RIGHT], "int64", "The quotient, towards zero.", div),
    F.pure("mod", &[LEFT, RIGHT], "int64", "The remainder, with the sign of left.", modulo),
    F.pure("max", &[p("first", Type::Any)], "int64", "The largest.", max).rest("more", Type::Any),
    F.pure("biggest", &[p("first", Type::Any)], "int64", "The same as max.", max).rest("more", Type::Any),
    F.pure("min", &[p("first", Type::Any)], "int64", "The smallest.", min).rest("more", Type::Any),
    F.pure("maxf", &[p("first", Type::Any)], "float64", "The largest.", maxf).rest("more", Type::Any),
    F.pure("minf", &[p("first", Type::Any)], "float64", "The smallest.", minf).rest("more", Type::Any),
    F.pure("ceil", &[VALUE], "float64", "The next whole number above.", ceil),
    F.pure("floor", &[VALUE], "float64", "The next whole number below.", floor),
    F.pure("round", &[VALUE, p("places", Type::Int)], "float64", "To that many decimal places.", round)
        .rest("from", Type::Float),
];

type Answer = Result<Value, Rule>;

fn atoi(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::int(match parse_int(text(a, 0)?, 10) {
        Ok(int) | Err(Refused::Overflow(int)) => int,
        Err(Refused::Syntax) => 0,
    }))
}

fn to_int_value(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::int(to_int(any(a, 0)?)))
}

fn to_int64_value(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::int64(to_int(any(a, 0)?)))
}

fn to_float_value(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::Float(to_float(any(a, 0)?)))
}

fn to_decimal(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::int64(parse_int(&to_text(any(a, 0)?)?, 8).unwrap_or_default()))
}

/// The numbers of a sequence, counted before they are made.
fn steps(start: i64, stop: i64, step: i64) -> Result<Vec<i64>, Rule> {
    let distance = i128::from(stop) - i128::from(start);
    let step = i128::from(step);
    if step == 0 || (distance < 0) != (step < 0) || distance == 0 {
        return Ok(Vec::new());
    }
    let count = (distance.abs() - 1) / step.abs() + 1;
    let count = usize::try_from(count).map_err(|_| Rule::Size)?;
    check_list(count)?;
    let numbers = (0..count).map(|at| i128::from(start) + step * i128::try_from(at).unwrap_or_default());
    numbers.map(|number| i64::try_from(number).map_err(|_| Rule::Size)).collect()
}

fn until(a: &[Value], _: &mut Context<'_>) -> Answer {
    let count = int(a, 0)?;
    ints(steps(0, count, if count < 0 { -1 } else { 1 })?)
}

fn until_step(a: &[Value], _: &mut Context<'_>) -> Answer {
    ints(steps(int(a, 0)?, int(a, 1)?, int(a, 2)?)?)
}

fn ints(numbers: Vec<i64>) -> Answer {
    let items = numbers.into_iter().map(Value::int).collect();
    Ok(Value::List(List::new(Elements::Ints, items)?))
}

fn seq(a: &[Value], _: &mut Context<'_>) -> Answer {
    let numbers = match a.len() {
        1 => {
            let end = int(a, 0)?;
            let step = if end < 1 { -1 } else { 1 };
            steps(1, end.saturating_add(step), step)?
        }
        2 => {
            let (start, end) = (int(a, 0)?, int(a, 1)?);
            let step = if end < start { -1 } else { 1 };
            steps(start, end.saturating_add(step), step)?
        }
        3 => {
            let (start, step, end) = (int(a, 0)?, int(a, 1)?, int(a, 2)?);
            let beyond = if end < start { -1 } else { 1 };
            if end < start && step > 0 { Vec::new() } else { steps(start, end.saturating_add(beyond), step)? }
        }
        _ => Vec::new(),
    };
    Ok(Value::text(numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(" ")))
}

fn add1(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::int64(to_int(any(a, 0)?).wrapping_add(1)))
}

fn add(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::int64(rest(a, 0).iter().map(to_int).fold(0, i64::wrapping_add)))
}

fn sub(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::int64(to_int(any(a, 0)?).wrapping_sub(to_int(any(a, 1)?))))
}

fn mul(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::int64(rest(a, 0).iter().map(to_int).fold(1, i64::wrapping_mul)))
}

fn divisor(a: &[Value]) -> Result<i64, Rule> {
    match to_int(any(a, 1)?) {
        0 => Err(Rule::DivisionByZero),
        divisor => Ok(divisor),
    }
}

fn div(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::int64(to_int(any(a, 0)?).wrapping_div(divisor(a)?)))
}

fn modulo(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::int64(to_int(any(a, 0)?).wrapping_rem(divisor(a)?)))
}

fn max(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::int64(rest(a, 0).iter().map(to_int).max().unwrap_or_default()))
}

fn min(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::int64(rest(a, 0).iter().map(to_int).min().unwrap_or_default()))
}

fn maxf(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::Float(extreme(a, Ordering::Greater)))
}

fn minf(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::Float(extreme(a, Ordering::Less)))
}

/// The operand that comes first in that order, in which -0 is less than 0. What is not a number wins, as in Go.
fn extreme(a: &[Value], wanted: Ordering) -> f64 {
    let pick = |x: f64, y: f64| {
        if x.is_nan() || y.is_nan() {
            f64::NAN
        } else if y.total_cmp(&x) == wanted {
            y
        } else {
            x
        }
    };
    rest(a, 0).iter().map(to_float).reduce(pick).unwrap_or_default()
}

fn ceil(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::Float(to_float(any(a, 0)?).ceil()))
}

fn floor(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::Float(to_float(any(a, 0)?).floor()))
}

/// sprig rounds up where the fraction reaches a threshold, so negative numbers go the other way.
fn round(a: &[Value], _: &mut Context<'_>) -> Answer {
    let threshold = a.get(2).map_or(0.5, to_float);
    let power = power_of_ten(int(a, 1)?);
    let shifted = power * to_float(any(a, 0)?);
    let whole = if shifted.fract() >= threshold { shifted.ceil() } else { shifted.floor() };
    Ok(Value::Float(whole / power))
}

/// Go's way to a power: by squaring, then the reciprocal, so that the last digit is the same everywhere.
fn power_of_ten(exponent: i64) -> f64 {
    let (mut left, mut square, mut power) = (exponent.unsigned_abs(), 10f64, 1f64);
    while left > 0 && power.is_finite() {
        if left & 1 == 1 {
            power *= square;
        }
        square *= square;
        left >>= 1;
    }
    if exponent < 0 { 1.0 / power } else { power }
}
