//! The names that Go gives to the types and kinds of values. Templates see them through `%T`, `typeOf` and `kindOf`.

use std::borrow::Cow;

use super::{Elements, IntType, UintType, Value};

/// As `%T` prints it.
pub(crate) fn type_name(value: &Value) -> Cow<'static, str> {
    Cow::Borrowed(match value {
        Value::Nil => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_, IntType::Int) => "int",
        Value::Int(_, IntType::Int64) => "int64",
        Value::Int(_, IntType::Duration) => "time.Duration",
        Value::Int(_, IntType::Month) => "time.Month",
        Value::Int(_, IntType::Weekday) => "time.Weekday",
        Value::Uint(_, UintType::Byte) => "uint8",
        Value::Uint(_, UintType::Uint64) => "uint64",
        Value::Float(_) => "float64",
        Value::Complex(..) => "complex128",
        Value::Text(_) => "string",
        Value::List(list) => list_type(list.elements),
        Value::Dict(_) => "map[string]interface {}",
        Value::Texts(_) => "map[string]string",
        Value::Object(object) => object.type_name(),
    })
}

fn list_type(elements: Elements) -> &'static str {
    match elements {
        Elements::Any => "[]interface {}",
        Elements::Texts => "[]string",
        Elements::Ints => "[]int",
        Elements::Lists => "[][]interface {}",
    }
}

/// As `reflect.Kind` prints it.
pub(crate) fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "invalid",
        Value::Bool(_) => "bool",
        Value::Int(_, IntType::Int | IntType::Month | IntType::Weekday) => "int",
        Value::Int(_, IntType::Int64 | IntType::Duration) => "int64",
        Value::Uint(_, UintType::Byte) => "uint8",
        Value::Uint(_, UintType::Uint64) => "uint64",
        Value::Float(_) => "float64",
        Value::Complex(..) => "complex128",
        Value::Text(_) => "string",
        Value::List(_) => "slice",
        Value::Dict(_) | Value::Texts(_) => "map",
        Value::Object(object) => object.kind_name(),
    }
}
