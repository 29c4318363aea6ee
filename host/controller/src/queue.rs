//! Which object is looked at next: the one that has waited longest.
//!
//! An object waits once, however often it is woken, and is never looked at twice at a time: one that is woken during its look is looked
//! at once more afterwards. First come, first served, so that objects which are due all the time keep nobody else waiting; kube's own
//! scheduler takes those that wait in the order of their hashes. Knows nothing of what a look is.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::hash::Hash;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Key as Timer;

use crate::calm::Line;
use crate::metrics::QueueMetrics;

/// The timers hold no more than two years. Whoever has longer to wait is looked at in between.
const LATEST: Duration = Duration::from_secs(86_400 * 30);

/// When an object is looked at again if nothing wakes it before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// After this time.
    After(Duration),
    /// Not by itself.
    WhenWoken,
}

/// The objects of one kind that wait, are looked at, or will be due.
#[derive(Debug)]
pub(crate) struct Queue<K> {
    line: VecDeque<K>,
    /// Since when.
    waiting: HashMap<K, Instant>,
    under_way: HashMap<K, Look>,
    due: DelayQueue<K>,
    timers: HashMap<K, Timer>,
    metrics: QueueMetrics,
    /// Tells the others how many wait.
    told: Line,
}

#[derive(Debug)]
struct Look {
    since: Instant,
    /// Whether the object was woken since.
    woken: bool,
}

impl<K: Hash + Eq + Clone> Queue<K> {
    /// An empty one.
    pub(crate) fn new(metrics: QueueMetrics, told: Line) -> Self {
        Self {
            line: VecDeque::new(),
            waiting: HashMap::new(),
            under_way: HashMap::new(),
            due: DelayQueue::new(),
            timers: HashMap::new(),
            metrics,
            told,
        }
    }

    /// An object wants to be looked at.
    pub(crate) fn add(&mut self, object: K) {
        if let Some(look) = self.under_way.get_mut(&object) {
            if !std::mem::replace(&mut look.woken, true) {
                self.metrics.added();
            }
        } else if !self.waiting.contains_key(&object) {
            self.metrics.added();
            // The look decides anew when the next one is due.
            self.cancel(&object);
            self.waiting.insert(object.clone(), Instant::now());
            self.line.push_back(object);
            self.count();
        }
    }

    /// The next object. Its look is under way until [`Queue::done`].
    pub(crate) fn next(&mut self) -> Option<K> {
        let object = self.line.pop_front()?;
        self.count();
        let now = Instant::now();
        if let Some(since) = self.waiting.remove(&object) {
            self.metrics.waited(now.duration_since(since));
        }
        self.under_way.insert(object.clone(), Look { since: now, woken: false });
        Some(object)
    }

    /// A look has ended.
    pub(crate) fn done(&mut self, object: &K, again: Again) {
        let Some(look) = self.under_way.remove(object) else { return };
        self.metrics.worked(look.since.elapsed());
        match again {
            // Its being woken counted when it was.
            _ if look.woken => {
                self.waiting.insert(object.clone(), Instant::now());
                self.line.push_back(object.clone());
                self.count();
            }
            Again::After(wait) => {
                self.metrics.retried();
                self.later(object, wait);
            }
            Again::WhenWoken => {}
        }
    }

    /// An object that was next is not looked at yet.
    pub(crate) fn put_off(&mut self, object: &K, wait: Duration) {
        self.under_way.remove(object);
        self.later(object, wait);
    }

    /// Tells how long the looks under way have taken.
    pub(crate) fn tell(&self) {
        self.metrics.under_way(self.under_way.values().map(|look| look.since.elapsed()));
    }

    /// Waits until an object is due. Ends never while none has a time.
    pub(crate) async fn due(&mut self) -> K {
        let due = poll_fn(|context| match self.due.poll_expired(context) {
            Poll::Ready(Some(due)) => Poll::Ready(due.into_inner()),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        })
        .await;
        self.timers.remove(&due);
        due
    }

    /// An object is gone.
    pub(crate) fn forget(&mut self, object: &K) {
        self.cancel(object);
    }

    fn count(&mut self) {
        self.metrics.depth(self.line.len());
        self.told.set(self.line.len());
    }

    fn later(&mut self, object: &K, wait: Duration) {
        let timer = self.due.insert(object.clone(), wait.min(LATEST));
        self.timers.insert(object.clone(), timer);
    }

    fn cancel(&mut self, object: &K) {
        if let Some(timer) = self.timers.remove(object) {
            self.due.try_remove(&timer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calm::Calm;
    use crate::metrics::Metrics;

    fn queue() -> Queue<&'static str> {
        Queue::new(Metrics::default().queue("ExternalSecret"), Calm::default().line())
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_first_is_served_first() {
        let mut queue = queue();
        ["a", "b", "c", "a"].into_iter().for_each(|object| queue.add(object));
        assert_eq!(queue.next(), Some("a"));
        queue.done(&"a", Again::After(Duration::ZERO));
        let due = queue.due().await;
        queue.add(due);
        assert_eq!([queue.next(), queue.next(), queue.next()], [Some("b"), Some("c"), Some("a")]);
        assert_eq!(queue.next(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_woken_during_its_look_is_looked_at_once_more() {
        let mut queue = queue();
        queue.add("a");
        assert_eq!(queue.next(), Some("a"));
        ["a", "a"].into_iter().for_each(|object| queue.add(object));
        assert_eq!(queue.next(), None, "never twice at a time");
        queue.done(&"a", Again::WhenWoken);
        assert_eq!(queue.next(), Some("a"));
        queue.done(&"a", Again::WhenWoken);
        assert_eq!(queue.next(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_woken_before_it_is_due_has_no_other_time() {
        let mut queue = queue();
        for object in ["a", "b"] {
            queue.add(object);
            queue.next();
        }
        queue.done(&"a", Again::After(Duration::from_secs(1)));
        queue.done(&"b", Again::After(Duration::from_secs(2)));
        queue.add("a");
        assert_eq!(queue.due().await, "b");
        assert_eq!(queue.next(), Some("a"));
        queue.done(&"a", Again::After(Duration::from_secs(1)));
        queue.forget(&"a");
        let none = tokio::time::timeout(Duration::from_secs(60), queue.due()).await;
        assert!(none.is_err(), "it is gone");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_put_off_comes_back() {
        let mut queue = queue();
        queue.add("a");
        assert_eq!(queue.next(), Some("a"));
        queue.put_off(&"a", Duration::from_secs(1));
        assert_eq!(queue.next(), None);
        let due = queue.due().await;
        queue.add(due);
        assert_eq!(queue.next(), Some("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_without_end_is_no_trouble() {
        let mut queue = queue();
        queue.add("a");
        queue.next();
        queue.done(&"a", Again::After(Duration::MAX));
        let began = Instant::now();
        assert_eq!(queue.due().await, "a");
        assert!(began.elapsed() >= LATEST);
    }
}
