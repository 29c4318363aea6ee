//! Floats as Go's `strconv.FormatFloat` writes them, for every verb. The digits come from Rust's own exact conversion;
//! only their arrangement is done here.

/// Writes `value` for one of the verbs `e E f F g G x X b`. Without a precision: as many digits as identify the value.
pub(crate) fn format_float(value: f64, verb: char, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    match verb {
        'e' | 'E' => exponential(value, verb, precision),
        'f' | 'F' => decimal(value, precision),
        'x' | 'X' => hexadecimal(value, verb, precision),
        'b' => binary(value),
        _ => general(value, verb, precision),
    }
}

/// As many digits as identify the value among 32-bit floats, in the layout of `g`.
#[expect(clippy::cast_possible_truncation, reason = "go-yaml loses the same digits")]
pub(crate) fn format_float32(value: f64) -> String {
    let narrow = value as f32;
    if !narrow.is_finite() {
        return format_float(f64::from(narrow), 'g', None);
    }
    let shortest = format!("{narrow:e}");
    let significant =
        shortest.split('e').next().unwrap_or_default().bytes().filter(u8::is_ascii_digit).count();
    // The digits that identify the narrow value identify it as a wide one too, once they are all that is printed.
    let layout = exponent_of(&shortest);
    if (-4..6).contains(&layout) {
        format!("{narrow}")
    } else {
        exponential(f64::from(narrow), 'e', Some(significant - 1))
    }
}

fn exponent_of(text: &str) -> i32 {
    text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or_default()
}

/// The digits and the decimal exponent.
fn digits(value: f64, precision: Option<usize>) -> (String, i32) {
    let text = match precision {
        Some(precision) => format!("{value:.precision$e}"),
        None => format!("{value:e}"),
    };
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (digits.to_owned(), exponent.parse().unwrap_or_default())
}

fn exponential(value: f64, verb: char, precision: Option<usize>) -> String {
    let (digits, exponent) = digits(value, precision);
    with_exponent(&digits, verb, exponent)
}

fn with_exponent(digits: &str, letter: char, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}{letter}{sign}{:02}", exponent.unsigned_abs())
}

fn decimal(value: f64, precision: Option<usize>) -> String {
    match precision {
        Some(precision) => format!("{value:.precision$}"),
        None => format!("{value}"),
    }
}

/// The shorter of both, by C's rule: exponential below 1e-4 and from the precision (6 if none is given) on.
fn general(value: f64, verb: char, precision: Option<usize>) -> String {
    let wanted = precision.map(|precision| precision.max(1));
    let (digits, exponent) = digits(value, wanted.map(|wanted| wanted - 1));
    let significant = match digits.split_once('.') {
        Some((_, fraction)) => 1 + fraction.trim_end_matches('0').len(),
        None => 1,
    };
    let threshold = match wanted {
        None => 6,
        Some(wanted) if wanted > significant && count(significant) > exponent => significant,
        Some(wanted) => wanted,
    };
    if exponent < -4 || exponent >= count(threshold) {
        let letter = if verb == 'G' { 'E' } else { 'e' };
        return exponential(value, letter, Some(significant - 1));
    }
    let places = count(significant) - 1 - exponent;
    decimal(value, Some(usize::try_from(places).unwrap_or_default()))
}

fn count(digits: usize) -> i32 {
    i32::try_from(digits).unwrap_or(i32::MAX)
}

const MANTISSA_BITS: u32 = 52;

/// The binary exponent and the mantissa with its leading one, as an integer.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let mantissa = bits & ((1 << MANTISSA_BITS) - 1);
    let exponent = i32::try_from(bits >> MANTISSA_BITS & 0x7ff).unwrap_or_default();
    if exponent == 0 { (mantissa, 1 - 1023) } else { (mantissa | 1 << MANTISSA_BITS, exponent - 1023) }
}

fn binary(value: f64) -> String {
    let (mantissa, exponent) = parts(value);
    let sign = if value.is_sign_negative() { "-" } else { "" };
    format!("{sign}{mantissa}p{:+}", exponent - 52)
}

fn hexadecimal(value: f64, verb: char, precision: Option<usize>) -> String {
    let (mut mantissa, mut exponent) = parts(value);
    if mantissa == 0 {
        exponent = 0;
    } else {
        let shift = mantissa.leading_zeros().saturating_sub(63 - MANTISSA_BITS);
        mantissa <<= shift;
        exponent -= count(usize::try_from(shift).unwrap_or_default());
    }
    if let Some(precision) = precision.filter(|precision| *precision < 13) {
        let dropped = 4 * (13 - precision);
        let (half, low) = (1u64 << (dropped - 1), mantissa & ((1 << dropped) - 1));
        let up = low > half || (low == half && mantissa >> dropped & 1 == 1);
        mantissa = (mantissa >> dropped).wrapping_add(u64::from(up)) << dropped;
        if mantissa >> (MANTISSA_BITS + 1) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let fraction = format!("{:013x}", mantissa & ((1 << MANTISSA_BITS) - 1));
    let fraction = match precision {
        Some(precision) => format!("{fraction:0<precision$}").chars().take(precision).collect(),
        None => fraction.trim_end_matches('0').to_owned(),
    };
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let dot = if fraction.is_empty() { "" } else { "." };
    let text = with_exponent(&format!("{sign}0x{}{dot}{fraction}", mantissa >> MANTISSA_BITS), 'p', exponent);
    if verb == 'X' { text.to_ascii_uppercase() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs() {
        for (value, verb, precision, expected) in [
            (1.0, 'g', None, "1"),
            (100_000.0, 'g', None, "100000"),
            (1_000_000.0, 'g', None, "1e+06"),
            (123_456_789.0, 'g', None, "1.23456789e+08"),
            (1e-5, 'g', None, "1e-05"),
            (0.0001, 'g', None, "0.0001"),
            (-0.0, 'g', None, "-0"),
            (123_456.0, 'g', Some(3), "1.23e+05"),
            (100.0, 'g', Some(3), "100"),
            (1e-10, 'G', None, "1E-10"),
            (2.5, 'f', Some(0), "2"),
            (0.25, 'f', Some(1), "0.2"),
            (1e15, 'f', Some(2), "1000000000000000.00"),
            (12345.678, 'e', Some(2), "1.23e+04"),
            (1.0, 'x', None, "0x1p+00"),
            (1.5, 'X', None, "0X1.8P+00"),
            (-0.1, 'x', Some(3), "-0x1.99ap-04"),
            (0.0, 'x', None, "0x0p+00"),
            (1.0, 'b', None, "4503599627370496p-52"),
            (f64::INFINITY, 'g', None, "+Inf"),
            (f64::NAN, 'f', Some(2), "NaN"),
        ] {
            assert_eq!(format_float(value, verb, precision), expected);
        }
    }
}
