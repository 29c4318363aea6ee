//! A template as a tree, so that it can be printed and made smaller.

use std::fmt::{self, Display};

/// A whole text.
#[derive(Debug, Clone)]
pub(crate) struct Template(pub(crate) Vec<Part>);

/// What stands between two other parts.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Text(&'static str),
    /// With `-` at its sides or not.
    Print(Expression, bool, bool),
    /// A variable's first value, or another one.
    Let(&'static str, Expression, bool),
    If(Expression, Vec<Part>, Vec<Part>),
    With(Expression, Vec<Part>, Vec<Part>),
    /// With `$i, $v` or not.
    Range(Expression, bool, Vec<Part>, Vec<Part>),
    /// A template and its use on the spot.
    Define(Vec<Part>, Expression),
    Break,
    Continue,
}

/// What has a value.
#[derive(Debug, Clone)]
pub(crate) enum Expression {
    /// A literal, a field, a variable.
    Leaf(String),
    Call(String, Vec<Expression>),
    /// The last argument through a pipe.
    Pipe(Box<Expression>, String, Vec<Expression>),
}

impl Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(f, &self.0)
    }
}

fn print(f: &mut fmt::Formatter<'_>, parts: &[Part]) -> fmt::Result {
    parts.iter().try_for_each(|part| part.fmt(f))
}

fn block(f: &mut fmt::Formatter<'_>, body: &[Part], otherwise: &[Part]) -> fmt::Result {
    print(f, body)?;
    if !otherwise.is_empty() {
        f.write_str("{{ else }}")?;
        print(f, otherwise)?;
    }
    f.write_str("{{ end }}")
}

impl Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Print(value, left, right) => {
                let trim = |trims: &bool| if *trims { "-" } else { "" };
                write!(f, "{{{{{} {value} {}}}}}", trim(left), trim(right))
            }
            Self::Let(name, value, first) => {
                let equals = if *first { ":=" } else { "=" };
                write!(f, "{{{{ {name} {equals} {value} }}}}")
            }
            Self::If(condition, body, otherwise) => {
                write!(f, "{{{{ if {condition} }}}}")?;
                block(f, body, otherwise)
            }
            Self::With(value, body, otherwise) => {
                write!(f, "{{{{ with {value} }}}}")?;
                block(f, body, otherwise)
            }
            Self::Range(over, named, body, otherwise) => {
                let names = if *named { "$i, $v := " } else { "" };
                write!(f, "{{{{ range {names}{over} }}}}")?;
                block(f, body, otherwise)
            }
            Self::Define(body, dot) => {
                f.write_str("{{ define \"part\" }}")?;
                block(f, body, &[])?;
                write!(f, "{{{{ template \"part\" {dot} }}}}")
            }
            Self::Break => f.write_str("{{ break }}"),
            Self::Continue => f.write_str("{{ continue }}"),
        }
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(text) => f.write_str(text),
            Self::Call(name, arguments) => called(f, name, arguments),
            Self::Pipe(last, name, arguments) => {
                write!(f, "{last} | ")?;
                called(f, name, arguments)
            }
        }
    }
}

fn called(f: &mut fmt::Formatter<'_>, name: &str, arguments: &[Expression]) -> fmt::Result {
    f.write_str(name)?;
    arguments.iter().try_for_each(|argument| match argument {
        Expression::Leaf(text) => write!(f, " {text}"),
        nested => write!(f, " ({nested})"),
    })
}
