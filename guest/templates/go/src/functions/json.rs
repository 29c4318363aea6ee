//! JSON in and out. The plain names swallow what their `must` twins fail on: no value, or an empty text.

use super::arguments::{any, text};
use super::{Context, Family, Function, Parameter, Type, p};
use crate::json::{Style, read, write};
use crate::rule::Rule;
use crate::value::Value;

const F: Family = Family::Json;

const TEXT: &[Parameter] = &[p("text", Type::Text)];
const VALUE: &[Parameter] = &[p("value", Type::Any)];

pub(super) const ROWS: &[Function] = &[
    F.pure("fromJson", TEXT, "any", "The value that the JSON says, or nil if it is none.", from_json),
    F.pure("mustFromJson", TEXT, "any", "The value that the JSON says.", must_from_json),
    F.pure("toJson", VALUE, "string", "As JSON, or empty if it cannot be.", to_json),
    F.pure("mustToJson", VALUE, "string", "As JSON.", must_to_json),
    F.pure("toPrettyJson", VALUE, "string", "As indented JSON, or empty if it cannot be.", to_pretty_json),
    F.pure("mustToPrettyJson", VALUE, "string", "As indented JSON.", must_to_pretty_json),
    F.pure("toRawJson", VALUE, "string", "As JSON with `<>&` as they are.", must_to_raw_json),
    F.pure("mustToRawJson", VALUE, "string", "The same as toRawJson.", must_to_raw_json),
];

type Answer = Result<Value, Rule>;

/// A limit is a failure even where sprig would swallow the error.
fn or(answer: Answer, instead: Value) -> Answer {
    if answer.as_ref().err() == Some(&Rule::BadArgument) { Ok(instead) } else { answer }
}

fn from_json(a: &[Value], context: &mut Context<'_>) -> Answer {
    or(must_from_json(a, context), Value::Nil)
}

fn must_from_json(a: &[Value], context: &mut Context<'_>) -> Answer {
    read(text(a, 0)?, &mut context.budget)
}

fn to_json(a: &[Value], context: &mut Context<'_>) -> Answer {
    or(must_to_json(a, context), Value::text(""))
}

fn must_to_json(a: &[Value], _: &mut Context<'_>) -> Answer {
    write(any(a, 0)?, Style::Compact).map(Value::Text)
}

fn to_pretty_json(a: &[Value], context: &mut Context<'_>) -> Answer {
    or(must_to_pretty_json(a, context), Value::text(""))
}

fn must_to_pretty_json(a: &[Value], _: &mut Context<'_>) -> Answer {
    write(any(a, 0)?, Style::Pretty).map(Value::Text)
}

fn must_to_raw_json(a: &[Value], _: &mut Context<'_>) -> Answer {
    write(any(a, 0)?, Style::Raw).map(Value::Text)
}
