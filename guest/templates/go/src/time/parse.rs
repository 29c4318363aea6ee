//! Reading a time by Go's layout.

use std::rc::Rc;

use super::layout::{Offset, Pad, Piece, next_piece};
use super::{Civil, MONTHS, Time, WEEKDAYS, Zone, days_in_month};
use crate::rule::Rule;

/// Reads a whole text. What the layout does not say is the first month, day or hour; without a zone it is UTC.
pub(crate) fn parse(layout: &[u8], text: &[u8]) -> Result<Time, Rule> {
    let mut reader = Reader { rest: text, layout, read: Read::default() };
    loop {
        let (before, piece, after) = next_piece(reader.layout);
        reader.literal(before)?;
        let Some(piece) = piece else { break };
        reader.layout = after;
        reader.piece(piece)?;
    }
    if reader.rest.is_empty() { reader.read.finish() } else { Err(Rule::BadArgument) }
}

/// What has been read so far.
#[derive(Default)]
struct Read {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: u32,
    /// Whether the clock has halves, and it is the second.
    afternoon: Option<bool>,
    utc: bool,
    offset: Option<i64>,
    zone_name: Option<String>,
}

struct Reader<'t> {
    rest: &'t [u8],
    layout: &'t [u8],
    read: Read,
}

impl Reader<'_> {
    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    fn take(&mut self, prefix: &[u8]) -> bool {
        let found = self.rest.starts_with(prefix);
        if found {
            self.skip(prefix.len());
        }
        found
    }

    /// Text that stands for itself; blanks match any number of blanks.
    fn literal(&mut self, text: &[u8]) -> Result<(), Rule> {
        let blanks = |text: &[u8]| text.iter().take_while(|byte| **byte == b' ').count();
        let mut rest = text;
        while let [first, tail @ ..] = rest {
            if *first == b' ' {
                if self.rest.first().is_some_and(|byte| *byte != b' ') {
                    return Err(Rule::BadArgument);
                }
                self.skip(blanks(self.rest));
                rest = rest.get(blanks(rest)..).unwrap_or_default();
            } else {
                if self.rest.first() != Some(first) {
                    return Err(Rule::BadArgument);
                }
                self.skip(1);
                rest = tail;
            }
        }
        Ok(())
    }

    fn piece(&mut self, piece: Piece) -> Result<(), Rule> {
        match piece {
            Piece::LongMonth => self.read.month = Some(self.name(&MONTHS, None)? + 1),
            Piece::Month => self.read.month = Some(self.name(&MONTHS, Some(3))? + 1),
            Piece::MonthNumber(pad) => self.read.month = Some(within(self.number(pad == Pad::Zero)?, 1, 12)?),
            Piece::LongWeekday => _ = self.name(&WEEKDAYS, None)?,
            Piece::Weekday => _ = self.name(&WEEKDAYS, Some(3))?,
            Piece::Day(pad) => {
                let _padded = pad == Pad::Blank && self.take(b" ");
                self.read.day = Some(self.number(pad == Pad::Zero)?);
            }
            Piece::YearDay(pad) => self.year_day(pad)?,
            Piece::Hour => self.read.hour = within(self.number(false)?, 0, 23)?,
            Piece::Hour12(pad) => self.read.hour = within(self.number(pad == Pad::Zero)?, 0, 12)?,
            Piece::Minute(pad) => self.read.minute = within(self.number(pad == Pad::Zero)?, 0, 59)?,
            Piece::Second(pad) => self.second(pad)?,
            Piece::LongYear => self.read.year = self.digits(4)?,
            Piece::Year => {
                let year = self.digits(2)?;
                self.read.year = year + if year >= 69 { 1900 } else { 2000 };
            }
            Piece::Half { upper } => self.half(upper)?,
            Piece::ZoneName => self.zone_name()?,
            Piece::Offset(offset) => self.offset(offset)?,
            Piece::Fraction { digits, trimmed: false, .. } => self.fraction(digits)?,
            Piece::Fraction { .. } => {
                let digits = self.fraction_digits();
                if digits > 0 {
                    self.fraction(digits)?;
                }
            }
        }
        Ok(())
    }

    /// Which of the names comes next, in any case.
    fn name(&mut self, names: &[&str], length: Option<usize>) -> Result<i64, Rule> {
        for (at, name) in (0..).zip(names) {
            let name = length.and_then(|length| name.get(..length)).unwrap_or(name);
            if self.rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes())) {
                self.skip(name.len());
                return Ok(at);
            }
        }
        Err(Rule::BadArgument)
    }

    /// One or two digits; two, if they are `fixed`.
    fn number(&mut self, fixed: bool) -> Result<i64, Rule> {
        let two = self.rest.get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_digit));
        if two || fixed { self.digits(2) } else { self.digits(1) }
    }

    fn digits(&mut self, count: usize) -> Result<i64, Rule> {
        let digits = self
            .rest
            .get(..count)
            .filter(|digits| digits.iter().all(u8::is_ascii_digit))
            .ok_or(Rule::BadArgument)?;
        let value = digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        self.skip(count);
        Ok(value)
    }

    fn year_day(&mut self, pad: Pad) -> Result<(), Rule> {
        if pad == Pad::Blank {
            let _blank = self.take(b" ") && self.take(b" ");
        }
        let present = self.rest.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
        self.read.year_day = Some(self.digits(if pad == Pad::Zero { 3 } else { present.max(1) })?);
        Ok(())
    }

    /// A fraction may follow the seconds even where the layout has none.
    fn second(&mut self, pad: Pad) -> Result<(), Rule> {
        self.read.second = within(self.number(pad == Pad::Zero)?, 0, 59)?;
        let expected = matches!(next_piece(self.layout), (_, Some(Piece::Fraction { .. }), _));
        let digits = self.fraction_digits();
        if !expected && digits > 0 {
            self.fraction(digits)?;
        }
        Ok(())
    }

    /// How many digits follow a point or comma that comes next.
    fn fraction_digits(&self) -> usize {
        match self.rest {
            [b'.' | b',', digits @ ..] => digits.iter().take_while(|byte| byte.is_ascii_digit()).count(),
            _ => 0,
        }
    }

    fn fraction(&mut self, count: usize) -> Result<(), Rule> {
        if !matches!(self.rest.first(), Some(b'.' | b',')) {
            return Err(Rule::BadArgument);
        }
        self.skip(1);
        let digits = self
            .rest
            .get(..count)
            .filter(|digits| digits.iter().all(u8::is_ascii_digit))
            .ok_or(Rule::BadArgument)?;
        let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
        self.read.nanos = padded.fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0'));
        self.skip(count);
        Ok(())
    }

    fn half(&mut self, upper: bool) -> Result<(), Rule> {
        let (am, pm): (&[u8], &[u8]) = if upper { (b"AM", b"PM") } else { (b"am", b"pm") };
        self.read.afternoon = Some(match (self.take(am), self.take(pm)) {
            (true, _) => false,
            (_, true) => true,
            _ => return Err(Rule::BadArgument),
        });
        Ok(())
    }

    fn offset(&mut self, form: Offset) -> Result<(), Rule> {
        if form.zulu && self.take(b"Z") {
            self.read.utc = true;
            return Ok(());
        }
        let sign = match (self.take(b"+"), self.take(b"-")) {
            (true, _) => 1,
            (_, true) => -1,
            _ => return Err(Rule::BadArgument),
        };
        let mut seconds = within(self.digits(2)?, 0, 24)? * 3600;
        for (wanted, unit) in [(form.minutes, 60), (form.seconds, 1)] {
            if wanted {
                if form.colon && !self.take(b":") {
                    return Err(Rule::BadArgument);
                }
                seconds += within(self.digits(2)?, 0, 60)? * unit;
            }
        }
        self.read.offset = Some(sign * seconds);
        Ok(())
    }

    fn zone_name(&mut self) -> Result<(), Rule> {
        if self.take(b"UTC") {
            self.read.utc = true;
            return Ok(());
        }
        let length = zone_name_length(self.rest).ok_or(Rule::BadArgument)?;
        let name = self.rest.get(..length).unwrap_or_default();
        self.read.zone_name = Some(String::from_utf8_lossy(name).into_owned());
        self.skip(length);
        Ok(())
    }
}

