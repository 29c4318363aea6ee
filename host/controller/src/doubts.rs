//! A store that counts as ready and fails whoever uses it.
//!
//! A store is checked once an interval, and in between its users are the first to learn that it is down or that its credential is worth
//! nothing any more. Whoever learns that has the store checked at once: its condition then says so, it is asked every few seconds until
//! it is well, and that wakes all that wait for it. A store that is known not to be ready is not doubted again, and one that was found
//! well not again for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use api::ConditionStatus;
use pipeline::{ObjectRef, Reason};
use tokio::time::Instant;

use crate::context::Context;

/// A store is doubted once in this time, by however many.
const PAUSE: Duration = Duration::from_secs(5);

/// When each store was doubted last.
#[derive(Debug, Default)]
pub(crate) struct Doubts {
    last: Mutex<HashMap<ObjectRef, Instant>>,
}

impl Doubts {
    /// Whether to have a store checked.
    fn is_new(&self, store: &ObjectRef) -> bool {
        let now = Instant::now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, doubted| now.duration_since(*doubted) < PAUSE);
        let new = !last.contains_key(store);
        last.entry(store.clone()).or_insert(now);
        new
    }
}

/// Has the stores checked that an object uses, when it failed for a reason that is theirs.
pub(crate) fn raise(context: &Context, object: &ObjectRef, reason: Reason) {
    if !matches!(reason, Reason::StoreUnavailable | Reason::StoreDenied) {
        return;
    }
    for store in context.references.stores_of(object) {
        let known = context.caches.store_ready(&store) == Some(ConditionStatus::False);
        if !known && context.doubts.is_new(&store) {
            context.wake.wake(context, &store);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_doubts_at_once_are_one() {
        let doubts = Doubts::default();
        let (a, b) = (
            ObjectRef::namespaced("SecretStore", "default", "a"),
            ObjectRef::namespaced("SecretStore", "default", "b"),
        );
        assert!(doubts.is_new(&a) && doubts.is_new(&b));
        tokio::time::advance(PAUSE / 2).await;
        assert!(!doubts.is_new(&a));
        tokio::time::advance(PAUSE / 2).await;
        assert!(doubts.is_new(&a), "the first one is what counts");
    }
}
