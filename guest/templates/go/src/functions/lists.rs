//! Lists. A function never changes the list that it is given. What is called `must...` in sprig fails in the same cases
//! as its plain twin, whose panic a template engine turns into a failure anyway; both names share one row's behaviour.

use super::arguments::{any, int, rest};
use super::{Context, Family, Function, Implementation, Parameter, Type, p};
use crate::limits::check_list;
use crate::rule::Rule;
use crate::value::compare::deep_equal;
use crate::value::convert::to_int;
use crate::value::truth::is_empty;
use crate::value::{Elements, List, Value};

const F: Family = Family::Lists;

/// A function of one list.
const fn one(
    name: &'static str,
    returns: &'static str,
    about: &'static str,
    run: Implementation,
) -> Function {
    const PARAMETERS: &[Parameter] = &[p("list", Type::Any)];
    F.pure(name, PARAMETERS, returns, about, run)
}

/// A function of a list and one value.
const fn with_item(name: &'static str, about: &'static str, run: Implementation) -> Function {
    const PARAMETERS: &[Parameter] = &[p("list", Type::Any), p("item", Type::Any)];
    F.pure(name, PARAMETERS, "list", about, run)
}

pub(super) const ROWS: &[Function] = &[
    F.pure("list", &[], "list", "Its arguments.", list).rest("items", Type::Any),
    F.pure("tuple", &[], "list", "The same as list.", list).rest("items", Type::Any),
    with_item("append", "The list with the item behind it.", append),
    with_item("push", "The same as append.", append),
    with_item("mustAppend", "The same as append.", append),
    with_item("mustPush", "The same as append.", append),
    with_item("prepend", "The list with the item before it.", prepend),
    with_item("mustPrepend", "The same as prepend.", prepend),
    one("first", "any", "The first item, or nil.", first),
    one("mustFirst", "any", "The same as first.", first),
    one("last", "any", "The last item, or nil.", last),
    one("mustLast", "any", "The same as last.", last),
    one("rest", "list", "All items but the first.", tail),
    one("mustRest", "list", "The same as rest.", tail),
    one("initial", "list", "All items but the last.", initial),
    one("mustInitial", "list", "The same as initial.", initial),
    one("reverse", "list", "The items backwards.", reverse),
    one("mustReverse", "list", "The same as reverse.", reverse),
    one("uniq", "list", "Each item once.", uniq),
    one("mustUniq", "list", "The same as uniq.", uniq),
    one("compact", "list", "The items that are not empty.", compact),
    one("mustCompact", "list", "The same as compact.", compact),
    F.pure("without", &[p("list", Type::Any)], "list", "The items but those given.", without)
        .rest("items", Type::Any),
    F.pure("mustWithout", &[p("list", Type::Any)], "list", "The same as without.", without)
        .rest("items", Type::Any),
    F.pure(
        "has",
        &[p("item", Type::Any), p("list", Type::Any)],
        "bool",
        "Whether the list holds the item.",
        has,
    ),
    F.pure("mustHas", &[p("item", Type::Any), p("list", Type::Any)], "bool", "The same as has.", has),
    F.pure(
        "slice",
        &[p("list", Type::Any)],
        "list",
        "The items from the first to before the second index.",
        slice,
    )
    .rest("indexes", Type::Any),
    F.pure("mustSlice", &[p("list", Type::Any)], "list", "The same as slice.", slice)
        .rest("indexes", Type::Any),
    F.pure("concat", &[], "list", "The items of all lists.", concat).rest("lists", Type::Any),
    F.pure(
        "chunk",
        &[p("size", Type::Int), p("list", Type::Any)],
        "list",
        "Lists of that many items.",
        chunk,
    ),
    F.pure("mustChunk", &[p("size", Type::Int), p("list", Type::Any)], "list", "The same as chunk.", chunk),
];

type Answer = Result<Value, Rule>;

/// The list at that position; everything else, nil too, is refused.
fn items(a: &[Value], at: usize) -> Result<&[Value], Rule> {
    match any(a, at)? {
        Value::List(list) => Ok(list.items()),
        _ => Err(Rule::ArgumentType),
    }
}

fn list(a: &[Value], _: &mut Context<'_>) -> Answer {
    Value::list(rest(a, 0).to_vec())
}

fn append(a: &[Value], _: &mut Context<'_>) -> Answer {
    Value::list([items(a, 0)?, rest(a, 1)].concat())
}