/// What Go takes for an abbreviation: three capitals, or four or five that end in `T`; `GMT` with an offset.
fn zone_name_length(text: &[u8]) -> Option<usize> {
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix(b"GMT") {
        return Some(3 + gmt_offset_length(rest));
    }
    if matches!(text.first(), Some(b'+' | b'-')) {
        return Some(gmt_offset_length(text)).filter(|length| *length > 0);
    }
    let capitals = text.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
    match capitals {
        3 => Some(3),
        4 if text.get(3) == Some(&b'T') || text.starts_with(b"WITA") => Some(4),
        5 if text.get(4) == Some(&b'T') => Some(5),
        _ => None,
    }
}

/// The length of `+3`, if it is an offset in hours.
fn gmt_offset_length(text: &[u8]) -> usize {
    let [b'+' | b'-', digits @ ..] = text else {
        return 0;
    };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let hours = digits.get(..count).and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u32>().ok());
    if hours.is_some_and(|hours| hours <= 23) { count + 1 } else { 0 }
}

fn within(value: i64, low: i64, high: i64) -> Result<i64, Rule> {
    if (low..=high).contains(&value) { Ok(value) } else { Err(Rule::BadArgument) }
}

impl Read {
    fn finish(mut self) -> Result<Time, Rule> {
        match self.afternoon {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        let (month, day) = self.date()?;
        let civil =
            Civil { year: self.year, month, day, hour: self.hour, minute: self.minute, second: self.second };
        Ok(Time::from_civil(civil, self.nanos, self.zone()))
    }

    /// Month and day, from the day of the year if that was given.
    fn date(&self) -> Result<(i64, i64), Rule> {
        if let Some(year_day) = self.year_day {
            let days = if days_in_month(self.year, 2) == 29 { 366 } else { 365 };
            let start = Civil {
                year: self.year,
                month: 1,
                day: within(year_day, 1, days)?,
                hour: 0,
                minute: 0,
                second: 0,
            };
            let civil = Time::from_civil(start, 0, Zone::utc()).civil();
            let agrees = self.month.is_none_or(|month| month == civil.month)
                && self.day.is_none_or(|day| day == civil.day);
            return if agrees { Ok((civil.month, civil.day)) } else { Err(Rule::BadArgument) };
        }
        let month = self.month.unwrap_or(1);
        Ok((month, within(self.day.unwrap_or(1), 1, days_in_month(self.year, month))?))
    }

    /// UTC, unless an offset or a name says otherwise; an unknown name has no offset, but for GMT with one.
    fn zone(&self) -> Zone {
        let named = |offset| Zone { name: Rc::from(self.zone_name.as_deref().unwrap_or_default()), offset };
        match (self.utc, self.offset, &self.zone_name) {
            (true, _, _) | (_, None, None) | (_, Some(0), None) => Zone::utc(),
            (_, Some(offset), _) => named(offset),
            (_, None, Some(name)) => {
                let hours = name.strip_prefix("GMT").and_then(|hours| hours.parse::<i64>().ok());
                named(hours.unwrap_or_default() * 3600)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read() {
        for (layout, text, shown) in [
            ("2006-01-02", "2024-02-29", "2024-02-29 00:00:00 +0000 UTC"),
            ("2006-01-02T15:04:05Z07:00", "2023-11-05T08:15:30Z", "2023-11-05 08:15:30 +0000 UTC"),
            ("2006-01-02T15:04:05Z07:00", "2023-11-05T08:15:30+02:00", "2023-11-05 08:15:30 +0200 +0200"),
            ("2006-01-02 15:04:05", "2024-01-02 03:04:05.123", "2024-01-02 03:04:05.123 +0000 UTC"),
            ("Jan 2, 2006 at 3:04pm (MST)", "Feb 3, 2013 at 7:54pm (PST)", "2013-02-03 19:54:00 +0000 PST"),
            ("15:04 MST", "10:30 GMT+3", "0000-01-01 10:30:00 +0300 GMT+3"),
            ("2006-002", "2024-060", "2024-02-29 00:00:00 +0000 UTC"),
            ("Monday, 02-Jan-06", "thursday, 29-feb-24", "2024-02-29 00:00:00 +0000 UTC"),
            ("15:04", "10:30", "0000-01-01 10:30:00 +0000 UTC"),
        ] {
            let time = parse(layout.as_bytes(), text.as_bytes())
                .map(|time| time.format(b"2006-01-02 15:04:05.999999999 -0700 MST"));
            assert_eq!(time.as_deref(), Ok(shown.as_bytes()), "{text}");
        }
    }

    #[test]
    fn refused() {
        for (layout, text) in [
            ("2006-01-02", "2024-13-01"),
            ("2006-01-02", "2023-02-29"),
            ("2006-01-02", "2024-1-02"),
            ("2006-01-02", "2024-01-02x"),
            ("2006", "x"),
            ("15:04", "24:00"),
            ("3PM", "3pm"),
        ] {
            assert!(parse(layout.as_bytes(), text.as_bytes()).is_err(), "{layout} {text}");
        }
    }
}
