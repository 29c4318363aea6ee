//! Words: changing their case, cutting lines, initials. Several count bytes where a reader would expect characters and
//! mangle what is not ASCII; ESO's templates see the same.

use super::arguments::{int, text};
use super::{Context, Family, Function, Type, p};
use crate::letters::{is_title, lower, map, title, upper};
use crate::rule::Rule;
use crate::text::{Buffer, first_rune};
use crate::value::Value;

const F: Family = Family::Strings;

pub(super) const ROWS: &[Function] = &[
    F.pure("untitle", &[p("text", Type::Text)], "string", "Each word with a lower-case start.", untitle),
    F.pure("nospace", &[p("text", Type::Text)], "string", "Without white space.", nospace),
    F.pure("initials", &[p("text", Type::Text)], "string", "The first byte of each word.", initials),
    F.pure(
        "swapcase",
        &[p("text", Type::Text)],
        "string",
        "Upper for lower case; a word's start becomes title case.",
        swapcase,
    ),
    F.pure("snakecase", &[p("text", Type::Text)], "string", "In snake_case.", snakecase),
    F.pure("kebabcase", &[p("text", Type::Text)], "string", "In kebab-case.", kebabcase),
    F.pure("camelcase", &[p("text", Type::Text)], "string", "In PascalCase.", camelcase),
    F.pure(
        "wrap",
        &[p("width", Type::Int), p("text", Type::Text)],
        "string",
        "Lines of that width; long words stay.",
        wrap,
    ),
    F.pure(
        "wrapWith",
        &[p("width", Type::Int), p("newline", Type::Text), p("text", Type::Text)],
        "string",
        "Lines of that width, joined by newline; long words are cut.",
        wrap_with,
    ),
];

type Answer = Result<Value, Rule>;

fn untitle(a: &[Value], _: &mut Context<'_>) -> Answer {
    let mut starts = true;
    let change = |c: char| {
        let now = std::mem::replace(&mut starts, c.is_whitespace());
        if now && !c.is_whitespace() { lower(c) } else { c }
    };
    map(text(a, 0)?, change).map(Value::Text)
}

fn swapcase(a: &[Value], _: &mut Context<'_>) -> Answer {
    let mut after_space = true;
    let change = |c: char| {
        if c.is_uppercase() || is_title(c) {
            after_space = false;
            lower(c)
        } else if c.is_lowercase() {
            if std::mem::take(&mut after_space) { title(c) } else { upper(c) }
        } else {
            after_space = c.is_whitespace();
            c
        }
    };
    map(text(a, 0)?, change).map(Value::Text)
}

/// A byte taken for a character of its own.
fn is_space_byte(byte: u8) -> bool {
    char::from(byte).is_whitespace()
}

fn nospace(a: &[Value], _: &mut Context<'_>) -> Answer {
    let text = text(a, 0)?;
    if !text.iter().any(|byte| is_space_byte(*byte)) {
        return Ok(Value::Text(text.clone()));
    }
    Ok(Value::text(
        text.iter().filter(|byte| !is_space_byte(**byte)).map(|byte| char::from(*byte)).collect::<String>(),
    ))
}

fn initials(a: &[Value], _: &mut Context<'_>) -> Answer {
    let mut out = String::new();
    let mut gap = true;
    for &byte in text(a, 0)?.iter() {
        if !is_space_byte(byte) && gap {
            out.push(char::from(byte));
        }
        gap = is_space_byte(byte);
    }
    Ok(Value::text(out))
}

fn wrap(a: &[Value], _: &mut Context<'_>) -> Answer {
    wrapped(text(a, 1)?, int(a, 0)?, b"\n", false)
}

fn wrap_with(a: &[Value], _: &mut Context<'_>) -> Answer {
    let newline: &[u8] = text(a, 1)?;
    wrapped(text(a, 2)?, int(a, 0)?, if newline.is_empty() { b"\n" } else { newline }, true)
}

fn wrapped(text: &[u8], width: i64, newline: &[u8], cuts: bool) -> Answer {
    let width = usize::try_from(width).unwrap_or_default().max(1);
    let mut out = Buffer::default();
    let mut rest = text;
    while rest.len() > width {
        if let [b' ', tail @ ..] = rest {
            rest = tail;
            continue;
        }
        let last = rest.get(..=width).and_then(|line| line.iter().rposition(|byte| *byte == b' '));
        let later = || rest.iter().skip(width).position(|byte| *byte == b' ').map(|at| at + width);
        let (end, skipped) = match (last, cuts) {
            (Some(end), _) => (end, 1),
            (None, true) => (width, 0),
            (None, false) => match later() {
                Some(end) => (end, 1),
                None => break,
            },
        };
        out.push(rest.get(..end).unwrap_or_default());
        out.push(newline);
        rest = rest.get(end + skipped..).unwrap_or_default();
    }
    out.push(rest);
    out.into_text().map(Value::Text)
}

fn snakecase(a: &[Value], _: &mut Context<'_>) -> Answer {
    lowered(text(a, 0)?, '_')
}

fn kebabcase(a: &[Value], _: &mut Context<'_>) -> Answer {
    lowered(text(a, 0)?, '-')
}

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || c.is_whitespace()
}

