//! Which fields differ between two states of an object.

use std::collections::BTreeMap;

use serde_json::Value;

use super::merge::{is_empty, items_by_step};
use super::set::{FieldSet, Step};
use crate::schema::{Field, MergeKind};

/// The paths that one state has and the other has not, or has otherwise.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Changes {
    pub(super) added: FieldSet,
    pub(super) modified: FieldSet,
    pub(super) removed: FieldSet,
}

/// How the value at one step differs, apart from what is below it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Difference {
    Same,
    Added,
    Modified,
    Removed,
}

pub(super) fn compare(old: &Value, new: &Value, field: Field<'_>) -> Changes {
    let mut changes = Changes::default();
    descend(Some(old), Some(new), field, &mut changes);
    changes
}

/// Fills `below` with the differences inside of the pair, and returns that of the pair itself.
fn descend(old: Option<&Value>, new: Option<&Value>, field: Field<'_>, below: &mut Changes) -> Difference {
    let container = match (old, new) {
        (None, None) => return Difference::Same,
        (Some(one), None | Some(Value::Null)) | (None | Some(Value::Null), Some(one)) => one,
        (Some(old), Some(new)) if kind(old) == kind(new) => new,
        (Some(_), Some(_)) => return leaf(old, new),
    };
    let both_empty = old.is_none_or(is_empty) && new.is_none_or(is_empty);
    let steps = match field.merge(container) {
        _ if both_empty => return leaf(old, new),
        MergeKind::Atomic => return leaf(old, new),
        MergeKind::Granular => by_field(old, new),
        MergeKind::Set | MergeKind::Map(_) => by_item(old, new, field),
    };
    for (step, (old, new)) in steps {
        let deeper = match &step {
            Step::Field(name) => field.property(name),
            Step::Key(_) | Step::Value(_) | Step::Index(_) => field.item(),
        };
        let mut inside = Changes::default();
        let own = descend(old, new, deeper, &mut inside);
        below.added.add(step.clone(), own == Difference::Added, inside.added);
        below.modified.add(step.clone(), own == Difference::Modified, inside.modified);
        below.removed.add(step, own == Difference::Removed, inside.removed);
    }
    match (old, new) {
        (None, Some(_)) => Difference::Added,
        (Some(_), None) => Difference::Removed,
        _ => Difference::Same,
    }
}

fn leaf(old: Option<&Value>, new: Option<&Value>) -> Difference {
    match (old, new) {
        (None, None) => Difference::Same,
        (None, Some(_)) => Difference::Added,
        (Some(_), None) => Difference::Removed,
        (Some(old), Some(new)) if old == new => Difference::Same,
        (Some(_), Some(_)) => Difference::Modified,
    }
}

type Pairs<'a> = BTreeMap<Step, (Option<&'a Value>, Option<&'a Value>)>;

fn by_field<'a>(old: Option<&'a Value>, new: Option<&'a Value>) -> Pairs<'a> {
    let mut pairs = Pairs::new();
    for (name, value) in old.and_then(Value::as_object).into_iter().flatten() {
        pairs.entry(Step::Field(name.clone())).or_default().0 = Some(value);
    }
    for (name, value) in new.and_then(Value::as_object).into_iter().flatten() {
        pairs.entry(Step::Field(name.clone())).or_default().1 = Some(value);
    }
    pairs
}

fn by_item<'a>(old: Option<&'a Value>, new: Option<&'a Value>, field: Field<'_>) -> Pairs<'a> {
    let mut pairs = Pairs::new();
    for (step, value) in old.into_iter().flat_map(|list| items_by_step(list, field)) {
        pairs.entry(step).or_default().0 = Some(value);
    }
    for (step, value) in new.into_iter().flat_map(|list| items_by_step(list, field)) {
        pairs.entry(step).or_default().1 = Some(value);
    }
    pairs
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::Object(_) => 0,
        Value::Array(_) => 1,
        _ => 2,
    }
}
