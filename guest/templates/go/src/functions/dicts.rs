//! Dicts. `set` and `unset` change the dict that they are given, as `merge` changes its first; everything that holds the
//! same dict sees it. The data is no dict (its values are texts only), so these functions refuse it, as in ESO.
//!
//! Where Go's order of keys is random (`keys`, `values`), it is sorted here: any order that Go could give is right.

use std::rc::Rc;

use super::arguments::{any, dict, rest, text};
use super::{Context, Family, Function, Parameter, Type, p};
use crate::format::to_text;
use crate::limits::{Budget, VALUE_DEPTH};
use crate::object::Object;
use crate::object::version::Version;
use crate::rule::Rule;
use crate::text::Text;
use crate::value::truth::is_empty;
use crate::value::{Dict, List, Value};

const F: Family = Family::Dicts;

const DICT: Parameter = p("dict", Type::Dict);
const KEY: Parameter = p("key", Type::Text);

pub(super) const ROWS: &[Function] = &[
    F.pure("dict", &[], "dict", "Keys and values in turn.", make).rest("keys and values", Type::Any),
    F.pure("get", &[DICT, KEY], "any", "The value of the key, or an empty text.", get),
    F.pure("set", &[DICT, KEY, p("value", Type::Any)], "dict", "The dict, with the key set in it.", set),
    F.pure("unset", &[DICT, KEY], "dict", "The dict, with the key taken out of it.", unset),
    F.pure("hasKey", &[DICT, KEY], "bool", "Whether the dict has the key.", has_key),
    F.pure("pluck", &[KEY], "list", "The values of the key in all dicts that have it.", pluck)
        .rest("dicts", Type::Dict),
    F.pure("keys", &[], "list", "The keys of all dicts, each dict's sorted.", keys).rest("dicts", Type::Dict),
    F.pure("values", &[DICT], "list", "The values in the order of their keys.", values),
    F.pure("pick", &[DICT], "dict", "A new dict with these keys only.", pick).rest("keys", Type::Text),
    F.pure("omit", &[DICT], "dict", "A new dict without these keys.", omit).rest("keys", Type::Text),
    F.pure("merge", &[DICT], "dict", "The first dict, with what it lacks from the others.", merge)
        .rest("dicts", Type::Dict),
    F.pure("mustMerge", &[DICT], "dict", "The same as merge.", merge).rest("dicts", Type::Dict),
    F.pure("mergeOverwrite", &[DICT], "dict", "The first dict, with what the others have.", merge_overwrite)
        .rest("dicts", Type::Dict),
    F.pure("mustMergeOverwrite", &[DICT], "dict", "The same as mergeOverwrite.", merge_overwrite)
        .rest("dicts", Type::Dict),
    F.pure(
        "dig",
        &[],
        "any",
        "The value at the keys in turn, or the default. Last come default and dict.",
        dig,
    )
    .rest("keys", Type::Any),
    F.pure("deepCopy", &[p("value", Type::Any)], "any", "A copy that shares nothing.", deep_copy),
    F.pure("mustDeepCopy", &[p("value", Type::Any)], "any", "The same as deepCopy.", deep_copy),
];

type Answer = Result<Value, Rule>;

fn make(a: &[Value], _: &mut Context<'_>) -> Answer {
    let made = Dict::default();
    for pair in a.chunks(2) {
        let value = pair.get(1).cloned().unwrap_or_else(|| Value::text(""));
        made.insert(to_text(any(pair, 0)?)?, value)?;
    }
    Ok(Value::Dict(made))
}

fn get(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(dict(a, 0)?.get(text(a, 1)?).unwrap_or_else(|| Value::text("")))
}

fn set(a: &[Value], _: &mut Context<'_>) -> Answer {
    if matches!(any(a, 0)?, Value::Nil) {
        return Err(Rule::ArgumentType);
    }
    let changed = dict(a, 0)?;
    changed.insert(text(a, 1)?.clone(), any(a, 2)?.clone())?;
    Ok(Value::Dict(changed))
}

fn unset(a: &[Value], _: &mut Context<'_>) -> Answer {
    let changed = dict(a, 0)?;
    changed.remove(text(a, 1)?);
    Ok(Value::Dict(changed))
}

fn has_key(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::Bool(dict(a, 0)?.contains(text(a, 1)?)))
}

fn pluck(a: &[Value], _: &mut Context<'_>) -> Answer {
    let key = text(a, 0)?;
    let mut found = Vec::new();
    for at in 1..a.len() {
        found.extend(dict(a, at)?.get(key));
    }
    Value::list(found)
}

fn keys(a: &[Value], _: &mut Context<'_>) -> Answer {
    let mut keys = Vec::new();
    for at in 0..a.len() {
        keys.extend(dict(a, at)?.entries().into_iter().map(|(key, _)| key));
    }
    Value::texts(keys)
}

