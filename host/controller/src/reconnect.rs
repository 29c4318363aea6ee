//! A watch that lists in pages and begins again by itself.
//!
//! After a failure it waits, a few seconds at most: the cluster is well again when all see that it is. One that is told that its place is
//! too old (410) lists again at once, and one that is told to stay away does so.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{Stream, StreamExt};
use kube::runtime::WatchStreamExt;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Config, Event, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::backoff::{CLUSTER_MAX, doubled};
use crate::cluster::pause;

/// Objects in one answer of a list. Of what an answer holds only a part is kept, between what is thrown away; the holes of a small
/// answer are filled by the next.
pub(crate) const PAGE: u32 = 100;
const FIRST: Duration = Duration::from_secs(1);
/// A place is lost once in this time; more often, it is a failure.
const ONCE: Duration = Duration::from_secs(10);

/// All that happens to objects, from a list of all of them on.
pub(crate) fn watch<K>(objects: Api<K>) -> impl Stream<Item = watcher::Result<Event<K>>> + Send
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let trouble = Arc::new(Mutex::new(Trouble::default()));
    let waits = Waits { trouble: Arc::clone(&trouble), ..Waits::default() };
    let noticing = move |event: &watcher::Result<Event<K>>| {
        let mut trouble = trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Err(error) => trouble.last = Some(Cause::of(error)),
            // That a list begins proves nothing.
            Ok(Event::Init) => {}
            Ok(_) => trouble.over = true,
        }
    };
    watcher(objects, Config::default().page_size(PAGE)).inspect(noticing).backoff(waits)
}

/// What a watch has met.
#[derive(Debug, Default)]
struct Trouble {
    last: Option<Cause>,
    /// Whether something came since the last failure.
    over: bool,
}

/// Why a watch broke off, as far as that says when to begin again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// Its place is too old.
    Lost,
    /// The API server has said when to come back.
    Told(Duration),
    Other,
}

impl Cause {
    fn of(error: &watcher::Error) -> Self {
        match error {
            watcher::Error::WatchError(status) if status.code == 410 => Cause::Lost,
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => pause(error).map_or(Cause::Other, Cause::Told),
            _ => Cause::Other,
        }
    }
}

/// The waits of one watch, without an end.
#[derive(Debug, Default)]
struct Waits {
    count: u32,
    trouble: Arc<Mutex<Trouble>>,
    last_lost: Option<Instant>,
}

impl Iterator for Waits {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let (last, over) = {
            let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            (trouble.last.take(), std::mem::take(&mut trouble.over))
        };
        if over {
            self.count = 0;
        }
        let now = Instant::now();
        let again = self.last_lost.is_some_and(|last| now.duration_since(last) < ONCE);
        if last == Some(Cause::Lost) && !again {
            self.last_lost = Some(now);
            return Some(Duration::ZERO);
        }
        let wait = doubled(FIRST, self.count, CLUSTER_MAX);
        self.count = self.count.saturating_add(1);
        Some(match last {
            Some(Cause::Told(pause)) => pause.max(wait),
            Some(Cause::Lost | Cause::Other) | None => wait,
        })
    }
}

impl Backoff for Waits {
    /// Whoever applies the waits calls this for whatever comes, the beginning of a list included, which proves nothing.
    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_watch_waits_a_few_seconds_at_most_and_not_at_all_to_list_again() {
        let trouble = Arc::new(Mutex::new(Trouble::default()));
        let mut waits = Waits { trouble: Arc::clone(&trouble), ..Waits::default() };
        let mut after = |cause, over| {
            *trouble.lock().unwrap() = Trouble { last: Some(cause), over };
            waits.reset();
            waits.next().map(|wait| wait.as_secs())
        };
        assert_eq!([(); 4].map(|()| after(Cause::Other, false)), [Some(1), Some(2), Some(3), Some(3)]);
        assert_eq!(after(Cause::Other, true), Some(1), "something came in between");
        assert_eq!(after(Cause::Told(Duration::from_secs(7)), false), Some(7));
        assert_eq!(after(Cause::Lost, true), Some(0));
        assert_eq!(after(Cause::Lost, true), Some(1), "not in a loop");
        tokio::time::advance(ONCE).await;
        assert_eq!(after(Cause::Lost, false), Some(0));
    }
}