fn camelcase(a: &[Value], _: &mut Context<'_>) -> Answer {
    let mut rest: Vec<char> = crate::text::runes(text(a, 0)?).map(|rune| rune.char).collect();
    let start = rest.iter().position(|c| !is_connector(*c));
    let Some(start) = start else {
        // sprig writes the last of nothing but connectors twice.
        rest.extend(rest.last().copied());
        return Ok(Value::text(rest.into_iter().collect::<String>()));
    };
    let tail = rest.split_off(start);
    let mut out: String = rest.into_iter().collect();
    let mut letters = tail.into_iter();
    let Some(first) = letters.next() else {
        return Ok(Value::text(out));
    };
    let mut shouting = first.is_uppercase();
    let mut current = upper(first);
    for c in letters {
        let before = std::mem::replace(&mut current, c);
        if is_connector(c) && is_connector(before) {
            out.push(before);
        } else if is_connector(before) {
            shouting = c.is_uppercase();
            current = upper(c);
        } else {
            shouting &= c.is_uppercase();
            if shouting {
                current = lower(c);
            }
            out.push(before);
        }
    }
    out.push(current);
    Ok(Value::text(out))
}

/// What a run of characters is when words are told apart.
#[derive(PartialEq, Clone, Copy)]
enum Word {
    End,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

fn class(c: char) -> Word {
    match c {
        _ if is_connector(c) => Word::Connector,
        _ if is_punctuation(c) => Word::Punctuation,
        _ if c.is_uppercase() => Word::Upper,
        _ if is_alphabet(c) => Word::Alphabet,
        _ if c.is_numeric() => Word::Number,
        _ => Word::Other,
    }
}

/// Unicode's punctuation, for ASCII without its symbols; the blocks that are punctuation throughout beyond that.
fn is_punctuation(c: char) -> bool {
    let symbol = matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~');
    (c.is_ascii_punctuation() && !symbol)
        || matches!(c, '¡' | '§' | '«' | '¶' | '·' | '»' | '¿' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{2043}')
        || matches!(c, '\u{2045}'..='\u{2051}' | '\u{2053}'..='\u{205e}' | '、'..='〃' | '〈'..='】' | '〔'..='〟')
}

/// Letters that have words, which ideographs do not.
fn is_alphabet(c: char) -> bool {
    let ideograph =
        matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{20000}'..='\u{2b81d}');
    c.is_alphabetic() && !ideograph
}

/// Takes the first word off. A single upper-case letter belongs to the small ones that follow; of several, the last does.
fn next_word<'t>(rest: &mut &'t [u8]) -> (Word, &'t [u8]) {
    let whole = *rest;
    let Some(first) = first_rune(whole) else {
        return (Word::End, b"");
    };
    let word = class(first.char);
    let mut end = first.bytes.len();
    let mut last = end;
    let take = |end: &mut usize, last: &mut usize, fits: &dyn Fn(char) -> bool| {
        while let Some(rune) = whole.get(*end..).and_then(first_rune).filter(|rune| fits(rune.char)) {
            *last = rune.bytes.len();
            *end += *last;
        }
    };
    let small = |c: char| is_alphabet(c) && !c.is_uppercase();
    match word {
        Word::Upper => {
            take(&mut end, &mut last, &char::is_uppercase);
            let several = end > first.bytes.len();
            let followed = whole.get(end..).and_then(first_rune).is_some_and(|rune| is_alphabet(rune.char));
            if several && followed {
                end -= last;
            } else if !several {
                take(&mut end, &mut last, &small);
            }
        }
        Word::Alphabet => take(&mut end, &mut last, &small),
        // Within punctuation, hyphens and underscores are no connectors.
        Word::Punctuation => take(&mut end, &mut last, &is_punctuation),
        _ => take(&mut end, &mut last, &|c| class(c) == word),
    }
    let (taken, tail) = whole.split_at_checked(end).unwrap_or((whole, b""));
    *rest = tail;
    (word, taken)
}

/// Writes a word: capitals become small, connectors become the one that is wanted.
fn push_word(out: &mut Buffer, word: Word, text: &[u8], connector: char) {
    if word != Word::Upper && word != Word::Connector {
        out.push(text);
        return;
    }
    for rune in crate::text::runes(text) {
        out.push_char(if is_connector(rune.char) { connector } else { lower(rune.char) });
    }
}

/// Words in small letters with a connector between them; digits stay with the word before, unless letters follow.
fn lowered(text: &[u8], connector: char) -> Answer {
    let mut out = Buffer::default();
    let mut rest = text;
    let (mut word, mut letters) = next_word(&mut rest);
    while !rest.is_empty() {
        if word != Word::Connector {
            push_word(&mut out, word, letters, connector);
        }
        let (previous, last) = (word, letters);
        (word, letters) = next_word(&mut rest);
        match previous {
            Word::Number => join_small(&mut out, &mut word, &mut letters, &mut rest, connector),
            Word::Connector => push_word(&mut out, previous, last, connector),
            Word::Punctuation => {}
            _ if word != Word::Number => {
                if word != Word::Connector && word != Word::Punctuation {
                    out.push_char(connector);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let digits = letters;
                (word, letters) = next_word(&mut rest);
                if word == Word::Alphabet {
                    out.push_char(connector);
                    push_word(&mut out, Word::Number, digits, connector);
                    join_small(&mut out, &mut word, &mut letters, &mut rest, connector);
                } else {
                    push_word(&mut out, Word::Number, digits, connector);
                    if word != Word::Connector && word != Word::Punctuation {
                        out.push_char(connector);
                    }
                }
            }
        }
    }
    push_word(&mut out, word, letters, connector);
    out.into_text().map(Value::Text)
}

/// Small letters and digits that follow digits stay with them; what comes then is a new word.
fn join_small<'t>(
    out: &mut Buffer,
    word: &mut Word,
    letters: &mut &'t [u8],
    rest: &mut &'t [u8],
    connector: char,
) {
    while matches!(*word, Word::Alphabet | Word::Number) {
        push_word(out, *word, letters, connector);
        (*word, *letters) = next_word(rest);
    }
    if !matches!(*word, Word::End | Word::Punctuation | Word::Connector) {
        out.push_char(connector);
    }
}
