//! Checks of single keywords of a schema, and of the list and map types.

use serde_json::{Map, Value};

use super::cause::{Cause, Path};
use super::structural::{branches, entries, flag, object, text};

type Fields = Map<String, Value>;

/// Where a schema stands, as far as it restricts its keywords.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    nested: bool,
    inside_metadata: bool,
    /// Why defaults are forbidden here.
    no_defaults: Option<&'static str>,
}

/// Keywords that Kubernetes does not take.
const UNSUPPORTED: [&str; 6] =
    ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"];

pub(super) fn check(fields: &Fields, at: Path<'_>, place: Place, causes: &mut Vec<Cause>) {
    for name in UNSUPPORTED.into_iter().filter(|name| fields.get(*name).is_some_and(|value| !is_blank(value)))
    {
        causes.push(Cause::forbidden(at.child(name), &format!("{name} is not supported")));
    }
    if let Some(reason) = place.no_defaults.filter(|_| fields.contains_key("default")) {
        causes.push(Cause::forbidden(at.child("default"), &format!("must not be set {reason}")));
    }
    if fields.get("items").is_some_and(Value::is_array) {
        causes.push(Cause::forbidden(at.child("items"), "items must be a schema object and not an array"));
    }
    if place.inside_metadata && flag(fields, "x-kubernetes-embedded-resource") {
        causes.push(Cause::forbidden(
            at.child("x-kubernetes-embedded-resource"),
            "must not be used inside of resource meta",
        ));
    }
    if flag(fields, "uniqueItems") {
        causes.push(Cause::forbidden(
            at.child("uniqueItems"),
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        ));
    }
    if fields.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(false)) {
        let below = at.child("x-kubernetes-preserve-unknown-fields");
        causes.push(Cause::invalid(below, &Value::Bool(false), "must be true or undefined"));
    }
    let free = fields.get("additionalProperties").is_some_and(|additional| *additional != Value::Bool(true));
    if free && entries(fields, "properties").next().is_some() {
        causes.push(Cause::forbidden(
            at.child("additionalProperties"),
            "additionalProperties and properties are mutual exclusive",
        ));
    }
    map_type(fields, at, causes);
    list_type(fields, at, causes);
    list_keys(fields, at, causes);
    below(fields, at, place, causes);
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        _ => false,
    }
}

fn below(fields: &Fields, at: Path<'_>, place: Place, causes: &mut Vec<Cause>) {
    let inner = Place { nested: true, ..place };
    if let Some(additional) = object(fields, "additionalProperties") {
        let reason = "inside additionalProperties applying to object metadata";
        let inner =
            Place { no_defaults: place.no_defaults.or(place.inside_metadata.then_some(reason)), ..inner };
        check(additional, at.child("additionalProperties"), inner, causes);
    }
    let properties = at.child("properties");
    for (name, property) in entries(fields, "properties") {
        let mut inner = inner;
        let top_level = match name {
            "metadata" => Some("in top-level metadata"),
            "kind" => Some("in top-level kind"),
            "apiVersion" => Some("in top-level apiVersion"),
            _ => None,
        };
        if top_level.is_some() && (!place.nested || flag(fields, "x-kubernetes-embedded-resource")) {
            inner.inside_metadata = true;
            inner.no_defaults = inner.no_defaults.or(top_level.filter(|_| !place.nested));
        }
        check(property, properties.key(name), inner, causes);
    }
    for name in ["items", "not"] {
        if let Some(schema) = object(fields, name) {
            check(schema, at.child(name), inner, causes);
        }
    }
    for name in ["allOf", "oneOf", "anyOf"] {
        let list = at.child(name);
        for (index, branch) in branches(fields, name) {
            check(branch, list.index(index), inner, causes);
        }
    }
}

fn map_type(fields: &Fields, at: Path<'_>, causes: &mut Vec<Cause>) {
    let Some(given) = fields.get("x-kubernetes-map-type") else {
        return;
    };
    typed(fields, at, "object", "x-kubernetes-map-type", causes);
    one_of(given, at.child("x-kubernetes-map-type"), &["atomic", "granular"], causes);
}

