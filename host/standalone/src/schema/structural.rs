//! What makes a schema structural: every field has a type outside of the logical junctors, and what is inside
//! them only constrains.
//!
//! Works on the JSON of the schema, which still tells an absent keyword from one that says nothing. Keywords
//! by themselves are checked in `keyword`; here is how they stand to each other.

use serde_json::{Map, Value};

use super::cause::{Cause, Path};
use super::keyword;
use super::node::{Additional, Node};
use super::{field_path, prune, rule, validate};

type Fields = Map<String, Value>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// All that keeps a schema from being structural.
pub(super) fn check(source: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if let Some(fields) = source.as_object() {
        node(fields, Path::Root, Level::Root, &mut causes);
        completeness(fields, fields, Path::Root, Path::Root, &mut causes);
        if flag(fields, "nullable") {
            causes.push(Cause::forbidden("nullable", "nullable cannot be true at the root"));
        }
        keyword::check(fields, Path::Root, keyword::Place::default(), &mut causes);
    }
    causes
}

fn node(fields: &Fields, at: Path<'_>, level: Level, causes: &mut Vec<Cause>) {
    let kind = text(fields, "type");
    if kind == "array" && !fields.contains_key("items") {
        causes.push(Cause::required(at.child("items"), "must be specified"));
    }
    if let Some(items) = object(fields, "items") {
        node(items, at.child("items"), Level::Item, causes);
    }
    let properties = at.child("properties");
    for (name, property) in entries(fields, "properties") {
        node(property, properties.key(name), Level::Field, causes);
    }
    if fields.contains_key("additionalProperties") && level == Level::Root {
        causes.push(Cause::forbidden(at.child("additionalProperties"), "must not be used at the root"));
    }
    if let Some(additional) = object(fields, "additionalProperties") {
        node(additional, at.child("additionalProperties"), Level::Field, causes);
    }
    int_or_string(fields, at, causes);
    junctors(fields, at, causes);
    kind_given(fields, kind, at, level, causes);
    metadata(fields, at, level, causes);
}

fn int_or_string(fields: &Fields, at: Path<'_>, causes: &mut Vec<Cause>) {
    if !flag(fields, "x-kubernetes-int-or-string") {
        return;
    }
    for name in ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] {
        if flag(fields, name) {
            causes.push(Cause::invalid(
                at.child(name),
                &Value::from(true),
                "must be false if x-kubernetes-int-or-string is true",
            ));
        }
    }
}

fn kind_given(fields: &Fields, kind: &str, at: Path<'_>, level: Level, causes: &mut Vec<Cause>) {
    let embedded = flag(fields, "x-kubernetes-embedded-resource");
    let free =
        flag(fields, "x-kubernetes-int-or-string") || flag(fields, "x-kubernetes-preserve-unknown-fields");
    let detail = "must be object if x-kubernetes-embedded-resource is true";
    if embedded && kind.is_empty() {
        causes.push(Cause::required(at.child("type"), detail));
    } else if embedded && kind != "object" {
        causes.push(Cause::invalid(at.child("type"), &Value::from(kind), detail));
    } else if kind.is_empty() && !free {
        let place = match level {
            Level::Root => "must not be empty at the root",
            Level::Item => "must not be empty for specified array items",
            Level::Field => "must not be empty for specified object fields",
        };
        causes.push(Cause::required(at.child("type"), place));
    }
    if embedded && fields.contains_key("additionalProperties") {
        causes.push(Cause::forbidden(
            at.child("additionalProperties"),
            "must not be used if x-kubernetes-embedded-resource is set",
        ));
    }
    if level == Level::Root && !kind.is_empty() && kind != "object" {
        causes.push(Cause::invalid(at.child("type"), &Value::from(kind), "must be object at the root"));
    }
    if embedded
        && !flag(fields, "x-kubernetes-preserve-unknown-fields")
        && entries(fields, "properties").next().is_none()
    {
        let detail = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
        causes.push(Cause::required(at.child("properties"), detail));
    }
}

