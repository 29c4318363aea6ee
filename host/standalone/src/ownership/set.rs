//! A set of field paths, and its FieldsV1 form: `{"f:metadata":{"f:labels":{".":{},"f:app":{}}}}`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// One step of a path, in the order in which Kubernetes sorts them. Keys and values are canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// A field of an object.
    Field(String),
    /// An item of a list of type map: an object of its keys, sorted.
    Key(String),
    /// An item of a list of type set.
    Value(String),
    /// An item by its position; we write none, and keep those that a client brings.
    Index(i64),
}

impl Step {
    fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        match kind {
            "f" => Some(Self::Field(rest.to_owned())),
            "k" => serde_json::from_str::<BTreeMap<String, Value>>(rest).ok().map(Self::key),
            "v" => serde_json::from_str::<Value>(rest).ok().map(|value| Self::Value(value.to_string())),
            "i" => rest.parse().ok().map(Self::Index),
            _ => None,
        }
    }

    pub(super) fn key(keys: BTreeMap<String, Value>) -> Self {
        Self::Key(Value::Object(keys.into_iter().collect()).to_string())
    }

    fn to_fields(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(keys) => format!("k:{keys}"),
            Self::Value(value) => format!("v:{value}"),
            Self::Index(index) => format!("i:{index}"),
        }
    }

    /// As conflicts name it: `.spec`, `[name="x"]`, `[="x"]`.
    pub(super) fn to_path(&self) -> String {
        match self {
            Self::Field(name) => format!(".{name}"),
            Self::Key(keys) => {
                let keys: BTreeMap<String, Value> = serde_json::from_str(keys).unwrap_or_default();
                let pairs: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
                format!("[{}]", pairs.join(","))
            }
            Self::Value(value) => format!("[={value}]"),
            Self::Index(index) => format!("[{index}]"),
        }
    }
}

/// A set of paths. No entry in it is empty: each is a member, or leads to one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldSet {
    pub(super) entries: BTreeMap<Step, Entry>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) member: bool,
    pub(super) below: FieldSet,
}

impl FieldSet {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn from_fields(fields: &Value) -> Self {
        let mut set = Self::default();
        for (text, below) in fields.as_object().into_iter().flatten() {
            if let Some(step) = Step::parse(text) {
                let is_leaf = below.as_object().is_none_or(Map::is_empty);
                let member = is_leaf || below.get(".").is_some();
                set.add(step, member, Self::from_fields(below));
            }
        }
        set
    }

    pub(crate) fn to_fields(&self) -> Value {
        let mut fields = Map::new();
        for (step, entry) in &self.entries {
            let mut below = Map::new();
            if entry.member && !entry.below.is_empty() {
                below.insert(".".to_owned(), Value::Object(Map::new()));
            }
            if let Value::Object(deeper) = entry.below.to_fields() {
                below.extend(deeper);
            }
            fields.insert(step.to_fields(), Value::Object(below));
        }
        Value::Object(fields)
    }

    /// Adds a step, unless it neither is a member nor leads to one.
    pub(super) fn add(&mut self, step: Step, member: bool, below: Self) {
        if member || !below.is_empty() {
            let entry = self.entries.entry(step).or_default();
            entry.member |= member;
            entry.below = entry.below.union(&below);
        }
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut union = self.clone();
        for (step, entry) in &other.entries {
            union.add(step.clone(), entry.member, entry.below.clone());
        }
        union
    }

    pub(crate) fn difference(&self, other: &Self) -> Self {
        self.combine(other, |one, two| one && !two, Self::difference)
    }

    pub(crate) fn intersection(&self, other: &Self) -> Self {
        self.combine(other, |one, two| one && two, Self::intersection)
    }

    fn combine(&self, other: &Self, member: fn(bool, bool) -> bool, below: fn(&Self, &Self) -> Self) -> Self {
        let none = Entry::default();
        let mut out = Self::default();
        for (step, entry) in &self.entries {
            let theirs = other.entries.get(step).unwrap_or(&none);
            out.add(step.clone(), member(entry.member, theirs.member), below(&entry.below, &theirs.below));
        }
        out
    }

    /// Removes the path, and keeps what is below it.
    pub(super) fn forget(&mut self, path: &[&str]) {
        self.edit(path, &|entry| entry.member = false);
    }

    /// Removes the path and all below it.
    pub(super) fn remove(&mut self, path: &[&str]) {
        self.edit(path, &|entry| *entry = Entry::default());
    }

    fn edit(&mut self, path: &[&str], change: &dyn Fn(&mut Entry)) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        let step = Step::Field((*first).to_owned());
        if let Some(entry) = self.entries.get_mut(&step) {
            if rest.is_empty() {
                change(entry)
            } else {
                entry.below.edit(rest, change)
            }
            if !entry.member && entry.below.is_empty() {
                self.entries.remove(&step);
            }
        }
    }

    /// The members, as conflicts name them.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect("", &mut paths);
        paths
    }

    fn collect(&self, prefix: &str, paths: &mut Vec<String>) {
        for (step, entry) in &self.entries {
            let path = format!("{prefix}{}", step.to_path());
            if entry.member {
                paths.push(path.clone());
            }
            entry.below.collect(&path, paths);
        }
    }
}
