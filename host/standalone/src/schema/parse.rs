//! From the JSON of an `openAPIV3Schema` to a [`Node`], collecting every problem on the way.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::cause::{Cause, Path, Reason};
use super::node::{Additional, Checks, ListType, Node, Type};
use super::rule::Rule;
use super::{builtin, pattern, structural};

/// Deeper schemas are refused, so that no walk over a schema can exhaust the stack.
const MAX_DEPTH: usize = 64;

/// Parses the schema of a custom resource: checked to be structural, with the fields that every object has.
pub(super) fn parse(source: &Value) -> Result<Node, Vec<Cause>> {
    let mut parser = Parser::default();
    let mut root = parser.node(source, Path::Root, 0);
    let mut causes = parser.causes;
    causes.extend(structural::check(source));
    if causes.is_empty() {
        causes.extend(structural::check_defaults(&root));
        // Rules may read what every object has.
        root.embedded = true;
        builtin::add_object_fields(&mut root);
        causes.extend(structural::check_rules(&root));
    }
    if causes.is_empty() { Ok(root) } else { Err(causes) }
}

/// Parses a schema of ours, which is a whole object or a part of one. What it requires is for readers: typed
/// objects have every field.
pub(super) fn parse_own(source: &Value) -> Result<Node, Vec<Cause>> {
    let mut parser = Parser { typed: true, ..Parser::default() };
    let root = parser.node(source, Path::Root, 0);
    if parser.causes.is_empty() { Ok(root) } else { Err(parser.causes) }
}

#[derive(Default)]
struct Parser {
    causes: Vec<Cause>,
    typed: bool,
}

impl Parser {
    fn node(&mut self, source: &Value, at: Path<'_>, depth: usize) -> Node {
        let Some(fields) = source.as_object() else {
            self.causes.push(Cause::new(Reason::TypeInvalid, at, Some(source), "must be a schema object"));
            return Node::default();
        };
        if depth > MAX_DEPTH {
            self.causes.push(Cause::forbidden(at, "schema is nested too deeply"));
            return Node::default();
        }
        let flag = |name: &str| fields.get(name).and_then(Value::as_bool).unwrap_or(false);
        let mut node = Node {
            kind: self.kind(fields, at),
            nullable: flag("nullable"),
            int_or_string: flag("x-kubernetes-int-or-string"),
            preserve_unknown: flag("x-kubernetes-preserve-unknown-fields"),
            embedded: flag("x-kubernetes-embedded-resource"),
            properties: self.properties(fields, at, depth),
            additional: self.additional(fields, at, depth),
            items: fields.get("items").map(|items| Arc::new(self.node(items, at.child("items"), depth + 1))),
            default: fields.get("default").cloned(),
            list_type: list_type(fields),
            atomic_map: fields.get("x-kubernetes-map-type").and_then(Value::as_str) == Some("atomic"),
            patch_merge_key: fields
                .get("x-kubernetes-patch-merge-key")
                .and_then(Value::as_str)
                .map(str::to_owned),
            patch_merge: fields
                .get("x-kubernetes-patch-strategy")
                .and_then(Value::as_str)
                .is_some_and(|strategy| strategy.contains("merge")),
            checks: self.checks(fields, at, depth),
            rules: self.rules(fields, at),
        };
        if node.embedded && depth > 0 {
            builtin::add_object_fields(&mut node);
        }
        node
    }

    fn kind(&mut self, fields: &Map<String, Value>, at: Path<'_>) -> Option<Type> {
        let name = fields.get("type")?.as_str().unwrap_or_default();
        if name.is_empty() {
            return None;
        }
        let kind = Type::parse(name);
        if kind.is_none() {
            let names = Type::NAMES.map(Value::from);
            self.causes.push(Cause::not_supported(at.child("type"), &Value::from(name), &names));
            if name == "null" {
                self.causes.push(Cause::forbidden(
                    at.child("type"),
                    "type cannot be set to null, use nullable as an alternative",
                ));
            }
        }
        kind
    }

