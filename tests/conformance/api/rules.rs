//! Every CEL rule of our definitions is broken by one case and kept by it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::case::{self, RuleName};
use crate::recording::Recording;

#[test]
fn every_rule_has_an_accepted_and_a_rejected_object() {
    let mut with_case = BTreeSet::new();
    for file in case::files() {
        let recording = Recording::read(&file.area);
        for case in &file.cases {
            let Some(rule) = &case.rule else { continue };
            let answers: Vec<Value> =
                (0..case.steps.len()).map(|step| recording.answer(case, step).unwrap()).collect();
            let accepted = answers.iter().any(|answer| accepts(answer, rule));
            let rejected = answers.iter().any(|answer| rejects(answer, rule));
            assert!(accepted, "{}: no object that has {} is accepted", case.name, rule.path);
            assert!(rejected, "{}: nothing is rejected with {:?} alone", case.name, rule.message);
            with_case.insert(rule.clone());
        }
    }
    assert_eq!(with_case, all_rules(), "left: with a case; right: in the definitions");
}

/// Whether it shows an object that has the field with the rule.
fn accepts(answer: &Value, rule: &RuleName) -> bool {
    let found = |value: &Value| has(value, &rule.path.split('.').skip(1).collect::<Vec<_>>());
    matches!(answer["status"].as_u64(), Some(200 | 201)) && found(&answer["body"])
}

fn has(value: &Value, path: &[&str]) -> bool {
    let Some((first, rest)) = path.split_first() else { return true };
    let name = first.trim_end_matches("[]");
    let Some(field) = value.get(name) else { return false };
    match field.as_array() {
        Some(items) if first.ends_with("[]") => items.iter().any(|item| has(item, rest)),
        _ => has(field, rest),
    }
}

/// Whether it is a refusal for this rule and nothing else, at its field.
fn rejects(answer: &Value, rule: &RuleName) -> bool {
    let causes = answer.pointer("/body/details/causes").and_then(Value::as_array);
    let index = regex::Regex::new(r"\[\d+\]").unwrap();
    let fits = |cause: &Value| {
        let field = format!(".{}", index.replace_all(cause["field"].as_str().unwrap(), "[]"));
        field == rule.path && cause["message"].as_str().unwrap().ends_with(&rule.message)
    };
    causes.is_some_and(|causes| !causes.is_empty() && causes.iter().all(fits))
}

fn all_rules() -> BTreeSet<RuleName> {
    let mut rules = BTreeSet::new();
    for definition in api::crds() {
        let definition = serde_json::to_value(definition).unwrap();
        for version in definition["spec"]["versions"].as_array().unwrap() {
            let mut found = Vec::new();
            collect(&version["schema"]["openAPIV3Schema"], "", &mut found);
            rules.extend(found.into_iter().map(|(path, message)| RuleName {
                definition: definition["metadata"]["name"].as_str().unwrap().to_owned(),
                version: version["name"].as_str().unwrap().to_owned(),
                path,
                message,
            }));
        }
    }
    rules
}

/// The rules of a schema and of all below it: a rule without a message is told by its text.
fn collect(schema: &Value, at: &str, found: &mut Vec<(String, String)>) {
    if !schema.is_object() {
        return;
    }
    for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
        let message = rule["message"].as_str().or(rule["rule"].as_str()).unwrap();
        found.push((at.to_owned(), message.to_owned()));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        collect(property, &format!("{at}.{name}"), found);
    }
    for list in ["allOf", "anyOf", "oneOf"] {
        schema[list].as_array().into_iter().flatten().for_each(|branch| collect(branch, at, found));
    }
    for below in ["items", "additionalProperties"] {
        collect(&schema[below], &format!("{at}[]"), found);
    }
}

#[test]
fn rules_are_found_wherever_they_stand() {
    let rule = serde_json::json!([{"rule": "self > 0"}]);
    let schema = serde_json::json!({"properties": {"a": {"items": {
        "x-kubernetes-validations": rule,
        "additionalProperties": {"allOf": [{"x-kubernetes-validations": rule}]},
    }}}});
    let mut found = Vec::new();
    collect(&schema, "", &mut found);
    let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, [".a[]", ".a[][]"]);
}
