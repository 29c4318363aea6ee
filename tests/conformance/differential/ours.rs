//! The default engine, natively, and what a rendering comes to on either side.

use std::fmt;

use template_go::draw::{Draw, KeyKind};
use template_go::engine::{self, Entry, Request, Scope, Template};
use template_go::lexer::Delimiters;
use template_go::rule::Rule;

use crate::grammar::DATA;

/// What a template comes to.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Rendered(Vec<u8>),
    /// In the side's own words.
    Failed(String),
    /// It is too large to be compared.
    Limited,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rendered(bytes) => write!(f, "{:?}", String::from_utf8_lossy(bytes)),
            Self::Failed(why) => write!(f, "fails: {why}"),
            Self::Limited => f.write_str("is too large"),
        }
    }
}

pub(crate) fn render(text: &str) -> Outcome {
    let request = Request {
        templates: vec![Template { key: "out", text, scope: Scope::Values }],
        data: DATA.iter().map(|(key, value)| Entry { key, value: value.as_bytes() }).collect(),
        delimiters: Delimiters::default(),
    };
    match engine::render(&request, &mut Nothing) {
        Ok(rendered) => {
            let value = rendered.into_iter().flatten().next().map(|(_, value)| value).unwrap_or_default();
            if value.len() > crate::peer::LONGEST { Outcome::Limited } else { Outcome::Rendered(value) }
        }
        Err(fault) => match fault.rule {
            Rule::Work | Rule::Size | Rule::Nesting | Rule::Recursion => Outcome::Limited,
            rule => Outcome::Failed(format!("{} at {}:{}", rule.name(), fault.line, fault.column)),
        },
    }
}

/// No template of the grammar draws.
struct Nothing;

impl Draw for Nothing {
    fn bytes(&mut self, _: &str, _: u32) -> Vec<u8> {
        Vec::new()
    }

    fn key(&mut self, _: &str, _: KeyKind) -> Vec<u8> {
        Vec::new()
    }

    fn now(&mut self) -> u64 {
        0
    }
}