    fn properties(
        &mut self,
        fields: &Map<String, Value>,
        at: Path<'_>,
        depth: usize,
    ) -> BTreeMap<String, Arc<Node>> {
        let below = at.child("properties");
        let entries = fields.get("properties").and_then(Value::as_object);
        entries
            .into_iter()
            .flatten()
            .map(|(name, schema)| (name.clone(), Arc::new(self.node(schema, below.key(name), depth + 1))))
            .collect()
    }

    fn additional(&mut self, fields: &Map<String, Value>, at: Path<'_>, depth: usize) -> Option<Additional> {
        match fields.get("additionalProperties")? {
            Value::Bool(true) => Some(Additional::Any),
            Value::Bool(false) => None,
            schema => {
                Some(Additional::Of(Arc::new(self.node(schema, at.child("additionalProperties"), depth + 1))))
            }
        }
    }

    fn checks(&mut self, fields: &Map<String, Value>, at: Path<'_>, depth: usize) -> Checks {
        let count = |name: &str| fields.get(name).and_then(Value::as_u64);
        let number = |name: &str| fields.get(name).and_then(Value::as_number).cloned();
        let flag = |name: &str| fields.get(name).and_then(Value::as_bool).unwrap_or(false);
        Checks {
            format: fields.get("format").and_then(Value::as_str).map(str::to_owned),
            pattern: self.pattern(fields, at),
            min_length: count("minLength"),
            max_length: count("maxLength"),
            minimum: number("minimum"),
            maximum: number("maximum"),
            exclusive_minimum: flag("exclusiveMinimum"),
            exclusive_maximum: flag("exclusiveMaximum"),
            multiple_of: number("multipleOf"),
            min_items: count("minItems"),
            max_items: count("maxItems"),
            unique_items: flag("uniqueItems"),
            min_properties: count("minProperties"),
            max_properties: count("maxProperties"),
            required: if self.typed { Vec::new() } else { strings(fields.get("required")) },
            allowed: fields.get("enum").and_then(Value::as_array).cloned().unwrap_or_default(),
            all_of: self.branches(fields, "allOf", at, depth),
            any_of: self.branches(fields, "anyOf", at, depth),
            one_of: self.branches(fields, "oneOf", at, depth),
            not: fields.get("not").map(|schema| Box::new(self.node(schema, at.child("not"), depth + 1))),
        }
    }

    fn pattern(&mut self, fields: &Map<String, Value>, at: Path<'_>) -> Option<(String, regex::Regex)> {
        let text = fields.get("pattern")?.as_str().filter(|text| !text.is_empty())?;
        match pattern::compile(text) {
            Ok(regex) => Some((text.to_owned(), regex)),
            Err(error) => {
                let detail = format!("must be a valid regular expression, but isn't: {error}");
                self.causes.push(Cause::invalid(at.child("pattern"), &Value::from(text), &detail));
                None
            }
        }
    }

    fn branches(&mut self, fields: &Map<String, Value>, name: &str, at: Path<'_>, depth: usize) -> Vec<Node> {
        let below = at.child(name);
        let branches = fields.get(name).and_then(Value::as_array);
        branches
            .into_iter()
            .flatten()
            .enumerate()
            .map(|(index, schema)| self.node(schema, below.index(index), depth + 1))
            .collect()
    }

    fn rules(&mut self, fields: &Map<String, Value>, at: Path<'_>) -> Vec<Rule> {
        let below = at.child("x-kubernetes-validations");
        let rules = fields.get("x-kubernetes-validations").and_then(Value::as_array);
        let mut parsed = Vec::new();
        for (index, source) in rules.into_iter().flatten().enumerate() {
            match Rule::parse(source, below.index(index)) {
                Ok(rule) => parsed.push(rule),
                Err(causes) => self.causes.extend(causes),
            }
        }
        parsed
    }
}

fn list_type(fields: &Map<String, Value>) -> Option<ListType> {
    match fields.get("x-kubernetes-list-type")?.as_str()? {
        "set" => Some(ListType::Set),
        "map" => Some(ListType::Map(strings(fields.get("x-kubernetes-list-map-keys")))),
        _ => Some(ListType::Atomic),
    }
}

pub(super) fn strings(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
