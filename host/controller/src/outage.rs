//! Who waits for the API server, and who of them asks.
//!
//! While it is down, or refuses a right, every object that is due fails. A few of each namespace ask again every few seconds; the others
//! wait with growing pauses and are woken when one of the few gets through. So recovery takes seconds, and an outage with 10,000 objects
//! costs a few requests.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use pipeline::{ObjectRef, Reason};

/// So many of a namespace ask: they may lack different rights.
const SCOUTS: usize = 4;

/// Objects whose last look failed because of the API server, by namespace.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    waiting: Mutex<HashMap<Option<String>, Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    scouts: HashSet<ObjectRef>,
    others: HashSet<ObjectRef>,
}

impl Outage {
    /// Whether a failure is the API server's.
    pub(crate) const fn is_cause(reason: Reason) -> bool {
        matches!(reason, Reason::ClusterUnavailable | Reason::ClusterDenied)
    }

    /// An object failed because of the API server. Returns whether it is one of the few that ask.
    pub(crate) fn failed(&self, object: &ObjectRef) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let namespace = waiting.entry(object.namespace.clone()).or_default();
        let scout = namespace.scouts.contains(object) || namespace.scouts.len() < SCOUTS;
        if scout {
            namespace.others.remove(object);
            namespace.scouts.insert(object.clone());
        } else {
            namespace.others.insert(object.clone());
        }
        scout
    }

    /// The API server did what an object asked. Returns who else may ask again, if this one had to wait.
    pub(crate) fn passed(&self, object: &ObjectRef) -> Vec<ObjectRef> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(namespace) = waiting.get_mut(&object.namespace) else { return Vec::new() };
        if !namespace.remove(object) {
            return Vec::new();
        }
        let namespace = waiting.remove(&object.namespace).unwrap_or_default();
        namespace.scouts.into_iter().chain(namespace.others).collect()
    }

    /// An object is gone.
    pub(crate) fn forget(&self, object: &ObjectRef) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(namespace) = waiting.get_mut(&object.namespace) else { return };
        namespace.remove(object);
        if namespace.scouts.is_empty() && namespace.others.is_empty() {
            waiting.remove(&object.namespace);
        }
    }
}

impl Waiting {
    fn remove(&mut self, object: &ObjectRef) -> bool {
        self.scouts.remove(object) || self.others.remove(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(namespace: &str, at: usize) -> ObjectRef {
        ObjectRef::namespaced("ExternalSecret", namespace, &at.to_string())
    }

    #[test]
    fn a_few_of_each_namespace_ask_for_all() {
        let outage = Outage::default();
        let asks = |namespace: &str| (0..100).filter(|at| outage.failed(&object(namespace, *at))).count();
        assert_eq!((asks("a"), asks("b")), (SCOUTS, SCOUTS));
        assert_eq!(asks("a"), SCOUTS, "the same again");
        assert!(outage.passed(&object("a", 1000)).is_empty(), "it had no trouble");
        assert_eq!(outage.passed(&object("a", 0)).len(), 99);
        assert!(outage.passed(&object("a", 1)).is_empty(), "they are woken once");
        assert_eq!(outage.passed(&object("b", 50)).len(), 99, "another namespace has its own");
    }

    #[test]
    fn the_place_of_one_that_is_gone_is_free() {
        let outage = Outage::default();
        let asks: Vec<bool> = (0..=SCOUTS).map(|at| outage.failed(&object("a", at))).collect();
        assert_eq!(asks.last(), Some(&false));
        outage.forget(&object("a", 0));
        assert!(outage.failed(&object("a", SCOUTS)));
        (0..=SCOUTS).for_each(|at| outage.forget(&object("a", at)));
        assert!(outage.waiting.lock().unwrap().is_empty());
    }
}
