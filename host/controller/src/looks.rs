//! The looks under way of one loop, each a task of its own: one that panics fails alone.

use std::collections::HashMap;

use tokio::task::{Id, JoinSet};

use crate::queue::Again;

/// Looks at objects that are known by `K`.
#[derive(Debug)]
pub(crate) struct Looks<K> {
    tasks: JoinSet<Again>,
    objects: HashMap<Id, K>,
}

impl<K> Default for Looks<K> {
    fn default() -> Self {
        Self { tasks: JoinSet::new(), objects: HashMap::new() }
    }
}

impl<K> Looks<K> {
    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// One begins.
    pub(crate) fn begin(&mut self, object: K, look: impl Future<Output = Again> + Send + 'static) {
        let task = self.tasks.spawn(look);
        self.objects.insert(task.id(), object);
    }

    /// The next one that ends, without an answer if it panicked, of which standard error has everything; none when none is under way.
    pub(crate) async fn next(&mut self) -> Option<(K, Option<Again>)> {
        let (id, again) = match self.tasks.join_next_with_id().await? {
            Ok((id, again)) => (id, Some(again)),
            Err(error) => (error.id(), None),
        };
        Some((self.objects.remove(&id)?, again))
    }
}
