//! Texts: cutting, trimming, searching, quoting, splitting and joining. Positions and widths count bytes, as in sprig, so
//! cutting can split a character.

use std::collections::BTreeSet;

use super::arguments::{any, int, rest, text};
use super::{Context, Family, Function, Type, p};
use crate::format::quote::push_quoted;
use crate::format::{display, to_text};
use crate::letters::{lower, map, title, upper};
use crate::limits::{check_list, check_text};
use crate::rule::Rule;
use crate::text::{Buffer, Text, find, first_rune, runes};
use crate::value::Value;

const F: Family = Family::Strings;

pub(super) const ROWS: &[Function] = &[
    F.pure(
        "abbrev",
        &[p("width", Type::Int), p("text", Type::Text)],
        "string",
        "Cut to a width, with `...`.",
        abbrev,
    ),
    F.pure(
        "abbrevboth",
        &[p("left", Type::Int), p("right", Type::Int), p("text", Type::Text)],
        "string",
        "Cut on both sides, with `...`.",
        abbrevboth,
    ),
    F.pure(
        "trunc",
        &[p("count", Type::Int), p("text", Type::Text)],
        "string",
        "The first bytes, or the last.",
        trunc,
    ),
    F.pure("trim", &[p("text", Type::Text)], "string", "Without white space at both ends.", trim),
    F.pure(
        "trimAll",
        &[p("cut", Type::Text), p("text", Type::Text)],
        "string",
        "Without these characters.",
        trim_all,
    ),
    F.pure(
        "trimall",
        &[p("cut", Type::Text), p("text", Type::Text)],
        "string",
        "The same as trimAll.",
        trim_all,
    ),
    F.pure(
        "trimSuffix",
        &[p("suffix", Type::Text), p("text", Type::Text)],
        "string",
        "Without the end.",
        trim_suffix,
    ),
    F.pure(
        "trimPrefix",
        &[p("prefix", Type::Text), p("text", Type::Text)],
        "string",
        "Without the start.",
        trim_prefix,
    ),
    F.pure("upper", &[p("text", Type::Text)], "string", "In upper case.", to_upper),
    F.pure("lower", &[p("text", Type::Text)], "string", "In lower case.", to_lower),
    F.pure("title", &[p("text", Type::Text)], "string", "Each word with an upper-case start.", to_title),
    F.pure(
        "substr",
        &[p("start", Type::Int), p("end", Type::Int), p("text", Type::Text)],
        "string",
        "The bytes from start to before end.",
        substr,
    ),
    F.pure(
        "repeat",
        &[p("count", Type::Int), p("text", Type::Text)],
        "string",
        "The text count times.",
        repeat,
    ),
    F.pure(
        "contains",
        &[p("part", Type::Text), p("text", Type::Text)],
        "bool",
        "Whether it holds the part.",
        contains,
    ),
    F.pure(
        "hasPrefix",
        &[p("prefix", Type::Text), p("text", Type::Text)],
        "bool",
        "Whether it starts so.",
        has_prefix,
    ),
    F.pure(
        "hasSuffix",
        &[p("suffix", Type::Text), p("text", Type::Text)],
        "bool",
        "Whether it ends so.",
        has_suffix,
    ),
    F.pure("quote", &[], "string", "Each in double quotes, escaped as in Go.", quote)
        .rest("values", Type::Any),
    F.pure("squote", &[], "string", "Each in single quotes, not escaped.", squote).rest("values", Type::Any),
    F.pure("cat", &[], "string", "All but nil, with blanks between.", cat).rest("values", Type::Any),
    F.pure(
        "indent",
        &[p("blanks", Type::Int), p("text", Type::Text)],
        "string",
        "Each line indented.",
        indent,
    ),
    F.pure(
        "nindent",
        &[p("blanks", Type::Int), p("text", Type::Text)],
        "string",
        "A newline and each line indented.",
        nindent,
    ),
    F.pure(
        "replace",
        &[p("old", Type::Text), p("new", Type::Text), p("text", Type::Text)],
        "string",
        "Every old by new.",
        replace,
    ),
    F.pure(
        "plural",
        &[p("one", Type::Text), p("many", Type::Text), p("count", Type::Int)],
        "string",
        "One if the count is 1, else many.",
        plural,
    ),
    F.pure("toString", &[p("value", Type::Any)], "string", "As text.", to_string),
    F.pure("hello", &[], "string", "A greeting.", hello),
    F.pure(
        "join",
        &[p("separator", Type::Text), p("list", Type::Any)],
        "string",
        "The items as one text.",
        join,
    ),
    F.pure("sortAlpha", &[p("list", Type::Any)], "list", "The items as texts, sorted by bytes.", sort_alpha),
    F.pure(
        "split",
        &[p("separator", Type::Text), p("text", Type::Text)],
        "map",
        "The parts as `_0`, `_1`, ...",
        split,
    ),
    F.pure(
        "splitList",
        &[p("separator", Type::Text), p("text", Type::Text)],
        "list",
        "The parts.",
        split_list,
    ),
    F.pure(
        "splitn",
        &[p("separator", Type::Text), p("count", Type::Int), p("text", Type::Text)],
        "map",
        "At most count parts as `_0`, `_1`, ...",
        splitn,
    ),
    F.pure("toStrings", &[p("list", Type::Any)], "list", "The items as texts.", to_strings),
];

