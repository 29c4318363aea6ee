//! Go's durations, in whole seconds: what `delete_version_after` is written and read as.

use serde_json::Value;

/// Seconds from a number, digits, or a duration such as `1h30m`; `7d` too. `None` for anything else.
pub(super) fn parse(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) if text.is_empty() => Some(0),
        Value::String(text) => text.parse().ok().or_else(|| parse_text(text)),
        Value::Null => Some(0),
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the sum is checked to be inside the range before")]
fn parse_text(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest
            .find(|character: char| !(character.is_ascii_digit() || character == '.'))
            .filter(|digits| *digits > 0)?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let end =
            tail.find(|character: char| character.is_ascii_digit() || character == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(end)?;
        let factor = match unit {
            "d" => 86_400.0,
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * factor;
        rest = tail;
    }
    (seconds < 9.0e9).then_some((sign * seconds) as i64)
}

/// `3h25m19s`, `0s`.
pub(super) fn format(seconds: i64) -> String {
    let (sign, seconds) = (if seconds < 0 { "-" } else { "" }, seconds.unsigned_abs());
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{rest}s"),
        (0, minutes) => format!("{sign}{minutes}m{rest}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{rest}s"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{format, parse};

    fn check(value: Value, seconds: Option<i64>, text: &str) {
        assert_eq!(parse(&value), seconds, "{value}");
        if let Some(seconds) = seconds {
            assert_eq!(format(seconds), text, "{value}");
        }
    }

    #[test]
    fn durations_are_written_as_go_writes_them() {
        check(json!("3h25m19s"), Some(12_319), "3h25m19s");
        check(json!("1.5h"), Some(5400), "1h30m0s");
        check(json!("90s"), Some(90), "1m30s");
        check(json!("90"), Some(90), "1m30s");
        check(json!(90), Some(90), "1m30s");
        check(json!("7d"), Some(604_800), "168h0m0s");
        check(json!("1500ms"), Some(1), "1s");
        check(json!("-1s"), Some(-1), "-1s");
        check(json!(""), Some(0), "0s");
        check(json!("soon"), None, "");
        check(json!("1h x"), None, "");
        check(json!(true), None, "");
    }
}
