//! Splits a template's text into tokens.
//!
//! Follows Go's lexer token for token, since what counts as one token decides what parses: white space inside an action
//! is a token, a trim marker needs a blank, a comment must fill its whole action. The lexer stops at the first error and
//! leaves it as the last token, so the parser reports whichever error comes first. It decides nothing about names.

use crate::rule::Rule;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Error(Rule),
    End,
    Text,
    LeftDelimiter,
    RightDelimiter,
    Space,
    Assign,
    Declare,
    Pipe,
    LeftParen,
    RightParen,
    /// A printable character that has no meaning of its own, such as a comma.
    Other,
    String,
    RawString,
    Character,
    Number,
    Complex,
    /// `.name`
    Field,
    /// `$` or `$name`
    Variable,
    Identifier,
    Bool,
    Dot,
    Keyword(Keyword),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyword {
    Nil,
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Range,
    Template,
    With,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind,
    /// Byte offset in the template's text.
    pub(crate) at: usize,
    pub(crate) text: &'t str,
}

/// What opens and closes an action.
#[derive(Debug, Clone, Copy)]
pub struct Delimiters<'a> {
    /// `{{` unless configured otherwise.
    pub left: &'a str,
    /// `}}` unless configured otherwise.
    pub right: &'a str,
}

impl Default for Delimiters<'_> {
    fn default() -> Self {
        Self { left: "{{", right: "}}" }
    }
}

/// All tokens of the text. The last is `End` or `Error`.
pub(crate) fn lex<'t>(text: &'t str, delimiters: Delimiters<'_>) -> Vec<Token<'t>> {
    let mut lexer = Lexer {
        text,
        delimiters,
        start: 0,
        at: 0,
        parens: 0,
        tokens: Vec::with_capacity(text.len() / 8 + 4),
    };
    if let Err(rule) = lexer.texts() {
        lexer.tokens.push(Token { kind: Kind::Error(rule), at: lexer.start, text: "" });
    }
    lexer.tokens
}

/// The length of a number at the start of `text`, or none if what follows makes it none.
pub(crate) fn scan_number(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let prefix = (bytes.get(at), bytes.get(at + 1).map(u8::to_ascii_lowercase));
    let (digit, exponent): (fn(u8) -> bool, Option<u8>) = match prefix {
        (Some(b'0'), Some(b'x')) => (|b| b.is_ascii_hexdigit(), Some(b'p')),
        (Some(b'0'), Some(b'o')) => (|b| matches!(b, b'0'..=b'7'), None),
        (Some(b'0'), Some(b'b')) => (|b| matches!(b, b'0' | b'1'), None),
        _ => (|b| b.is_ascii_digit(), Some(b'e')),
    };
    if matches!(prefix, (Some(b'0'), Some(b'x' | b'o' | b'b'))) {
        at += 2;
    }
    let run = |from: usize, digit: fn(u8) -> bool| {
        from + bytes.iter().skip(from).take_while(|b| digit(**b) || **b == b'_').count()
    };
    at = run(at, digit);
    if bytes.get(at) == Some(&b'.') {
        at = run(at + 1, digit);
    }
    if exponent.is_some() && bytes.get(at).map(u8::to_ascii_lowercase) == exponent {
        at += 1;
        at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
        at = run(at, |b| b.is_ascii_digit());
    }
    at += usize::from(bytes.get(at) == Some(&b'i'));
    let next = text.get(at..).and_then(|rest| rest.chars().next());
    if next.is_some_and(is_alphanumeric) { None } else { Some(at) }
}

struct Lexer<'t, 'd> {
    text: &'t str,
    delimiters: Delimiters<'d>,
    start: usize,
    at: usize,
    parens: usize,
    tokens: Vec<Token<'t>>,
}

