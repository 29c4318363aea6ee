//! A tree to text, byte for byte as go-yaml's emitter lays it out: block style, lists not indented under a key, two blanks
//! a level, keys in natural order, long texts folded past column 80, what would read as something else quoted.

use std::cmp::Ordering;

use super::Node;
use super::resolve::{self, Tag};
use crate::rule::Rule;
use crate::text::{Buffer, Text};
use crate::yaml::scalar::{Scalar, Style};

/// Past this column a text is folded at its next blank.
const WIDTH: usize = 80;
/// A longer key is written with a question mark.
const KEY_BYTES: usize = 128;

/// Writes a document, without the newline that ends it.
pub(crate) fn emit(node: &Node) -> Result<Text, Rule> {
    let mut emitter = Emitter { out: Buffer::default(), line_start: 0 };
    emitter.root(node);
    let mut bytes = emitter.out.into_bytes()?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(Text::from(bytes))
}

struct Emitter {
    out: Buffer,
    line_start: usize,
}

impl Emitter {
    fn column(&self) -> usize {
        let line = self.out.bytes().get(self.line_start..).unwrap_or_default();
        line.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
    }

    fn newline(&mut self) {
        self.out.push_byte(b'\n');
        self.line_start = self.out.len();
    }

    /// To that column of a line of its own.
    fn indent(&mut self, indent: usize) {
        if self.column() > 0 {
            self.newline();
        }
        self.out.push_repeated(b' ', indent);
    }

    fn root(&mut self, node: &Node) {
        match node {
            Node::Map(_) | Node::List(_) => self.item(node, 0),
            _ => self.scalar(node, 2, false),
        }
    }

    /// Entries at an indent; the first goes on where the line is, if it is `inline`.
    fn map(&mut self, entries: &[(Node, Node)], indent: usize, inline: bool) {
        for (at, (key, value)) in sorted(entries).into_iter().enumerate() {
            if self.out.is_full() {
                return;
            }
            if at > 0 || !inline {
                self.indent(indent);
            }
            let text = scalar_of(key);
            let simple = text.text.len() <= KEY_BYTES && !text.text.contains('\n');
            if simple {
                self.write(&text, indent + 2, true);
            } else {
                self.out.push(b"? ");
                self.write(&text, indent + 2, false);
                self.indent(indent);
            }
            self.out.push_byte(b':');
            self.value(value, indent, simple);
        }
    }

    /// What follows a key. After a key with a question mark, a map or list goes on in its line.
    fn value(&mut self, value: &Node, indent: usize, simple: bool) {
        match value {
            Node::Map(entries) if !entries.is_empty() && simple => self.map(entries, indent + 2, false),
            Node::List(items) if !items.is_empty() && simple => self.list(items, indent, false),
            _ => {
                self.out.push_byte(b' ');
                self.item(value, indent + 2);
            }
        }
    }

    /// A node that goes on in the line.
    fn item(&mut self, node: &Node, indent: usize) {
        match node {
            Node::Map(entries) if !entries.is_empty() => self.map(entries, indent, true),
            Node::List(items) if !items.is_empty() => self.list(items, indent, true),
            _ => self.scalar(node, indent, false),
        }
    }

    fn list(&mut self, items: &[Node], indent: usize, inline: bool) {
        for (at, item) in items.iter().enumerate() {
            if self.out.is_full() {
                return;
            }
            if at > 0 || !inline {
                self.indent(indent);
            }
            self.out.push(b"- ");
            self.item(item, indent + 2);
        }
    }

    fn scalar(&mut self, node: &Node, indent: usize, key: bool) {
        match node {
            Node::Map(_) => self.out.push(b"{}"),
            Node::List(_) => self.out.push(b"[]"),
            _ => self.write(&scalar_of(node), indent, key),
        }
    }

    /// Writes a text in its style; `indent` is where its next lines start.
    fn write(&mut self, scalar: &Scalar<'_>, indent: usize, key: bool) {
        match scalar.style(key) {
            Style::Plain => self.folded(scalar.text, indent, !key, false),
            Style::Single => {
                self.out.push_byte(b'\'');
                self.folded(scalar.text, indent, !key, true);
                self.out.push_byte(b'\'');
            }
            Style::Double => self.double(scalar.text, indent, !key),
            Style::Literal => self.literal(scalar.text, indent),
        }
    }

    /// A text whose long lines break at blanks. Quoted, a blank at either end stays and a quote is doubled.
    fn folded(&mut self, text: &str, indent: usize, breaks: bool, quoted: bool) {
        let mut after_blank = false;
        let mut after_break = false;
        let last = text.len().saturating_sub(1);
        for (at, c) in text.char_indices() {
            let edge = quoted && (at == 0 || at == last);
            let doubled = text.get(at + 1..).is_some_and(|rest| rest.starts_with(' '));
            if c == ' ' && breaks && !after_blank && self.column() > WIDTH && !edge && !doubled {
                self.indent(indent);
            } else if c == '\n' {
                if !after_break {
                    self.newline();
                }
                self.newline();
            } else {
                if after_break {
                    self.indent(indent);
                }
                if c == '\'' && quoted {
                    self.out.push_byte(b'\'');
                }
                self.out.push_char(c);
            }
            after_blank = c == ' ';
            after_break = c == '\n';
        }
    }

