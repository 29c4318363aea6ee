//! Value validation: types, formats, limits and the logic of `allOf`, `anyOf`, `oneOf` and `not`.
//!
//! The order of checks and the counting of passed checks follow kube-apiserver, since the count decides which
//! alternative of an `anyOf` or `oneOf` a message is about. Rules in CEL and the uniqueness of list items are
//! checked elsewhere.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::cause::{Cause, Path, Reason, go_quoted};
use super::node::{Additional, Checks, Node, Type};
use super::{format, number};

/// All problems of `new`; those of parts that `old` had just so are forgiven.
pub(super) fn validate(root: &Node, new: &Value, old: Option<&Value>) -> Vec<Cause> {
    node(root, Path::Root, new, old).causes
}

/// Problems found, and how many checks were made without one.
#[derive(Default)]
struct Outcome {
    causes: Vec<Cause>,
    passed: u64,
}

impl Outcome {
    fn merge(&mut self, other: Self) {
        self.causes.extend(other.causes);
        self.passed += other.passed;
    }

    fn valid(&self) -> bool {
        self.causes.is_empty()
    }
}

fn node(schema: &Node, at: Path<'_>, new: &Value, old: Option<&Value>) -> Outcome {
    let mut out = Outcome::default();
    if new.is_null() {
        check_null(schema, at, &mut out);
        check_enum(&schema.checks, at, new, &mut out);
    } else {
        check_type(schema, at, new, &mut out);
        junctors(&schema.checks, at, new, old, &mut out);
        match new {
            Value::String(text) => check_string(schema, at, text, &mut out),
            Value::Number(number) => number::check(schema, at, number, &mut out.causes),
            Value::Array(items) => check_items(schema, at, items, old, &mut out),
            Value::Object(fields) => check_fields(schema, at, fields, old, &mut out),
            Value::Bool(_) | Value::Null => {}
        }
        check_enum(&schema.checks, at, new, &mut out);
        out.passed += 3;
    }
    if !out.causes.is_empty() && old == Some(new) {
        out.causes.clear();
    }
    out
}

fn check_null(schema: &Node, at: Path<'_>, out: &mut Outcome) {
    let typed = schema.kind.is_some() || schema.int_or_string;
    if typed && !schema.nullable {
        out.causes.push(wrong_type(at, &expected(schema), "null"));
    }
}

/// `integer,string` for int-or-string.
fn expected(schema: &Node) -> Cow<'static, str> {
    match (schema.kind, schema.int_or_string) {
        (_, true) => "integer,string".into(),
        (Some(kind), false) => kind.name().into(),
        (None, false) => "".into(),
    }
}

fn check_type(schema: &Node, at: Path<'_>, value: &Value, out: &mut Outcome) {
    let actual = name_of(value);
    let fits = |kind: Type| {
        kind.name() == actual
            || (kind == Type::Number && actual == "integer")
            || (kind == Type::Integer && value.as_f64().is_some_and(|float| float.fract() == 0.0))
    };
    let ok = match (schema.kind, schema.int_or_string) {
        (_, true) => fits(Type::Integer) || fits(Type::String),
        (Some(kind), false) => fits(kind),
        (None, false) => return,
    };
    let format = schema.checks.format.as_deref().filter(|_| schema.kind == Some(Type::Integer));
    if ok {
        out.passed += 2;
    } else if let (Some(format), "number") = (format, actual) {
        out.causes.push(wrong_type(at, format, "float64"));
        out.passed += 1;
    } else {
        out.causes.push(wrong_type(at, &expected(schema), actual));
        out.passed += 1;
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn wrong_type(at: Path<'_>, expected: &str, actual: &str) -> Cause {
    let detail = format!("{} in body must be of type {expected}: {}", at.text(), go_quoted(actual));
    Cause::new(Reason::TypeInvalid, at, Some(&Value::from(actual)), &detail)
}

fn check_enum(checks: &Checks, at: Path<'_>, value: &Value, out: &mut Outcome) {
    if !checks.allowed.is_empty() && !checks.allowed.iter().any(|allowed| number::equal(allowed, value)) {
        out.causes.push(Cause::not_supported(at, value, &checks.allowed));
    }
}

/// One problem at a time, as kube-apiserver; the format beside it.
fn check_string(schema: &Node, at: Path<'_>, text: &str, out: &mut Outcome) {
    let checks = &schema.checks;
    let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    let value = Value::from(text);
    if let Some(limit) = checks.max_length.filter(|limit| length > *limit) {
        out.causes.push(Cause::too_long(at, limit));
    } else if let Some(limit) = checks.min_length.filter(|limit| length < *limit) {
        let detail = format!("{} in body should be at least {limit} chars long", at.text());
        out.causes.push(Cause::invalid(at, &value, &detail));
    } else if let Some((pattern, _)) = checks.pattern.as_ref().filter(|(_, regex)| !regex.is_match(text)) {
        let detail = format!("{} in body should match '{pattern}'", at.text());
        out.causes.push(Cause::invalid(at, &value, &detail));
    }
    let typed = matches!(schema.kind, None | Some(Type::String)) && !schema.int_or_string;
    if let Some(name) = checks.format.as_deref().filter(|name| typed && format::is_broken(name, text)) {
        let detail = format!("{} in body must be of type {name}: {}", at.text(), go_quoted(text));
        out.causes.push(Cause::new(Reason::TypeInvalid, at, Some(&value), &detail));
    }
}

fn check_items(schema: &Node, at: Path<'_>, items: &[Value], old: Option<&Value>, out: &mut Outcome) {
    if let Some(item_schema) = schema.item() {
        for (index, item) in items.iter().enumerate() {
            out.merge(node(item_schema, at.index(index), item, old_item(schema, old, item)));
        }
    }
    let (checks, count) = (&schema.checks, u64::try_from(items.len()).unwrap_or(u64::MAX));
    if let Some(limit) = checks.min_items.filter(|limit| count < *limit) {
        let detail = format!("{} in body should have at least {limit} items", at.text());
        out.causes.push(Cause::invalid(at, &Value::from(count), &detail));
    }
    if let Some(limit) = checks.max_items.filter(|limit| count > *limit) {
        out.causes.push(Cause::too_many(at, count, limit));
    }
    if checks.unique_items
        && items
            .iter()
            .enumerate()
            .any(|(index, item)| items.iter().take(index).any(|earlier| earlier == item))
    {
        let detail = format!("{} in body shouldn't contain duplicates", at.text());
        out.causes.push(Cause::invalid(at, &Value::from(""), &detail));
    }
    out.passed += 1;
}

/// The item of the old list with the same keys, when the list is a map.
pub(super) fn old_item<'a>(schema: &Node, old: Option<&'a Value>, item: &Value) -> Option<&'a Value> {
    let keys = schema.list_keys()?;
    let key_of = |item: &Value, key: &String| item.get(key).cloned();
    old?.as_array()?
        .iter()
        .find(|candidate| keys.iter().all(|key| key_of(candidate, key) == key_of(item, key)))
}

