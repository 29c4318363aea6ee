//! The methods of Go's types that a template can call. The receiver is the first argument of a row's function.

use std::rc::Rc;

use super::Object;
use super::version::{Version, is_part, is_prerelease};
use crate::functions::{Implementation, Parameter, Signature, Type, p};
use crate::rule::Rule;
use crate::text::Text;
use crate::time::{Time, Zone, duration};
use crate::value::{IntType, UintType, Value};

/// A method: its name, what it takes besides the receiver, what it does.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) signature: Signature,
    pub(crate) run: Implementation,
}

const fn m(name: &'static str, parameters: &'static [Parameter], run: Implementation) -> Method {
    Method { name, signature: Signature { parameters, rest: None }, run }
}

/// The method of that name, if the value's type has it.
pub(crate) fn find(receiver: &Value, name: &str) -> Option<&'static Method> {
    let tables: &[&'static [Method]] = match receiver {
        Value::Int(_, IntType::Duration) => &[DURATION],
        Value::Int(_, IntType::Month | IntType::Weekday) => &[NAMED],
        Value::Object(object) => match **object {
            Object::Time(_) => &[TIME],
            Object::Version(_) => &[VERSION, VERSION_POINTER],
            // What Go's pointer has, its plain value has not.
            Object::PlainVersion(_) => &[VERSION],
            Object::Certificate { .. } => &[CERTIFICATE],
        },
        _ => &[],
    };
    tables.iter().flat_map(|table| table.iter()).find(|method| method.name == name)
}

type Answer = Result<Value, Rule>;

const TIME: &[Method] = &[
    m("Format", &[p("layout", Type::Text)], |a, _| Ok(Value::Text(time(a, 0)?.format(text(a, 1)?)))),
    m("String", &[], |a, _| string(a)),
    m("Unix", &[], |a, _| Ok(Value::int64(time(a, 0)?.seconds))),
    m("UnixMilli", &[], |a, _| Ok(Value::int64(unix(a, 1_000)?))),
    m("UnixMicro", &[], |a, _| Ok(Value::int64(unix(a, 1_000_000)?))),
    m("UnixNano", &[], |a, _| Ok(Value::int64(unix(a, 1_000_000_000)?))),
    m("Year", &[], |a, _| Ok(Value::int(time(a, 0)?.civil().year))),
    m("Month", &[], |a, _| Ok(Value::Int(time(a, 0)?.civil().month, IntType::Month))),
    m("Day", &[], |a, _| Ok(Value::int(time(a, 0)?.civil().day))),
    m("Hour", &[], |a, _| Ok(Value::int(time(a, 0)?.civil().hour))),
    m("Minute", &[], |a, _| Ok(Value::int(time(a, 0)?.civil().minute))),
    m("Second", &[], |a, _| Ok(Value::int(time(a, 0)?.civil().second))),
    m("Nanosecond", &[], |a, _| Ok(Value::int(i64::from(time(a, 0)?.nanos)))),
    m("YearDay", &[], |a, _| Ok(Value::int(time(a, 0)?.year_day()))),
    m("Weekday", &[], |a, _| Ok(Value::Int(time(a, 0)?.weekday(), IntType::Weekday))),
    m("IsZero", &[], |a, _| Ok(Value::Bool(time(a, 0)?.is_zero()))),
    m("UTC", &[], |a, _| Ok(of_time(Time { zone: Zone::utc(), ..time(a, 0)?.clone() }))),
    m("Local", &[], |a, _| Ok(of_time(Time { zone: Zone::utc(), ..time(a, 0)?.clone() }))),
    m("Add", &[p("duration", Type::Duration)], |a, _| Ok(of_time(time(a, 0)?.plus(int(a, 1)?)))),
    m("AddDate", &[p("years", Type::Int), p("months", Type::Int), p("days", Type::Int)], |a, _| {
        Ok(of_time(time(a, 0)?.plus_date(int(a, 1)?, int(a, 2)?, int(a, 3)?)))
    }),
    m("Sub", &[p("other", Type::Time)], |a, _| {
        Ok(Value::Int(time(a, 0)?.minus(time(a, 1)?), IntType::Duration))
    }),
    m("Truncate", &[p("unit", Type::Duration)], |a, _| Ok(of_time(time(a, 0)?.truncated(int(a, 1)?)))),
    m("Round", &[p("unit", Type::Duration)], |a, _| Ok(of_time(time(a, 0)?.rounded(int(a, 1)?)))),
    m("Before", &[p("other", Type::Time)], |a, _| Ok(Value::Bool(instant(a, 0)? < instant(a, 1)?))),
    m("After", &[p("other", Type::Time)], |a, _| Ok(Value::Bool(instant(a, 0)? > instant(a, 1)?))),
    m("Equal", &[p("other", Type::Time)], |a, _| Ok(Value::Bool(instant(a, 0)? == instant(a, 1)?))),
];

