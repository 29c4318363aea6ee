//! Takes out of an answer what differs from run to run: UIDs, times, ages, resource versions, generated names.
//!
//! Each becomes a placeholder, and the same UID or version the same placeholder, so that it shows whether an object
//! is still the same. Times are only recognised when they are of our days: what a case writes itself is kept.

use std::collections::BTreeMap;

use regex::{Captures, Regex};
use serde_json::Value;

/// The placeholders of one case.
#[derive(Debug)]
pub(crate) struct Plain {
    patterns: Patterns,
    uids: Vec<String>,
    versions: Vec<String>,
    /// Texts, and the names that stand for them.
    names: Vec<(String, String)>,
}

#[derive(Debug)]
struct Patterns {
    uid: Regex,
    time: Regex,
    age: Regex,
    version: Regex,
}

/// Keys whose values are opaque.
const OPAQUE: &[&str] = &["continue", "token"];

impl Plain {
    pub(crate) fn new() -> Self {
        let regex = |pattern: &str| Regex::new(pattern).unwrap();
        let patterns = Patterns {
            uid: regex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
            time: regex(r"20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
            age: regex(r"^(\d+[smh])+$"),
            version: regex(
                r"(?x) (?P<before> ResourceVersion\ in\ precondition:\ | ResourceVersion\ in\ object\ meta:\ 
                    | ResourceVersion\ in\ record\ \( | current:\ | resource\ version:\ \d+\ \( ) \d+",
            ),
        };
        Self { patterns, uids: Vec::new(), versions: Vec::new(), names: Vec::new() }
    }

    /// From now on `text` reads `{name}`.
    pub(crate) fn name(&mut self, name: &str, text: &str) {
        self.names.push((text.to_owned(), format!("{{{name}}}")));
    }

    /// The body with placeholders.
    pub(crate) fn body(&mut self, body: &Value) -> Value {
        let is_list = body.get("items").is_some() || body.get("rows").is_some();
        self.value(body, "", is_list)
    }

    /// Texts outside of JSON.
    pub(crate) fn text(&mut self, text: &str) -> String {
        let Patterns { uid, time, version, .. } = &self.patterns;
        let uids = &mut self.uids;
        let text = uid.replace_all(text, |found: &Captures<'_>| format!("<uid {}>", number(uids, &found[0])));
        let text = time.replace_all(
            &text,
            |found: &Captures<'_>| {
                if found.get(1).is_some() { "<time, exact>" } else { "<time>" }
            },
        );
        let text = version.replace_all(&text, "${before}<version>");
        self.names.iter().fold(text.into_owned(), |text, (from, to)| text.replace(from, to))
    }

    /// `of_list`: the value is a list's, so that its version is that of the server's whole history.
    fn value(&mut self, value: &Value, key: &str, of_list: bool) -> Value {
        match value {
            Value::String(text) => self.string(text, key, of_list).into(),
            Value::Array(items) if key == "managedFields" => {
                // Those of the same second are in the order of their names, and a second is soon over.
                let mut items = items.clone();
                items.sort_by_key(|item| {
                    ["operation", "manager", "apiVersion", "subresource"].map(|name| item[name].to_string())
                });
                items.iter().map(|item| self.value(item, "", false)).collect()
            }
            Value::Array(items) if key == "resources" => {
                // Discovery lists the kinds of definitions in no order.
                let mut items = items.clone();
                items.sort_by_key(|item| item["name"].to_string());
                items.iter().map(|item| self.value(item, "", false)).collect()
            }
            Value::Array(items) => items.iter().map(|item| self.value(item, key, false)).collect(),
            Value::Object(fields) => {
                // In the order of the names, so that placeholders are numbered alike.
                let sorted: BTreeMap<&String, &Value> = fields.iter().collect();
                let of_list = of_list || is_kept_by_controllers(fields);
                let is_bookmark = fields.get("type").is_some_and(|kind| kind == "BOOKMARK");
                let fields = sorted.into_iter().map(|(name, field)| {
                    let of_list =
                        is_bookmark || (of_list && matches!(name.as_str(), "metadata" | "resourceVersion"));
                    let of_list = of_list || field.get("rows").is_some();
                    (self.text(name), self.value(field, name, of_list))
                });
                Value::Object(fields.collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    fn string(&mut self, text: &str, key: &str, of_list: bool) -> String {
        match key {
            "resourceVersion" if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                if of_list {
                    "<list version>".to_owned()
                } else {
                    format!("<version {}>", number(&mut self.versions, text))
                }
            }
            _ if OPAQUE.contains(&key) && !text.is_empty() => format!("<{key}>"),
            "cells" if self.patterns.age.is_match(text) => "<age>".to_owned(),
            _ => self.text(text),
        }
    }
}

/// Objects whose versions depend on how often controllers wrote to them.
fn is_kept_by_controllers(object: &serde_json::Map<String, Value>) -> bool {
    object.get("kind").is_some_and(|kind| kind == "CustomResourceDefinition" || kind == "Namespace")
}

fn number(known: &mut Vec<String>, text: &str) -> usize {
    let at = known.iter().position(|one| one == text).unwrap_or_else(|| {
        known.push(text.to_owned());
        known.len() - 1
    });
    at + 1
}

#[test]
fn what_differs_from_run_to_run_becomes_a_placeholder() {
    let mut plain = Plain::new();
    plain.name("namespace", "case-7");
    let uid = "5b0b1f0a-0d6c-4e5b-9a58-6f1f4c1f7c11";
    let body = serde_json::json!({
        "items": [{"metadata": {"uid": uid, "resourceVersion": "12", "namespace": "case-7", "x": "2001-01-01T00:00:00Z"}}],
        "metadata": {"resourceVersion": "13", "continue": "abc"},
        "message": format!("{uid} at 2026-11-25T00:00:00Z: ResourceVersion in precondition: 1, ResourceVersion in object meta: 12"),
    });
    let expected = serde_json::json!({
        "items": [{"metadata": {"uid": "<uid 1>", "resourceVersion": "<version 1>", "namespace": "{namespace}", "x": "2001-01-01T00:00:00Z"}}],
        "metadata": {"resourceVersion": "<list version>", "continue": "<continue>"},
        "message": "<uid 1> at <time>: ResourceVersion in precondition: <version>, ResourceVersion in object meta: <version>",
    });
    assert_eq!(plain.body(&body), expected);
}
