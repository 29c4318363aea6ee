//! Label and field selectors: which objects a list, a watch or a deletecollection is about.
//!
//! Label selectors have the whole grammar of Kubernetes (equality, sets, existence, order). Field selectors know
//! `metadata.name`, `metadata.namespace` and what the kind declares as selectable.

mod label;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::object;
use crate::resource::ResourceInfo;
use crate::status::Failure;

use label::Requirement;

/// Both selectors of a request; an empty one takes everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<FieldTerm>,
}

#[derive(Debug, Clone, PartialEq)]
struct FieldTerm {
    path: String,
    value: String,
    equal: bool,
}

impl Selector {
    pub(crate) fn parse(labels: &str, fields: &str, info: &ResourceInfo) -> Result<Self, Failure> {
        let labels = label::parse(labels).map_err(Failure::bad_request)?;
        let fields = parse_fields(fields)?;
        for term in &fields {
            check_field(&term.path, info)?;
        }
        Ok(Self { labels, fields })
    }

    /// Whether `object`, in the version of the request, is selected.
    pub(crate) fn selects(&self, object: &Value) -> bool {
        self.labels.iter().all(|requirement| requirement.holds(object))
            && self.fields.iter().all(|term| (field(object, &term.path) == term.value) == term.equal)
    }

    /// Whether nothing is left out.
    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }
}

fn check_field(path: &str, info: &ResourceInfo) -> Result<(), Failure> {
    let known = matches!(path, "metadata.name" | "metadata.namespace")
        || info.selectable_fields.iter().any(|selectable| selectable == path);
    if known {
        return Ok(());
    }
    let message = if info.builtin && info.selectable_fields.is_empty() {
        format!("{path:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
    } else {
        format!("field label not supported: {path}")
    };
    Err(Failure::bad_request(message))
}

/// The text of a field; fields that are not there are empty.
fn field(object: &Value, path: &str) -> String {
    let component = || match object::text(object, "/source/component") {
        "" => object::text(object, "/reportingComponent").to_owned(),
        component => component.to_owned(),
    };
    let found = path.split('.').try_fold(object, |value, name| value.get(name));
    match found {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(flag)) => flag.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        // The one selectable field that is not a path: who reported an Event.
        Some(Value::Object(_)) | None if path == "source" => component(),
        _ => String::new(),
    }
}

fn parse_fields(text: &str) -> Result<Vec<FieldTerm>, Failure> {
    split_unescaped(text).into_iter().filter(|term| !term.is_empty()).map(|term| parse_term(&term)).collect()
}

/// Splits at commas that no backslash precedes; keeps the escapes.
fn split_unescaped(text: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut escaped = false;
    for character in text.chars() {
        if character == ',' && !escaped {
            terms.push(String::new());
            continue;
        }
        escaped = character == '\\' && !escaped;
        if let Some(term) = terms.last_mut() {
            term.push(character);
        }
    }
    terms
}

fn parse_term(term: &str) -> Result<FieldTerm, Failure> {
    let wrong = || Failure::bad_request(format!("invalid selector: '{term}'; can't understand '{term}'"));
    let (at, operator) = ["!=", "==", "="]
        .into_iter()
        .filter_map(|operator| Some((term.find(operator)?, operator)))
        .min_by_key(|(at, operator)| (*at, 3 - operator.len()))
        .ok_or_else(wrong)?;
    let path = term.get(..at).ok_or_else(wrong)?.trim().to_owned();
    let value = unescape(term.get(at + operator.len()..).ok_or_else(wrong)?)?;
    Ok(FieldTerm { path, value, equal: operator != "!=" })
}

fn unescape(text: &str) -> Result<String, Failure> {
    let wrong = |what: &str| Failure::bad_request(format!("invalid field selector: invalid {what}"));
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => out.push(escaped),
                Some(other) => return Err(wrong(&format!("escape sequence: \\{other}"))),
                None => return Err(wrong("escape sequence: \\")),
            },
            ',' | '=' => return Err(wrong(&format!("character: '{character}'"))),
            other => out.push(other),
        }
    }
    Ok(out)
}
