//! A parsed template. Names borrow from the text, literals are values that evaluation only has to clone, and functions
//! are already looked up: a template that parses names nothing that does not exist. Positions are byte offsets.

use std::collections::BTreeMap;

use crate::functions::Function;
use crate::rule::Rule;
use crate::text::Text;
use crate::value::Value;

/// The main template and those that it defines, by name.
pub(crate) type Templates<'t> = BTreeMap<Text, Vec<Node<'t>>>;

pub(crate) enum Node<'t> {
    Text(&'t str),
    Action(Pipe<'t>),
    If(Branches<'t>),
    With(Branches<'t>),
    Range(Range<'t>),
    Template(Invocation<'t>),
    Break,
    Continue,
}

/// `if` or `with`, its `else if` or `else with`, and its `else`.
pub(crate) struct Branches<'t> {
    pub(crate) arms: Vec<(Pipe<'t>, Vec<Node<'t>>)>,
    pub(crate) otherwise: Vec<Node<'t>>,
}

pub(crate) struct Range<'t> {
    pub(crate) pipe: Pipe<'t>,
    pub(crate) body: Vec<Node<'t>>,
    pub(crate) otherwise: Vec<Node<'t>>,
}

pub(crate) struct Invocation<'t> {
    pub(crate) at: usize,
    pub(crate) name: Text,
    pub(crate) pipe: Option<Pipe<'t>>,
}

/// Commands joined by `|`, and the variables that take the result.
pub(crate) struct Pipe<'t> {
    pub(crate) at: usize,
    /// `=` rather than `:=`.
    pub(crate) assigns: bool,
    pub(crate) variables: Vec<&'t str>,
    pub(crate) commands: Vec<Command<'t>>,
}

/// An operand and its arguments.
pub(crate) struct Command<'t> {
    pub(crate) first: Operand<'t>,
    pub(crate) arguments: Vec<Operand<'t>>,
}

pub(crate) struct Operand<'t> {
    pub(crate) at: usize,
    pub(crate) term: Term<'t>,
    /// `.a.b` after the term.
    pub(crate) fields: Vec<&'t str>,
}

pub(crate) enum Term<'t> {
    /// `.`; with fields, what Go calls a field node.
    Dot,
    Nil,
    Bool(bool),
    Text(Text),
    Number(Box<Number>),
    Variable(&'t str),
    Function(&'static Function),
    Pipe(Box<Pipe<'t>>),
}

/// A literal, in every type that can represent it: where a parameter has a numeric type, the literal takes it.
pub(crate) struct Number {
    pub(crate) int: Option<i64>,
    pub(crate) float: Option<f64>,
    /// The value where nothing says which type is wanted; refused if it fits no `int`.
    pub(crate) ideal: Result<Value, Rule>,
}

/// Whether a template has nothing in it but white space, so that another may replace it.
pub(crate) fn is_blank(nodes: &[Node<'_>]) -> bool {
    nodes.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
}
