//! Tokens to a template, by Go's grammar.
//!
//! Everything that Go refuses when it parses is refused here, so that admission can tell: unknown functions even in a
//! branch that is never taken, undeclared variables, `break` outside `range`, a template defined twice. Nesting is
//! bounded, because the parser and the evaluator recurse.

mod literal;
mod operand;

use crate::ast::{Branches, Invocation, Node, Range, Templates, is_blank};
use crate::fault::Place;
use crate::format::quote::unquote;
use crate::lexer::{Delimiters, Keyword, Kind, Token, lex};
use crate::limits::CALL_DEPTH;
use crate::rule::Rule;
use crate::text::Text;

/// Parses a text whose main template has that name.
pub(crate) fn parse<'t>(
    name: &str,
    text: &'t str,
    delimiters: Delimiters<'_>,
) -> Result<Templates<'t>, Place> {
    let tokens = lex(text, delimiters);
    let end = Token { kind: Kind::End, at: text.len(), text: "" };
    let mut parser = Parser {
        tokens,
        end,
        next: 0,
        variables: vec!["$"],
        ranges: 0,
        depth: 0,
        templates: Templates::new(),
    };
    let main = parser.main()?;
    parser.add(Text::from(name), main, 0)?;
    Ok(parser.templates)
}

type Parsed<T> = Result<T, Place>;

/// What a list of nodes ended with.
enum Ended {
    End,
    /// Right after the word `else`, whose rest is not read yet.
    Else,
}

/// What one action is.
enum Action<'t> {
    Node(Node<'t>),
    Ended(Ended, usize),
}

