//! Float arithmetic as sprig does it: in decimals, so that 0.1 + 0.2 is 0.3, and back to a float at the end.

use num_bigint::{BigInt, Sign};

use super::arguments::{any, rest};
use super::{Context, Family, Function, Parameter, Type, p};
use crate::limits::TEXT_BYTES;
use crate::rule::Rule;
use crate::value::Value;
use crate::value::convert::to_float;

const F: Family = Family::Numbers;

const FIRST: Parameter = p("first", Type::Any);

pub(super) const ROWS: &[Function] = &[
    F.pure("add1f", &[FIRST], "float64", "One more.", add1f),
    F.pure("addf", &[], "float64", "The sum.", addf).rest("values", Type::Any),
    F.pure("subf", &[FIRST], "float64", "The first less the others.", subf).rest("more", Type::Any),
    F.pure("mulf", &[FIRST], "float64", "The product.", mulf).rest("more", Type::Any),
    F.pure("divf", &[FIRST], "float64", "The first by the others in turn, to 16 places.", divf)
        .rest("more", Type::Any),
];

type Answer = Result<Value, Rule>;

fn add1f(a: &[Value], _: &mut Context<'_>) -> Answer {
    calculate(&[any(a, 0)?.clone(), Value::int(1)], Decimal::plus)
}

fn addf(a: &[Value], _: &mut Context<'_>) -> Answer {
    calculate(&[&[Value::int(0)], rest(a, 0)].concat(), Decimal::plus)
}

fn subf(a: &[Value], _: &mut Context<'_>) -> Answer {
    calculate(a, |left, right| left.plus(&Decimal { digits: -&right.digits, exponent: right.exponent }))
}

fn mulf(a: &[Value], _: &mut Context<'_>) -> Answer {
    calculate(a, Decimal::times)
}

fn divf(a: &[Value], _: &mut Context<'_>) -> Answer {
    calculate(a, Decimal::over)
}

fn calculate(a: &[Value], operation: fn(&Decimal, &Decimal) -> Result<Decimal, Rule>) -> Answer {
    let mut operands = a.iter().map(|value| Decimal::from_float(to_float(value)));
    let first = operands.next().ok_or(Rule::ArgumentCount)??;
    let result = operands.try_fold(first, |left, right| operation(&left, &right?))?;
    Ok(Value::Float(result.to_float()))
}

/// `digits` times ten to the `exponent`.
struct Decimal {
    digits: BigInt,
    exponent: i64,
}

impl Decimal {
    /// The decimal that identifies the float. What is not finite has none.
    fn from_float(value: f64) -> Result<Self, Rule> {
        if !value.is_finite() {
            return Err(Rule::BadArgument);
        }
        let text = format!("{value:e}");
        let (number, exponent) = text.split_once('e').ok_or(Rule::BadArgument)?;
        let places = number.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let digits = number.replace('.', "").parse().map_err(|_| Rule::BadArgument)?;
        let exponent: i64 = exponent.parse().map_err(|_| Rule::BadArgument)?;
        Ok(Self { digits, exponent: exponent - i64::try_from(places).unwrap_or_default() })
    }

    fn to_float(&self) -> f64 {
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or_default()
    }

    /// The digits at a smaller exponent.
    fn digits_at(&self, exponent: i64) -> Result<BigInt, Rule> {
        Ok(&self.digits * power_of_ten(self.exponent - exponent)?)
    }

    fn plus(&self, other: &Self) -> Result<Self, Rule> {
        let exponent = self.exponent.min(other.exponent);
        Ok(Self { digits: self.digits_at(exponent)? + other.digits_at(exponent)?, exponent })
    }

    fn times(&self, other: &Self) -> Result<Self, Rule> {
        Ok(Self { digits: &self.digits * &other.digits, exponent: self.exponent + other.exponent })
    }

    /// To 16 places, half away from zero.
    fn over(&self, other: &Self) -> Result<Self, Rule> {
        const PLACES: i64 = 16;
        if other.digits.sign() == Sign::NoSign {
            return Err(Rule::DivisionByZero);
        }
        let shift = PLACES + self.exponent - other.exponent;
        let dividend = if shift > 0 { &self.digits * power_of_ten(shift)? } else { self.digits.clone() };
        let divisor = if shift < 0 { &other.digits * power_of_ten(-shift)? } else { other.digits.clone() };
        let quotient = &dividend / &divisor;
        let twice = (&dividend % &divisor).magnitude() * 2u32;
        let up = twice >= *divisor.magnitude();
        let step = if dividend.sign() == divisor.sign() { 1 } else { -1 };
        Ok(Self { digits: quotient + if up { step } else { 0 }, exponent: -PLACES })
    }
}

/// Powers are as large as the operands' exponents, which products could let grow without end.
fn power_of_ten(exponent: i64) -> Result<BigInt, Rule> {
    let exponent = u32::try_from(exponent).map_err(|_| Rule::OutOfRange)?;
    if usize::try_from(exponent).is_ok_and(|digits| digits < TEXT_BYTES >> 8) {
        Ok(BigInt::from(10).pow(exponent))
    } else {
        Err(Rule::Size)
    }
}