impl<'t> Lexer<'t, '_> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn emit(&mut self, kind: Kind) {
        let text = self.text.get(self.start..self.at).unwrap_or_default();
        self.tokens.push(Token { kind, at: self.start, text });
        self.start = self.at;
    }

    fn skip(&mut self, count: usize) {
        self.at += count;
        self.start = self.at;
    }

    /// Text and actions in turn, to the end.
    fn texts(&mut self) -> Result<(), Rule> {
        while let Some(distance) = self.rest().find(self.delimiters.left) {
            self.text_before(distance);
            self.left_delimiter()?;
        }
        self.at = self.text.len();
        if self.at > self.start {
            self.emit(Kind::Text);
        }
        self.emit(Kind::End);
        Ok(())
    }

    /// Emits the text before an action, without its trailing blanks if the action trims them.
    fn text_before(&mut self, distance: usize) {
        let text = self.rest().get(..distance).unwrap_or_default();
        let inside = self.rest().get(distance + self.delimiters.left.len()..).unwrap_or_default();
        let kept = if trims_left(inside) { text.trim_end_matches(is_space).len() } else { distance };
        self.at += kept;
        if kept > 0 {
            self.emit(Kind::Text);
        }
        self.skip(distance - kept);
    }

    fn left_delimiter(&mut self) -> Result<(), Rule> {
        let inside = self.rest().get(self.delimiters.left.len()..).unwrap_or_default();
        let marker = if trims_left(inside) { 2 } else { 0 };
        if inside.get(marker..).is_some_and(|rest| rest.starts_with("/*")) {
            self.skip(self.delimiters.left.len() + marker);
            return self.comment();
        }
        self.at += self.delimiters.left.len();
        self.emit(Kind::LeftDelimiter);
        self.skip(marker);
        self.parens = 0;
        self.action()
    }

    fn comment(&mut self) -> Result<(), Rule> {
        let length = self.rest().get(2..).and_then(|rest| rest.find("*/")).ok_or(Rule::Unclosed)?;
        self.at += 2 + length + 2;
        if self.right_delimiter().is_none() {
            return Err(Rule::Syntax);
        }
        self.close();
        Ok(())
    }

    /// The length of the right delimiter here with its trim marker, and whether it trims.
    fn right_delimiter(&self) -> Option<(usize, bool)> {
        let rest = self.rest();
        let right = self.delimiters.right;
        if trims_right(rest) && rest.get(2..).is_some_and(|tail| tail.starts_with(right)) {
            return Some((2, true));
        }
        rest.starts_with(right).then_some((0, false))
    }

    /// Passes the right delimiter and the blanks that it trims.
    fn close(&mut self) {
        let (marker, trims) = self.right_delimiter().unwrap_or_default();
        self.skip(marker);
        self.at += self.delimiters.right.len();
        let rest = self.rest();
        let blanks = if trims { rest.len() - rest.trim_start_matches(is_space).len() } else { 0 };
        self.skip(blanks);
    }

    /// The tokens of one action, its right delimiter included.
    fn action(&mut self) -> Result<(), Rule> {
        while self.right_delimiter().is_none() {
            self.inside()?;
        }
        if self.parens > 0 {
            return Err(Rule::Unclosed);
        }
        let end = Token { kind: Kind::RightDelimiter, at: self.at, text: "" };
        self.tokens.push(end);
        self.close();
        Ok(())
    }

    fn inside(&mut self) -> Result<(), Rule> {
        let Some(c) = self.peek() else {
            return Err(Rule::Unclosed);
        };
        match c {
            _ if is_space(c) => self.space(),
            '+' | '-' | '0'..='9' => return self.number(),
            '.' if self.rest().as_bytes().get(1).is_some_and(u8::is_ascii_digit) => return self.number(),
            _ if is_alphanumeric(c) => return self.identifier(),
            _ => {
                self.next();
                return self.punctuation(c);
            }
        }
        Ok(())
    }

    fn punctuation(&mut self, c: char) -> Result<(), Rule> {
        match c {
            '=' => self.emit(Kind::Assign),
            ':' if self.next() == Some('=') => self.emit(Kind::Declare),
            ':' => return Err(Rule::Syntax),
            '|' => self.emit(Kind::Pipe),
            '"' => return self.quoted('"', Kind::String),
            '\'' => return self.quoted('\'', Kind::Character),
            '`' => return self.raw(),
            '$' => return self.name(Kind::Variable, Kind::Variable),
            '.' => return self.name(Kind::Dot, Kind::Field),
            '(' => {
                self.parens += 1;
                self.emit(Kind::LeftParen);
            }
            ')' => {
                self.parens = self.parens.checked_sub(1).ok_or(Rule::Syntax)?;
                self.emit(Kind::RightParen);
            }
            ' '..='~' => self.emit(Kind::Other),
            _ => return Err(Rule::Syntax),
        }
        Ok(())
    }

    /// A run of blanks, but not the one that belongs to a trimming right delimiter.
    fn space(&mut self) {
        while self.peek().is_some_and(is_space) && self.right_delimiter().is_none() {
            self.next();
        }
        if self.at > self.start {
            self.emit(Kind::Space);
        }
    }

    fn identifier(&mut self) -> Result<(), Rule> {
        self.letters()?;
        let kind = match self.text.get(self.start..self.at).unwrap_or_default() {
            "true" | "false" => Kind::Bool,
            word => keyword(word).map_or(Kind::Identifier, Kind::Keyword),
        };
        self.emit(kind);
        Ok(())
    }

    /// What follows `$` or `.`: nothing, or a name.
    fn name(&mut self, bare: Kind, named: Kind) -> Result<(), Rule> {
        if self.at_terminator() {
            self.emit(bare);
            return Ok(());
        }
        self.letters()?;
        self.emit(named);
        Ok(())
    }

    fn letters(&mut self) -> Result<(), Rule> {
        while self.peek().is_some_and(is_alphanumeric) {
            self.next();
        }
        if self.at_terminator() { Ok(()) } else { Err(Rule::Syntax) }
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(c) => is_space(c) || self.rest().starts_with(self.delimiters.right),
        }
    }

    fn number(&mut self) -> Result<(), Rule> {
        self.at += scan_number(self.rest()).ok_or(Rule::BadLiteral)?;
        if !matches!(self.peek(), Some('+' | '-')) {
            self.emit(Kind::Number);
            return Ok(());
        }
        self.at += scan_number(self.rest()).ok_or(Rule::BadLiteral)?;
        if !self.text.get(self.start..self.at).unwrap_or_default().ends_with('i') {
            return Err(Rule::BadLiteral);
        }
        self.emit(Kind::Complex);
        Ok(())
    }

    fn quoted(&mut self, quote: char, kind: Kind) -> Result<(), Rule> {
        loop {
            match self.next() {
                Some('\\') => {
                    if matches!(self.next(), None | Some('\n')) {
                        return Err(Rule::Unclosed);
                    }
                }
                None | Some('\n') => return Err(Rule::Unclosed),
                Some(c) if c == quote => break,
                Some(_) => {}
            }
        }
        self.emit(kind);
        Ok(())
    }

    fn raw(&mut self) -> Result<(), Rule> {
        let length = self.rest().find('`').ok_or(Rule::Unclosed)?;
        self.at += length + 1;
        self.emit(Kind::RawString);
        Ok(())
    }
}

