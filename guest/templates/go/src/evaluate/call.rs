//! Commands, fields, methods and functions.

use super::{Evaluated, Evaluator, no_field};
use crate::ast::{Command, Operand, Term};
use crate::fault::Place;
use crate::functions::{Function, Run, Signature};
use crate::object::methods;
use crate::rule::Rule;
use crate::value::Value;
use crate::value::truth::is_true;

/// What a command's operand is applied to: its arguments, and the value piped into it.
pub(super) struct Applied<'a, 't> {
    pub(super) arguments: &'a [Operand<'t>],
    pub(super) piped: Option<Value>,
}

impl Applied<'_, '_> {
    pub(super) const NOTHING: Self = Self { arguments: &[], piped: None };

    fn is_nothing(&self) -> bool {
        self.arguments.is_empty() && self.piped.is_none()
    }

    fn count(&self) -> usize {
        self.arguments.len() + usize::from(self.piped.is_some())
    }
}

impl<'t> Evaluator<'_, '_, 't> {
    pub(super) fn command(
        &mut self,
        dot: &Value,
        command: &Command<'t>,
        piped: Option<Value>,
    ) -> Evaluated<Value> {
        let applied = Applied { arguments: &command.arguments, piped };
        if matches!(command.first.term, Term::Nil) {
            return Err(Place::new(command.first.at, Rule::NilCommand));
        }
        self.operand(dot, &command.first, applied)
    }

    /// The value of an operand: its term, then its fields; the last of them takes the arguments.
    pub(super) fn operand(
        &mut self,
        dot: &Value,
        operand: &Operand<'t>,
        applied: Applied<'_, 't>,
    ) -> Evaluated<Value> {
        let Some((last, before)) = operand.fields.split_last() else {
            return self.term(dot, operand, applied);
        };
        let mut receiver = self.term(dot, operand, Applied::NOTHING)?;
        for name in before {
            receiver = self.field(dot, operand.at, receiver, name, Applied::NOTHING)?;
        }
        self.field(dot, operand.at, receiver, last, applied)
    }

    fn term(&mut self, dot: &Value, operand: &Operand<'t>, applied: Applied<'_, 't>) -> Evaluated<Value> {
        if let Term::Function(function) = operand.term {
            return self.function(dot, operand.at, function, applied);
        }
        if !applied.is_nothing() {
            return Err(Place::new(operand.at, Rule::NotAFunction));
        }
        match &operand.term {
            Term::Dot => Ok(dot.clone()),
            Term::Nil => Ok(Value::Nil),
            Term::Bool(value) => Ok(Value::Bool(*value)),
            Term::Text(text) => Ok(Value::Text(text.clone())),
            Term::Number(number) => number.ideal.clone().map_err(|rule| Place::new(operand.at, rule)),
            Term::Variable(name) => self.variable(operand.at, name),
            Term::Pipe(pipe) => self.nested(pipe.at, |evaluator| evaluator.pipe(dot, pipe)),
            Term::Function(_) => Err(Place::new(operand.at, Rule::NotAFunction)),
        }
    }

    fn variable(&self, at: usize, name: &str) -> Evaluated<Value> {
        let found = self.variables.iter().rev().find(|(known, _)| *known == name);
        found
            .map(|(_, value)| value.clone())
            .ok_or_else(|| Place::new(at, Rule::UnknownVariable).naming(name))
    }

    /// `.name` of a value: the entry of a dict, or the method of an object.
    fn field(
        &mut self,
        dot: &Value,
        at: usize,
        receiver: Value,
        name: &str,
        applied: Applied<'_, 't>,
    ) -> Evaluated<Value> {
        self.step(at)?;
        let found = match &receiver {
            Value::Dict(dict) => dict.get(name.as_bytes()),
            Value::Texts(texts) => texts.get(name.as_bytes()).cloned().map(Value::Text),
            _ => return self.member(dot, at, receiver, name, applied),
        };
        if !applied.is_nothing() {
            return Err(Place::new(at, Rule::NotAFunction).naming(name));
        }
        found.ok_or_else(|| Place::new(at, Rule::MissingKey).naming(name))
    }

    /// A method of a value that is no map.
    fn member(
        &mut self,
        dot: &Value,
        at: usize,
        receiver: Value,
        name: &str,
        applied: Applied<'_, 't>,
    ) -> Evaluated<Value> {
        let method = methods::find(&receiver, name).ok_or_else(|| no_field(at, &receiver, name))?;
        check_count(&method.signature, &applied).map_err(|rule| Place::new(at, rule).naming(name))?;
        let arguments = self.arguments(dot, at, name, &method.signature, applied, vec![receiver])?;
        let value = (method.run)(&arguments, self.context);
        value.and_then(|value| self.account(value)).map_err(|rule| Place::new(at, rule).naming(name))
    }

    fn function(
        &mut self,
        dot: &Value,
        at: usize,
        function: &'static Function,
        applied: Applied<'_, 't>,
    ) -> Evaluated<Value> {
        check_count(&function.signature, &applied)
            .map_err(|rule| Place::new(at, rule).naming(function.name))?;
        let run = match function.run {
            Run::And => return self.short_circuit(dot, function, applied, false),
            Run::Or => return self.short_circuit(dot, function, applied, true),
            Run::Call(run) => run,
        };
        let arguments = self.arguments(dot, at, function.name, &function.signature, applied, Vec::new())?;
        let value = run(&arguments, self.context);
        value.and_then(|value| self.account(value)).map_err(|rule| Place::new(at, rule).naming(function.name))
    }

    /// `and` and `or`: the first argument that decides, else the last.
    fn short_circuit(
        &mut self,
        dot: &Value,
        function: &'static Function,
        applied: Applied<'_, 't>,
        decides: bool,
    ) -> Evaluated<Value> {
        let mut last = Value::Nil;
        for operand in applied.arguments {
            last = self.argument(dot, operand, function.signature.kind(0))?;
            if is_true(&last) == decides {
                return Ok(last);
            }
        }
        Ok(applied.piped.unwrap_or(last))
    }

    /// Charges for what a function returned.
    fn account(&mut self, value: Value) -> Result<Value, Rule> {
        let bytes = match &value {
            Value::Text(text) => text.len(),
            Value::List(list) => size_of_val(list.items()),
            _ => 0,
        };
        self.context.budget.bytes(bytes)?;
        Ok(value)
    }
}

fn check_count(signature: &Signature, applied: &Applied<'_, '_>) -> Result<(), Rule> {
    let (given, fixed) = (applied.count(), signature.parameters.len());
    let fits = given == fixed || (given > fixed && signature.rest.is_some());
    if fits { Ok(()) } else { Err(Rule::ArgumentCount) }
}
