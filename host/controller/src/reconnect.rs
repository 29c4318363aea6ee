//! A watch that lists in pages and begins again by itself.
//!
//! After a failure it waits, a few seconds at most: the cluster is well again when all see that it is. One that is told that its place is
//! too old (410) lists again at once.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{Stream, TryStreamExt};
use kube::runtime::WatchStreamExt;
use kube::runtime::utils::{Backoff, ResetTimerBackoff};
use kube::runtime::watcher::{self, Config, Event, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::backoff::CLUSTER_MAX;

/// Objects in one answer of a list. Of what an answer holds only a part is kept, between what is thrown away; the holes of a small
/// answer are filled by the next.
pub(crate) const PAGE: u32 = 100;
const FIRST: Duration = Duration::from_secs(1);
/// A watch that has run this long begins anew with the shortest wait.
const STEADY: Duration = Duration::from_secs(120);
/// A place is lost once in this time; more often, it is a failure.
const ONCE: Duration = Duration::from_secs(10);

/// All that happens to objects, from a list of all of them on.
pub(crate) fn watch<K>(objects: Api<K>) -> impl Stream<Item = watcher::Result<Event<K>>> + Send
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let lost = Arc::new(AtomicBool::new(false));
    let waits = ResetTimerBackoff::new(Waits { lost: Arc::clone(&lost), ..Waits::default() }, STEADY);
    let noticing = move |error: &watcher::Error| lost.store(is_lost(error), Ordering::Relaxed);
    watcher(objects, Config::default().page_size(PAGE)).inspect_err(noticing).backoff(waits)
}

/// Whether a watch is told that its place is too old.
fn is_lost(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::WatchError(status) if status.code == 410)
}

/// The waits of one watch, without an end.
#[derive(Debug, Default)]
struct Waits {
    count: u32,
    /// Whether the last failure was a lost place.
    lost: Arc<AtomicBool>,
    last_lost: Option<Instant>,
}

impl Iterator for Waits {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let now = Instant::now();
        let again = self.last_lost.is_some_and(|last| now.duration_since(last) < ONCE);
        if self.lost.load(Ordering::Relaxed) && !again {
            self.last_lost = Some(now);
            return Some(Duration::ZERO);
        }
        let wait = FIRST.saturating_mul(2_u32.saturating_pow(self.count.min(16))).min(CLUSTER_MAX);
        self.count = self.count.saturating_add(1);
        Some(wait)
    }
}

impl Backoff for Waits {
    fn reset(&mut self) {
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_watch_waits_a_few_seconds_at_most_and_not_at_all_to_list_again() {
        let lost = Arc::new(AtomicBool::new(false));
        let mut waits = Waits { lost: Arc::clone(&lost), ..Waits::default() };
        let mut next = || waits.next().map(|wait| wait.as_secs());
        assert_eq!([next(), next(), next(), next()], [Some(1), Some(2), Some(3), Some(3)]);
        lost.store(true, Ordering::Relaxed);
        assert_eq!([next(), next()], [Some(0), Some(3)], "not in a loop");
        tokio::time::advance(ONCE).await;
        assert_eq!(next(), Some(0));
    }
}
