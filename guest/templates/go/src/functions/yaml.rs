//! YAML in and out, as ESO has them: what cannot be read is a dict with the key `Error`, what cannot be written is empty.

use super::arguments::{any, text};
use super::{Context, Family, Function, Type, p};
use crate::rule::Rule;
use crate::value::{Dict, Value};
use crate::yaml::{from_text, to_text};

const F: Family = Family::Yaml;

pub(super) const ROWS: &[Function] = &[
    F.pure("toYaml", &[p("value", Type::Any)], "string", "As YAML, or empty if it cannot be.", to_yaml),
    F.pure(
        "fromYaml",
        &[p("text", Type::Text)],
        "dict",
        "The map that the YAML says; `.Error` if it is none.",
        from_yaml,
    ),
];

type Answer = Result<Value, Rule>;

fn to_yaml(a: &[Value], context: &mut Context<'_>) -> Answer {
    match to_text(any(a, 0)?, &mut context.budget) {
        Err(Rule::BadArgument) => Ok(Value::text("")),
        written => written.map(Value::Text),
    }
}

fn from_yaml(a: &[Value], context: &mut Context<'_>) -> Answer {
    const NOT_READ: &str = "error converting YAML to JSON";
    let unmarshal = |kind: &str| {
        let into = "into Go value of type map[string]interface {}";
        error(&format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} {into}"))
    };
    match from_text(text(a, 0)?, &mut context.budget) {
        Ok(dict @ Value::Dict(_)) => Ok(dict),
        Ok(Value::Nil) => Ok(Value::Dict(Dict::default())),
        Ok(Value::List(_)) => unmarshal("array"),
        Ok(Value::Text(_)) => unmarshal("string"),
        Ok(Value::Bool(_)) => unmarshal("bool"),
        Ok(_) => unmarshal("number"),
        Err(Rule::NotYaml | Rule::NotAMap) => error(&format!("{NOT_READ}: yaml: cannot be parsed")),
        Err(Rule::NullKey) => error(&format!("{NOT_READ}: unsupported map key: null")),
        Err(limit) => Err(limit),
    }
}

fn error(text: &str) -> Answer {
    let dict = Dict::default();
    dict.insert("Error".into(), Value::text(text))?;
    Ok(Value::Dict(dict))
}
