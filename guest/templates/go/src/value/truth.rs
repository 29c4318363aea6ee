//! What counts as true (`if`, `and`, `or`) and what counts as empty (`default`, `coalesce`, `compact`).

use super::Value;

/// Go's truth: everything but the zero of its type.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Nil => false,
        Value::Bool(value) => *value,
        Value::Int(value, _) => *value != 0,
        Value::Uint(value, _) => *value != 0,
        Value::Float(value) => *value != 0.0,
        Value::Complex(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
        Value::Text(text) => !text.is_empty(),
        Value::List(list) => !list.items().is_empty(),
        Value::Dict(dict) => dict.len() > 0,
        Value::Texts(texts) => !texts.is_empty(),
        Value::Object(_) => true,
    }
}

/// sprig's emptiness, which for the values that exist here is the opposite of truth.
pub(crate) fn is_empty(value: &Value) -> bool {
    !is_true(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Dict;

    #[test]
    fn zero_values_are_false() {
        for (value, expected) in [
            (Value::Nil, false),
            (Value::Bool(true), true),
            (Value::int(-1), true),
            (Value::int(0), false),
            (Value::Float(-0.0), false),
            (Value::Float(f64::NAN), true),
            (Value::Complex(0.0, 1.0), true),
            (Value::text("0"), true),
            (Value::text(""), false),
            (Value::Dict(Dict::default()), false),
            (Value::list(vec![Value::Nil]).expect("short"), true),
        ] {
            assert_eq!(is_true(&value), expected, "{value:?}");
        }
    }
}
