//! What a value is, in Go's words.

use super::arguments::{any, text};
use super::{Context, Family, Function, Parameter, Type, p};
use crate::rule::Rule;
use crate::value::Value;
use crate::value::compare::deep_equal;
use crate::value::kind::{kind_name, type_name};

const F: Family = Family::Reflection;

const VALUE: Parameter = p("value", Type::Any);
const NAME: Parameter = p("name", Type::Text);

pub(super) const ROWS: &[Function] = &[
    F.pure("typeOf", &[VALUE], "string", "The Go type.", type_of),
    F.pure("typeIs", &[NAME, VALUE], "bool", "Whether the Go type is that.", type_is),
    F.pure(
        "typeIsLike",
        &[NAME, VALUE],
        "bool",
        "Whether the Go type is that, or a pointer to it.",
        type_is_like,
    ),
    F.pure("kindOf", &[VALUE], "string", "The Go kind.", kind_of),
    F.pure("kindIs", &[NAME, VALUE], "bool", "Whether the Go kind is that.", kind_is),
    F.pure(
        "deepEqual",
        &[p("left", Type::Any), p("right", Type::Any)],
        "bool",
        "Whether all of both is equal.",
        deep,
    ),
];

type Answer = Result<Value, Rule>;

fn type_of(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::text(&*type_name(any(a, 0)?)))
}

fn type_is(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::Bool(type_name(any(a, 1)?).as_bytes() == &**text(a, 0)?))
}

fn type_is_like(a: &[Value], _: &mut Context<'_>) -> Answer {
    let (name, wanted) = (type_name(any(a, 1)?), text(a, 0)?);
    let pointed = name.strip_prefix('*').unwrap_or(&name);
    Ok(Value::Bool(name.as_bytes() == &**wanted || pointed.as_bytes() == &**wanted))
}

fn kind_of(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::text(kind_name(any(a, 0)?)))
}

fn kind_is(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::Bool(kind_name(any(a, 1)?).as_bytes() == &**text(a, 0)?))
}

fn deep(a: &[Value], context: &mut Context<'_>) -> Answer {
    deep_equal(any(a, 0)?, any(a, 1)?, &mut context.budget).map(Value::Bool)
}
