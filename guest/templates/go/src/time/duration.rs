//! Durations: nanoseconds, read and written as Go does.

use crate::rule::Rule;

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// As `1h2m3.5s`; below a second in the largest unit that is not zero.
pub(crate) fn show(nanos: i64) -> String {
    let size = nanos.unsigned_abs();
    let sign = if nanos < 0 { "-" } else { "" };
    let small = match size {
        0 => return "0s".to_owned(),
        1..MICROSECOND => Some((1, "ns")),
        MICROSECOND..MILLISECOND => Some((MICROSECOND, "µs")),
        MILLISECOND..SECOND => Some((MILLISECOND, "ms")),
        _ => None,
    };
    if let Some((unit, name)) = small {
        return format!("{sign}{}{name}", with_fraction(size, unit));
    }
    let (hours, minutes) = (size / HOUR, size / MINUTE % 60);
    let seconds = with_fraction(size % MINUTE, SECOND);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, _) => format!("{sign}{minutes}m{seconds}s"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// The number of units, with as many decimal places as it needs.
fn with_fraction(size: u64, unit: u64) -> String {
    let (whole, fraction) = (size / unit, size % unit);
    if fraction == 0 {
        return whole.to_string();
    }
    let width = unit.to_string().len() - 1;
    let digits = format!("{fraction:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// Reads `1h30m`, `-1.5s` and the like.
pub(crate) fn parse(text: &[u8]) -> Result<i64, Rule> {
    let (negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if rest == b"0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(Rule::BadArgument);
    }
    let mut total = 0u128;
    while !rest.is_empty() {
        let (nanos, tail) = term(rest)?;
        total += nanos;
        rest = tail;
        if total > 1 << 63 {
            return Err(Rule::BadArgument);
        }
    }
    match (negative, u64::try_from(total)) {
        (true, Ok(total)) => Ok(0i64.wrapping_sub_unsigned(total)),
        (false, Ok(total)) => i64::try_from(total).map_err(|_| Rule::BadArgument),
        _ => Err(Rule::BadArgument),
    }
}

/// One number with its unit, in nanoseconds.
fn term(text: &[u8]) -> Result<(u128, &[u8]), Rule> {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, mut rest) = text.split_at(digits(text));
    let mut fraction: &[u8] = b"";
    if let [b'.', tail @ ..] = rest {
        (fraction, rest) = tail.split_at(digits(tail));
    }
    if whole.is_empty() && fraction.is_empty() {
        return Err(Rule::BadArgument);
    }
    let name = rest.iter().take_while(|byte| !byte.is_ascii_digit() && **byte != b'.').count();
    let (name, rest) = rest.split_at(name);
    let unit = u128::from(unit(name)?);
    let number = whole
        .iter()
        .try_fold(0u128, |number, digit| number.checked_mul(10)?.checked_add(u128::from(digit - b'0')));
    let whole = number.filter(|number| *number <= 1 << 63).ok_or(Rule::BadArgument)? * unit;
    let (mut part, mut scale) = (0u128, 1u128);
    for digit in fraction.iter().take(18) {
        part = part * 10 + u128::from(digit - b'0');
        scale *= 10;
    }
    Ok((whole + part * unit / scale, rest))
}

fn unit(name: &[u8]) -> Result<u64, Rule> {
    Ok(match name {
        b"ns" => 1,
        b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => MICROSECOND,
        b"ms" => MILLISECOND,
        b"s" => SECOND,
        b"m" => MINUTE,
        b"h" => HOUR,
        _ => return Err(Rule::BadArgument),
    })
}

/// sprig's `durationRound`: the largest unit that the duration exceeds, cut to a whole number.
pub(crate) fn rough(nanos: i64) -> String {
    const DAY: u64 = 24 * HOUR;
    let size = nanos.unsigned_abs();
    let units = [(365 * DAY, "y"), (30 * DAY, "mo"), (DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s")];
    let found = units.iter().find(|(unit, _)| size > *unit);
    found.map_or_else(|| "0s".to_owned(), |(unit, name)| format!("{}{name}", size / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_and_written() {
        for (text, nanos, shown) in [
            ("1h30m", 5_400_000_000_000, "1h30m0s"),
            ("-1.5s", -1_500_000_000, "-1.5s"),
            ("1500us", 1_500_000, "1.5ms"),
            ("1µs", 1_000, "1µs"),
            ("90s", 90_000_000_000, "1m30s"),
            ("0", 0, "0s"),
            (".5m", 30_000_000_000, "30s"),
            ("7ns", 7, "7ns"),
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(nanos), "{text}");
            assert_eq!(show(nanos), shown, "{text}");
        }
        for text in ["", "1", "1d", "s", ".s", "soon", "-", "9999999999h", "1 h"] {
            assert_eq!(parse(text.as_bytes()), Err(Rule::BadArgument), "{text}");
        }
    }

    #[test]
    fn rough_units() {
        for (text, expected) in
            [("2h10m5s", "2h"), ("2400h10m5s", "3mo"), ("1h", "60m"), ("61s", "1m"), ("1s", "0s")]
        {
            assert_eq!(rough(parse(text.as_bytes()).expect("valid")), expected, "{text}");
        }
    }
}
