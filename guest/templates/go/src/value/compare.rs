//! `eq`, `lt` and the like by Go's rules: integers compare across their types, nothing else does, and what has no order
//! or no equality is an error. Deep equality is stricter: there `1` and `int64 1` differ.

use super::{List, Value};
use crate::limits::{Budget, VALUE_DEPTH};
use crate::rule::Rule;

/// Values of the same kind compare; signed and unsigned integers are two kinds that compare with each other.
#[derive(PartialEq, Clone, Copy)]
enum Basic<'v> {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Complex(f64, f64),
    Text(&'v [u8]),
    Other,
}

fn basic(value: &Value) -> Basic<'_> {
    match value {
        Value::Bool(value) => Basic::Bool(*value),
        Value::Int(value, _) => Basic::Int(*value),
        Value::Uint(value, _) => Basic::Uint(*value),
        Value::Float(value) => Basic::Float(*value),
        Value::Complex(real, imaginary) => Basic::Complex(*real, *imaginary),
        Value::Text(text) => Basic::Text(text),
        Value::Nil | Value::List(_) | Value::Dict(_) | Value::Texts(_) | Value::Object(_) => Basic::Other,
    }
}

/// Whether two values are equal in the sense of `eq`.
pub(crate) fn equal(left: &Value, right: &Value) -> Result<bool, Rule> {
    match (basic(left), basic(right)) {
        (Basic::Int(a), Basic::Uint(b)) | (Basic::Uint(b), Basic::Int(a)) => Ok(u64::try_from(a) == Ok(b)),
        (Basic::Other, Basic::Other) => equal_other(left, right),
        (a, b) if std::mem::discriminant(&a) == std::mem::discriminant(&b) => Ok(a == b),
        _ if matches!(left, Value::Nil) || matches!(right, Value::Nil) => Ok(false),
        _ => Err(Rule::NotComparable),
    }
}

/// Lists and maps compare with nil only; objects compare as Go compares their types.
fn equal_other(left: &Value, right: &Value) -> Result<bool, Rule> {
    if is_nil(left) || is_nil(right) {
        let same_kind = super::kind::kind_name(left) == super::kind::kind_name(right);
        let untyped = matches!(left, Value::Nil) || matches!(right, Value::Nil);
        return if same_kind || untyped {
            Ok(is_nil(left) == is_nil(right))
        } else {
            Err(Rule::NotComparable)
        };
    }
    match (left, right) {
        (Value::Object(a), Value::Object(b)) if a.kind_name() == b.kind_name() => Ok(a.is_same(b)),
        _ => Err(Rule::NotComparable),
    }
}

fn is_nil(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::List(list) => list.is_nil(),
        _ => false,
    }
}

/// Whether `left` comes before `right` in the sense of `lt`.
pub(crate) fn less(left: &Value, right: &Value) -> Result<bool, Rule> {
    match (basic(left), basic(right)) {
        (Basic::Int(a), Basic::Int(b)) => Ok(a < b),
        (Basic::Uint(a), Basic::Uint(b)) => Ok(a < b),
        (Basic::Float(a), Basic::Float(b)) => Ok(a < b),
        (Basic::Text(a), Basic::Text(b)) => Ok(a < b),
        (Basic::Int(a), Basic::Uint(b)) => Ok(u64::try_from(a).map_or(true, |a| a < b)),
        (Basic::Uint(a), Basic::Int(b)) => Ok(u64::try_from(b).is_ok_and(|b| a < b)),
        _ => Err(Rule::NotComparable),
    }
}

/// Go's `reflect.DeepEqual`: same types all the way down.
pub(crate) fn deep_equal(left: &Value, right: &Value, budget: &mut Budget) -> Result<bool, Rule> {
    Deep { budget }.equal(left, right, 0)
}

struct Deep<'b> {
    budget: &'b mut Budget,
}

impl Deep<'_> {
    fn equal(&mut self, left: &Value, right: &Value, depth: usize) -> Result<bool, Rule> {
        self.budget.step()?;
        if depth > VALUE_DEPTH {
            return Err(Rule::Nesting);
        }
        Ok(match (left, right) {
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a, t), Value::Int(b, u)) => a == b && t == u,
            (Value::Uint(a, t), Value::Uint(b, u)) => a == b && t == u,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Complex(a, i), Value::Complex(b, j)) => a == b && i == j,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Texts(a), Value::Texts(b)) => a == b,
            (Value::Object(a), Value::Object(b)) => a.is_equal(b),
            (Value::List(a), Value::List(b)) => return self.lists(a, b, depth),
            (Value::Dict(a), Value::Dict(b)) if a.is_same(b) => true,
            (Value::Dict(a), Value::Dict(b)) => return self.entries(&a.entries(), &b.entries(), depth),
            _ => false,
        })
    }

    fn lists(&mut self, left: &List, right: &List, depth: usize) -> Result<bool, Rule> {
        let (a, b) = (left.items(), right.items());
        if left.elements != right.elements || left.is_nil() != right.is_nil() || a.len() != b.len() {
            return Ok(false);
        }
        for (a, b) in a.iter().zip(b) {
            if !self.equal(a, b, depth + 1)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn entries<K: PartialEq>(
        &mut self,
        left: &[(K, Value)],
        right: &[(K, Value)],
        depth: usize,
    ) -> Result<bool, Rule> {
        if left.len() != right.len() {
            return Ok(false);
        }
        for ((key, value), (other_key, other)) in left.iter().zip(right) {
            if key != other_key || !self.equal(value, other, depth + 1)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Elements, UintType};

    #[test]
    fn equality() {
        let list = || Value::list(vec![]).expect("short");
        for (left, right, expected) in [
            (Value::int(1), Value::int64(1), Ok(true)),
            (Value::Uint(1, UintType::Byte), Value::int(1), Ok(true)),
            (Value::int(-1), Value::Uint(u64::MAX, UintType::Uint64), Ok(false)),
            (Value::int(1), Value::Float(1.0), Err(Rule::NotComparable)),
            (Value::text("1"), Value::int(1), Err(Rule::NotComparable)),
            (Value::Nil, Value::Nil, Ok(true)),
            (Value::Nil, Value::text(""), Ok(false)),
            (list(), Value::Nil, Ok(false)),
            (Value::List(List::nil(Elements::Any)), Value::Nil, Ok(true)),
            (list(), list(), Err(Rule::NotComparable)),
        ] {
            assert_eq!(equal(&left, &right), expected, "{left:?} {right:?}");
        }
    }

    #[test]
    fn order() {
        for (left, right, expected) in [
            (Value::int(1), Value::int64(2), Ok(true)),
            (Value::int(-1), Value::Uint(0, UintType::Byte), Ok(true)),
            (Value::Uint(0, UintType::Byte), Value::int(-1), Ok(false)),
            (Value::text("a"), Value::text("b"), Ok(true)),
            (Value::Bool(false), Value::Bool(true), Err(Rule::NotComparable)),
            (Value::Nil, Value::int(1), Err(Rule::NotComparable)),
        ] {
            assert_eq!(less(&left, &right), expected, "{left:?} {right:?}");
        }
    }

    #[test]
    fn deep_equality_tells_types_apart() {
        let mut budget = Budget::new();
        let one = Value::list(vec![Value::int(1)]).expect("short");
        let also = Value::list(vec![Value::int64(1)]).expect("short");
        assert_eq!(deep_equal(&one, &one, &mut budget), Ok(true));
        assert_eq!(deep_equal(&one, &also, &mut budget), Ok(false));
    }
}