struct Parser<'t> {
    tokens: Vec<Token<'t>>,
    end: Token<'t>,
    next: usize,
    variables: Vec<&'t str>,
    ranges: usize,
    depth: usize,
    templates: Templates<'t>,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Token<'t> {
        self.tokens.get(self.next).copied().unwrap_or(self.end)
    }

    fn take(&mut self) -> Token<'t> {
        let token = self.peek();
        self.next += 1;
        token
    }

    fn peek_word(&mut self) -> Token<'t> {
        while self.peek().kind == Kind::Space {
            self.next += 1;
        }
        self.peek()
    }

    fn take_word(&mut self) -> Token<'t> {
        self.peek_word();
        self.take()
    }

    fn take_keyword(&mut self, keyword: Keyword) -> bool {
        let found = self.peek_word().kind == Kind::Keyword(keyword);
        self.next += usize::from(found);
        found
    }

    fn expect_close(&mut self) -> Parsed<()> {
        let token = self.take_word();
        if token.kind == Kind::RightDelimiter { Ok(()) } else { Err(unexpected(token)) }
    }

    /// Runs a part one level deeper.
    fn nested<T>(&mut self, at: usize, part: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= CALL_DEPTH {
            return Err(Place::new(at, Rule::Recursion));
        }
        self.depth += 1;
        let parsed = part(self);
        self.depth -= 1;
        parsed
    }

    /// The main template: to the end of the text; only here may templates be defined.
    fn main(&mut self) -> Parsed<Vec<Node<'t>>> {
        let mut nodes = Vec::new();
        while self.peek().kind != Kind::End {
            if self.definition()? {
                continue;
            }
            match self.text_or_action()? {
                Action::Node(node) => nodes.push(node),
                Action::Ended(_, at) => return Err(Place::new(at, Rule::Syntax)),
            }
        }
        Ok(nodes)
    }

    /// `{{ define "name" }} … {{ end }}`, if one stands here.
    fn definition(&mut self) -> Parsed<bool> {
        let start = self.next;
        if self.peek().kind != Kind::LeftDelimiter {
            return Ok(false);
        }
        let at = self.take().at;
        if !self.take_keyword(Keyword::Define) {
            self.next = start;
            return Ok(false);
        }
        let name = self.template_name()?;
        self.expect_close()?;
        let body = self.template_body()?;
        self.add(name, body, at)?;
        Ok(true)
    }

    /// A template's name: a literal.
    fn template_name(&mut self) -> Parsed<Text> {
        let token = self.take_word();
        match token.kind {
            Kind::String | Kind::RawString => unquote(token.text).map_err(|rule| Place::new(token.at, rule)),
            _ => Err(unexpected(token)),
        }
    }

    /// The body of a template of its own: it sees no variable and no range of what surrounds it.
    fn template_body(&mut self) -> Parsed<Vec<Node<'t>>> {
        let variables = std::mem::replace(&mut self.variables, vec!["$"]);
        let ranges = std::mem::take(&mut self.ranges);
        let (body, ended, at) = self.nodes()?;
        self.variables = variables;
        self.ranges = ranges;
        match ended {
            Ended::End => Ok(body),
            Ended::Else => Err(Place::new(at, Rule::Syntax)),
        }
    }

    fn add(&mut self, name: Text, nodes: Vec<Node<'t>>, at: usize) -> Parsed<()> {
        match self.templates.get(&name) {
            Some(present) if !is_blank(present) && !is_blank(&nodes) => {
                Err(Place::new(at, Rule::DuplicateTemplate))
            }
            Some(present) if !is_blank(present) => Ok(()),
            _ => {
                self.templates.insert(name, nodes);
                Ok(())
            }
        }
    }

    /// Nodes up to `end` or `else`.
    fn nodes(&mut self) -> Parsed<(Vec<Node<'t>>, Ended, usize)> {
        let mut nodes = Vec::new();
        while self.peek_word().kind != Kind::End {
            match self.text_or_action()? {
                Action::Node(node) => nodes.push(node),
                Action::Ended(ended, at) => return Ok((nodes, ended, at)),
            }
        }
        Err(Place::new(self.peek().at, Rule::MissingEnd))
    }

    fn text_or_action(&mut self) -> Parsed<Action<'t>> {
        let token = self.take_word();
        match token.kind {
            Kind::Text => Ok(Action::Node(Node::Text(token.text))),
            Kind::LeftDelimiter => self.nested(token.at, Self::action),
            _ => Err(unexpected(token)),
        }
    }

    fn action(&mut self) -> Parsed<Action<'t>> {
        let token = self.peek_word();
        let Kind::Keyword(keyword) = token.kind else {
            return self.pipe_to_close().map(Node::Action).map(Action::Node);
        };
        self.next += 1;
        Ok(Action::Node(match keyword {
            Keyword::Block => self.block(token.at)?,
            Keyword::Break => self.loop_control(token.at, Node::Break)?,
            Keyword::Continue => self.loop_control(token.at, Node::Continue)?,
            Keyword::Else => return self.otherwise(token.at),
            Keyword::End => {
                self.expect_close()?;
                return Ok(Action::Ended(Ended::End, token.at));
            }
            Keyword::If => Node::If(self.branches(Keyword::If)?),
            Keyword::With => Node::With(self.branches(Keyword::With)?),
            Keyword::Range => Node::Range(self.range()?),
            Keyword::Template => self.invocation(token.at)?,
            Keyword::Nil => {
                self.next -= 1;
                return self.pipe_to_close().map(Node::Action).map(Action::Node);
            }
            Keyword::Define => return Err(unexpected(token)),
        }))
    }

    /// After `else`: the delimiter, or an `if` or `with` that belongs to it and is left for who asked.
    fn otherwise(&mut self, at: usize) -> Parsed<Action<'t>> {
        if !matches!(self.peek_word().kind, Kind::Keyword(Keyword::If | Keyword::With)) {
            self.expect_close()?;
        }
        Ok(Action::Ended(Ended::Else, at))
    }

    fn loop_control(&mut self, at: usize, node: Node<'t>) -> Parsed<Node<'t>> {
        self.expect_close()?;
        if self.ranges == 0 { Err(Place::new(at, Rule::OutsideRange)) } else { Ok(node) }
    }

    /// `if` or `with`: a chain of `else if` (or `else with`) is one node, since one `end` closes it.
    fn branches(&mut self, keyword: Keyword) -> Parsed<Branches<'t>> {
        let declared = self.variables.len();
        let mut branches = Branches { arms: Vec::new(), otherwise: Vec::new() };
        loop {
            let pipe = self.pipe_to_close()?;
            let (body, ended, _) = self.nodes()?;
            branches.arms.push((pipe, body));
            match ended {
                Ended::Else if self.take_keyword(keyword) => {}
                Ended::Else => {
                    branches.otherwise = self.last_branch()?;
                    break;
                }
                Ended::End => break,
            }
        }
        self.variables.truncate(declared);
        Ok(branches)
    }

    /// What follows a plain `else`, up to its `end`.
    fn last_branch(&mut self) -> Parsed<Vec<Node<'t>>> {
        let (nodes, ended, at) = self.nodes()?;
        match ended {
            Ended::End => Ok(nodes),
            Ended::Else => Err(Place::new(at, Rule::Syntax)),
        }
    }

    fn range(&mut self) -> Parsed<Range<'t>> {
        let declared = self.variables.len();
        let pipe = self.range_pipe()?;
        self.ranges += 1;
        let (body, ended, _) = self.nodes()?;
        self.ranges -= 1;
        let otherwise = match ended {
            Ended::Else => self.last_branch()?,
            Ended::End => Vec::new(),
        };
        self.variables.truncate(declared);
        Ok(Range { pipe, body, otherwise })
    }

    /// `{{ block "name" pipe }} … {{ end }}`: a definition and its use in one.
    fn block(&mut self, at: usize) -> Parsed<Node<'t>> {
        let name = self.template_name()?;
        let pipe = self.pipe_to_close()?;
        let body = self.template_body()?;
        self.add(name.clone(), body, at)?;
        Ok(Node::Template(Invocation { at, name, pipe: Some(pipe) }))
    }

    fn invocation(&mut self, at: usize) -> Parsed<Node<'t>> {
        let name = self.template_name()?;
        let pipe = if self.peek_word().kind == Kind::RightDelimiter {
            self.expect_close()?;
            None
        } else {
            Some(self.pipe_to_close()?)
        };
        Ok(Node::Template(Invocation { at, name, pipe }))
    }
}

/// The fault of a token that cannot stand where it stands.
fn unexpected(token: Token<'_>) -> Place {
    match token.kind {
        Kind::Error(rule) => Place::new(token.at, rule),
        Kind::End => Place::new(token.at, Rule::MissingEnd),
        _ => Place::new(token.at, Rule::Syntax),
    }
}

#[cfg(test)]
mod tests;
