//! Tables of schema behaviours, keyword by keyword, with the messages that kube-apiserver gives.

mod defaulting;
mod definitions;
mod kinds;
mod merging;
mod rules;
mod values;

use serde_json::{Value, json};

use super::{Cause, Schema};

/// A schema whose `spec` has the given fields.
fn with_spec(properties: Value) -> Schema {
    parsed(&json!({"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}))
}

fn parsed(schema: &Value) -> Schema {
    match Schema::parse(schema) {
        Ok(schema) => schema,
        Err(causes) => panic!("{schema} does not parse: {causes:?}"),
    }
}

fn lines(causes: &[Cause]) -> Vec<String> {
    let mut lines: Vec<String> = causes.iter().map(Cause::to_string).collect();
    lines.sort();
    lines
}

/// All problems of `{"spec": spec}`.
fn problems(schema: &Schema, spec: Value) -> Vec<String> {
    lines(&schema.validate(&json!({"spec": spec}), None))
}