fn metadata(fields: &Fields, at: Path<'_>, level: Level, causes: &mut Vec<Cause>) {
    if level != Level::Root && !flag(fields, "x-kubernetes-embedded-resource") {
        return;
    }
    let properties = at.child("properties");
    for (name, wanted) in [("kind", "string"), ("apiVersion", "string"), ("metadata", "object")] {
        let Some((_, property)) = entries(fields, "properties").find(|(found, _)| *found == name) else {
            continue;
        };
        let below = properties.key(name);
        let kind = text(property, "type");
        if kind != wanted {
            causes.push(Cause::invalid(
                below.child("type"),
                &Value::from(kind),
                &format!("must be {wanted}"),
            ));
        }
        if name == "metadata" && level == Level::Root && !only_names(property) {
            let detail = "must not specify anything other than name and generateName, but metadata is implicitly specified";
            causes.push(Cause::forbidden(below, detail));
        }
    }
}

fn only_names(metadata: &Fields) -> bool {
    let known = ["type", "description", "properties", "default"];
    metadata.keys().all(|name| known.contains(&name.as_str()))
        && entries(metadata, "properties").all(|(name, _)| name == "name" || name == "generateName")
}

/// Checks what stands inside of junctors.
fn junctors(fields: &Fields, at: Path<'_>, causes: &mut Vec<Cause>) {
    let is_pair =
        |branches: &Value| *branches == serde_json::json!([{"type": "integer"}, {"type": "string"}]);
    let first =
        fields.get("allOf").and_then(|branches| branches.get(0)).and_then(|branch| branch.get("anyOf"));
    for name in ["anyOf", "allOf", "oneOf"] {
        let below = at.child(name);
        if name == "anyOf" && fields.get(name).is_some_and(is_pair) {
            continue;
        }
        for (index, branch) in branches(fields, name) {
            let pair = name == "allOf" && index == 0 && first.is_some_and(is_pair);
            nested(branch, below.index(index), pair, causes);
        }
    }
    if let Some(not) = object(fields, "not") {
        nested(not, at.child("not"), false, causes);
    }
}

