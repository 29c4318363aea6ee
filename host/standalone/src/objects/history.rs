//! The last changes, oldest first. What falls out at the old end is compacted: a watch from before it gets 410.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;

use super::Place;

/// One object became another: made (no old), changed, or removed (no new). Not `Debug`, since it holds Secrets.
#[derive(Clone)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) place: Place,
    pub(crate) old: Option<Arc<Value>>,
    pub(crate) new: Option<Arc<Value>>,
}

#[derive(Default)]
pub(crate) struct History {
    limit: usize,
    /// The version before the oldest change that is still here.
    compacted: u64,
    changes: VecDeque<Change>,
}

impl History {
    pub(super) fn new(limit: usize, version: u64) -> Self {
        Self { limit, compacted: version, changes: VecDeque::new() }
    }

    /// The oldest version from which a watch can go on.
    pub(crate) fn compacted(&self) -> u64 {
        self.compacted
    }

    /// The changes after `version`, oldest first; `None` when some of them are forgotten.
    pub(crate) fn after(&self, version: u64) -> Option<impl DoubleEndedIterator<Item = &Change>> {
        let start = self.changes.partition_point(|change| change.version <= version);
        (version >= self.compacted).then(|| self.changes.range(start..))
    }

    pub(super) fn push(&mut self, change: Change) {
        self.changes.push_back(change);
        while self.changes.len() > self.limit {
            if let Some(oldest) = self.changes.pop_front() {
                self.compacted = oldest.version;
            }
        }
    }
}
