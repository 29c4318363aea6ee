//! Points in time as Go's `time.Time`: seconds and nanoseconds, and a zone to show them in.
//!
//! Local time is UTC, as where ESO runs. The only zones that a value can have are UTC and what a parsed text said; the
//! zones of the tz database are for writing dates, and are the component's own, so that a date is the same everywhere.

pub(crate) mod duration;
mod layout;
mod parse;
pub(crate) mod zone;

use std::rc::Rc;

use crate::text::{Buffer, Text};

pub(crate) use parse::parse;

const DAY: i64 = 86_400;
const SECOND_NANOS: i128 = 1_000_000_000;
/// 1 January of the year 1, where Go's time begins.
const ZERO: i64 = -62_135_596_800;

/// A point in time and the zone that it is shown in.
#[derive(Clone, PartialEq)]
pub(crate) struct Time {
    /// Since 1970.
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
    pub(crate) zone: Zone,
}

/// An offset from UTC and its name.
#[derive(Clone, PartialEq)]
pub(crate) struct Zone {
    /// Empty if only the offset is known.
    pub(crate) name: Rc<str>,
    /// Seconds east.
    pub(crate) offset: i64,
}

impl Zone {
    pub(crate) fn utc() -> Self {
        Self { name: Rc::from("UTC"), offset: 0 }
    }
}

/// A date and a time of day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

impl Time {
    /// In UTC.
    pub(crate) fn from_unix(seconds: i64) -> Self {
        Self { seconds, nanos: 0, zone: Zone::utc() }
    }

    /// Go's zero time.
    pub(crate) fn zero() -> Self {
        Self::from_unix(ZERO)
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.seconds == ZERO && self.nanos == 0
    }

    /// What a calendar and a clock of the zone show. Values out of range carry over.
    pub(crate) fn from_civil(civil: Civil, nanos: u32, zone: Zone) -> Self {
        let days = days_from_civil(civil.year, civil.month, civil.day);
        let clock = civil.hour * 3600 + civil.minute * 60 + civil.second;
        Self { seconds: days.wrapping_mul(DAY).wrapping_add(clock).wrapping_sub(zone.offset), nanos, zone }
    }

    pub(crate) fn civil(&self) -> Civil {
        let local = self.seconds.saturating_add(self.zone.offset);
        let (year, month, day) = civil_from_days(local.div_euclid(DAY));
        let clock = local.rem_euclid(DAY);
        Civil { year, month, day, hour: clock / 3600, minute: clock / 60 % 60, second: clock % 60 }
    }

    /// From 0, a Sunday.
    pub(crate) fn weekday(&self) -> i64 {
        (self.seconds.saturating_add(self.zone.offset).div_euclid(DAY) + 4).rem_euclid(7)
    }

    /// From 1.
    pub(crate) fn year_day(&self) -> i64 {
        let civil = self.civil();
        days_from_civil(civil.year, civil.month, civil.day) - days_from_civil(civil.year, 1, 1) + 1
    }

    /// Nanoseconds since Go's time began.
    fn since_zero(&self) -> i128 {
        (i128::from(self.seconds) - i128::from(ZERO)) * SECOND_NANOS + i128::from(self.nanos)
    }

    fn at(&self, since_zero: i128) -> Self {
        let seconds = since_zero.div_euclid(SECOND_NANOS) + i128::from(ZERO);
        let nanos = u32::try_from(since_zero.rem_euclid(SECOND_NANOS)).unwrap_or_default();
        Self { seconds: i64::try_from(seconds).unwrap_or(i64::MAX), nanos, zone: self.zone.clone() }
    }

    /// Later by that many nanoseconds.
    pub(crate) fn plus(&self, nanos: i64) -> Self {
        self.at(self.since_zero() + i128::from(nanos))
    }

    /// The nanoseconds between both, or the most that a duration can hold.
    pub(crate) fn minus(&self, other: &Self) -> i64 {
        let difference = self.since_zero() - other.since_zero();
        i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
    }

    /// Back to a multiple of the duration since Go's time began.
    pub(crate) fn truncated(&self, unit: i64) -> Self {
        if unit <= 0 {
            self.clone()
        } else {
            self.at(self.since_zero() - self.since_zero().rem_euclid(i128::from(unit)))
        }
    }

