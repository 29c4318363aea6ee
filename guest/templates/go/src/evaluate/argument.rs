//! Arguments against parameters, by Go's rules: a literal takes the type of the parameter if it can represent it, a value
//! must already have it. Nothing is converted, so an `int64` is no `int`.

use super::call::Applied;
use super::{Evaluated, Evaluator};
use crate::ast::{Number, Operand, Term};
use crate::fault::Place;
use crate::functions::{Signature, Type};
use crate::object::Object;
use crate::rule::Rule;
use crate::value::{Elements, IntType, Value};

impl<'t> Evaluator<'_, '_, 't> {
    /// All arguments of a call, after `values`, which come first.
    pub(super) fn arguments(
        &mut self,
        dot: &Value,
        at: usize,
        name: &str,
        signature: &Signature,
        applied: Applied<'_, 't>,
        mut values: Vec<Value>,
    ) -> Evaluated<Vec<Value>> {
        let before = values.len();
        values.reserve(applied.arguments.len() + 1);
        for (position, operand) in applied.arguments.iter().enumerate() {
            let kind = signature.kind(position);
            values.push(self.argument(dot, operand, kind).map_err(|place| place.or_naming(name))?);
        }
        if let Some(piped) = applied.piped {
            let kind = signature.kind(values.len() - before);
            values.push(fitting(piped, kind).map_err(|rule| Place::new(at, rule).naming(name))?);
        }
        Ok(values)
    }

    /// One argument for a parameter of that type.
    pub(super) fn argument(&mut self, dot: &Value, operand: &Operand<'t>, kind: Type) -> Evaluated<Value> {
        self.step(operand.at)?;
        let value = match &operand.term {
            Term::Nil => fitting(Value::Nil, kind),
            Term::Bool(value) if matches!(kind, Type::Any | Type::Bool) => Ok(Value::Bool(*value)),
            Term::Text(text) if matches!(kind, Type::Any | Type::Text) => Ok(Value::Text(text.clone())),
            Term::Number(number) => of_number(number, kind),
            Term::Bool(_) | Term::Text(_) => Err(Rule::ArgumentType),
            Term::Dot | Term::Variable(_) | Term::Function(_) | Term::Pipe(_) => {
                let value = self.operand(dot, operand, Applied::NOTHING)?;
                fitting(value, kind)
            }
        };
        value.map_err(|rule| Place::new(operand.at, rule))
    }
}

impl Signature {
    /// The type of the parameter at that position.
    pub(super) fn kind(&self, position: usize) -> Type {
        let parameter = self.parameters.get(position).or(self.rest.as_ref());
        parameter.map_or(Type::Any, |parameter| parameter.kind)
    }
}

/// The value, if it has the type or the type takes any.
fn fitting(value: Value, kind: Type) -> Result<Value, Rule> {
    let fits = match kind {
        Type::Any => true,
        Type::Bool => matches!(value, Value::Bool(_)),
        Type::Int => matches!(value, Value::Int(_, IntType::Int)),
        Type::Duration => matches!(value, Value::Int(_, IntType::Duration)),
        // No function returns one.
        Type::Uint32 => false,
        Type::Float => matches!(value, Value::Float(_)),
        Type::Text => matches!(value, Value::Text(_)),
        Type::List => match &value {
            Value::List(list) => list.elements == Elements::Any,
            Value::Nil => true,
            _ => false,
        },
        Type::Dict => matches!(value, Value::Dict(_) | Value::Nil),
        Type::Time => matches!(&value, Value::Object(object) if matches!(**object, Object::Time(_))),
        Type::Version => matches!(&value, Value::Object(object) if matches!(**object, Object::Version(_))),
        Type::Certificate => {
            matches!(&value, Value::Object(object) if matches!(**object, Object::Certificate { .. }))
        }
    };
    if fits { Ok(value) } else { Err(Rule::ArgumentType) }
}

fn of_number(number: &Number, kind: Type) -> Result<Value, Rule> {
    let value = match kind {
        Type::Any => return number.ideal.clone(),
        Type::Int => number.int.map(Value::int),
        Type::Uint32 => number.int.filter(|int| u32::try_from(*int).is_ok()).map(Value::int),
        Type::Duration => number.int.map(|nanos| Value::Int(nanos, IntType::Duration)),
        Type::Float => number.float.map(Value::Float),
        Type::Bool
        | Type::Text
        | Type::List
        | Type::Dict
        | Type::Time
        | Type::Version
        | Type::Certificate => None,
    };
    value.ok_or(Rule::ArgumentType)
}
