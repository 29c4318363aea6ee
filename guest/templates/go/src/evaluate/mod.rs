//! Runs a parsed template on data.
//!
//! Follows Go's evaluator: what is an error there is an error here, at the same moment, so that a template renders whole
//! or not at all. Everything is counted, nesting is bounded, and output that grows too large ends the run.

mod argument;
mod call;

use crate::ast::{Branches, Invocation, Node, Pipe, Range, Templates};
use crate::fault::Place;
use crate::format;
use crate::functions::Context;
use crate::limits::CALL_DEPTH;
use crate::rule::Rule;
use crate::text::Buffer;
use crate::value::truth::is_true;
use crate::value::{Value, kind};

/// Renders the template of that name.
pub(crate) fn render<'t>(
    templates: &Templates<'t>,
    name: &str,
    data: &Value,
    context: &mut Context<'_>,
) -> Result<Vec<u8>, Place> {
    let main = templates.get(name.as_bytes()).map(Vec::as_slice).unwrap_or_default();
    let variables = vec![("$", data.clone())];
    let mut evaluator = Evaluator { templates, variables, out: Buffer::default(), context, depth: 0 };
    evaluator.walk(data, main)?;
    evaluator.out.into_bytes().map_err(|rule| Place::new(0, rule))
}

type Evaluated<T> = Result<T, Place>;

/// Whether the surrounding loop goes on.
#[derive(PartialEq, Clone, Copy)]
enum Flow {
    Next,
    Break,
    Continue,
}

struct Evaluator<'e, 'c, 't> {
    templates: &'e Templates<'t>,
    variables: Vec<(&'t str, Value)>,
    out: Buffer,
    context: &'e mut Context<'c>,
    depth: usize,
}

impl<'t> Evaluator<'_, '_, 't> {
    /// Accounts for one step at that place.
    fn step(&mut self, at: usize) -> Evaluated<()> {
        self.context.budget.step().map_err(|rule| Place::new(at, rule))
    }

