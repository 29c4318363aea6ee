//! What stands inside an action: pipelines, commands and operands.

use super::{Parsed, Parser, literal, unexpected};
use crate::ast::{Command, Operand, Pipe, Term};
use crate::fault::Place;
use crate::format::quote::unquote;
use crate::functions;
use crate::lexer::{Keyword, Kind, Token};
use crate::rule::Rule;

/// Where a pipeline stands, which decides what may end it and how many variables it may declare.
#[derive(PartialEq, Clone, Copy)]
enum Where {
    Action,
    Range,
    Parentheses,
}

impl<'t> Parser<'t> {
    /// A pipeline up to the right delimiter.
    pub(super) fn pipe_to_close(&mut self) -> Parsed<Pipe<'t>> {
        self.pipe(Where::Action)
    }

    /// The pipeline of a `range`, which may declare two variables.
    pub(super) fn range_pipe(&mut self) -> Parsed<Pipe<'t>> {
        self.pipe(Where::Range)
    }

    fn pipe(&mut self, place: Where) -> Parsed<Pipe<'t>> {
        let start = self.peek_word();
        let mut pipe = Pipe { at: start.at, assigns: false, variables: Vec::new(), commands: Vec::new() };
        self.variables_of(&mut pipe, place)?;
        let end = if place == Where::Parentheses { Kind::RightParen } else { Kind::RightDelimiter };
        loop {
            let token = self.peek_word();
            match token.kind {
                kind if kind == end => {
                    self.next += 1;
                    return checked(pipe, token);
                }
                Kind::Bool
                | Kind::Character
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen
                | Kind::Keyword(Keyword::Nil) => {
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return Err(unexpected(token)),
            }
        }
    }

    /// `$x :=`, `$x =`, or in a range `$i, $x :=`. Nothing, if the variable is only used.
    fn variables_of(&mut self, pipe: &mut Pipe<'t>, place: Where) -> Parsed<()> {
        loop {
            let start = self.next;
            let variable = self.peek_word();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            self.next += 1;
            let next = self.peek_word();
            let comma = next.kind == Kind::Other && next.text == ",";
            if !comma && !matches!(next.kind, Kind::Assign | Kind::Declare) {
                self.next = start;
                return Ok(());
            }
            self.next += 1;
            pipe.assigns = next.kind == Kind::Assign;
            pipe.variables.push(variable.text);
            self.variables.push(variable.text);
            if !comma {
                return Ok(());
            }
            let follows = self.peek_word();
            let second = matches!(follows.kind, Kind::Variable | Kind::RightDelimiter | Kind::RightParen);
            if place != Where::Range || pipe.variables.len() > 1 || !second {
                return Err(Place::new(next.at, Rule::Syntax));
            }
        }
    }

    fn command(&mut self) -> Parsed<Command<'t>> {
        let mut operands = Vec::new();
        loop {
            self.peek_word();
            if let Some(operand) = self.operand()? {
                operands.push(operand);
            }
            let token = self.take();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelimiter | Kind::RightParen => self.next -= 1,
                Kind::Pipe => {}
                _ => return Err(unexpected(token)),
            }
            let mut operands = operands.into_iter();
            let first = operands.next().ok_or_else(|| unexpected(token))?;
            return Ok(Command { first, arguments: operands.collect() });
        }
    }

    /// A term and the fields that follow it directly.
    fn operand(&mut self) -> Parsed<Option<Operand<'t>>> {
        let token = self.peek_word();
        let Some((term, mut fields)) = self.term()? else {
            return Ok(None);
        };
        let literal = matches!(term, Term::Bool(_) | Term::Text(_) | Term::Number(_) | Term::Nil);
        let bare_dot = matches!(term, Term::Dot) && fields.is_empty();
        while self.peek().kind == Kind::Field {
            let field = self.take();
            if literal || bare_dot {
                return Err(Place::new(field.at, Rule::Syntax));
            }
            fields.push(field.text.get(1..).unwrap_or_default());
        }
        Ok(Some(Operand { at: token.at, term, fields }))
    }

    fn term(&mut self) -> Parsed<Option<(Term<'t>, Vec<&'t str>)>> {
        let token = self.take_word();
        let at_token = |rule| Place::new(token.at, rule);
        let term = match token.kind {
            Kind::Identifier => {
                let function = functions::find(token.text);
                Term::Function(function.ok_or_else(|| at_token(Rule::UnknownFunction).naming(token.text))?)
            }
            Kind::Dot => Term::Dot,
            Kind::Field => return Ok(Some((Term::Dot, vec![token.text.get(1..).unwrap_or_default()]))),
            Kind::Keyword(Keyword::Nil) => Term::Nil,
            Kind::Variable => self.variable(token)?,
            Kind::Bool => Term::Bool(token.text == "true"),
            Kind::Character | Kind::Complex | Kind::Number => {
                Term::Number(Box::new(literal::number(token.kind, token.text).map_err(at_token)?))
            }
            Kind::String | Kind::RawString => Term::Text(unquote(token.text).map_err(at_token)?),
            Kind::LeftParen => {
                let pipe = self.nested(token.at, |parser| parser.pipe(Where::Parentheses))?;
                Term::Pipe(Box::new(pipe))
            }
            _ => {
                self.next -= 1;
                return Ok(None);
            }
        };
        Ok(Some((term, Vec::new())))
    }

    fn variable(&self, token: Token<'t>) -> Parsed<Term<'t>> {
        if self.variables.contains(&token.text) {
            Ok(Term::Variable(token.text))
        } else {
            Err(Place::new(token.at, Rule::UnknownVariable).naming(token.text))
        }
    }
}

/// Only the first command of a pipeline may be a plain value: the others are given one.
fn checked<'t>(pipe: Pipe<'t>, end: Token<'t>) -> Parsed<Pipe<'t>> {
    if pipe.commands.is_empty() {
        return Err(Place::new(end.at, Rule::Syntax));
    }
    let plain = pipe.commands.iter().skip(1).map(|command| &command.first).find(|operand| {
        let literal = matches!(operand.term, Term::Bool(_) | Term::Nil | Term::Number(_) | Term::Text(_));
        literal || (matches!(operand.term, Term::Dot) && operand.fields.is_empty())
    });
    match plain {
        Some(operand) => Err(Place::new(operand.at, Rule::NotAFunction)),
        None => Ok(pipe),
    }
}
