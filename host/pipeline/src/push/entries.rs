//! Which values go where: the entries of one store.

use std::collections::{BTreeMap, BTreeSet};

use api::push_secret::{
    PushConversionStrategy, PushSecretData, PushSecretMatch, PushSecretRemoteRef, PushSecretStoreRef,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::error::PushError;
use super::shape::{PushShaped, convert};
use super::spec::{CheckedPush, DataTo};
use crate::field::{Fields, Value};
use crate::spec::StoreName;

/// A store that may be pushed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreView {
    /// Which one.
    pub name: StoreName,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it is ours to push to: of this controller class, and not being deleted.
    pub usable: bool,
}

/// One value for one place in a store.
#[derive(Debug, Clone, PartialEq)]
pub struct PushEntry {
    /// What of the source.
    pub content: Content,
    /// As the status remembers it: where it goes, and with what metadata.
    pub data: PushSecretData,
}

/// What of the source goes there.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// All keys, as an object.
    Whole(Fields),
    /// One key.
    One(Value),
}

impl PushEntry {
    /// The remote key.
    #[must_use]
    pub fn remote_key(&self) -> &str {
        &self.data.match_.remote_ref.remote_key
    }

    /// The property of the remote secret; the whole of it when absent.
    #[must_use]
    pub fn property(&self) -> Option<&str> {
        self.data.match_.remote_ref.property.as_deref().filter(|property| !property.is_empty())
    }
}

/// The stores that a PushSecret pushes to, each once. `candidates` are the stores of its namespace and the cluster's; one that
/// is named and is not among them is kept, so that opening it says what is wrong.
///
/// # Errors
/// When no store matches.
pub fn selected_stores(spec: &CheckedPush, candidates: &[StoreView]) -> Result<Vec<StoreView>, PushError> {
    let mut selected: Vec<StoreView> = Vec::new();
    for refers in &spec.stores {
        let found: Vec<StoreView> = match &refers.name {
            Some(name) => {
                let name = StoreName { kind: refers.kind.as_str().to_owned(), name: name.clone() };
                let known = candidates.iter().find(|candidate| candidate.name == name).cloned();
                vec![known.unwrap_or(StoreView { name, labels: BTreeMap::new(), usable: true })]
            }
            None => candidates.iter().filter(|candidate| refers_to(refers, candidate)).cloned().collect(),
        };
        let seen: BTreeSet<StoreName> = selected.iter().map(|store| store.name.clone()).collect();
        selected.extend(found.into_iter().filter(|store| !seen.contains(&store.name)));
    }
    selected.retain(|store| store.usable);
    if selected.is_empty() { Err(PushError::NoStore) } else { Ok(selected) }
}

fn refers_to(refers: &PushSecretStoreRef, store: &StoreView) -> bool {
    let by_name = refers.name.as_ref().is_none_or(|name| *name == store.name.name);
    let by_labels = refers.label_selector.as_ref().is_none_or(|selector| selects(selector, &store.labels));
    refers.kind.as_str() == store.name.kind
        && by_name
        && by_labels
        && (refers.name.is_some() || refers.label_selector.is_some())
}

fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let equal = selector.match_labels.iter().flatten().all(|(key, value)| labels.get(key) == Some(value));
    equal && selector.match_expressions.iter().flatten().all(|requirement| holds(requirement, labels))
}

