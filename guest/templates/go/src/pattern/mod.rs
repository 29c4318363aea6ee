//! Regular expressions with RE2's syntax and semantics, on the `regex` crates' engine without backtracking.
//!
//! A pattern is translated before it is compiled: RE2's `\d`, `\w` and `\b` are ASCII, brackets have no set operations,
//! `\Q...\E` and octal escapes exist, a repetition may not be repeated. One difference is left: where the searched text is
//! not UTF-8, `.` does not match the invalid bytes.

mod expand;
mod translate;

use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;
use regex_automata::{Input, Span};

use crate::rule::Rule;
use crate::text::{Buffer, Text};

/// Memory that one compiled pattern may take.
const PATTERN_BYTES: usize = 2 << 20;
/// Compiled patterns that are kept within one call.
const KEPT: usize = 32;

/// A compiled pattern.
#[derive(Clone)]
pub(crate) struct Pattern(Regex);

/// The patterns that a call has compiled: a loop uses the same ones again and again.
#[derive(Default)]
pub(crate) struct Patterns {
    compiled: Vec<(Text, Pattern)>,
}

impl Patterns {
    /// The compiled pattern; refused if RE2 would refuse it.
    pub(crate) fn get(&mut self, pattern: &Text) -> Result<Pattern, Rule> {
        if let Some((_, known)) = self.compiled.iter().find(|(text, _)| text == pattern) {
            return Ok(known.clone());
        }
        let compiled = Pattern::new(pattern)?;
        if self.compiled.len() < KEPT {
            self.compiled.push((pattern.clone(), compiled.clone()));
        }
        Ok(compiled)
    }
}

impl Pattern {
    fn new(pattern: &[u8]) -> Result<Self, Rule> {
        let pattern = std::str::from_utf8(pattern).map_err(|_| Rule::BadArgument)?;
        let translated = translate::translate(pattern)?;
        let regex = Regex::builder()
            .syntax(syntax::Config::new().utf8(false).nest_limit(100))
            .configure(Config::new().nfa_size_limit(Some(PATTERN_BYTES)))
            .build(&translated);
        regex.map(Self).map_err(|_| Rule::BadArgument)
    }

    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        self.0.is_match(Input::new(text))
    }

    /// The first match.
    pub(crate) fn find<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        self.spans(text).next().and_then(|span| text.get(span.range()))
    }

    /// All matches that do not overlap, in order.
    pub(crate) fn spans<'s>(&'s self, text: &'s [u8]) -> impl Iterator<Item = Span> + 's {
        self.0.find_iter(text).map(|found| found.span())
    }

    /// Every match replaced; `$1` and `${name}` in the replacement stand for groups.
    pub(crate) fn replace(&self, text: &[u8], replacement: &[u8]) -> Result<Text, Rule> {
        let mut out = Buffer::default();
        let mut at = 0;
        for groups in self.0.captures_iter(text) {
            let Some(span) = groups.get_group(0) else { continue };
            out.push(text.get(at..span.start).unwrap_or_default());
            expand::expand(&mut out, &groups, text, replacement);
            at = span.end;
            out.check()?;
        }
        out.push(text.get(at..).unwrap_or_default());
        out.into_text()
    }

    /// Every match replaced by the same text.
    pub(crate) fn replace_literally(&self, text: &[u8], replacement: &[u8]) -> Result<Text, Rule> {
        let mut out = Buffer::default();
        let mut at = 0;
        for span in self.spans(text) {
            out.push(text.get(at..span.start).unwrap_or_default());
            out.push(replacement);
            at = span.end;
        }
        out.push(text.get(at..).unwrap_or_default());
        out.into_text()
    }
}