type Answer = Result<Value, Rule>;

fn abbrev(a: &[Value], _: &mut Context<'_>) -> Answer {
    let (width, text) = (int(a, 0)?, text(a, 1)?);
    if width < 4 { Ok(Value::Text(text.clone())) } else { abbreviate(text, 0, width).map(Value::text) }
}

fn abbrevboth(a: &[Value], _: &mut Context<'_>) -> Answer {
    let (left, right, text) = (int(a, 0)?, int(a, 1)?, text(a, 2)?);
    if right < 4 || (left > 0 && right < 7) {
        return Ok(Value::Text(text.clone()));
    }
    abbreviate(text, left, right).map(Value::text)
}

/// sprig's rule: what lies before `offset` is cut if it is longer than what would stand for it.
fn abbreviate(text: &[u8], offset: i64, width: i64) -> Result<Vec<u8>, Rule> {
    const MARK: &[u8] = b"...";
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    if width < 4 {
        return Ok(Vec::new());
    }
    if length <= width {
        return Ok(text.to_vec());
    }
    let kept = width - 3;
    let offset = offset.min(length).min(length - kept);
    if offset <= 4 {
        return Ok([cut(text, 0, kept)?, MARK].concat());
    }
    if width < 7 {
        return Ok(Vec::new());
    }
    if offset + kept < length {
        return Ok([MARK, &abbreviate(cut(text, offset, length)?, 0, kept)?].concat());
    }
    Ok([MARK, cut(text, length - kept, length)?].concat())
}

/// The bytes from start to before end, if they exist.
fn cut(text: &[u8], start: i64, end: i64) -> Result<&[u8], Rule> {
    let start = usize::try_from(start).map_err(|_| Rule::OutOfRange)?;
    let end = usize::try_from(end).map_err(|_| Rule::OutOfRange)?;
    text.get(start..end).ok_or(Rule::OutOfRange)
}

fn trunc(a: &[Value], _: &mut Context<'_>) -> Answer {
    let (count, text) = (int(a, 0)?, text(a, 1)?);
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    Ok(if count < 0 && length.saturating_add(count) > 0 {
        Value::text(Text::new(cut(text, length + count, length)?))
    } else if count >= 0 && length > count {
        Value::text(Text::new(cut(text, 0, count)?))
    } else {
        Value::Text(text.clone())
    })
}

fn trim(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(trimmed(text(a, 0)?, char::is_whitespace))
}

fn trim_all(a: &[Value], _: &mut Context<'_>) -> Answer {
    let cut: BTreeSet<char> = runes(text(a, 0)?).map(|rune| rune.char).collect();
    Ok(trimmed(text(a, 1)?, |c| cut.contains(&c)))
}

/// Without the characters at both ends.
fn trimmed(text: &[u8], cut: impl Fn(char) -> bool) -> Value {
    let (mut start, mut end) = (None, 0);
    let mut at = 0;
    for rune in runes(text) {
        let next = at + rune.bytes.len();
        if !cut(rune.char) {
            start.get_or_insert(at);
            end = next;
        }
        at = next;
    }
    Value::text(Text::new(text.get(start.unwrap_or(end)..end).unwrap_or_default()))
}

