//! Who chooses Secrets by labels, so that a change wakes those that choose what has changed, and not all of them.
//!
//! One that is chosen already is referred to like any other (`references`); this is for what is chosen from now on.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kube::core::{Selector, SelectorExt};
use pipeline::ObjectRef;

/// By the object that chooses.
#[derive(Debug, Default)]
pub(crate) struct Selectors {
    all: Mutex<HashMap<ObjectRef, Selector>>,
}

impl Selectors {
    /// What an object chooses from now on.
    pub(crate) fn set(&self, object: &ObjectRef, selector: Selector) {
        self.lock().insert(object.clone(), selector);
    }

    /// It chooses nothing any more.
    pub(crate) fn forget(&self, object: &ObjectRef) {
        self.lock().remove(object);
    }

    /// Whether it chooses what has these labels. Of one that is not known it is not known.
    pub(crate) fn selects(&self, object: &ObjectRef, labels: &BTreeMap<String, String>) -> bool {
        self.lock().get(object).is_none_or(|selector| selector.matches(labels))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ObjectRef, Selector>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
