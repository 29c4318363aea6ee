//! What a description must have for the host to take it and for a user to understand it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Misses;
use crate::{Description, bindings::types};

/// Checks a description: names are kebab-case and unique, everything is explained, the schema is one of a closed object.
///
/// # Errors
/// Everything that is not so.
pub fn check_description(description: Description) -> Result<(), Misses> {
    let contract = description.into_contract();
    let mut misses = Vec::new();
    for (what, text) in
        [("name", &contract.name), ("version", &contract.version), ("summary", &contract.summary)]
    {
        if text.trim().is_empty() {
            misses.push(format!("the {what} is empty"));
        }
    }
    check_docs(&contract, &mut misses);
    check_schema(&contract.config_schema, &mut misses);
    Misses(misses).or(())
}

fn check_docs(contract: &types::Description, misses: &mut Vec<String>) {
    let rules = contract.rules.iter().map(|rule| ("rule", &rule.name, &rule.about));
    let fields = contract.fields.iter().map(|field| ("field", &field.name, &field.about));
    let wants = contract.wants.iter().map(|want| ("want", &want.label, &want.about));
    let mut seen = BTreeSet::new();
    for (what, name, about) in rules.chain(fields).chain(wants) {
        if !seen.insert((what, name)) {
            misses.push(format!("the {what} {name} is declared twice"));
        }
        if about.trim().is_empty() {
            misses.push(format!("the {what} {name} is not explained"));
        }
        if what != "field" && !is_kebab(name) {
            misses.push(format!("the {what} {name} is not kebab-case"));
        }
    }
}

fn is_kebab(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn check_schema(text: &str, misses: &mut Vec<String>) {
    match serde_json::from_str::<Value>(text) {
        Ok(schema) if schema.get("type").and_then(Value::as_str) == Some("object") => {
            check_object("", &schema, misses);
        }
        Ok(_) => misses.push("the config's schema is not one of an object".to_owned()),
        Err(error) => misses.push(format!("the config's schema is not JSON: {error}")),
    }
}

fn check_object(path: &str, schema: &Value, misses: &mut Vec<String>) {
    let Some(Value::Object(properties)) = schema.get("properties") else {
        return;
    };
    if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        misses.push(format!("the schema's object at '{path}' is open: a misspelled key would be ignored"));
    }
    for (name, property) in properties {
        let path = format!("{path}/{name}");
        if property.get("description").and_then(Value::as_str).is_none_or(str::is_empty) {
            misses.push(format!("the schema does not explain {path}"));
        }
        check_object(&path, property, misses);
        if let Some(items) = property.get("items") {
            check_object(&format!("{path}/0"), items, misses);
        }
    }
}