fn trim_suffix(a: &[Value], _: &mut Context<'_>) -> Answer {
    let whole = text(a, 1)?;
    Ok(Value::text(Text::new(whole.strip_suffix(&**text(a, 0)?).unwrap_or(whole))))
}

fn trim_prefix(a: &[Value], _: &mut Context<'_>) -> Answer {
    let whole = text(a, 1)?;
    Ok(Value::text(Text::new(whole.strip_prefix(&**text(a, 0)?).unwrap_or(whole))))
}

fn to_upper(a: &[Value], _: &mut Context<'_>) -> Answer {
    let text = text(a, 0)?;
    if text.is_ascii() {
        Ok(Value::text(text.to_ascii_uppercase()))
    } else {
        map(text, upper).map(Value::Text)
    }
}

fn to_lower(a: &[Value], _: &mut Context<'_>) -> Answer {
    let text = text(a, 0)?;
    if text.is_ascii() {
        Ok(Value::text(text.to_ascii_lowercase()))
    } else {
        map(text, lower).map(Value::Text)
    }
}

fn to_title(a: &[Value], _: &mut Context<'_>) -> Answer {
    let mut before = ' ';
    let start = |c: char| {
        let separates = if before.is_ascii() {
            !before.is_ascii_alphanumeric() && before != '_'
        } else {
            !before.is_alphanumeric() && before.is_whitespace()
        };
        before = c;
        if separates { title(c) } else { c }
    };
    map(text(a, 0)?, start).map(Value::Text)
}

fn substr(a: &[Value], _: &mut Context<'_>) -> Answer {
    let (start, end, text) = (int(a, 0)?, int(a, 1)?, text(a, 2)?);
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let (start, end) = match (start, end) {
        (start, end) if start < 0 => (0, end),
        (start, end) if end < 0 || end > length => (start, length),
        range => range,
    };
    cut(text, start, end).map(|part| Value::text(Text::new(part)))
}

fn repeat(a: &[Value], _: &mut Context<'_>) -> Answer {
    let count = usize::try_from(int(a, 0)?).map_err(|_| Rule::OutOfRange)?;
    let text = text(a, 1)?;
    check_text(text.len().saturating_mul(count))?;
    Ok(Value::text(text.repeat(count)))
}

fn contains(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::Bool(find(text(a, 1)?, text(a, 0)?, 0).is_some()))
}

fn has_prefix(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::Bool(text(a, 1)?.starts_with(text(a, 0)?)))
}

fn has_suffix(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::Bool(text(a, 1)?.ends_with(text(a, 0)?)))
}

/// All but nil, each written by `write`, with blanks between.
fn spaced(values: &[Value], mut write: impl FnMut(&mut Buffer, &Value) -> Result<(), Rule>) -> Answer {
    let mut out = Buffer::default();
    for (at, value) in values.iter().filter(|value| !matches!(value, Value::Nil)).enumerate() {
        if at > 0 {
            out.push_byte(b' ');
        }
        write(&mut out, value)?;
    }
    out.into_text().map(Value::Text)
}

fn quote(a: &[Value], _: &mut Context<'_>) -> Answer {
    spaced(rest(a, 0), |out, value| {
        push_quoted(out, &to_text(value)?, false);
        Ok(())
    })
}

fn squote(a: &[Value], _: &mut Context<'_>) -> Answer {
    spaced(rest(a, 0), |out, value| {
        out.push_byte(b'\'');
        display(out, value);
        out.push_byte(b'\'');
        Ok(())
    })
}

fn cat(a: &[Value], _: &mut Context<'_>) -> Answer {
    spaced(rest(a, 0), |out, value| {
        display(out, value);
        Ok(())
    })
}

fn indent(a: &[Value], _: &mut Context<'_>) -> Answer {
    indented(a, b"")
}

fn nindent(a: &[Value], _: &mut Context<'_>) -> Answer {
    indented(a, b"\n")
}

