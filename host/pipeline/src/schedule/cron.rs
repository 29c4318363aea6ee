//! Cron lines as ESO reads them: five fields in UTC, or `@daily`, `@every 6h` and the like.
//!
//! Each field is a set of numbers in the bits of a word. Seconds, years, time zones, `L`, `W` and `#` do not exist here.

use std::str::FromStr;
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Days that are looked at for the next time: the longest gap between two 29ths of February, and some.
const DAYS_AHEAD: usize = 366 * 9;

/// When something happens again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cron {
    /// At the times that match.
    Fields(Fields),
    /// So long after the time that one asks for.
    Every(Duration),
}

/// The five fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fields {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// When both day fields are given, one of them suffices.
    either_day: bool,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Cron {
    /// Reads a line; the error reads after "schedule".
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let line = line.trim();
        if let Some(every) = line.strip_prefix("@every ") {
            let every =
                api::Duration::from_str(every.trim()).map_err(|error| format!("failed to {error}"))?;
            return Ok(Cron::Every(every.to_std().max(Duration::from_secs(1))));
        }
        let fields = match line {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let parts: Vec<&str> = fields.split_ascii_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = parts.as_slice() else {
            return Err(format!("`{line}` is not five fields, @daily or @every 6h"));
        };
        Ok(Cron::Fields(Fields {
            minutes: set(minutes, "minute", 0, 59, &[])?,
            hours: set(hours, "hour", 0, 23, &[])?,
            days: set(days, "day of month", 1, 31, &[])?,
            months: set(months, "month", 1, 12, &MONTHS)?,
            weekdays: sunday_is_0(set(weekdays, "day of week", 0, 7, &WEEKDAYS)?),
            either_day: !is_any(days) && !is_any(weekdays),
        }))
    }

    /// The first time after `time`.
    pub(super) fn next_after(&self, time: Timestamp) -> Option<Timestamp> {
        match self {
            Cron::Every(period) => Some(super::later(time, *period)),
            Cron::Fields(fields) => fields.next_after(time),
        }
    }
}

impl Fields {
    fn next_after(&self, time: Timestamp) -> Option<Timestamp> {
        let minute = Timestamp::from_second(time.as_second().div_euclid(60).saturating_mul(60)).ok()?;
        let first = minute.checked_add(SignedDuration::from_mins(1)).ok()?.to_zoned(TimeZone::UTC).datetime();
        let mut from = first.time();
        let mut date = first.date();
        for _ in 0..DAYS_AHEAD {
            if self.has_day(date)
                && let Some(time) = self.time_from(from)
            {
                return TimeZone::UTC.to_timestamp(date.to_datetime(time)).ok();
            }
            date = date.tomorrow().ok()?;
            from = Time::midnight();
        }
        None
    }

    fn has_day(&self, date: Date) -> bool {
        let day = has(self.days, date.day());
        let weekday = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        has(self.months, date.month()) && if self.either_day { day || weekday } else { day && weekday }
    }

    /// The first time of day that matches, not before `from`.
    fn time_from(&self, from: Time) -> Option<Time> {
        let hours = (from.hour()..24).filter(|hour| has(self.hours, *hour));
        let mut times = hours.flat_map(|hour| {
            let first = if hour == from.hour() { from.minute() } else { 0 };
            (first..60).filter(|minute| has(self.minutes, *minute)).map(move |minute| (hour, minute))
        });
        let (hour, minute) = times.next()?;
        Time::new(hour, minute, 0, 0).ok()
    }
}

fn has(set: u64, number: i8) -> bool {
    u32::try_from(number).is_ok_and(|number| set.checked_shr(number).is_some_and(|set| set & 1 == 1))
}

fn is_any(field: &str) -> bool {
    matches!(field, "*" | "?")
}

fn sunday_is_0(weekdays: u64) -> u64 {
    if weekdays & (1 << 7) == 0 { weekdays } else { (weekdays | 1) & !(1 << 7) }
}

/// The numbers of one field: `*`, `5`, `1-5`, `*/10`, `1-9/2`, and lists of these.
fn set(field: &str, what: &str, min: u32, max: u32, names: &[&str]) -> Result<u64, String> {
    field.split(',').try_fold(0, |set, part| Ok(set | part_of(part, what, min, max, names)?))
}

fn part_of(part: &str, what: &str, min: u32, max: u32, names: &[&str]) -> Result<u64, String> {
    let wrong =
        || format!("field {what} has no `{part}`: numbers from {min} to {max}, ranges, steps and lists");
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => {
            (range, Some(step.parse::<u32>().ok().filter(|step| *step > 0).ok_or_else(wrong)?))
        }
        None => (part, None),
    };
    let (first, last) = match range.split_once('-') {
        _ if is_any(range) => (min, max),
        Some((first, last)) => {
            (number(first, min, names).ok_or_else(wrong)?, number(last, min, names).ok_or_else(wrong)?)
        }
        None => {
            let first = number(range, min, names).ok_or_else(wrong)?;
            // `5/10` is from 5 on, in tens.
            (first, if step.is_some() { max } else { first })
        }
    };
    if first < min || last > max || first > last {
        return Err(wrong());
    }
    let step = usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX);
    Ok((first..=last).step_by(step).fold(0, |set, number| set | (1 << number)))
}

fn number(text: &str, min: u32, names: &[&str]) -> Option<u32> {
    let lower = text.to_ascii_lowercase();
    match names.iter().position(|name| *name == lower) {
        Some(position) => u32::try_from(position).ok().map(|position| position + min),
        None => text.parse().ok(),
    }
}
