//! How long ago something was, in two or three significant figures.

use jiff::Timestamp;

/// The age of a moment in RFC 3339: `5m20s`; `<unknown>` without one, `<invalid>` for what is no moment or
/// lies ahead.
pub(super) fn of_text(moment: &str, now: Timestamp) -> String {
    if moment.is_empty() {
        return "<unknown>".to_owned();
    }
    match moment.parse::<Timestamp>() {
        Ok(moment) => of_seconds(now.as_second().saturating_sub(moment.as_second())),
        Err(_) => "<invalid>".to_owned(),
    }
}

fn of_seconds(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let pair = |whole: i64, unit: &str, rest: i64, small: &str| match rest {
        0 => format!("{whole}{unit}"),
        rest => format!("{whole}{unit}{rest}{small}"),
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => pair(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => pair(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => pair(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => pair(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::{of_seconds, of_text};

    #[test]
    fn ages_have_few_figures() {
        for (seconds, text) in [
            (-5, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (320, "5m20s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (11_100, "3h5m"),
            (30_000, "8h"),
            (180_000, "2d2h"),
            (172_800, "2d"),
            (864_000, "10d"),
            (63_072_000 + 86_400, "2y1d"),
            (315_360_000, "10y"),
        ] {
            assert_eq!(of_seconds(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn text_that_is_no_moment_is_said_so() {
        let now = "2026-01-01T00:01:00Z".parse().unwrap();
        assert_eq!(of_text("2026-01-01T00:00:00Z", now), "60s");
        assert_eq!(of_text("", now), "<unknown>");
        assert_eq!(of_text("yesterday", now), "<invalid>");
    }
}