fn indented(a: &[Value], before: &[u8]) -> Answer {
    let blanks = usize::try_from(int(a, 0)?).map_err(|_| Rule::OutOfRange)?;
    let mut out = Buffer::default();
    out.push(before);
    for (at, line) in text(a, 1)?.split(|byte| *byte == b'\n').enumerate() {
        if at > 0 {
            out.push_byte(b'\n');
        }
        out.push_repeated(b' ', blanks);
        out.push(line);
    }
    out.into_text().map(Value::Text)
}

fn replace(a: &[Value], _: &mut Context<'_>) -> Answer {
    let (old, new, whole) = (text(a, 0)?, text(a, 1)?, text(a, 2)?);
    let mut out = Buffer::default();
    let mut at = 0;
    if old.is_empty() {
        out.push(new);
        for rune in runes(whole) {
            out.push(rune.bytes);
            out.push(new);
        }
        return out.into_text().map(Value::Text);
    }
    while let Some(next) = find(whole, old, at) {
        out.push(whole.get(at..next).unwrap_or_default());
        out.push(new);
        at = next + old.len();
    }
    out.push(whole.get(at..).unwrap_or_default());
    out.into_text().map(Value::Text)
}

fn plural(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::Text(text(a, if int(a, 2)? == 1 { 0 } else { 1 })?.clone()))
}

fn to_string(a: &[Value], _: &mut Context<'_>) -> Answer {
    to_text(any(a, 0)?).map(Value::Text)
}

fn hello(_: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(Value::text("Hello!"))
}

/// The items of a list but nil, as texts; anything else is a list of one.
fn as_texts(value: &Value) -> Result<Vec<Text>, Rule> {
    match value {
        Value::Nil => Ok(Vec::new()),
        Value::List(list) => {
            list.items().iter().filter(|item| !matches!(item, Value::Nil)).map(to_text).collect()
        }
        one => Ok(vec![to_text(one)?]),
    }
}

fn join(a: &[Value], _: &mut Context<'_>) -> Answer {
    let (separator, texts) = (text(a, 0)?, as_texts(any(a, 1)?)?);
    let mut out = Buffer::default();
    for (at, text) in texts.iter().enumerate() {
        if at > 0 {
            out.push(separator);
        }
        out.push(text);
    }
    out.into_text().map(Value::Text)
}

fn sort_alpha(a: &[Value], _: &mut Context<'_>) -> Answer {
    let mut texts = match any(a, 0)? {
        Value::Nil => vec![Text::from("<nil>")],
        value => as_texts(value)?,
    };
    texts.sort();
    Value::texts(texts)
}

fn to_strings(a: &[Value], _: &mut Context<'_>) -> Answer {
    Value::texts(as_texts(any(a, 0)?)?)
}

/// The parts between separators, at most `count` of them; without a separator, the characters.
fn parts(whole: &[u8], separator: &[u8], count: usize) -> Result<Vec<Text>, Rule> {
    let mut parts = Vec::new();
    let mut at = 0;
    while parts.len() + 1 < count {
        let next = match separator {
            [] => whole
                .get(at..)
                .and_then(first_rune)
                .map(|rune| at + rune.bytes.len())
                .filter(|end| *end < whole.len()),
            _ => find(whole, separator, at),
        };
        let Some(next) = next else { break };
        parts.push(Text::new(whole.get(at..next).unwrap_or_default()));
        check_list(parts.len())?;
        at = next + separator.len();
    }
    if !(separator.is_empty() && whole.is_empty()) {
        parts.push(Text::new(whole.get(at..).unwrap_or_default()));
    }
    Ok(parts)
}

fn split_list(a: &[Value], _: &mut Context<'_>) -> Answer {
    Value::texts(parts(text(a, 1)?, text(a, 0)?, usize::MAX)?)
}

fn split(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(numbered(parts(text(a, 1)?, text(a, 0)?, usize::MAX)?))
}

fn splitn(a: &[Value], _: &mut Context<'_>) -> Answer {
    let whole = text(a, 2)?;
    Ok(numbered(match int(a, 1)? {
        0 => Vec::new(),
        count => parts(whole, text(a, 0)?, usize::try_from(count).unwrap_or(usize::MAX))?,
    }))
}

fn numbered(parts: Vec<Text>) -> Value {
    let entries = parts.into_iter().enumerate().map(|(at, part)| (Text::from(format!("_{at}")), part));
    Value::Texts(std::rc::Rc::new(entries.collect()))
}
