//! Go's layouts: how the reference time `Mon Jan 2 15:04:05 MST 2006` looks says how a time shall look.

use super::{Time, Zone, month_name, weekday_name};
use crate::text::Buffer;

/// One piece of a layout that stands for a part of the time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Piece {
    LongMonth,
    Month,
    MonthNumber(Pad),
    LongWeekday,
    Weekday,
    Day(Pad),
    YearDay(Pad),
    Hour,
    Hour12(Pad),
    Minute(Pad),
    Second(Pad),
    LongYear,
    Year,
    /// `PM` or `pm`.
    Half {
        upper: bool,
    },
    ZoneName,
    Offset(Offset),
    Fraction {
        separator: u8,
        digits: usize,
        trimmed: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Pad {
    None,
    Zero,
    Blank,
}

/// How an offset from UTC is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Offset {
    /// `Z` where there is none.
    pub(super) zulu: bool,
    pub(super) colon: bool,
    pub(super) minutes: bool,
    pub(super) seconds: bool,
}

/// What stands before the next piece, the piece, and what follows it.
pub(super) fn next_piece(layout: &[u8]) -> (&[u8], Option<Piece>, &[u8]) {
    for at in 0..layout.len() {
        let (before, rest) = layout.split_at(at);
        if let Some((piece, length)) = piece(rest) {
            // `_2006` is an underscore and a year.
            let skipped = usize::from(piece == Piece::LongYear && rest.starts_with(b"_"));
            let before = layout.get(..at + skipped).unwrap_or(before);
            return (before, Some(piece), rest.get(length..).unwrap_or_default());
        }
    }
    (layout, None, b"")
}

/// The piece at the start of a layout and its length.
fn piece(rest: &[u8]) -> Option<(Piece, usize)> {
    const PIECES: &[(&[u8], Piece)] = &[
        (b"January", Piece::LongMonth),
        (b"Monday", Piece::LongWeekday),
        (b"MST", Piece::ZoneName),
        (b"002", Piece::YearDay(Pad::Zero)),
        (b"01", Piece::MonthNumber(Pad::Zero)),
        (b"02", Piece::Day(Pad::Zero)),
        (b"03", Piece::Hour12(Pad::Zero)),
        (b"04", Piece::Minute(Pad::Zero)),
        (b"05", Piece::Second(Pad::Zero)),
        (b"06", Piece::Year),
        (b"15", Piece::Hour),
        (b"1", Piece::MonthNumber(Pad::None)),
        (b"2006", Piece::LongYear),
        (b"2", Piece::Day(Pad::None)),
        (b"_2006", Piece::LongYear),
        (b"_2", Piece::Day(Pad::Blank)),
        (b"__2", Piece::YearDay(Pad::Blank)),
        (b"3", Piece::Hour12(Pad::None)),
        (b"4", Piece::Minute(Pad::None)),
        (b"5", Piece::Second(Pad::None)),
        (b"PM", Piece::Half { upper: true }),
        (b"pm", Piece::Half { upper: false }),
    ];
    let short = |word: &[u8]| rest.starts_with(word) && !rest.get(3).is_some_and(u8::is_ascii_lowercase);
    let long = PIECES.iter().find(|(text, _)| rest.starts_with(text));
    match long {
        Some((text, piece)) => Some((*piece, text.len())),
        None if short(b"Jan") => Some((Piece::Month, 3)),
        None if short(b"Mon") => Some((Piece::Weekday, 3)),
        None => offset(rest).or_else(|| fraction(rest)),
    }
}

fn offset(rest: &[u8]) -> Option<(Piece, usize)> {
    let zulu = match rest.first() {
        Some(b'Z') => true,
        Some(b'-') => false,
        _ => return None,
    };
    const FORMS: &[(&[u8], bool, bool, bool)] = &[
        (b"070000", false, true, true),
        (b"07:00:00", true, true, true),
        (b"0700", false, true, false),
        (b"07:00", true, true, false),
        (b"07", false, false, false),
    ];
    let after = rest.get(1..)?;
    let (text, colon, minutes, seconds) = FORMS.iter().find(|(text, ..)| after.starts_with(text))?;
    let offset = Offset { zulu, colon: *colon, minutes: *minutes, seconds: *seconds };
    Some((Piece::Offset(offset), text.len() + 1))
}