    /// Runs a part one level deeper.
    fn nested<T>(&mut self, at: usize, part: impl FnOnce(&mut Self) -> Evaluated<T>) -> Evaluated<T> {
        if self.depth >= 2 * CALL_DEPTH {
            return Err(Place::new(at, Rule::Recursion));
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }

    fn walk(&mut self, dot: &Value, nodes: &[Node<'t>]) -> Evaluated<Flow> {
        for node in nodes {
            let flow = match node {
                Node::Text(text) => {
                    self.out.push_str(text);
                    Flow::Next
                }
                Node::Action(pipe) => {
                    self.action(dot, pipe)?;
                    Flow::Next
                }
                Node::If(branches) => self.branches(dot, branches, false)?,
                Node::With(branches) => self.branches(dot, branches, true)?,
                Node::Range(range) => self.range(dot, range)?,
                Node::Template(invocation) => self.invoke(dot, invocation)?,
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// Evaluates a pipeline and writes its value, unless it only sets variables.
    fn action(&mut self, dot: &Value, pipe: &Pipe<'t>) -> Evaluated<()> {
        let value = self.pipe(dot, pipe)?;
        if !pipe.variables.is_empty() {
            return Ok(());
        }
        let before = self.out.len();
        match value {
            Value::Nil => self.out.push(b"<no value>"),
            value => format::display(&mut self.out, &value),
        }
        let written = self.out.len() - before;
        self.context.budget.bytes(written).map_err(|rule| Place::new(pipe.at, rule))?;
        self.out.check().map_err(|rule| Place::new(pipe.at, rule))
    }

    fn branches(&mut self, dot: &Value, branches: &Branches<'t>, moves_dot: bool) -> Evaluated<Flow> {
        let mark = self.variables.len();
        let flow = self.branch(dot, branches, moves_dot)?;
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn branch(&mut self, dot: &Value, branches: &Branches<'t>, moves_dot: bool) -> Evaluated<Flow> {
        for (pipe, body) in &branches.arms {
            let value = self.pipe(dot, pipe)?;
            if is_true(&value) {
                let dot = if moves_dot { &value } else { dot };
                return self.nested(pipe.at, |evaluator| evaluator.walk(dot, body));
            }
        }
        let at = branches.arms.first().map_or(0, |(pipe, _)| pipe.at);
        self.nested(at, |evaluator| evaluator.walk(dot, &branches.otherwise))
    }

    fn range(&mut self, dot: &Value, range: &Range<'t>) -> Evaluated<Flow> {
        let mark = self.variables.len();
        let value = self.pipe(dot, &range.pipe)?;
        let ran = self.nested(range.pipe.at, |evaluator| evaluator.iterate(&value, range))?;
        let flow =
            if ran { Flow::Next } else { self.nested(range.pipe.at, |e| e.walk(dot, &range.otherwise))? };
        // Parsed as the outer loop's, it ends only this one: so Go runs it.
        let flow = if flow == Flow::Break { Flow::Next } else { flow };
        self.variables.truncate(mark);
        Ok(flow)
    }

    /// Runs the body for each element. Returns whether there was any.
    fn iterate(&mut self, value: &Value, range: &Range<'t>) -> Evaluated<bool> {
        match value {
            Value::Nil => Ok(false),
            Value::Int(count, int_type) => {
                if range.pipe.variables.len() > 1 {
                    return Err(Place::new(range.pipe.at, Rule::NotIterable));
                }
                self.each(range, (0..*count).map(|at| (Value::Nil, Value::Int(at, *int_type))))
            }
            Value::Uint(count, uint_type) => {
                if range.pipe.variables.len() > 1 {
                    return Err(Place::new(range.pipe.at, Rule::NotIterable));
                }
                self.each(range, (0..*count).map(|at| (Value::Nil, Value::Uint(at, *uint_type))))
            }
            Value::List(list) => self.each(
                range,
                list.items().iter().enumerate().map(|(at, item)| (Value::count(at), item.clone())),
            ),
            Value::Dict(dict) => {
                self.each(range, dict.entries().into_iter().map(|(key, item)| (Value::Text(key), item)))
            }
            Value::Texts(texts) => self.each(
                range,
                texts.iter().map(|(key, text)| (Value::Text(key.clone()), Value::Text(text.clone()))),
            ),
            Value::Bool(_) | Value::Float(_) | Value::Complex(..) | Value::Text(_) | Value::Object(_) => {
                Err(Place::new(range.pipe.at, Rule::NotIterable))
            }
        }
    }

    fn each(&mut self, range: &Range<'t>, elements: impl Iterator<Item = (Value, Value)>) -> Evaluated<bool> {
        let mark = self.variables.len();
        let mut ran = false;
        for (index, element) in elements {
            ran = true;
            self.step(range.pipe.at)?;
            self.bind(range, index, &element)?;
            let flow = self.walk(&element, &range.body)?;
            self.variables.truncate(mark);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(ran)
    }

    /// Sets the loop's variables: one takes the element, two take index and element.
    fn bind(&mut self, range: &Range<'t>, index: Value, element: &Value) -> Evaluated<()> {
        let variables = &range.pipe.variables;
        let (first, second) = match variables.as_slice() {
            [] => return Ok(()),
            [only] => (None, *only),
            [first, second, ..] => (Some(*first), *second),
        };
        if range.pipe.assigns {
            if let Some(name) = first {
                self.assign(range.pipe.at, name, index)?;
            }
            return self.assign(range.pipe.at, second, element.clone());
        }
        let top = self.variables.len();
        if let Some((_, value)) = self.variables.get_mut(top.wrapping_sub(1)) {
            *value = element.clone();
        }
        if first.is_some()
            && let Some((_, value)) = self.variables.get_mut(top.wrapping_sub(2))
        {
            *value = index;
        }
        Ok(())
    }

    fn assign(&mut self, at: usize, name: &'t str, value: Value) -> Evaluated<()> {
        match self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
            Some((_, present)) => {
                *present = value;
                Ok(())
            }
            None => Err(Place::new(at, Rule::UnknownVariable).naming(name)),
        }
    }

    /// A template sees its own dot and no variable but `$`.
    fn invoke(&mut self, dot: &Value, invocation: &Invocation<'t>) -> Evaluated<Flow> {
        let place = || Place::new(invocation.at, Rule::UnknownTemplate);
        let Some(body) = self.templates.get(&invocation.name) else {
            return Err(match std::str::from_utf8(&invocation.name) {
                Ok(name) => place().naming(name),
                Err(_) => place(),
            });
        };
        let dot = match &invocation.pipe {
            Some(pipe) => self.pipe(dot, pipe)?,
            None => Value::Nil,
        };
        let outer = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        self.nested(invocation.at, |evaluator| evaluator.walk(&dot, body))?;
        self.variables = outer;
        Ok(Flow::Next)
    }

    /// The value of a pipeline, which its variables take.
    fn pipe(&mut self, dot: &Value, pipe: &Pipe<'t>) -> Evaluated<Value> {
        let mut value = None;
        for command in &pipe.commands {
            self.step(pipe.at)?;
            value = Some(self.command(dot, command, value)?);
        }
        let value = value.unwrap_or(Value::Nil);
        for name in &pipe.variables {
            if pipe.assigns {
                self.assign(pipe.at, name, value.clone())?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        Ok(value)
    }
}

/// The fault of a field that a value of this type does not have.
fn no_field(at: usize, receiver: &Value, name: &str) -> Place {
    let rule = if kind::kind_name(receiver) == "invalid" { Rule::MissingKey } else { Rule::NoField };
    Place::new(at, rule).naming(name)
}

#[cfg(test)]
mod tests;
