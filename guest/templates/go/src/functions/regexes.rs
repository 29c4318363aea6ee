//! Regular expressions. `regexMatch` takes a bad pattern for one that does not match; all others fail on it.

use super::arguments::{int, text};
use super::{Context, Family, Function, Parameter, Type, p};
use crate::pattern::Pattern;
use crate::rule::Rule;
use crate::text::{Buffer, Text};
use crate::value::{Elements, List, Value};

const F: Family = Family::Regexes;

const PATTERN: Parameter = p("pattern", Type::Text);
const TEXT: Parameter = p("text", Type::Text);
const COUNT: Parameter = p("count", Type::Int);
const REPLACEMENT: Parameter = p("replacement", Type::Text);

pub(super) const ROWS: &[Function] = &[
    F.pure(
        "regexMatch",
        &[PATTERN, TEXT],
        "bool",
        "Whether the text matches; false for a bad pattern.",
        regex_match,
    ),
    F.pure("mustRegexMatch", &[PATTERN, TEXT], "bool", "Whether the text matches.", must_regex_match),
    F.pure("regexFind", &[PATTERN, TEXT], "string", "The first match, or empty.", regex_find),
    F.pure("mustRegexFind", &[PATTERN, TEXT], "string", "The same as regexFind.", regex_find),
    F.pure(
        "regexFindAll",
        &[PATTERN, TEXT, COUNT],
        "list",
        "At most count matches; all for -1.",
        regex_find_all,
    ),
    F.pure("mustRegexFindAll", &[PATTERN, TEXT, COUNT], "list", "The same as regexFindAll.", regex_find_all),
    F.pure(
        "regexReplaceAll",
        &[PATTERN, TEXT, REPLACEMENT],
        "string",
        "Matches replaced; `$1` is a group.",
        regex_replace,
    ),
    F.pure(
        "mustRegexReplaceAll",
        &[PATTERN, TEXT, REPLACEMENT],
        "string",
        "The same as regexReplaceAll.",
        regex_replace,
    ),
    F.pure(
        "regexReplaceAllLiteral",
        &[PATTERN, TEXT, REPLACEMENT],
        "string",
        "Matches replaced, without groups.",
        regex_replace_literally,
    ),
    F.pure(
        "mustRegexReplaceAllLiteral",
        &[PATTERN, TEXT, REPLACEMENT],
        "string",
        "The same as regexReplaceAllLiteral.",
        regex_replace_literally,
    ),
    F.pure(
        "regexSplit",
        &[PATTERN, TEXT, COUNT],
        "list",
        "At most count parts between matches; all for -1.",
        regex_split,
    ),
    F.pure("mustRegexSplit", &[PATTERN, TEXT, COUNT], "list", "The same as regexSplit.", regex_split),
    F.pure("regexQuoteMeta", &[TEXT], "string", "A pattern that matches just the text.", regex_quote_meta),
];

type Answer = Result<Value, Rule>;

/// The compiled first argument and the text to search, whose length is charged.
fn prepare<'a>(a: &'a [Value], context: &mut Context<'_>) -> Result<(Pattern, &'a Text), Rule> {
    let searched = text(a, 1)?;
    context.budget.bytes(searched.len())?;
    Ok((context.patterns.get(text(a, 0)?)?, searched))
}

fn regex_match(a: &[Value], context: &mut Context<'_>) -> Answer {
    match must_regex_match(a, context) {
        Err(Rule::BadArgument) => Ok(Value::Bool(false)),
        answer => answer,
    }
}

fn must_regex_match(a: &[Value], context: &mut Context<'_>) -> Answer {
    let (pattern, text) = prepare(a, context)?;
    Ok(Value::Bool(pattern.is_match(text)))
}

fn regex_find(a: &[Value], context: &mut Context<'_>) -> Answer {
    let (pattern, text) = prepare(a, context)?;
    Ok(Value::text(Text::new(pattern.find(text).unwrap_or_default())))
}

fn regex_find_all(a: &[Value], context: &mut Context<'_>) -> Answer {
    let (pattern, text) = prepare(a, context)?;
    let count = usize::try_from(int(a, 2)?).unwrap_or(usize::MAX);
    let found: Vec<_> =
        pattern.spans(text).take(count).filter_map(|span| text.get(span.range())).map(Text::new).collect();
    if found.is_empty() { Ok(Value::List(List::nil(Elements::Texts))) } else { Value::texts(found) }
}

fn regex_replace(a: &[Value], context: &mut Context<'_>) -> Answer {
    let (pattern, searched) = prepare(a, context)?;
    pattern.replace(searched, text(a, 2)?).map(Value::Text)
}

fn regex_replace_literally(a: &[Value], context: &mut Context<'_>) -> Answer {
    let (pattern, searched) = prepare(a, context)?;
    pattern.replace_literally(searched, text(a, 2)?).map(Value::Text)
}

fn regex_split(a: &[Value], context: &mut Context<'_>) -> Answer {
    let (pattern, searched) = prepare(a, context)?;
    let count = match int(a, 2)? {
        0 => return Ok(Value::List(List::nil(Elements::Texts))),
        count => usize::try_from(count).unwrap_or(usize::MAX),
    };
    if searched.is_empty() && !text(a, 0)?.is_empty() {
        return Value::texts(vec!["".into()]);
    }
    let (mut parts, mut start, mut end) = (Vec::new(), 0, 0);
    for span in pattern.spans(searched).take(count) {
        if parts.len() + 1 == count {
            break;
        }
        end = span.start;
        if span.end != 0 {
            parts.push(Text::new(searched.get(start..end).unwrap_or_default()));
        }
        start = span.end;
    }
    if end != searched.len() {
        parts.push(Text::new(searched.get(start..).unwrap_or_default()));
    }
    Value::texts(parts)
}

fn regex_quote_meta(a: &[Value], _: &mut Context<'_>) -> Answer {
    let mut out = Buffer::default();
    for &byte in text(a, 0)?.iter() {
        if b"\\.+*?()|[]{}^$".contains(&byte) {
            out.push_byte(b'\\');
        }
        out.push_byte(byte);
    }
    out.into_text().map(Value::Text)
}
