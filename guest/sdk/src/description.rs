//! What a component says of itself before it has seen anything. The host caches it by digest, checks configs against its
//! schema, and prints its rules' texts; so everything that a user will ever read is said here.

use crate::{
    Capability, Schema, Sensitivity,
    bindings::types::{self, Doc, FieldDoc, Want},
    config,
};

/// A rule that a problem, violation, fault or refusal may name. Keep each in one `const`, so that name and text stay
/// together and a rule cannot be misspelled where it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Kebab-case, unique in the component.
    pub name: &'static str,
    /// What a user reads: what is wrong and what to do. A sentence.
    pub about: &'static str,
}

impl Rule {
    /// A rule of this name and text.
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        Self { name, about }
    }
}

/// Describes a component. The rules that this SDK names itself (a config of the wrong shape) are added by it.
#[derive(Debug)]
pub struct Description {
    inner: types::Description,
}

impl Description {
    /// `name` is what users call it, `version` usually `env!("CARGO_PKG_VERSION")`, `summary` one line. The config is an
    /// empty object until [`Description::config`] says otherwise.
    pub fn new(name: &str, version: &str, summary: &str) -> Self {
        Self {
            inner: types::Description {
                name: name.to_owned(),
                version: version.to_owned(),
                summary: summary.to_owned(),
                config_schema: Schema::object().into_json(),
                fields: Vec::new(),
                rules: config::RULES.iter().map(doc).collect(),
                wants: Vec::new(),
            },
        }
    }

    /// The shape of the config.
    #[must_use]
    pub fn config(mut self, schema: Schema) -> Self {
        self.inner.config_schema = schema.into_json();
        self
    }

    /// A key that it produces or judges. Name none if the config decides.
    #[must_use]
    pub fn field(mut self, key: &str, sensitivity: Sensitivity, about: &str) -> Self {
        self.inner.fields.push(FieldDoc { name: key.to_owned(), about: about.to_owned(), sensitivity });
        self
    }

    /// The rules that it may name.
    #[must_use]
    pub fn rules<'a>(mut self, rules: impl IntoIterator<Item = &'a Rule>) -> Self {
        self.inner.rules.extend(rules.into_iter().map(doc));
        self
    }

    /// A capability that it will ask for by this label, and what for.
    #[must_use]
    pub fn want(mut self, label: &str, capability: Capability, about: &str) -> Self {
        self.inner.wants.push(Want { label: label.to_owned(), capability, about: about.to_owned() });
        self
    }

    /// The description as the contract has it; for tests.
    pub fn into_contract(self) -> types::Description {
        self.inner
    }
}

fn doc(rule: &Rule) -> Doc {
    Doc { name: rule.name.to_owned(), about: rule.about.to_owned() }
}