    fn double(&mut self, text: &str, indent: usize, breaks: bool) {
        self.out.push_byte(b'"');
        let mut after_blank = false;
        let last = text.len().saturating_sub(1);
        for (at, c) in text.char_indices() {
            let edge = at == 0 || at == last;
            if c == ' ' && breaks && !after_blank && self.column() > WIDTH && !edge {
                self.indent(indent);
                if text.get(at + 1..).is_some_and(|rest| rest.starts_with(' ')) {
                    self.out.push_byte(b'\\');
                }
            } else {
                self.escaped(c);
            }
            after_blank = c == ' ';
        }
        self.out.push_byte(b'"');
    }

    fn escaped(&mut self, c: char) {
        let short = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '\u{85}' => "\\N",
            '\u{a0}' => "\\_",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            _ if super::scalar::is_printable(c) => {
                self.out.push_char(c);
                return;
            }
            _ => {
                let code = u32::from(c);
                self.out.push_str(&match code {
                    0..=0xff => format!("\\x{code:02X}"),
                    0x100..=0xffff => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                });
                return;
            }
        };
        // A no-break space is printable, and written as it is.
        if c == '\u{a0}' { self.out.push_char(c) } else { self.out.push_str(short) }
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.out.push_byte(b'|');
        if text.starts_with([' ', '\n']) {
            self.out.push_byte(b'2');
        }
        let body = text.strip_suffix('\n');
        match body {
            None => self.out.push_byte(b'-'),
            Some(body) if body.is_empty() || body.ends_with('\n') => self.out.push_byte(b'+'),
            Some(_) => {}
        }
        for line in body.unwrap_or(text).split('\n') {
            self.newline();
            if !line.is_empty() {
                self.out.push_repeated(b' ', indent);
                self.out.push_str(line);
            }
        }
        if body.is_some() {
            self.newline();
        }
    }
}

/// A scalar's text and how it may be written.
fn scalar_of(node: &Node) -> Scalar<'_> {
    match node {
        Node::Text(text) => {
            let text = std::str::from_utf8(text).unwrap_or_default();
            Scalar { text, wanted: wanted(text) }
        }
        Node::Plain(text) => Scalar { text, wanted: Style::Plain },
        Node::Bool(value) => Scalar { text: if *value { "true" } else { "false" }, wanted: Style::Plain },
        _ => Scalar { text: "null", wanted: Style::Plain },
    }
}

/// A text that would read as something else is quoted.
fn wanted(text: &str) -> Style {
    let read_back = resolve::resolve(Tag::Plain, text);
    if text.contains('\n') {
        Style::Literal
    } else if matches!(read_back, Ok(Node::Text(_)))
        && !resolve::is_timestamp(text.as_bytes())
        && !is_base_60(text)
        && text != "<<"
    {
        Style::Plain
    } else {
        Style::Double
    }
}

/// Numbers such as `190:20:30`, which YAML 1.1 reads to base 60.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let first = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let sixty = |part: &str| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    let [middle @ .., last] = rest.as_slice() else {
        return false;
    };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    first.starts_with(|c: char| c.is_ascii_digit())
        && digits(first)
        && middle.iter().all(|part| sixty(part))
        && sixty(last)
        && digits(fraction)
}

/// The entries in the order of their keys: digits by value, letters behind everything else.
fn sorted(entries: &[(Node, Node)]) -> Vec<&(Node, Node)> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by(|(left, _), (right, _)| natural(scalar_of(left).text, scalar_of(right).text));
    sorted
}

fn natural(left: &str, right: &str) -> Ordering {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    for (at, (a, b)) in left.iter().zip(&right).enumerate() {
        if a == b {
            continue;
        }
        match (a.is_alphabetic(), b.is_alphabetic()) {
            (true, true) => return a.cmp(b),
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) => {}
        }
        // Zeros within a number count as digits of it, those before it do not.
        let zero = *a == '0' || *b == '0';
        let before = left.get(..at).unwrap_or_default().iter().rev().take_while(|c| c.is_numeric());
        let start = i64::from(zero && before.into_iter().any(|c| *c != '0'));
        let (a_value, a_end) = number_at(&left, at, start);
        let (b_value, b_end) = number_at(&right, at, start);
        return a_value.cmp(&b_value).then(a_end.cmp(&b_end)).then(a.cmp(b));
    }
    left.len().cmp(&right.len())
}

fn number_at(text: &[char], at: usize, start: i64) -> (i64, usize) {
    let digits = text.iter().skip(at).map_while(|c| c.to_digit(10));
    let value =
        digits.clone().fold(start, |value, digit| value.wrapping_mul(10).wrapping_add(i64::from(digit)));
    (value, at + digits.count())
}
