//! Dates. `now` is the time of the rotation, so that rendering again gives the same; local time is UTC.

use std::rc::Rc;

use super::arguments::{any, text};
use super::{Context, Family, Function, Parameter, Type, p};
use crate::number::{Refused, parse_int};
use crate::object::Object;
use crate::rule::Rule;
use crate::time::zone::shown_in;
use crate::time::{Time, duration, parse};
use crate::value::{IntType, Value};

const F: Family = Family::Dates;

const LAYOUT: Parameter = p("layout", Type::Text);
const DATE: Parameter = p("date", Type::Any);
const TIME: Parameter = p("date", Type::Time);
const ZONE: Parameter = p("zone", Type::Text);
const DURATION: Parameter = p("duration", Type::Text);
const TEXT: Parameter = p("text", Type::Text);

pub(super) const ROWS: &[Function] = &[
    F.pure("now", &[], "time", "The time of the rotation.", now).drawing(),
    F.pure("date", &[LAYOUT, DATE], "string", "A time or seconds since 1970, by Go's layout.", date)
        .drawing(),
    F.pure("dateInZone", &[LAYOUT, DATE, ZONE], "string", "The same, in a time zone.", date_in_zone)
        .drawing(),
    F.pure("date_in_zone", &[LAYOUT, DATE, ZONE], "string", "The same as dateInZone.", date_in_zone)
        .drawing(),
    F.pure("htmlDate", &[DATE], "string", "As 2006-01-02.", html_date).drawing(),
    F.pure("htmlDateInZone", &[DATE, ZONE], "string", "As 2006-01-02, in a time zone.", html_date_in_zone)
        .drawing(),
    F.pure(
        "dateModify",
        &[DURATION, TIME],
        "time",
        "Later by a duration; as it is, if that is none.",
        date_modify,
    ),
    F.pure("date_modify", &[DURATION, TIME], "time", "The same as dateModify.", date_modify),
    F.pure("mustDateModify", &[DURATION, TIME], "time", "Later by a duration.", must_date_modify),
    F.pure("must_date_modify", &[DURATION, TIME], "time", "The same as mustDateModify.", must_date_modify),
    F.pure("toDate", &[LAYOUT, TEXT], "time", "The text read by Go's layout, or the year 1.", to_date),
    F.pure("mustToDate", &[LAYOUT, TEXT], "time", "The text read by Go's layout.", must_to_date),
    F.pure("unixEpoch", &[TIME], "string", "Seconds since 1970.", unix_epoch),
    F.pure("ago", &[DATE], "string", "The duration from then to the rotation.", ago).drawing(),
    F.pure(
        "duration",
        &[p("seconds", Type::Any)],
        "string",
        "Seconds (a text or int64) as a duration.",
        seconds,
    ),
    F.pure("durationRound", &[p("duration", Type::Any)], "string", "In its largest unit.", duration_round)
        .drawing(),
];

type Answer = Result<Value, Rule>;

fn of_time(time: Time) -> Value {
    Value::Object(Rc::new(Object::Time(time)))
}

fn as_time(value: &Value) -> Option<&Time> {
    match value {
        Value::Object(object) => match &**object {
            Object::Time(time) => Some(time),
            Object::Version(_) | Object::PlainVersion(_) | Object::Certificate { .. } => None,
        },
        _ => None,
    }
}

fn current(context: &mut Context<'_>) -> Time {
    Time::from_unix(i64::try_from(context.now()).unwrap_or(i64::MAX))
}

/// A time, or seconds since 1970; anything else means now.
fn moment(value: &Value, context: &mut Context<'_>) -> Time {
    match value {
        Value::Int(seconds, IntType::Int | IntType::Int64) => Time::from_unix(*seconds),
        other => as_time(other).cloned().unwrap_or_else(|| current(context)),
    }
}

fn now(_: &[Value], context: &mut Context<'_>) -> Answer {
    Ok(of_time(current(context)))
}

fn date(a: &[Value], context: &mut Context<'_>) -> Answer {
    written(text(a, 0)?, any(a, 1)?, b"UTC", context)
}

fn date_in_zone(a: &[Value], context: &mut Context<'_>) -> Answer {
    written(text(a, 0)?, any(a, 1)?, text(a, 2)?, context)
}

fn html_date(a: &[Value], context: &mut Context<'_>) -> Answer {
    written(b"2006-01-02", any(a, 0)?, b"UTC", context)
}

fn html_date_in_zone(a: &[Value], context: &mut Context<'_>) -> Answer {
    written(b"2006-01-02", any(a, 0)?, text(a, 1)?, context)
}

fn written(layout: &[u8], date: &Value, zone: &[u8], context: &mut Context<'_>) -> Answer {
    Ok(Value::Text(shown_in(&moment(date, context), zone).format(layout)))
}

fn date_modify(a: &[Value], context: &mut Context<'_>) -> Answer {
    match must_date_modify(a, context) {
        Err(Rule::BadArgument) => any(a, 1).cloned(),
        answer => answer,
    }
}

fn must_date_modify(a: &[Value], _: &mut Context<'_>) -> Answer {
    let time = as_time(any(a, 1)?).ok_or(Rule::ArgumentType)?;
    Ok(of_time(time.plus(duration::parse(text(a, 0)?)?)))
}

fn to_date(a: &[Value], context: &mut Context<'_>) -> Answer {
    match must_to_date(a, context) {
        Err(Rule::BadArgument) => Ok(of_time(Time::zero())),
        answer => answer,
    }
}

fn must_to_date(a: &[Value], _: &mut Context<'_>) -> Answer {
    parse(text(a, 0)?, text(a, 1)?).map(of_time)
}

fn unix_epoch(a: &[Value], _: &mut Context<'_>) -> Answer {
    let time = as_time(any(a, 0)?).ok_or(Rule::ArgumentType)?;
    Ok(Value::text(time.seconds.to_string()))
}

fn ago(a: &[Value], context: &mut Context<'_>) -> Answer {
    const SECOND: i64 = 1_000_000_000;
    let then = moment(any(a, 0)?, context);
    let passed = current(context).minus(&then);
    let half = if passed < 0 { -SECOND / 2 } else { SECOND / 2 };
    Ok(Value::text(duration::show(passed.saturating_add(half) / SECOND * SECOND)))
}

fn seconds(a: &[Value], _: &mut Context<'_>) -> Answer {
    let seconds = match any(a, 0)? {
        Value::Text(text) => match parse_int(text, 10) {
            Ok(seconds) | Err(Refused::Overflow(seconds)) => seconds,
            Err(Refused::Syntax) => 0,
        },
        Value::Int(seconds, IntType::Int64) => *seconds,
        _ => 0,
    };
    Ok(Value::text(duration::show(seconds.wrapping_mul(1_000_000_000))))
}

fn duration_round(a: &[Value], context: &mut Context<'_>) -> Answer {
    let nanos = match any(a, 0)? {
        Value::Text(text) => duration::parse(text).unwrap_or_default(),
        Value::Int(nanos, IntType::Int64) => *nanos,
        other => as_time(other).map(|then| current(context).minus(then)).unwrap_or_default(),
    };
    Ok(Value::text(duration::rough(nanos)))
}
