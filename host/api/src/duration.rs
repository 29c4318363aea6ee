//! Durations as Go writes them, for that is how ESO's manifests are written.
//!
//! Parsing follows Go's `time.ParseDuration` to the letter: a sign, then one or more decimal numbers, each with a unit.
//! Writing follows `Duration.String`, so `24h` is written back as `24h0m0s`. The value is a signed count of nanoseconds
//! in 64 bits, as in Go.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000 * MICROSECOND;
const SECOND: u64 = 1_000 * MILLISECOND;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// A signed length of time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    nanoseconds: i64,
}

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseDurationError {
    /// There is no number with a unit.
    #[error("parse `{text}` as a duration such as 1h30m: it is not one")]
    Invalid {
        /// The whole text.
        text: String,
    },
    /// A number has no unit.
    #[error("parse `{text}` as a duration such as 1h30m: a unit is missing (ns, us, ms, s, m or h)")]
    MissingUnit {
        /// The whole text.
        text: String,
    },
    /// A unit is none of Go's.
    #[error("parse `{text}` as a duration such as 1h30m: `{unit}` is not a unit (ns, us, ms, s, m or h)")]
    UnknownUnit {
        /// The whole text.
        text: String,
        /// What stands where a unit should.
        unit: String,
    },
    /// The duration does not fit 64 bits of nanoseconds (292 years).
    #[error("parse `{text}` as a duration: it is longer than 292 years")]
    Overflow {
        /// The whole text.
        text: String,
    },
}

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self { nanoseconds: 0 };

    /// A number of whole seconds; clamped to what 64 bits of nanoseconds hold.
    #[must_use]
    pub const fn from_secs(seconds: i64) -> Self {
        Self { nanoseconds: seconds.saturating_mul(1_000_000_000) }
    }

    /// The nanoseconds, negative when the duration is.
    #[must_use]
    pub const fn nanoseconds(self) -> i64 {
        self.nanoseconds
    }

    /// Whether there is any time in it. In ESO an interval that is not positive means: once.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.nanoseconds > 0
    }

    /// The standard library's duration; zero when this one is negative.
    #[must_use]
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_nanos(u64::try_from(self.nanoseconds).unwrap_or(0))
    }
}

impl FromStr for Duration {
    type Err = ParseDurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (negative, mut rest) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..).unwrap_or_default()),
            Some(b'+') => (false, text.get(1..).unwrap_or_default()),
            _ => (false, text),
        };
        if rest == "0" {
            return Ok(Self::ZERO);
        }
        if rest.is_empty() {
            return Err(ParseDurationError::Invalid { text: text.to_owned() });
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (length, after) = parse_term(rest, text)?;
            total = total
                .checked_add(length)
                .filter(|total| *total <= 1 << 63)
                .ok_or_else(|| ParseDurationError::Overflow { text: text.to_owned() })?;
            rest = after;
        }
        signed(total, negative)
            .map(|nanoseconds| Self { nanoseconds })
            .ok_or_else(|| ParseDurationError::Overflow { text: text.to_owned() })
    }
}

/// The total with its sign; the most negative value has no positive counterpart.
fn signed(total: u64, negative: bool) -> Option<i64> {
    if negative { 0_i64.checked_sub_unsigned(total) } else { i64::try_from(total).ok() }
}

/// One number with its unit, and what follows it.
fn parse_term<'a>(rest: &'a str, text: &str) -> Result<(u64, &'a str), ParseDurationError> {
    let overflow = || ParseDurationError::Overflow { text: text.to_owned() };
    let (whole_digits, rest) = split_digits(rest);
    let (fraction_digits, rest) = match rest.strip_prefix('.') {
        Some(rest) => split_digits(rest),
        None => ("", rest),
    };
    if whole_digits.is_empty() && fraction_digits.is_empty() {
        return Err(ParseDurationError::Invalid { text: text.to_owned() });
    }
    let whole = parse_whole(whole_digits).ok_or_else(overflow)?;
    let unit_length = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at_checked(unit_length).unwrap_or((rest, ""));
    let unit = parse_unit(unit, text)?;
    let length = whole
        .checked_mul(unit)
        .filter(|length| *length <= 1 << 63)
        .and_then(|length| length.checked_add(parse_fraction(fraction_digits, unit)))
        .filter(|length| *length <= 1 << 63)
        .ok_or_else(overflow)?;
    Ok((length, rest))
}

fn split_digits(text: &str) -> (&str, &str) {
    let length = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(length).unwrap_or((text, ""))
}

/// The number before the point; Go refuses more than 2^63 already here.
fn parse_whole(digits: &str) -> Option<u64> {
    if digits.is_empty() {
        return Some(0);
    }
    digits.parse().ok().filter(|whole| *whole <= 1 << 63)
}

fn parse_unit(unit: &str, text: &str) -> Result<u64, ParseDurationError> {
    match unit {
        "ns" => Ok(1),
        // Both micro signs that Unicode has, as in Go.
        "us" | "\u{b5}s" | "\u{3bc}s" => Ok(MICROSECOND),
        "ms" => Ok(MILLISECOND),
        "s" => Ok(SECOND),
        "m" => Ok(MINUTE),
        "h" => Ok(HOUR),
        "" => Err(ParseDurationError::MissingUnit { text: text.to_owned() }),
        _ => Err(ParseDurationError::UnknownUnit { text: text.to_owned(), unit: unit.to_owned() }),
    }
}

/// The digits behind the point in nanoseconds. Go multiplies in floating point and drops digits that overflow 63 bits;
/// both show in the last nanosecond, so both are done here too.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Go computes the fraction in float64 and truncates; the result is below the unit"
)]
fn parse_fraction(digits: &str, unit: u64) -> u64 {
    let mut fraction: u64 = 0;
    let mut scale = 1.0_f64;
    for digit in digits.bytes() {
        let next = fraction
            .checked_mul(10)
            .filter(|_| fraction <= (i64::MAX as u64) / 10)
            .map(|fraction| fraction + u64::from(digit - b'0'))
            .filter(|fraction| *fraction <= 1 << 63);
        let Some(next) = next else { break };
        fraction = next;
        scale *= 10.0;
    }
    if fraction == 0 { 0 } else { (fraction as f64 * (unit as f64 / scale)) as u64 }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.nanoseconds.unsigned_abs();
        if self.nanoseconds < 0 {
            f.write_char('-')?;
        }
        match magnitude {
            0 => f.write_str("0s"),
            1..MICROSECOND => write!(f, "{magnitude}ns"),
            MICROSECOND..MILLISECOND => write_decimal(f, magnitude, MICROSECOND, "\u{b5}s"),
            MILLISECOND..SECOND => write_decimal(f, magnitude, MILLISECOND, "ms"),
            _ => {
                if magnitude >= HOUR {
                    write!(f, "{}h", magnitude / HOUR)?;
                }
                if magnitude >= MINUTE {
                    write!(f, "{}m", magnitude % HOUR / MINUTE)?;
                }
                write_decimal(f, magnitude % MINUTE, SECOND, "s")
            }
        }
    }
}

/// Writes an amount in a unit, with as many decimals as it has.
fn write_decimal(f: &mut fmt::Formatter<'_>, amount: u64, unit: u64, name: &str) -> fmt::Result {
    write!(f, "{}", amount / unit)?;
    let fraction = amount % unit;
    if fraction > 0 {
        let width = unit.ilog10() as usize;
        write!(f, ".{}", format!("{fraction:0width$}").trim_end_matches('0'))?;
    }
    f.write_str(name)
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(|error| de::Error::custom(format_args!("failed to {error}")))
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests;
