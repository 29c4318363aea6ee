//! How long an object waits after its n-th failure in a row: doubling from one second to five minutes, with a jitter that is
//! a function of the object, so that objects that fail together do not come back together. Knows nothing of why it failed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pipeline::ObjectRef;

const FIRST: Duration = Duration::from_secs(1);
/// After a first conflict.
const CONFLICT: Duration = Duration::from_millis(50);
/// So many in a row are a failure.
const CONFLICTS: u32 = 8;
const MAX: Duration = Duration::from_secs(300);
/// What waits for the API server asks again this often at least: the cluster is well again when all see that it is.
pub(crate) const CLUSTER_MAX: Duration = Duration::from_secs(3);

/// Failures in a row, per object.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: Mutex<HashMap<ObjectRef, u32>>,
    conflicts: Mutex<HashMap<ObjectRef, u32>>,
}

impl Backoff {
    /// Counts one more failure; how long to wait now.
    pub(crate) fn failed(&self, object: &ObjectRef) -> Duration {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(object.clone()).or_insert(0);
        let wait = delay(*count, phase(object));
        *count = count.saturating_add(1);
        wait
    }

    /// Whether the last look at an object failed.
    pub(crate) fn is_failing(&self, object: &ObjectRef) -> bool {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).contains_key(object)
    }

    /// Counts one more conflict in a row; how long to wait now.
    pub(crate) fn conflicted(&self, object: &ObjectRef) -> Duration {
        let mut conflicts = self.conflicts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = conflicts.entry(object.clone()).or_insert(0);
        let wait = doubled(CONFLICT, *count, CLUSTER_MAX);
        *count = count.saturating_add(1);
        wait
    }

    /// Whether there were so many that it is no coincidence.
    pub(crate) fn is_in_conflict(&self, object: &ObjectRef) -> bool {
        let conflicts = self.conflicts.lock().unwrap_or_else(PoisonError::into_inner);
        conflicts.get(object).is_some_and(|count| *count >= CONFLICTS)
    }

    /// Forgets the failures of an object that is well, or gone.
    pub(crate) fn succeeded(&self, object: &ObjectRef) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(object);
        self.conflicts.lock().unwrap_or_else(PoisonError::into_inner).remove(object);
    }
}

/// `first` doubled `count` times, and `most` at most.
pub(crate) fn doubled(first: Duration, count: u32, most: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(count.min(16))).min(most)
}

/// The delay after `count` failures before this one; `phase` in 0..1 moves it by up to a quarter either way.
fn delay(count: u32, phase: f64) -> Duration {
    doubled(FIRST, count, MAX).mul_f64(0.75 + phase / 2.0)
}

/// A stable fraction of one for an object.
fn phase(object: &ObjectRef) -> f64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    object.hash(&mut hasher);
    #[expect(clippy::cast_precision_loss, reason = "sixteen bits fit an f64")]
    let fraction = (hasher.finish() & 0xffff) as f64;
    fraction / 65_536.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_and_stops_at_the_maximum() {
        for (count, seconds) in [(0, 1), (1, 2), (2, 4), (8, 256), (9, 300), (60, 300)] {
            assert_eq!(delay(count, 0.5), Duration::from_secs(seconds), "{count}");
        }
    }

    #[test]
    fn jitter_is_a_quarter_either_way_and_stable() {
        assert_eq!(delay(1, 0.0), Duration::from_millis(1500));
        let object = ObjectRef::namespaced("ExternalSecret", "default", "a");
        assert_eq!(phase(&object), phase(&object.clone()));
    }

    #[test]
    fn conflicts_are_answered_soon_and_not_for_ever() {
        let backoff = Backoff::default();
        let object = ObjectRef::namespaced("ExternalSecret", "default", "a");
        let waits: Vec<u128> = (0..CONFLICTS).map(|_| backoff.conflicted(&object).as_millis()).collect();
        assert_eq!(waits, [50, 100, 200, 400, 800, 1600, 3000, 3000]);
        assert!(backoff.is_in_conflict(&object));
        backoff.succeeded(&object);
        assert!(!backoff.is_in_conflict(&object));
    }

    #[test]
    fn success_starts_over() {
        let backoff = Backoff::default();
        let object = ObjectRef::namespaced("ExternalSecret", "default", "a");
        let first = backoff.failed(&object);
        assert!(backoff.failed(&object) > first);
        assert!(backoff.is_failing(&object));
        backoff.succeeded(&object);
        assert!(!backoff.is_failing(&object));
        assert_eq!(backoff.failed(&object), first);
    }
}