/// Keywords that must not stand inside a junctor, and whether they are harmful.
const FORBIDDEN: [(&str, &str); 12] = [
    ("type", "must be empty to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("default", "must be undefined to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
    ("x-kubernetes-embedded-resource", "must be false to be structural"),
    ("x-kubernetes-int-or-string", "must be false to be structural"),
    ("x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("x-kubernetes-list-type", "must be undefined to be structural"),
    ("x-kubernetes-map-type", "must be undefined to be structural"),
];

fn nested(fields: &Fields, at: Path<'_>, skip_any_of: bool, causes: &mut Vec<Cause>) {
    if skip_any_of {
        let mut rest = fields.clone();
        rest.remove("anyOf");
        junctors(&rest, at, causes);
    } else {
        junctors(fields, at, causes);
    }
    if let Some(items) = object(fields, "items") {
        nested(items, at.child("items"), false, causes);
    }
    let properties = at.child("properties");
    for (name, property) in entries(fields, "properties") {
        nested(property, properties.key(name), false, causes);
        if name == "metadata" {
            causes.push(Cause::forbidden(properties.key(name), "must not be specified in a nested context"));
        }
    }
    for (name, detail) in FORBIDDEN {
        if fields.get(name).is_some_and(|value| !is_empty(value)) {
            causes.push(Cause::forbidden(at.child(name), detail));
        }
    }
    if fields.get("x-kubernetes-validations").is_some_and(|rules| !is_empty(rules)) {
        causes.push(Cause::forbidden(at.child("x-kubernetes-validations"), "must be empty to be structural"));
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Every field that a junctor speaks of must also be specified outside of it.
fn completeness(
    fields: &Fields,
    structure: &Fields,
    at: Path<'_>,
    inside: Path<'_>,
    causes: &mut Vec<Cause>,
) {
    for name in ["not", "allOf", "anyOf", "oneOf"] {
        let below = inside.child(name);
        if let Some(not) = object(fields, name) {
            nested_completeness(not, Some(structure), at, below, causes);
        }
        for (index, branch) in branches(fields, name) {
            nested_completeness(branch, Some(structure), at, below.index(index), causes);
        }
    }
}

fn nested_completeness(
    fields: &Fields,
    structure: Option<&Fields>,
    at: Path<'_>,
    inside: Path<'_>,
    causes: &mut Vec<Cause>,
) {
    let Some(structure) = structure else {
        causes.push(Cause::required(at, &format!("because it is defined in {inside}")));
        return;
    };
    completeness(fields, structure, at, inside, causes);
    if let Some(items) = object(fields, "items") {
        nested_completeness(
            items,
            object(structure, "items"),
            at.child("items"),
            inside.child("items"),
            causes,
        );
    }
    let (at_properties, inside_properties) = (at.child("properties"), inside.child("properties"));
    for (name, property) in entries(fields, "properties") {
        let outside =
            entries(structure, "properties").find(|(found, _)| *found == name).map(|(_, property)| property);
        nested_completeness(property, outside, at_properties.key(name), inside_properties.key(name), causes);
    }
}

/// Defaults must be pruned and valid by themselves.
pub(super) fn check_defaults(root: &Node) -> Vec<Cause> {
    let mut causes = Vec::new();
    defaults(root, Path::Root, &mut causes);
    causes
}

fn defaults(node: &Node, at: Path<'_>, causes: &mut Vec<Cause>) {
    if let Some(default) = &node.default {
        let below = at.child("default");
        if !prune::prune(&mut default.clone(), node).is_empty() {
            causes.push(Cause::invalid(below, default, "must not have unknown fields"));
        }
        let mut found = validate::validate(node, default, None);
        if found.is_empty() {
            found = rule::validate(node, default, None);
        }
        causes.extend(found.into_iter().map(|cause| cause.below(&below.to_string())));
    }
    if let Some(items) = node.item() {
        defaults(items, at.child("items"), causes);
    }
    let properties = at.child("properties");
    for (name, property) in &node.properties {
        defaults(property, properties.key(name), causes);
    }
}

/// Rules must read and blame fields that exist, and not compare what cannot be matched with its old value.
pub(super) fn check_rules(root: &Node) -> Vec<Cause> {
    let mut causes = Vec::new();
    rules(root, Path::Root, None, &mut causes);
    causes
}

fn rules(node: &Node, at: Path<'_>, uncorrelatable: Option<&str>, causes: &mut Vec<Cause>) {
    let below = at.child("x-kubernetes-validations");
    for (index, rule) in node.rules.iter().enumerate() {
        let below = below.index(index);
        if let Some(path) =
            rule.field_path.as_ref().filter(|path| field_path::resolve(node, path, true).is_err())
        {
            causes.push(Cause::invalid(
                below.child("fieldPath"),
                &Value::from(path.as_str()),
                "must be a valid path",
            ));
        }
        for name in rule.undefined_fields(node) {
            let detail = format!("compilation failed: undefined field '{name}'");
            causes.push(Cause::invalid(below.child("rule"), &Value::from(rule.source()), &detail));
        }
        if let Some(within) = uncorrelatable.filter(|_| rule.transition) {
            let detail =
                format!("oldSelf cannot be used on the uncorrelatable portion of the schema within {within}");
            causes.push(Cause::invalid(below.child("rule"), &Value::from(rule.source()), &detail));
        }
    }
    let properties = at.child("properties");
    for (name, property) in &node.properties {
        rules(property, properties.key(name), uncorrelatable, causes);
    }
    if let Some(Additional::Of(additional)) = &node.additional {
        rules(additional, at.child("additionalProperties"), uncorrelatable, causes);
    }
    if let Some(items) = node.item() {
        let here = at.to_string();
        let within = if node.list_keys().is_some() { uncorrelatable } else { uncorrelatable.or(Some(&here)) };
        rules(items, at.child("items"), within, causes);
    }
}

pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn flag(fields: &Fields, name: &str) -> bool {
    fields.get(name).and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn object<'a>(fields: &'a Fields, name: &str) -> Option<&'a Fields> {
    fields.get(name).and_then(Value::as_object)
}

pub(super) fn entries<'a>(fields: &'a Fields, name: &str) -> impl Iterator<Item = (&'a str, &'a Fields)> {
    object(fields, name)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_object()?)))
}

pub(super) fn branches<'a>(fields: &'a Fields, name: &str) -> impl Iterator<Item = (usize, &'a Fields)> {
    let list = fields.get(name).and_then(Value::as_array);
    list.into_iter().flatten().enumerate().filter_map(|(index, value)| Some((index, value.as_object()?)))
}
