//! The paths by which rules and selectable fields name a field: `.spec.items['a.b']`.

use super::node::{Additional, Node};

/// Walks a schema along a path: the path as messages show it, and the schema it ends at.
pub(super) fn resolve<'a>(
    schema: &'a Node,
    path: &str,
    brackets: bool,
) -> Result<(String, &'a Node), String> {
    let mut shown = String::new();
    let mut at = schema;
    let mut rest = path;
    while !rest.is_empty() {
        let (name, tail) = step(rest, brackets)?;
        match (at.properties.get(&name), &at.additional) {
            (Some(next), _) => {
                if !shown.is_empty() {
                    shown.push('.');
                }
                shown.push_str(&name);
                at = next;
            }
            (None, Some(Additional::Of(next))) if at.properties.is_empty() => {
                shown.push_str(&format!("[{name}]"));
                at = next;
            }
            _ => return Err("does not refer to a valid field".to_owned()),
        }
        rest = tail;
    }
    Ok((shown, at))
}

/// One `.name` or `['name']`, and what follows it.
fn step(path: &str, brackets: bool) -> Result<(String, &str), String> {
    if let Some(rest) = path.strip_prefix('.') {
        let end = rest.find(['.', '[', ']']).unwrap_or(rest.len());
        return match rest.split_at_checked(end) {
            Some(("", _)) | None => Err("unexpected end of JSON path".to_owned()),
            Some((name, tail)) => Ok((name.to_owned(), tail)),
        };
    }
    let Some(rest) = path.strip_prefix('[') else {
        return Err(format!("expected [ or . but got: {path}"));
    };
    if !brackets {
        return Err("array notation is not allowed".to_owned());
    }
    let Some(quoted) = rest.strip_prefix('\'') else {
        return Err(format!("expected single quoted string but got {rest}"));
    };
    let mut name = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' => name.push(unescape(characters.next().map(|(_, escaped)| escaped))?),
            '\'' => {
                let tail = quoted.get(index + 1..).unwrap_or_default();
                let tail = tail.strip_prefix(']').ok_or_else(|| format!("expected ] but got {tail}"))?;
                return Ok((name, tail));
            }
            other => name.push(other),
        }
    }
    Err("unexpected end of JSON path".to_owned())
}

fn unescape(escaped: Option<char>) -> Result<char, String> {
    match escaped {
        Some('n') => Ok('\n'),
        Some('r') => Ok('\r'),
        Some('t') => Ok('\t'),
        Some(other @ ('\'' | '\\')) => Ok(other),
        Some(other) => Err(format!("invalid string literal: invalid escape char \\{other}")),
        None => Err("unexpected end of JSON path".to_owned()),
    }
}
