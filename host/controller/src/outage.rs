//! Who waits for the API server, and who of them asks.
//!
//! While it is down, or refuses a right, every object that is due fails. A few of each namespace ask again every few seconds; the others
//! wait with growing pauses and are woken when one of the few gets through. So recovery takes seconds, and an outage with 10,000 objects
//! costs a few requests.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pipeline::{ObjectRef, Reason};

/// So many of a namespace ask: they may lack different rights.
const SCOUTS: usize = 4;
/// What is the API server's.
const CAUSES: [Reason; 2] = [Reason::ClusterUnavailable, Reason::ClusterDenied];

/// A namespace, and why: who is denied a right says nothing of whether the API server is there.
type Place = (Option<String>, Reason);

/// Objects whose last look failed because of the API server.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    waiting: Mutex<HashMap<Place, Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    scouts: HashSet<ObjectRef>,
    others: HashSet<ObjectRef>,
}

impl Outage {
    /// Whether a failure is the API server's.
    pub(crate) fn is_cause(reason: Reason) -> bool {
        CAUSES.contains(&reason)
    }

    /// An object failed for such a reason. Returns whether it is one of the few that ask.
    pub(crate) fn failed(&self, object: &ObjectRef, reason: Reason) -> bool {
        let mut waiting = self.lock();
        remove(&mut waiting, object, |place| place.1 != reason);
        let here = waiting.entry((object.namespace.clone(), reason)).or_default();
        let scout = here.scouts.contains(object) || here.scouts.len() < SCOUTS;
        if scout {
            here.others.remove(object);
            here.scouts.insert(object.clone());
        } else {
            here.others.insert(object.clone());
        }
        scout
    }

    /// The API server did what an object asked. Returns who else may ask again, if this one had to wait.
    pub(crate) fn passed(&self, object: &ObjectRef) -> Vec<ObjectRef> {
        let mut waiting = self.lock();
        let Some(place) = remove(&mut waiting, object, |_| true) else { return Vec::new() };
        let here = waiting.remove(&place).unwrap_or_default();
        here.scouts.into_iter().chain(here.others).collect()
    }

    /// An object is gone.
    pub(crate) fn forget(&self, object: &ObjectRef) {
        remove(&mut self.lock(), object, |_| true);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes an object out of the place where it waits, of those that are meant.
fn remove(
    waiting: &mut HashMap<Place, Waiting>,
    object: &ObjectRef,
    is_meant: impl Fn(&Place) -> bool,
) -> Option<Place> {
    if waiting.is_empty() {
        return None;
    }
    let places = CAUSES.map(|reason| (object.namespace.clone(), reason));
    let found = places
        .into_iter()
        .filter(is_meant)
        .find(|place| waiting.get_mut(place).is_some_and(|here| here.remove(object)))?;
    if waiting.get(&found).is_some_and(Waiting::is_empty) {
        waiting.remove(&found);
    }
    Some(found)
}

impl Waiting {
    fn remove(&mut self, object: &ObjectRef) -> bool {
        self.scouts.remove(object) || self.others.remove(object)
    }

    fn is_empty(&self) -> bool {
        self.scouts.is_empty() && self.others.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWAY: Reason = Reason::ClusterUnavailable;

    fn object(namespace: &str, at: usize) -> ObjectRef {
        ObjectRef::namespaced("ExternalSecret", namespace, &at.to_string())
    }

    #[test]
    fn a_few_of_each_namespace_ask_for_all() {
        let outage = Outage::default();
        let asks =
            |namespace: &str| (0..100).filter(|at| outage.failed(&object(namespace, *at), AWAY)).count();
        assert_eq!((asks("a"), asks("b")), (SCOUTS, SCOUTS));
        assert_eq!(asks("a"), SCOUTS, "the same again");
        assert!(outage.passed(&object("a", 1000)).is_empty(), "it had no trouble");
        assert_eq!(outage.passed(&object("a", 0)).len(), 99);
        assert!(outage.passed(&object("a", 1)).is_empty(), "they are woken once");
        assert_eq!(outage.passed(&object("b", 50)).len(), 99, "another namespace has its own");
    }

    #[test]
    fn whoever_lacks_a_right_keeps_no_place_from_those_that_wait_for_the_server() {
        let outage = Outage::default();
        assert!((0..SCOUTS).all(|at| outage.failed(&object("a", at), Reason::ClusterDenied)));
        assert!(outage.failed(&object("a", SCOUTS), AWAY));
        assert_eq!(outage.passed(&object("a", SCOUTS)), [], "it was the only one");
        assert!(outage.failed(&object("a", 0), AWAY), "it waits for something else now");
        assert_eq!(outage.passed(&object("a", 1)).len(), SCOUTS - 2);
    }

    #[test]
    fn the_place_of_one_that_is_gone_is_free() {
        let outage = Outage::default();
        let asks: Vec<bool> = (0..=SCOUTS).map(|at| outage.failed(&object("a", at), AWAY)).collect();
        assert_eq!(asks.last(), Some(&false));
        outage.forget(&object("a", 0));
        assert!(outage.failed(&object("a", SCOUTS), AWAY));
        (0..=SCOUTS).for_each(|at| outage.forget(&object("a", at)));
        assert!(outage.waiting.lock().unwrap().is_empty());
    }
}