const DURATION: &[Method] = &[
    m("String", &[], |a, _| Ok(Value::text(duration::show(int(a, 0)?)))),
    m("Hours", &[], |a, _| Ok(Value::Float(units(int(a, 0)?, 3_600_000_000_000)))),
    m("Minutes", &[], |a, _| Ok(Value::Float(units(int(a, 0)?, 60_000_000_000)))),
    m("Seconds", &[], |a, _| Ok(Value::Float(units(int(a, 0)?, 1_000_000_000)))),
    m("Milliseconds", &[], |a, _| Ok(Value::int64(int(a, 0)? / 1_000_000))),
    m("Microseconds", &[], |a, _| Ok(Value::int64(int(a, 0)? / 1_000))),
    m("Nanoseconds", &[], |a, _| Ok(Value::int64(int(a, 0)?))),
    m("Abs", &[], |a, _| Ok(Value::Int(int(a, 0)?.saturating_abs(), IntType::Duration))),
];

const NAMED: &[Method] = &[m("String", &[], |a, _| string(a))];

const VERSION: &[Method] = &[
    m("String", &[], |a, _| string(a)),
    m("Major", &[], |a, _| Ok(Value::Uint(version(a, 0)?.major, UintType::Uint64))),
    m("Minor", &[], |a, _| Ok(Value::Uint(version(a, 0)?.minor, UintType::Uint64))),
    m("Patch", &[], |a, _| Ok(Value::Uint(version(a, 0)?.patch, UintType::Uint64))),
    m("Prerelease", &[], |a, _| Ok(Value::text(version(a, 0)?.pre.clone()))),
    m("Metadata", &[], |a, _| Ok(Value::text(version(a, 0)?.metadata.clone()))),
    m("IncPatch", &[], |a, _| Ok(plain(version(a, 0)?.next_patch()))),
    m("IncMinor", &[], |a, _| {
        let version = version(a, 0)?;
        Ok(plain(version.with(version.major, version.minor.wrapping_add(1), 0)))
    }),
    m("IncMajor", &[], |a, _| {
        let version = version(a, 0)?;
        Ok(plain(version.with(version.major.wrapping_add(1), 0, 0)))
    }),
    m("SetPrerelease", &[p("pre", Type::Text)], |a, _| {
        let (version, pre) = (version(a, 0)?, utf8(a, 1)?);
        let valid = pre.is_empty() || is_prerelease(pre);
        let changed = Version { pre: pre.to_owned(), ..version.clone() }.written_like(version);
        if valid { Ok(plain(changed)) } else { Err(Rule::BadArgument) }
    }),
    m("SetMetadata", &[p("metadata", Type::Text)], |a, _| {
        let (version, metadata) = (version(a, 0)?, utf8(a, 1)?);
        let valid = metadata.is_empty() || metadata.split('.').all(is_part);
        let changed = Version { metadata: metadata.to_owned(), ..version.clone() }.written_like(version);
        if valid { Ok(plain(changed)) } else { Err(Rule::BadArgument) }
    }),
];

/// Go's fields, which are read like methods without arguments.
const CERTIFICATE: &[Method] = &[
    m("Cert", &[], |a, _| Ok(Value::Text(certificate(a)?.0.clone()))),
    m("Key", &[], |a, _| Ok(Value::Text(certificate(a)?.1.clone()))),
];

