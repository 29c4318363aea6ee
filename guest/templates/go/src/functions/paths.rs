//! Slash-separated paths. The `os` names are the same: the engine's system has slashes.

use super::arguments::text;
use super::{Context, Family, Function, Parameter, Type, p};
use crate::rule::Rule;
use crate::value::Value;

const F: Family = Family::Paths;

const PATH: &[Parameter] = &[p("path", Type::Text)];

pub(super) const ROWS: &[Function] = &[
    F.pure("base", PATH, "string", "The last element.", base),
    F.pure("dir", PATH, "string", "All but the last element, cleaned.", dir),
    F.pure("clean", PATH, "string", "The shortest equal path.", clean),
    F.pure("ext", PATH, "string", "From the last dot of the last element.", ext),
    F.pure("isAbs", PATH, "bool", "Whether it starts at the root.", is_abs),
    F.pure("osBase", PATH, "string", "The same as base.", base),
    F.pure("osDir", PATH, "string", "The same as dir.", dir),
    F.pure("osClean", PATH, "string", "The same as clean.", clean),
    F.pure("osExt", PATH, "string", "The same as ext.", ext),
    F.pure("osIsAbs", PATH, "bool", "The same as isAbs.", is_abs),
];

type Answer = Result<Value, Rule>;

fn base(a: &[Value], _: &mut Context<'_>) -> Answer {
    let path: &[u8] = text(a, 0)?;
    if path.is_empty() {
        return Ok(Value::text("."));
    }
    let end = path.iter().rposition(|byte| *byte != b'/');
    let trimmed = end.and_then(|end| path.get(..=end)).unwrap_or_default();
    let last = trimmed.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    Ok(Value::text(if last.is_empty() { b"/".to_vec() } else { last.to_vec() }))
}

fn dir(a: &[Value], _: &mut Context<'_>) -> Answer {
    let path: &[u8] = text(a, 0)?;
    let slash = path.iter().rposition(|byte| *byte == b'/');
    Ok(Value::text(cleaned(slash.and_then(|slash| path.get(..=slash)).unwrap_or_default())))
}

fn clean(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::text(cleaned(text(a, 0)?)))
}

fn cleaned(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut kept: Vec<&[u8]> = Vec::new();
    for element in path.split(|byte| *byte == b'/') {
        match element {
            b"" | b"." => {}
            b".." if kept.last().is_some_and(|last| *last != b"..") => {
                kept.pop();
            }
            b".." if rooted => {}
            _ => kept.push(element),
        }
    }
    let joined = kept.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

fn ext(a: &[Value], _: &mut Context<'_>) -> Answer {
    let path: &[u8] = text(a, 0)?;
    let last = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let dot = last.iter().rposition(|byte| *byte == b'.');
    Ok(Value::text(dot.and_then(|dot| last.get(dot..)).unwrap_or_default().to_vec()))
}

fn is_abs(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::Bool(text(a, 0)?.starts_with(b"/")))
}
