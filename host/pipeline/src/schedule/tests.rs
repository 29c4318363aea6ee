use std::str::FromStr as _;

use api::external_secret::SyncWindows;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::cron::Cron;
use super::*;

fn time(text: &str) -> Timestamp {
    Timestamp::from_str(text).unwrap()
}

#[test]
fn a_cron_line_names_the_next_time() {
    for (line, from, want) in [
        ("* * * * *", "2026-11-24T21:08:30Z", "2026-11-24T21:09:00Z"),
        ("*/15 * * * *", "2026-11-24T21:15:00Z", "2026-11-24T21:30:00Z"),
        ("5/20 3 * * *", "2026-11-24T03:25:00Z", "2026-11-24T03:45:00Z"),
        ("0 22 * * 1-5", "2026-11-27T22:00:00Z", "2026-11-30T22:00:00Z"),
        ("30 4 1,15 * *", "2026-11-15T04:30:00Z", "2026-12-01T04:30:00Z"),
        ("0 0 13 * FRI", "2026-11-24T00:00:00Z", "2026-11-27T00:00:00Z"),
        ("0 0 13 * ?", "2026-11-24T00:00:00Z", "2026-12-13T00:00:00Z"),
        ("0 12 * jan-mar 7", "2026-11-24T00:00:00Z", "2027-01-03T12:00:00Z"),
        ("0 0 29 2 *", "2026-11-24T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("59 23 31 12 *", "2026-12-31T23:58:59Z", "2026-12-31T23:59:00Z"),
        ("@yearly", "2026-11-24T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("@monthly", "2026-11-24T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("@weekly", "2026-11-24T00:00:00Z", "2026-11-29T00:00:00Z"),
        ("@midnight", "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"),
        ("@hourly", "2026-11-24T21:08:00Z", "2026-11-24T22:00:00Z"),
        ("@every 1h30m", "2026-11-24T21:08:00Z", "2026-11-24T22:38:00Z"),
    ] {
        assert_eq!(
            Cron::parse(line).unwrap().next_after(time(from)),
            Some(time(want)),
            "{line} after {from}"
        );
    }
    assert_eq!(Cron::parse("0 0 31 2 *").unwrap().next_after(time("2026-11-24T00:00:00Z")), None);
}

#[test]
fn what_is_no_cron_line_is_refused() {
    for line in [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "5-1 * * * *",
    ] {
        assert!(Cron::parse(line).is_err(), "{line}");
    }
    for line in [
        "*/0 * * * *",
        "a * * * *",
        "1,, * * * *",
        "* * * foo *",
        "@every",
        "@every soon",
        "@reboot",
        "L * * * *",
    ] {
        assert!(Cron::parse(line).is_err(), "{line}");
    }
    let want = "field hour has no `24`: numbers from 0 to 23, ranges, steps and lists";
    assert_eq!(Cron::parse("* 24 * * *").unwrap_err(), want);
}

fn windows(windows: Json) -> Windows {
    let windows: SyncWindows = serde_json::from_value(windows).unwrap();
    Windows::parse(&windows).unwrap()
}

#[test]
fn windows_permit_and_open() {
    let night = json!([{"schedule": "0 22 * * *", "duration": "8h"}]);
    let two =
        json!([{"schedule": "0 1 * * *", "duration": "1h"}, {"schedule": "30 1 * * *", "duration": "1h"}]);
    let always = json!([{"schedule": "0 0 * * *", "duration": "24h"}]);
    for (kind, list, at, want) in [
        ("allow", &night, "2026-11-24T21:59:59Z", Some("2026-11-24T22:00:00Z")),
        ("allow", &night, "2026-11-24T22:00:00Z", Some("2026-11-24T22:00:00Z")),
        ("allow", &night, "2026-11-25T05:59:59Z", Some("2026-11-25T05:59:59Z")),
        ("allow", &night, "2026-11-25T06:00:00Z", Some("2026-11-25T22:00:00Z")),
        ("deny", &night, "2026-11-24T21:59:59Z", Some("2026-11-24T21:59:59Z")),
        ("deny", &night, "2026-11-24T22:00:00Z", Some("2026-11-25T06:00:00Z")),
        ("deny", &two, "2026-11-24T01:10:00Z", Some("2026-11-24T02:30:00Z")),
        ("deny", &always, "2026-11-24T12:00:00Z", None),
        ("allow", &always, "2026-11-24T12:00:00Z", Some("2026-11-24T12:00:00Z")),
    ] {
        let windows = windows(json!({"kind": kind, "windows": list}));
        assert_eq!(windows.next_opening(time(at)), want.map(time), "{kind} {list} at {at}");
        assert_eq!(windows.permit(time(at)), want == Some(at), "{kind} {list} at {at}");
    }
}

#[test]
fn windows_that_cannot_be_read_are_all_reported() {
    let list = json!([{"schedule": "x", "duration": "1h"}, {"schedule": "@daily", "duration": "1h"}, {"schedule": "61 * * * *", "duration": "1h"}]);
    let wrong: SyncWindows = serde_json::from_value(json!({"kind": "deny", "windows": list})).unwrap();
    let problems = Windows::parse(&wrong).unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.index).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn an_expiry_leaves_a_third_of_the_life() {
    let start = time("2026-11-24T00:00:00Z");
    for (life, want) in [(43_200, 28_800), (900, 600), (12, 10), (0, 10), (-5, 10)] {
        let due = before_expiry(start, start + SignedDuration::from_secs(life));
        assert_eq!(due.duration_since(start).as_secs(), want, "{life}");
    }
}

proptest! {
    #[test]
    fn slots_are_a_period_apart_and_none_is_skipped(seconds in 0_i64..4_000_000_000, period in 1_u64..100_000, uid: String) {
        let start = Timestamp::from_second(seconds).unwrap();
        let period = Duration::from_secs(period);
        let slot = slot_after(start, period, &uid);
        let wait = slot.duration_since(start).as_secs();
        prop_assert!(wait > 0 && wait <= i64::try_from(period.as_secs()).unwrap());
        let next = slot_after(slot, period, &uid);
        prop_assert_eq!(next.duration_since(slot).unsigned_abs(), period);
        // A status that remembers the slot in whole seconds does not make it due again.
        let late = slot.checked_add(SignedDuration::from_millis(999)).unwrap();
        prop_assert_eq!(slot_after(late, period, &uid), next);
    }
}