fn list_type(fields: &Fields, at: Path<'_>, causes: &mut Vec<Cause>) {
    let keys = fields
        .get("x-kubernetes-list-map-keys")
        .and_then(Value::as_array)
        .is_some_and(|keys| !keys.is_empty());
    let detail = "must be map if x-kubernetes-list-map-keys is non-empty";
    let Some(given) = fields.get("x-kubernetes-list-type") else {
        if keys {
            causes.push(Cause::required(at.child("x-kubernetes-list-type"), detail));
        }
        return;
    };
    if typed(fields, at, "array", "x-kubernetes-list-type", causes) && given == "set" {
        atomic_items(fields, at, causes);
    }
    one_of(given, at.child("x-kubernetes-list-type"), &["atomic", "set", "map"], causes);
    if keys && given != "map" {
        causes.push(Cause::invalid(at.child("x-kubernetes-list-type"), given, detail));
    }
    let nullable = object(fields, "items").is_some_and(|items| flag(items, "nullable"));
    if nullable && (given == "set" || given == "map") {
        let kind = given.as_str().unwrap_or_default();
        let items = at.child("items");
        causes.push(Cause::forbidden(
            items.child("nullable"),
            &format!("cannot be nullable when x-kubernetes-list-type is {kind}"),
        ));
    }
}

/// Whether the type is the one that the keyword needs.
fn typed(fields: &Fields, at: Path<'_>, wanted: &str, keyword: &str, causes: &mut Vec<Cause>) -> bool {
    let kind = text(fields, "type");
    let detail = format!("must be {wanted} if {keyword} is specified");
    match kind {
        "" => causes.push(Cause::required(at.child("type"), &detail)),
        _ if kind != wanted => causes.push(Cause::invalid(at.child("type"), &Value::from(kind), &detail)),
        _ => return true,
    }
    false
}

fn one_of(given: &Value, at: Path<'_>, names: &[&str], causes: &mut Vec<Cause>) {
    if !names.iter().any(|name| given == name) {
        let names: Vec<Value> = names.iter().map(|name| Value::from(*name)).collect();
        causes.push(Cause::not_supported(at, given, &names));
    }
}

fn atomic_items(fields: &Fields, at: Path<'_>, causes: &mut Vec<Cause>) {
    let Some(items) = object(fields, "items") else {
        return;
    };
    let (keyword, default) = match text(items, "type") {
        "array" => ("x-kubernetes-list-type", "atomic"),
        "object" => ("x-kubernetes-map-type", "granular"),
        _ => return,
    };
    let given = items.get(keyword).and_then(Value::as_str).unwrap_or(default);
    if given != "atomic" {
        let below = at.child("items");
        let value = items.get(keyword).cloned().unwrap_or(Value::Null);
        causes.push(Cause::invalid(
            below.child(keyword),
            &value,
            "must be atomic as item of a list with x-kubernetes-list-type=set",
        ));
    }
}

fn list_keys(fields: &Fields, at: Path<'_>, causes: &mut Vec<Cause>) {
    if fields.get("x-kubernetes-list-type").is_none_or(|given| given != "map") {
        return;
    }
    let given = fields.get("x-kubernetes-list-map-keys").cloned().unwrap_or(Value::Null);
    let keys: Vec<&str> = given.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let at_keys = at.child("x-kubernetes-list-map-keys");
    if keys.is_empty() {
        causes.push(Cause::required(at_keys, "must not be empty if x-kubernetes-list-type is map"));
    }
    let below = at.child("items");
    let Some(items) = object(fields, "items") else {
        causes.push(Cause::required(below, "must have a schema if x-kubernetes-list-type is map"));
        return;
    };
    if text(items, "type") != "object" {
        let detail = "must be object if parent array's x-kubernetes-list-type is map";
        causes.push(Cause::invalid(below.child("type"), &Value::from(text(items, "type")), detail));
        return;
    }
    for (index, key) in keys.iter().enumerate() {
        if keys.iter().take(index).any(|earlier| earlier == key) {
            causes.push(Cause::invalid(at_keys, &given, "must not contain duplicate entries"));
        }
        list_key(items, key, below, at_keys, &given, causes);
    }
}

fn list_key(
    items: &Fields,
    key: &str,
    at: Path<'_>,
    at_keys: Path<'_>,
    keys: &Value,
    causes: &mut Vec<Cause>,
) {
    let Some((_, property)) = entries(items, "properties").find(|(name, _)| *name == key) else {
        causes.push(Cause::invalid(at_keys, keys, "entries must all be names of item properties"));
        return;
    };
    let properties = at.child("properties");
    let below = properties.key(key);
    if matches!(text(property, "type"), "array" | "object") {
        let detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
        causes.push(Cause::invalid(below.child("type"), &Value::from(text(items, "type")), detail));
    }
    let required = items
        .get("required")
        .and_then(Value::as_array)
        .is_some_and(|names| names.iter().any(|name| name == key));
    if !required && !property.contains_key("default") {
        let detail = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
        causes.push(Cause::required(below.child("default"), detail));
    }
    if flag(property, "nullable") {
        causes.push(Cause::forbidden(
            below.child("nullable"),
            "this property is in x-kubernetes-list-map-keys, so it cannot be nullable",
        ));
    }
}
