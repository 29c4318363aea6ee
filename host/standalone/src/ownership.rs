//! Who owns which field: `metadata.managedFields`, and the merge of server-side apply.
//!
//! An update or patch takes over the fields that it changes. An apply owns what its configuration says, and removes
//! what it said before and says no more, unless somebody else owns it; changing a field of another manager is a
//! conflict unless forced. The sets are written as Kubernetes writes FieldsV1, byte for byte.
//!
//! It does not translate sets between versions of a kind: our versions differ in nothing that has a path.

mod compare;
mod managers;
mod merge;
mod set;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::Value;

use crate::clock;
use crate::object;
use crate::schema::Field;

use managers::{Entry, decode, encode};
pub(crate) use managers::{Manager, Operation};
pub(crate) use set::FieldSet;

/// A write, as far as ownership goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writing<'a> {
    pub(crate) manager: &'a Manager,
    /// The schema's root.
    pub(crate) field: Field<'a>,
    /// Top-level fields that this endpoint does not write: `status`, or on `/status` everything else.
    pub(crate) ignored: &'a [&'a str],
    pub(crate) now: Timestamp,
    /// What an object of the kind is before anybody wrote it.
    pub(crate) blank: &'a Value,
}

/// What an apply comes to.
pub(crate) enum Applied {
    /// The object as it is to be, with its managedFields.
    Merged(Value),
    /// Fields (as paths) that others own, each with its owner described.
    Conflicts(Vec<(String, String)>),
}

/// Sets the managedFields of `new`, which an update or a patch made of `old`.
pub(crate) fn update(writing: &Writing<'_>, old: &Value, new: &mut Value) {
    let mut entries = entries_of(writing, old, new);
    // Who owned what of an object that nobody is known to own is not asked any more, until somebody applies.
    if entries.is_empty() && is_stored(old) {
        object::set_metadata(new, "managedFields", None);
        return;
    }
    let changes = compare::compare(old, new, writing.field);
    let changed = strip(changes.added.union(&changes.modified), writing.ignored);
    let removed = strip(changes.removed, writing.ignored);
    for entry in &mut entries {
        entry.set = entry.set.difference(&changed).difference(&removed);
    }
    if !changed.is_empty() {
        managers::grow(&mut entries, writing.manager, changed, writing.now);
    }
    object::set_metadata(new, "managedFields", encode(managers::capped(entries)));
}

/// Merges `config` into `old`. The configuration must be one that [`problems`] finds no fault with.
pub(crate) fn apply(writing: &Writing<'_>, old: &Value, config: &Value, force: bool) -> Applied {
    let mut entries = decode(old.pointer("/metadata/managedFields"));
    if entries.is_empty() && is_stored(old) {
        entries.extend(before_first_apply(writing, old));
    }
    let said = merge::owned_by(config, writing.field);
    let last = managers::take(&mut entries, writing.manager);
    let merged = merge::merge(Some(old), config, writing.field);
    // With what nobody owns, as the name: it is said all the same, and keeps the metadata that it is in.
    let managed = entries.iter().fold(said.clone(), |managed, entry| managed.union(&entry.set));
    let set = strip(said, writing.ignored);
    let mut merged = match &last {
        Some(last) => {
            merge::without(&merged, &abandoned(&merged, &last.set, &managed, writing.field), writing.field)
        }
        None => merged,
    };
    let changes = compare::compare(old, &merged, writing.field);
    let changed = strip(changes.added.union(&changes.modified), writing.ignored);
    let removed = strip(changes.removed, writing.ignored);
    let conflicts = take_over(&mut entries, &changed, &removed);
    if !conflicts.is_empty() && !force {
        return Applied::Conflicts(conflicts);
    }
    let is_same = changed.is_empty() && removed.is_empty();
    let time = match is_same {
        true => last.as_ref().and_then(|last| last.time.clone()),
        false => Some(clock::seconds(writing.now)),
    };
    if !set.is_empty() {
        entries.push(Entry { manager: writing.manager.clone(), set, time });
    }
    object::set_metadata(&mut merged, "managedFields", encode(entries));
    Applied::Merged(merged)
}

/// Why an applied configuration cannot be merged: fields that the schema does not know, values of another type than
/// it says, keys that are there twice. Each names its path.
pub(crate) fn problems(config: &Value, field: Field<'_>) -> Vec<String> {
    let mut found = Vec::new();
    merge::problems(config, field, "", &mut found);
    found
}

/// What the applier said before, says no more, and nobody else owns.
fn abandoned(merged: &Value, last: &FieldSet, managed: &FieldSet, field: Field<'_>) -> FieldSet {
    let named = |set: &FieldSet| merge::with_named_fields(set, field);
    named(&merge::owned_by(merged, field)).intersection(&named(last)).difference(&named(managed))
}

fn is_stored(old: &Value) -> bool {
    !object::resource_version(old).is_empty()
}

/// What is there belongs to whoever made it before.
fn before_first_apply(writing: &Writing<'_>, old: &Value) -> Option<Entry> {
    let manager = Manager {
        name: "before-first-apply".to_owned(),
        operation: Operation::Update,
        api_version: writing.manager.api_version.clone(),
        subresource: String::new(),
    };
    let changes = compare::compare(writing.blank, old, writing.field);
    let set = strip(changes.added.union(&changes.modified), writing.ignored);
    (!set.is_empty()).then(|| Entry::new(manager, set, None, writing.now))
}

fn take_over(entries: &mut [Entry], changed: &FieldSet, removed: &FieldSet) -> Vec<(String, String)> {
    let mut conflicts = Vec::new();
    for entry in entries {
        let conflict = entry.set.intersection(changed);
        let owner = entry.manager.described();
        conflicts.extend(conflict.paths().into_iter().map(|path| (path, owner.clone())));
        entry.set = entry.set.difference(&conflict).difference(removed);
    }
    conflicts
}

/// The entries to start from: those of the request where it brings its own, which may be to forget them all, else
/// those stored.
fn entries_of(writing: &Writing<'_>, old: &Value, new: &Value) -> Vec<Entry> {
    let own = new.pointer("/metadata/managedFields").filter(|_| writing.manager.subresource.is_empty());
    match own.and_then(Value::as_array).map(Vec::as_slice) {
        Some([]) => Vec::new(),
        Some([one]) if one.as_object().is_some_and(serde_json::Map::is_empty) => Vec::new(),
        Some(_) => decode(own),
        None => decode(old.pointer("/metadata/managedFields")),
    }
}

/// Without what nobody owns: identity and bookkeeping, and what this endpoint does not write.
fn strip(mut set: FieldSet, ignored: &[&str]) -> FieldSet {
    set.forget(&["apiVersion"]);
    set.forget(&["kind"]);
    for name in ignored {
        set.remove(&[name]);
    }
    set.forget(&["metadata"]);
    let bookkeeping = [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "generation",
        "managedFields",
        "resourceVersion",
    ];
    for name in bookkeeping {
        set.forget(&["metadata", name]);
    }
    set.remove(&["metadata", "managedFields"]);
    set
}