fn check_fields(
    schema: &Node,
    at: Path<'_>,
    fields: &Map<String, Value>,
    old: Option<&Value>,
    out: &mut Outcome,
) {
    let (checks, count) = (&schema.checks, u64::try_from(fields.len()).unwrap_or(u64::MAX));
    if let Some(limit) = checks.min_properties.filter(|limit| count < *limit) {
        let detail = format!("{} in body should have at least {limit} properties", at.text());
        out.causes.push(Cause::invalid(at, &Value::from(count), &detail));
    }
    if let Some(limit) = checks.max_properties.filter(|limit| count > *limit) {
        out.causes.push(Cause::too_many(at, count, limit));
    }
    for (name, field) in fields {
        let schema = match (schema.properties.get(name), &schema.additional) {
            (Some(schema), _) | (None, Some(Additional::Of(schema))) => schema,
            _ => continue,
        };
        out.merge(node(schema, at.child(name), field, old.and_then(|old| old.get(name))));
    }
    let nested = schema.embedded && !matches!(at, Path::Root);
    for name in ["apiVersion", "kind"].into_iter().filter(|name| nested && !fields.contains_key(*name)) {
        out.causes.push(Cause::required(at.child(name), ""));
    }
    for name in checks.required.iter().filter(|name| !fields.contains_key(*name)) {
        out.causes.push(Cause::required(at.child(name), ""));
    }
}

fn junctors(checks: &Checks, at: Path<'_>, value: &Value, old: Option<&Value>, out: &mut Outcome) {
    any_of(&checks.any_of, at, value, old, out);
    one_of(&checks.one_of, at, value, old, out);
    all_of(&checks.all_of, at, value, old, out);
    if checks.not.as_ref().is_some_and(|schema| node(schema, at, value, old).valid()) {
        out.causes.push(of_object(format!("{} must not validate the schema (not)", go_quoted(&at.text()))));
    }
}

/// The messages of junctors name the field in their text only.
fn of_object(detail: String) -> Cause {
    Cause::invalid(Path::Root, &Value::from(""), &detail)
}

fn any_of(branches: &[Node], at: Path<'_>, value: &Value, old: Option<&Value>, out: &mut Outcome) {
    if branches.is_empty() {
        return;
    }
    let mut best: Option<Outcome> = None;
    for branch in branches {
        let outcome = node(branch, at, value, old);
        if outcome.valid() {
            out.merge(outcome);
            return;
        }
        if best.as_ref().is_none_or(|best| outcome.passed > best.passed) {
            best = Some(outcome);
        }
    }
    out.causes
        .push(of_object(format!("{} must validate at least one schema (anyOf)", go_quoted(&at.text()))));
    out.merge(best.unwrap_or_default());
}

fn one_of(branches: &[Node], at: Path<'_>, value: &Value, old: Option<&Value>, out: &mut Outcome) {
    if branches.is_empty() {
        return;
    }
    let (mut valid, mut first, mut best) = (0_usize, None, None::<Outcome>);
    for branch in branches {
        let outcome = node(branch, at, value, old);
        if outcome.valid() {
            valid += 1;
            first.get_or_insert(outcome);
            best = None;
        } else if valid == 0 && best.as_ref().is_none_or(|best| outcome.passed > best.passed) {
            best = Some(outcome);
        }
    }
    if valid == 1 {
        out.merge(first.unwrap_or_default());
        return;
    }
    let found =
        if valid == 0 { "Found none valid".to_owned() } else { format!("Found {valid} valid alternatives") };
    out.causes.push(of_object(format!(
        "{} must validate one and only one schema (oneOf). {found}",
        go_quoted(&at.text())
    )));
    out.merge(best.unwrap_or_default());
}

fn all_of(branches: &[Node], at: Path<'_>, value: &Value, old: Option<&Value>, out: &mut Outcome) {
    let mut valid = 0_usize;
    for branch in branches {
        let outcome = node(branch, at, value, old);
        valid += usize::from(outcome.valid());
        out.merge(outcome);
    }
    if valid != branches.len() {
        let none = if valid == 0 { ". None validated" } else { "" };
        out.causes.push(of_object(format!(
            "{} must validate all the schemas (allOf){none}",
            go_quoted(&at.text())
        )));
    }
}