fn holds(requirement: &LabelSelectorRequirement, labels: &BTreeMap<String, String>) -> bool {
    let value = labels.get(&requirement.key);
    let among =
        || value.is_some_and(|value| requirement.values.iter().flatten().any(|wanted| wanted == value));
    match requirement.operator.as_str() {
        "In" => among(),
        "NotIn" => !among(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        // The API server admits no other; a selector that is not understood selects nothing.
        _ => false,
    }
}

/// The entries for one store, in the order of the manifest: `dataTo`, then `data`, which replaces what `dataTo` says of the
/// same key of the source.
///
/// # Errors
/// When the source lacks a key, or two keys go to one remote secret.
pub fn entries(
    spec: &CheckedPush,
    shaped: &PushShaped,
    store: &StoreView,
    selected: &[StoreView],
) -> Result<Vec<PushEntry>, PushError> {
    let mut found = Vec::new();
    let explicit: BTreeSet<&str> = spec.data.iter().filter_map(|data| data.match_.secret_key()).collect();
    for (entry, matched) in spec.data_to.iter().zip(&shaped.matched) {
        if !selected.iter().any(|store| refers_to(&entry.store, store)) {
            return Err(PushError::StoreNotListed { store: describe(&entry.store) });
        }
        if refers_to(&entry.store, store) {
            let left = matched.iter().filter(|one| {
                !explicit.contains(one.key.as_str()) && !explicit.contains(one.converted.as_str())
            });
            found.extend(match &entry.bundle {
                Some(remote_key) => vec![bundle(entry, remote_key, left, shaped)],
                None => left.map(|one| single(entry, one, shaped)).collect(),
            });
        }
    }
    check_unique(&found)?;
    for data in &spec.data {
        found.push(explicit_entry(data, shaped)?);
    }
    Ok(found)
}

fn describe(store: &PushSecretStoreRef) -> String {
    format!("{}/{}", store.kind, store.name.as_deref().unwrap_or("(by labels)"))
}

fn bundle<'a>(
    entry: &DataTo,
    remote_key: &str,
    matched: impl Iterator<Item = &'a super::shape::Matched>,
    shaped: &PushShaped,
) -> PushEntry {
    let fields =
        matched.filter_map(|one| Some((one.converted.clone(), shaped.fields.get(&one.key)?.clone())));
    PushEntry { content: Content::Whole(fields.collect()), data: data_of(entry, None, remote_key) }
}

fn single(entry: &DataTo, one: &super::shape::Matched, shaped: &PushShaped) -> PushEntry {
    let value = shaped.fields.get(&one.key).cloned().unwrap_or_else(|| Value::from(""));
    PushEntry { content: Content::One(value), data: data_of(entry, Some(&one.key), &one.renamed) }
}

fn data_of(entry: &DataTo, key: Option<&str>, remote_key: &str) -> PushSecretData {
    let remote_ref = PushSecretRemoteRef { remote_key: remote_key.to_owned(), property: None };
    PushSecretData {
        match_: PushSecretMatch { secret_key: key.map(str::to_owned), remote_ref },
        metadata: entry.metadata.clone(),
        conversion_strategy: entry.conversion,
    }
}

/// Two keys of dataTo must not overwrite each other.
fn check_unique(entries: &[PushEntry]) -> Result<(), PushError> {
    let mut seen: BTreeMap<&str, &PushEntry> = BTreeMap::new();
    for entry in entries {
        if let Some(first) = seen.insert(entry.remote_key(), entry) {
            let name =
                |entry: &PushEntry| entry.data.match_.secret_key().unwrap_or("a bundle of keys").to_owned();
            let remote_key = entry.remote_key().to_owned();
            return Err(PushError::Duplicate { first: name(first), second: name(entry), remote_key });
        }
    }
    Ok(())
}

fn explicit_entry(data: &PushSecretData, shaped: &PushShaped) -> Result<PushEntry, PushError> {
    let content = match data.match_.secret_key() {
        Some(wanted) => Content::One(find(wanted, data.conversion_strategy, &shaped.fields)?),
        None => {
            let converted = shaped
                .fields
                .iter()
                .map(|(key, value)| (convert(key, data.conversion_strategy), value.clone()));
            Content::Whole(converted.collect())
        }
    };
    Ok(PushEntry { content, data: data.clone() })
}

/// The value whose key is `wanted` once keys are converted.
fn find(wanted: &str, conversion: PushConversionStrategy, fields: &Fields) -> Result<Value, PushError> {
    let found =
        fields.iter().find(|(key, _)| convert(key, conversion) == wanted).map(|(_, value)| value.clone());
    found.ok_or_else(|| PushError::KeyMissing { key: wanted.to_owned() })
}
