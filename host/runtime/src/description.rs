//! What a component says of itself. It is asked once, before it has seen anything, so the words are its author's and can be shown.
//! Everything that it names later (rules, fields, labels) must stand here; the host refuses what does not.

use std::sync::Arc;

pub(crate) use crate::bindings::types::{Capability, Sensitivity};

/// A component's own description, checked: names and sizes are bounded, rules are unique, the schema is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The component's name, as its author gave it.
    pub name: String,
    /// Its version, as its author gave it.
    pub version: String,
    /// One sentence for a person.
    pub summary: String,
    /// JSON Schema (draft 2020-12) of the config.
    pub config_schema: Arc<serde_json::Value>,
    /// The fields that it produces or judges; empty if its config decides.
    pub fields: Vec<FieldDoc>,
    /// The rules that it may name.
    pub rules: Vec<RuleDoc>,
    /// The capabilities that it will ask for.
    pub wants: Vec<Want>,
}

/// A field that a component produces or judges.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDoc {
    /// The key.
    pub name: String,
    /// What it holds.
    pub about: String,
    /// How secret it is.
    pub sensitivity: Sensitivity,
}

/// A rule that a component may name in a problem, violation or refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleDoc {
    /// The rule's name.
    pub name: String,
    /// What a user reads when it is broken.
    pub about: String,
}

/// A capability that a component wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Want {
    /// The label that a grant binds.
    pub label: String,
    /// Which capability.
    pub capability: Capability,
    /// What for.
    pub about: String,
}

impl Description {
    /// The text of a declared rule.
    #[must_use]
    pub fn rule(&self, name: &str) -> Option<&RuleDoc> {
        self.rules.iter().find(|rule| rule.name == name)
    }

    /// The want that declares `label`.
    #[must_use]
    pub fn want(&self, label: &str) -> Option<&Want> {
        self.wants.iter().find(|want| want.label == label)
    }

    /// How secret a field is; `Secret` unless the component declared it otherwise.
    #[must_use]
    pub fn sensitivity(&self, key: &str) -> Sensitivity {
        let declared = self.fields.iter().find(|field| field.name == key);
        declared.map_or(Sensitivity::Secret, |field| field.sensitivity)
    }
}
