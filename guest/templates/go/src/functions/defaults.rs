//! What to take where something is empty, and giving up.

use super::arguments::{any, boolean, rest};
use super::{Context, Family, Function, Type, p};
use crate::rule::Rule;
use crate::value::Value;
use crate::value::truth::is_empty;

const F: Family = Family::Defaults;

pub(super) const ROWS: &[Function] = &[
    F.pure(
        "default",
        &[p("default", Type::Any)],
        "any",
        "The value, or the default if it is empty.",
        default,
    )
    .rest("value", Type::Any),
    F.pure(
        "empty",
        &[p("value", Type::Any)],
        "bool",
        "Whether it is nil, zero, false or has no length.",
        empty,
    ),
    F.pure("coalesce", &[], "any", "The first that is not empty.", coalesce).rest("values", Type::Any),
    F.pure("all", &[], "bool", "Whether none is empty.", all).rest("values", Type::Any),
    F.pure("any", &[], "bool", "Whether one is not empty.", any_of).rest("values", Type::Any),
    F.pure(
        "ternary",
        &[p("yes", Type::Any), p("no", Type::Any), p("condition", Type::Bool)],
        "any",
        "Yes or no, by the condition.",
        ternary,
    ),
    F.pure(
        "fail",
        &[p("message", Type::Text)],
        "nothing",
        "Ends the rendering. The message is not shown.",
        fail,
    ),
];

type Answer = Result<Value, Rule>;

fn default(a: &[Value], _: &mut Context<'_>) -> Answer {
    let given = a.get(1).filter(|value| !is_empty(value));
    given.map_or_else(|| any(a, 0), Ok).cloned()
}

fn empty(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::Bool(is_empty(any(a, 0)?)))
}

fn coalesce(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(rest(a, 0).iter().find(|value| !is_empty(value)).cloned().unwrap_or(Value::Nil))
}

fn all(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::Bool(!rest(a, 0).iter().any(is_empty)))
}

fn any_of(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::Bool(!rest(a, 0).iter().all(is_empty)))
}

fn ternary(a: &[Value], _: &mut Context<'_>) -> Answer {
    any(a, if boolean(a, 2)? { 0 } else { 1 }).cloned()
}

fn fail(_: &[Value], _: &mut Context<'_>) -> Answer {
    Err(Rule::Failed)
}
