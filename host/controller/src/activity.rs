//! What the controllers are doing, for whoever waits until they are done.
//!
//! Counts looks that are under way and remembers which object was looked at in which generation. Decides nothing.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pipeline::ObjectRef;

/// Looks under way and looks done.
#[derive(Debug)]
pub(crate) struct Activity {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    under_way: usize,
    last: Instant,
    looked: HashMap<ObjectRef, i64>,
    /// Objects of which the look under way has reported a failure.
    failed: HashSet<ObjectRef>,
}

impl Default for Activity {
    fn default() -> Self {
        let inner =
            Inner { under_way: 0, last: Instant::now(), looked: HashMap::new(), failed: HashSet::new() };
        Self { inner: Mutex::new(inner) }
    }
}

/// A look that is under way until this is dropped.
pub(crate) struct Look<'a> {
    activity: &'a Activity,
    began: Instant,
}

impl Activity {
    /// A look begins.
    pub(crate) fn begin(&self) -> Look<'_> {
        let mut inner = self.lock();
        inner.under_way += 1;
        inner.last = Instant::now();
        Look { activity: self, began: Instant::now() }
    }

    /// Somebody was woken, and will be looked at.
    pub(crate) fn woke(&self) {
        self.lock().last = Instant::now();
    }

    /// The look under way has reported that the object could not be carried out.
    pub(crate) fn failed(&self, object: &ObjectRef) {
        self.lock().failed.insert(object.clone());
    }

    /// Whether the look that has just ended did so.
    pub(crate) fn take_failed(&self, object: &ObjectRef) -> bool {
        self.lock().failed.remove(object)
    }

    /// An object is gone.
    pub(crate) fn forget(&self, object: &ObjectRef) {
        self.lock().looked.remove(object);
    }

    pub(crate) fn has_looked(&self, object: &ObjectRef, generation: i64) -> bool {
        self.lock().looked.get(object).is_some_and(|looked| *looked >= generation)
    }

    pub(crate) fn is_quiet_for(&self, time: Duration) -> bool {
        let inner = self.lock();
        inner.under_way == 0 && inner.last.elapsed() >= time
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Look<'_> {
    /// It came to its end: this object, in this generation.
    pub(crate) fn done(&self, object: ObjectRef, generation: i64) {
        self.activity.lock().looked.insert(object, generation);
    }

    /// How long it has taken so far.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        let mut inner = self.activity.lock();
        inner.under_way = inner.under_way.saturating_sub(1);
        inner.last = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_means_that_nothing_is_under_way() {
        let activity = Activity::default();
        assert!(activity.is_quiet_for(Duration::ZERO));
        let look = activity.begin();
        assert!(!activity.is_quiet_for(Duration::ZERO));
        drop(look);
        assert!(activity.is_quiet_for(Duration::ZERO));
        assert!(!activity.is_quiet_for(Duration::from_secs(60)));
    }

    #[test]
    fn a_look_counts_for_its_generation_and_those_before() {
        let activity = Activity::default();
        let object = ObjectRef::namespaced("ExternalSecret", "default", "a");
        assert!(!activity.has_looked(&object, 1));
        activity.begin().done(object.clone(), 2);
        assert!(activity.has_looked(&object, 1) && activity.has_looked(&object, 2));
        assert!(!activity.has_looked(&object, 3));
        activity.forget(&object);
        assert!(!activity.has_looked(&object, 2));
    }
}