    /// To the nearest multiple, halves up.
    pub(crate) fn rounded(&self, unit: i64) -> Self {
        if unit <= 0 {
            return self.clone();
        }
        let over = self.since_zero().rem_euclid(i128::from(unit));
        let up = if over * 2 >= i128::from(unit) { i128::from(unit) } else { 0 };
        self.at(self.since_zero() - over + up)
    }

    pub(crate) fn plus_date(&self, years: i64, months: i64, days: i64) -> Self {
        let civil = self.civil();
        let moved = Civil {
            year: civil.year.saturating_add(years),
            month: civil.month.saturating_add(months),
            day: civil.day.saturating_add(days),
            ..civil
        };
        Self::from_civil(moved, self.nanos, self.zone.clone())
    }

    /// By Go's layout: the reference time written as the result shall look.
    pub(crate) fn format(&self, layout: &[u8]) -> Text {
        let mut out = Buffer::default();
        layout::write(&mut out, self, layout);
        out.into_text().unwrap_or_else(|_| "".into())
    }
}

/// Days since 1970 of a date in the Gregorian calendar; the month may be out of range.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Far beyond what a layout can write, but well within what the arithmetic can hold.
    let clamp = |value: i64| value.clamp(-1_000_000_000, 1_000_000_000);
    let month = clamp(month) - 1;
    let year = clamp(year) + month.div_euclid(12);
    let month = month.rem_euclid(12) + 1;
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
        + clamp(day)
        - 1
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = (shifted_month + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    days_from_civil(year, month + 1, 1) - days_from_civil(year, month, 1)
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The English name of a month, from 1.
pub(crate) fn month_name(month: i64) -> Option<&'static str> {
    usize::try_from(month.checked_sub(1)?).ok().and_then(|at| MONTHS.get(at)).copied()
}

/// The English name of a weekday, from 0.
pub(crate) fn weekday_name(weekday: i64) -> Option<&'static str> {
    usize::try_from(weekday).ok().and_then(|at| WEEKDAYS.get(at)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: i64, month: i64, day: i64) -> Time {
        Time::from_civil(Civil { year, month, day, hour: 0, minute: 0, second: 0 }, 0, Zone::utc())
    }

    #[test]
    fn dates_and_days() {
        for (year, month, day, seconds, weekday) in [
            (1970, 1, 1, 0, 4),
            (2024, 2, 29, 1_709_164_800, 4),
            (1, 1, 1, ZERO, 1),
            (1969, 12, 31, -86_400, 3),
            (2100, 3, 1, 4_107_542_400, 1),
        ] {
            let time = date(year, month, day);
            assert_eq!((time.seconds, time.weekday()), (seconds, weekday), "{year}-{month}-{day}");
            let civil = time.civil();
            assert_eq!((civil.year, civil.month, civil.day), (year, month, day));
        }
    }

    #[test]
    fn arithmetic_carries_over() {
        let day = |time: &Time| (time.civil().year, time.civil().month, time.civil().day);
        assert_eq!(day(&date(2024, 2, 29).plus_date(1, 0, 0)), (2025, 3, 1));
        assert_eq!(day(&date(2024, 1, 31).plus_date(0, 1, -1)), (2024, 3, 1));
        assert_eq!(day(&date(2024, 1, 1).plus_date(0, -13, 0)), (2022, 12, 1));
        assert_eq!(date(2024, 1, 2).minus(&date(2024, 1, 1)), 86_400_000_000_000);
        assert_eq!(date(2024, 1, 1).plus(-1).nanos, 999_999_999);
        assert_eq!(date(9000, 1, 1).minus(&Time::zero()), i64::MAX);
        assert_eq!(Time::from_unix(1_699_172_130).truncated(3_600_000_000_000).seconds, 1_699_171_200);
        assert_eq!(Time::from_unix(1_699_172_130).rounded(60_000_000_000).seconds, 1_699_172_160);
        assert_eq!(date(2024, 12, 31).year_day(), 366);
    }
}