fn keyword(word: &str) -> Option<Keyword> {
    Some(match word {
        "nil" => Keyword::Nil,
        "block" => Keyword::Block,
        "break" => Keyword::Break,
        "continue" => Keyword::Continue,
        "define" => Keyword::Define,
        "else" => Keyword::Else,
        "end" => Keyword::End,
        "if" => Keyword::If,
        "range" => Keyword::Range,
        "template" => Keyword::Template,
        "with" => Keyword::With,
        _ => return None,
    })
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn trims_left(inside: &str) -> bool {
    matches!(inside.as_bytes(), [b'-', b' ' | b'\t' | b'\r' | b'\n', ..])
}

fn trims_right(rest: &str) -> bool {
    matches!(rest.as_bytes(), [b' ' | b'\t' | b'\r' | b'\n', b'-', ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every token's text, with the error's rule at the end if there is one.
    fn check(text: &str, expected: &[&str]) {
        let seen: Vec<_> = lex(text, Delimiters::default())
            .iter()
            .map(|token| match token.kind {
                Kind::Error(rule) => format!("!{}", rule.name()),
                Kind::End => "END".to_owned(),
                Kind::RightDelimiter => "}}".to_owned(),
                _ => token.text.to_owned(),
            })
            .collect();
        assert_eq!(seen, expected, "{text}");
    }

    #[test]
    fn tokens() {
        for (text, expected) in [
            ("a", &["a", "END"][..]),
            ("", &["END"]),
            ("a {{- .b -}} c", &["a", "{{", ".b", "}}", "c", "END"]),
            ("{{-3}}", &["{{", "-3", "}}", "END"]),
            ("x {{/* y */ -}} z", &["x ", "z", "END"]),
            ("{{ $x:=1 }}", &["{{", " ", "$x", ":=", "1", " ", "}}", "END"]),
            ("{{.a.b}}", &["{{", ".a", ".b", "}}", "END"]),
            ("{{1.2.3}}", &["{{", "1.2", ".3", "}}", "END"]),
            ("{{1+2i}}", &["{{", "1+2i", "}}", "END"]),
            ("{{0x1e+2i}}", &["{{", "0x1e+2i", "}}", "END"]),
            ("{{(.a)}}", &["{{", "(", ".a", ")", "}}", "END"]),
            ("{{`a}}`}}", &["{{", "`a}}`", "}}", "END"]),
            ("{{ . -}}\n x", &["{{", " ", ".", "}}", "x", "END"]),
            ("{{ .a  -}}", &["{{", " ", ".a", " ", "}}", "END"]),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn errors() {
        for (text, rule) in [
            ("{{", "!unclosed"),
            ("{{/*", "!unclosed"),
            ("{{\"a", "!unclosed"),
            ("{{\"a\n\"}}", "!unclosed"),
            ("{{(.a}}", "!unclosed"),
            ("{{)}}", "!syntax"),
            ("{{:}}", "!syntax"),
            ("{{.a-b}}", "!syntax"),
            ("{{1a}}", "!bad-literal"),
            ("{{/*x*/ }}", "!syntax"),
            ("{{☃}}", "!syntax"),
        ] {
            let tokens = lex(text, Delimiters::default());
            let last = tokens.last().map(|token| token.kind);
            assert_eq!(
                last,
                Rule::ALL.iter().find(|r| rule.ends_with(r.name())).map(|r| Kind::Error(*r)),
                "{text}"
            );
        }
    }

    #[test]
    fn other_delimiters() {
        let seen = lex("{{a <<.b>>", Delimiters { left: "<<", right: ">>" });
        assert_eq!(seen.iter().map(|t| t.text).collect::<Vec<_>>(), ["{{a ", "<<", ".b", "", ""]);
    }
}