fn prepend(a: &[Value], _: &mut Context<'_>) -> Answer {
    Value::list([rest(a, 1), items(a, 0)?].concat())
}

fn first(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(items(a, 0)?.first().cloned().unwrap_or(Value::Nil))
}

fn last(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(items(a, 0)?.last().cloned().unwrap_or(Value::Nil))
}

fn tail(a: &[Value], _: &mut Context<'_>) -> Answer {
    items(a, 0)?.split_first().map_or(Ok(nil_list()), |(_, rest)| Value::list(rest.to_vec()))
}

fn initial(a: &[Value], _: &mut Context<'_>) -> Answer {
    items(a, 0)?.split_last().map_or(Ok(nil_list()), |(_, rest)| Value::list(rest.to_vec()))
}

/// What Go returns where there is no list to make.
fn nil_list() -> Value {
    Value::List(List::nil(Elements::Any))
}

fn reverse(a: &[Value], _: &mut Context<'_>) -> Answer {
    Value::list(items(a, 0)?.iter().rev().cloned().collect())
}

fn contains(list: &[Value], item: &Value, context: &mut Context<'_>) -> Result<bool, Rule> {
    for other in list {
        if deep_equal(item, other, &mut context.budget)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn uniq(a: &[Value], context: &mut Context<'_>) -> Answer {
    let mut kept: Vec<Value> = Vec::new();
    for item in items(a, 0)? {
        if !contains(&kept, item, context)? {
            kept.push(item.clone());
        }
    }
    Value::list(kept)
}

fn compact(a: &[Value], _: &mut Context<'_>) -> Answer {
    Value::list(items(a, 0)?.iter().filter(|item| !is_empty(item)).cloned().collect())
}

fn without(a: &[Value], context: &mut Context<'_>) -> Answer {
    let mut kept = Vec::new();
    for item in items(a, 0)? {
        if !contains(rest(a, 1), item, context)? {
            kept.push(item.clone());
        }
    }
    Value::list(kept)
}

fn has(a: &[Value], context: &mut Context<'_>) -> Answer {
    if matches!(any(a, 1)?, Value::Nil) {
        return Ok(Value::Bool(false));
    }
    contains(items(a, 1)?, any(a, 0)?, context).map(Value::Bool)
}

fn slice(a: &[Value], _: &mut Context<'_>) -> Answer {
    let Value::List(list) = any(a, 0)? else {
        return Err(Rule::ArgumentType);
    };
    let items = list.items();
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let index = |at: usize, absent: usize| match rest(a, 1).get(at) {
        Some(value) => usize::try_from(to_int(value)).map_err(|_| Rule::OutOfRange),
        None => Ok(absent),
    };
    let part = items.get(index(0, 0)?..index(1, items.len())?).ok_or(Rule::OutOfRange)?;
    Ok(Value::List(List::new(list.elements, part.to_vec())?))
}

fn concat(a: &[Value], _: &mut Context<'_>) -> Answer {
    let mut all = Vec::new();
    for at in 0..a.len() {
        all.extend_from_slice(items(a, at)?);
        check_list(all.len())?;
    }
    if all.is_empty() { Ok(nil_list()) } else { Value::list(all) }
}

fn chunk(a: &[Value], _: &mut Context<'_>) -> Answer {
    let (size, items) = (int(a, 0)?, items(a, 1)?);
    let size = match usize::try_from(size) {
        Ok(size) if size > 0 => size,
        Ok(_) => return Err(Rule::OutOfRange),
        Err(_) => return chunk_backwards(size, items),
    };
    let chunks: Result<Vec<_>, _> = items.chunks(size).map(|chunk| Value::list(chunk.to_vec())).collect();
    Ok(Value::List(List::new(Elements::Lists, chunks?)?))
}

/// What sprig's arithmetic makes of a negative size: a list that is one longer at most has no chunks, or the one item as its chunk, and
/// all else ends in a panic.
fn chunk_backwards(size: i64, items: &[Value]) -> Answer {
    let chunks = match items {
        [] => return Err(Rule::OutOfRange),
        [_] if size == -1 => return Err(Rule::OutOfRange),
        [one] => vec![Value::list(vec![one.clone()])?],
        [_, more @ ..] if u64::try_from(more.len()).is_ok_and(|more| more <= size.unsigned_abs()) => {
            Vec::new()
        }
        _ => return Err(Rule::OutOfRange),
    };
    Ok(Value::List(List::new(Elements::Lists, chunks)?))
}