fn values(a: &[Value], _: &mut Context<'_>) -> Answer {
    Value::list(dict(a, 0)?.entries().into_iter().map(|(_, value)| value).collect())
}

fn pick(a: &[Value], _: &mut Context<'_>) -> Answer {
    let (from, picked) = (dict(a, 0)?, Dict::default());
    for at in 1..a.len() {
        let key = text(a, at)?;
        if let Some(value) = from.get(key) {
            picked.insert(key.clone(), value)?;
        }
    }
    Ok(Value::Dict(picked))
}

fn omit(a: &[Value], _: &mut Context<'_>) -> Answer {
    let kept = Dict::default();
    let omitted: Vec<&Text> = (1..a.len()).map(|at| text(a, at)).collect::<Result<_, _>>()?;
    for (key, value) in dict(a, 0)?.entries() {
        if !omitted.contains(&&key) {
            kept.insert(key, value)?;
        }
    }
    Ok(Value::Dict(kept))
}

fn merge(a: &[Value], context: &mut Context<'_>) -> Answer {
    merged(a, false, context)
}

fn merge_overwrite(a: &[Value], context: &mut Context<'_>) -> Answer {
    merged(a, true, context)
}

fn merged(a: &[Value], overwrites: bool, context: &mut Context<'_>) -> Answer {
    let into = dict(a, 0)?;
    for at in 1..a.len() {
        Merge { overwrites, budget: &mut context.budget }.dicts(&into, &dict(a, at)?, 0)?;
    }
    Ok(Value::Dict(into))
}

/// mergo's rules: dicts merge into dicts, an empty value gives way, a nil source counts only where it overwrites.
struct Merge<'b> {
    overwrites: bool,
    budget: &'b mut Budget,
}

impl Merge<'_> {
    fn dicts(&mut self, into: &Dict, from: &Dict, depth: usize) -> Result<(), Rule> {
        if depth > VALUE_DEPTH {
            return Err(Rule::Nesting);
        }
        for (key, value) in from.entries() {
            self.budget.step()?;
            self.entry(into, key, value, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, into: &Dict, key: Text, value: Value, depth: usize) -> Result<(), Rule> {
        let present = into.get(&key);
        if let (Some(Value::Dict(below)), Value::Dict(more)) = (&present, &value) {
            self.dicts(below, more, depth + 1)?;
        }
        let full = present.as_ref().is_some_and(|present| !is_empty(present));
        let both_dicts = matches!((&present, &value), (Some(Value::Dict(_)), Value::Dict(_)));
        let takes = match &value {
            Value::Nil => self.overwrites,
            _ if full && both_dicts => false,
            _ => self.overwrites || !full,
        };
        if takes { into.insert(key, value) } else { Ok(()) }
    }
}

fn dig(a: &[Value], _: &mut Context<'_>) -> Answer {
    let [keys @ .., default, from] = rest(a, 0) else {
        return Err(Rule::ArgumentCount);
    };
    let mut keys = keys.iter();
    let mut found = from.clone();
    if keys.len() == 0 {
        return Err(Rule::ArgumentCount);
    }
    if !keys.clone().all(|key| matches!(key, Value::Text(_))) {
        return Err(Rule::ArgumentType);
    }
    while let Some(Value::Text(key)) = keys.next() {
        let Value::Dict(dict) = &found else {
            return Err(Rule::ArgumentType);
        };
        match dict.get(key) {
            Some(below) => found = below,
            None => return Ok(default.clone()),
        }
    }
    Ok(found)
}

fn deep_copy(a: &[Value], context: &mut Context<'_>) -> Answer {
    match any(a, 0)? {
        Value::Nil => Err(Rule::ArgumentType),
        value => copied(value, &mut context.budget, 0),
    }
}

fn copied(value: &Value, budget: &mut Budget, depth: usize) -> Answer {
    budget.step()?;
    if depth > VALUE_DEPTH {
        return Err(Rule::Nesting);
    }
    match value {
        Value::List(list) if list.is_nil() => Ok(value.clone()),
        Value::List(list) => {
            let items: Result<Vec<_>, _> =
                list.items().iter().map(|item| copied(item, budget, depth + 1)).collect();
            Ok(Value::List(List::new(list.elements, items?)?))
        }
        Value::Dict(dict) => {
            budget.node()?;
            let copy = Dict::default();
            for (key, item) in dict.entries() {
                copy.insert(key, copied(&item, budget, depth + 1)?)?;
            }
            Ok(Value::Dict(copy))
        }
        Value::Object(object) => Ok(match &**object {
            // Its fields are private, so sprig's copy has none of them.
            Object::Version(_) => Value::Object(Rc::new(Object::Version(Version::default()))),
            _ => value.clone(),
        }),
        _ => Ok(value.clone()),
    }
}