/// A point or comma and zeros or nines that no other digit follows.
fn fraction(rest: &[u8]) -> Option<(Piece, usize)> {
    let [separator @ (b'.' | b','), digit @ (b'0' | b'9'), ..] = rest else {
        return None;
    };
    let digits = rest.iter().skip(1).take_while(|byte| *byte == digit).count();
    if rest.get(1 + digits).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some((Piece::Fraction { separator: *separator, digits, trimmed: *digit == b'9' }, 1 + digits))
}

/// Writes the time as the layout says.
pub(super) fn write(out: &mut Buffer, time: &Time, layout: &[u8]) {
    let mut rest = layout;
    while !rest.is_empty() && !out.is_full() {
        let (before, piece, after) = next_piece(rest);
        out.push(before);
        let Some(piece) = piece else { return };
        write_piece(out, time, piece);
        rest = after;
    }
}

fn write_piece(out: &mut Buffer, time: &Time, piece: Piece) {
    let civil = time.civil();
    let short = |name: Option<&'static str>| name.and_then(|name| name.get(..3)).unwrap_or_default();
    match piece {
        Piece::LongMonth => out.push_str(month_name(civil.month).unwrap_or_default()),
        Piece::Month => out.push_str(short(month_name(civil.month))),
        Piece::MonthNumber(pad) => number(out, civil.month, 2, pad),
        Piece::LongWeekday => out.push_str(weekday_name(time.weekday()).unwrap_or_default()),
        Piece::Weekday => out.push_str(short(weekday_name(time.weekday()))),
        Piece::Day(pad) => number(out, civil.day, 2, pad),
        Piece::YearDay(pad) => number(out, time.year_day(), 3, pad),
        Piece::Hour => number(out, civil.hour, 2, Pad::Zero),
        Piece::Hour12(pad) => number(out, (civil.hour + 11) % 12 + 1, 2, pad),
        Piece::Minute(pad) => number(out, civil.minute, 2, pad),
        Piece::Second(pad) => number(out, civil.second, 2, pad),
        Piece::LongYear => {
            out.push_str(&format!("{:0width$}", civil.year, width = if civil.year < 0 { 5 } else { 4 }))
        }
        Piece::Year => number(out, civil.year.rem_euclid(100), 2, Pad::Zero),
        Piece::Half { upper } => out.push_str(match (civil.hour >= 12, upper) {
            (true, true) => "PM",
            (true, false) => "pm",
            (false, true) => "AM",
            (false, false) => "am",
        }),
        Piece::ZoneName => zone_name(out, &time.zone),
        Piece::Offset(offset) => write_offset(out, time.zone.offset, offset),
        Piece::Fraction { separator, digits, trimmed } => {
            write_fraction(out, time.nanos, separator, digits, trimmed)
        }
    }
}

fn number(out: &mut Buffer, value: i64, width: usize, pad: Pad) {
    out.push_str(&match pad {
        Pad::None => value.to_string(),
        Pad::Zero => format!("{value:0width$}"),
        Pad::Blank => format!("{value:width$}"),
    });
}

/// A zone without a name is written as its offset.
fn zone_name(out: &mut Buffer, zone: &Zone) {
    if !zone.name.is_empty() {
        out.push_str(&zone.name);
        return;
    }
    let minutes = zone.offset / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    out.push_str(&format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60));
}

fn write_offset(out: &mut Buffer, offset: i64, form: Offset) {
    if form.zulu && offset == 0 {
        out.push_byte(b'Z');
        return;
    }
    let size = offset.abs();
    let colon = if form.colon { ":" } else { "" };
    // Go takes the sign from the whole minutes.
    out.push_byte(if offset / 60 < 0 { b'-' } else { b'+' });
    out.push_str(&format!("{:02}", size / 3600));
    if form.minutes {
        out.push_str(&format!("{colon}{:02}", size / 60 % 60));
    }
    if form.seconds {
        out.push_str(&format!("{colon}{:02}", size % 60));
    }
}

fn write_fraction(out: &mut Buffer, nanos: u32, separator: u8, digits: usize, trimmed: bool) {
    let all = format!("{nanos:09}");
    let shown = all.get(..digits.min(9)).unwrap_or(&all);
    let shown = if trimmed { shown.trim_end_matches('0') } else { shown };
    if shown.is_empty() {
        return;
    }
    out.push_byte(separator);
    out.push_str(shown);
    if !trimmed {
        out.push_repeated(b'0', digits.saturating_sub(9));
    }
}