const OTHER: &[Parameter] = &[p("other", Type::Version)];

const VERSION_POINTER: &[Method] = &[
    m("Original", &[], |a, _| Ok(Value::text(version(a, 0)?.original.clone()))),
    m("Compare", OTHER, |a, _| Ok(Value::int(i64::from(version(a, 0)?.compare(version(a, 1)?) as i8)))),
    m("LessThan", OTHER, |a, _| Ok(Value::Bool(version(a, 0)?.compare(version(a, 1)?).is_lt()))),
    m("LessThanEqual", OTHER, |a, _| Ok(Value::Bool(version(a, 0)?.compare(version(a, 1)?).is_le()))),
    m("GreaterThan", OTHER, |a, _| Ok(Value::Bool(version(a, 0)?.compare(version(a, 1)?).is_gt()))),
    m("GreaterThanEqual", OTHER, |a, _| Ok(Value::Bool(version(a, 0)?.compare(version(a, 1)?).is_ge()))),
    m("Equal", OTHER, |a, _| Ok(Value::Bool(version(a, 0)?.compare(version(a, 1)?).is_eq()))),
];

fn object(a: &[Value], at: usize) -> Result<&Object, Rule> {
    match a.get(at) {
        Some(Value::Object(object)) => Ok(object),
        _ => Err(Rule::ArgumentType),
    }
}

fn time(a: &[Value], at: usize) -> Result<&Time, Rule> {
    match object(a, at)? {
        Object::Time(time) => Ok(time),
        Object::Version(_) | Object::PlainVersion(_) | Object::Certificate { .. } => Err(Rule::ArgumentType),
    }
}

fn version(a: &[Value], at: usize) -> Result<&Version, Rule> {
    match object(a, at)? {
        Object::Version(version) | Object::PlainVersion(version) => Ok(version),
        Object::Time(_) | Object::Certificate { .. } => Err(Rule::ArgumentType),
    }
}

fn certificate(a: &[Value]) -> Result<(&Text, &Text), Rule> {
    match object(a, 0)? {
        Object::Certificate { cert, key } => Ok((cert, key)),
        Object::Time(_) | Object::Version(_) | Object::PlainVersion(_) => Err(Rule::ArgumentType),
    }
}

fn int(a: &[Value], at: usize) -> Result<i64, Rule> {
    match a.get(at) {
        Some(Value::Int(int, _)) => Ok(*int),
        _ => Err(Rule::ArgumentType),
    }
}

fn text(a: &[Value], at: usize) -> Result<&[u8], Rule> {
    match a.get(at) {
        Some(Value::Text(text)) => Ok(text),
        _ => Err(Rule::ArgumentType),
    }
}

fn utf8(a: &[Value], at: usize) -> Result<&str, Rule> {
    std::str::from_utf8(text(a, at)?).map_err(|_| Rule::BadArgument)
}

fn string(a: &[Value]) -> Answer {
    crate::format::to_text(a.first().unwrap_or(&Value::Nil)).map(Value::Text)
}

fn of_time(time: Time) -> Value {
    Value::Object(Rc::new(Object::Time(time)))
}

fn plain(version: Version) -> Value {
    Value::Object(Rc::new(Object::PlainVersion(version)))
}

/// Since 1970, in that many parts of a second.
fn unix(a: &[Value], parts: i64) -> Result<i64, Rule> {
    let time = time(a, 0)?;
    Ok(time.seconds.wrapping_mul(parts).wrapping_add(i64::from(time.nanos) / (1_000_000_000 / parts)))
}

/// Seconds since 1970 and nanoseconds: what two times are compared by.
fn instant(a: &[Value], at: usize) -> Result<(i64, u32), Rule> {
    let time = time(a, at)?;
    Ok((time.seconds, time.nanos))
}

/// Whole units and the rest, as Go adds them up.
#[expect(clippy::cast_precision_loss, reason = "Go returns a float too")]
fn units(nanos: i64, unit: i64) -> f64 {
    (nanos / unit) as f64 + (nanos % unit) as f64 / unit as f64
}
