//! A table of things that several stores share: connections, logins, gates.
//!
//! An entry lives while somebody holds it and for a while after, because stores come and go with each refresh. Entries are
//! swept when a new one is added; nothing here runs in the background.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long an entry that nobody holds is kept. Longer than the pause between two checks of a store.
const IDLE: Duration = Duration::from_secs(15 * 60);

pub(crate) struct Shared<K, V> {
    entries: Mutex<HashMap<K, Held<V>>>,
}

struct Held<V> {
    value: Arc<V>,
    used: Instant,
}

impl<K: Eq + Hash, V> Shared<K, V> {
    pub(crate) fn new() -> Self {
        Self { entries: Mutex::new(HashMap::new()) }
    }

    /// The entry of that key; made when there is none.
    pub(crate) fn get_or_insert(&self, key: K, make: impl FnOnce() -> Arc<V>) -> Arc<V> {
        let made: Result<_, std::convert::Infallible> = self.get_or_try_insert(key, || Ok(make()));
        match made {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// The entry of that key; made when there is none, unless that fails.
    pub(crate) fn get_or_try_insert<E>(
        &self,
        key: K,
        make: impl FnOnce() -> Result<Arc<V>, E>,
    ) -> Result<Arc<V>, E> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some(held) = entries.get_mut(&key) {
            held.used = now;
            return Ok(Arc::clone(&held.value));
        }
        let value = make()?;
        entries.retain(|_, held| Arc::strong_count(&held.value) > 1 || now.duration_since(held.used) < IDLE);
        entries.insert(key, Held { value: Arc::clone(&value), used: now });
        Ok(value)
    }

    /// Empties the table.
    pub(crate) fn drain(&self) -> Vec<Arc<V>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.drain().map(|(_, held)| held.value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_entry_is_kept_while_held_and_a_while_after() {
        let table: Shared<&str, String> = Shared::new();
        let held = table.get_or_insert("held", || Arc::new("a".to_owned()));
        drop(table.get_or_insert("idle", || Arc::new("b".to_owned())));
        tokio::time::advance(IDLE - Duration::from_secs(1)).await;
        drop(table.get_or_insert("other", || Arc::new("c".to_owned())));
        assert!(Arc::ptr_eq(&held, &table.get_or_insert("held", || Arc::new("new".to_owned()))));
        tokio::time::advance(Duration::from_secs(2)).await;
        drop(table.get_or_insert("sweeps", || Arc::new("d".to_owned())));
        let mut left: Vec<_> = table.drain().iter().map(|value| value.as_str().to_owned()).collect();
        left.sort();
        assert_eq!(left, ["a", "c", "d"], "only the idle one is gone");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_leaves_no_entry() {
        let table: Shared<u8, u8> = Shared::new();
        assert_eq!(table.get_or_try_insert(1, || Err("no")).unwrap_err(), "no");
        assert_eq!(*table.get_or_insert(1, || Arc::new(7)), 7);
    }
}
