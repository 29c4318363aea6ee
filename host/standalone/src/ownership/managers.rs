//! The entries of `metadata.managedFields`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::set::FieldSet;
use crate::clock;
use crate::object;

/// More updating managers than this are summed up under one name, as Kubernetes does.
const MOST_UPDATERS: usize = 10;
const ANCIENT: &str = "ancient-changes";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Apply,
    Update,
}

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// Who writes, how and through which endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manager {
    pub(crate) name: String,
    pub(crate) operation: Operation,
    pub(crate) api_version: String,
    /// Empty for the object itself.
    pub(crate) subresource: String,
}

impl Manager {
    /// Whether both are one owner: an applier stays itself when it changes to another version.
    fn is(&self, other: &Self) -> bool {
        let same_version = self.operation == Operation::Apply || self.api_version == other.api_version;
        self.name == other.name
            && self.operation == other.operation
            && self.subresource == other.subresource
            && same_version
    }

    /// As conflicts name it.
    pub(super) fn described(&self) -> String {
        let mut text = format!("{:?}", self.name);
        if !self.subresource.is_empty() {
            text.push_str(&format!(" with subresource {:?}", self.subresource));
        }
        if self.operation == Operation::Update {
            text.push_str(&format!(" using {}", self.api_version));
        }
        text
    }
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) manager: Manager,
    pub(super) time: Option<String>,
    pub(super) set: FieldSet,
}

impl Entry {
    pub(super) fn new(manager: Manager, set: FieldSet, time: Option<String>, now: Timestamp) -> Self {
        Self { manager, set, time: Some(time.unwrap_or_else(|| clock::seconds(now))) }
    }
}

pub(super) fn decode(list: Option<&Value>) -> Vec<Entry> {
    list.and_then(Value::as_array).into_iter().flatten().map(decode_one).collect()
}

fn decode_one(entry: &Value) -> Entry {
    let text = |pointer: &str| object::text(entry, pointer).to_owned();
    let operation = match object::text(entry, "/operation") {
        "Apply" => Operation::Apply,
        _ => Operation::Update,
    };
    let manager = Manager {
        name: text("/manager"),
        operation,
        api_version: text("/apiVersion"),
        subresource: text("/subresource"),
    };
    let time = Some(text("/time")).filter(|time| !time.is_empty());
    Entry { manager, time, set: FieldSet::from_fields(entry.get("fieldsV1").unwrap_or(&Value::Null)) }
}

/// The list in the order of Kubernetes; `None` when nobody owns anything.
pub(super) fn encode(mut entries: Vec<Entry>) -> Option<Value> {
    entries.retain(|entry| !entry.set.is_empty());
    entries.sort_by(|one, two| {
        let key = |entry: &Entry| {
            let Manager { name, operation, api_version, subresource } = entry.manager.clone();
            (operation, entry.time.clone(), name, api_version, subresource)
        };
        key(one).cmp(&key(two))
    });
    (!entries.is_empty()).then(|| entries.iter().map(encode_one).collect())
}

fn encode_one(entry: &Entry) -> Value {
    let Manager { name, operation, api_version, subresource } = &entry.manager;
    let mut out = json!({
        "manager": name,
        "operation": operation.as_str(),
        "apiVersion": api_version,
        "time": entry.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": entry.set.to_fields(),
    });
    let fields = object::fields(&mut out);
    if entry.time.is_none() {
        fields.shift_remove("time");
    }
    if !subresource.is_empty() {
        fields.insert("subresource".to_owned(), subresource.as_str().into());
    }
    out
}

/// Removes the manager's entry from the list.
pub(super) fn take(entries: &mut Vec<Entry>, manager: &Manager) -> Option<Entry> {
    let at = entries.iter().position(|entry| entry.manager.is(manager))?;
    Some(entries.remove(at))
}

/// Adds to what the manager owns.
pub(super) fn grow(entries: &mut Vec<Entry>, manager: &Manager, set: FieldSet, now: Timestamp) {
    let before = take(entries, manager).map(|entry| entry.set).unwrap_or_default();
    entries.push(Entry::new(manager.clone(), before.union(&set), None, now));
}

/// Sums the oldest updaters up when there are too many.
pub(super) fn capped(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.retain(|entry| !entry.set.is_empty());
    let mut updaters: Vec<Entry> = Vec::new();
    let mut kept = Vec::new();
    for entry in entries {
        let is_updater = entry.manager.operation == Operation::Update && entry.manager.subresource.is_empty();
        if is_updater { updaters.push(entry) } else { kept.push(entry) }
    }
    updaters.sort_by(|one, two| one.time.cmp(&two.time));
    let surplus = updaters.len().saturating_sub(MOST_UPDATERS);
    // One more makes room for the sum.
    let ancient = updaters.drain(..if surplus > 0 { surplus + 1 } else { 0 }).reduce(|sum, entry| Entry {
        manager: Manager { name: ANCIENT.to_owned(), ..entry.manager },
        time: entry.time.max(sum.time),
        set: sum.set.union(&entry.set),
    });
    kept.extend(ancient);
    kept.extend(updaters);
    kept
}
