//! The queues of the loops, as client-go counts them: one work queue a kind. Where each of several namespaces has a loop of its own, the
//! gauges of a kind are those of all its queues together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::labels::Queue;
use super::tally::Tally;

type Seconds = Gauge<f64, std::sync::atomic::AtomicU64>;

/// All queues.
#[derive(Debug, Clone)]
pub(super) struct Queues {
    depth: Family<Queue, Gauge>,
    adds: Family<Queue, Tally>,
    retries: Family<Queue, Tally>,
    waited: Family<Queue, Histogram>,
    worked: Family<Queue, Histogram>,
    unfinished: Family<Queue, Seconds>,
    longest: Family<Queue, Seconds>,
    shares: Arc<Mutex<HashMap<Queue, Shares>>>,
}

/// What each queue of a kind has.
type Shares = Arc<Mutex<Vec<Share>>>;

#[derive(Debug, Clone, Copy, Default)]
struct Share {
    depth: usize,
    unfinished: f64,
    longest: f64,
}

/// One queue's.
#[derive(Debug)]
pub(crate) struct QueueMetrics {
    shares: Shares,
    /// Which of them is its own.
    own: usize,
    depth: Gauge,
    adds: Tally,
    retries: Tally,
    waited: Histogram,
    worked: Histogram,
    unfinished: Seconds,
    longest: Seconds,
}

/// As client-go has them.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(10e-9, 10.0, 12))
}

impl Default for Queues {
    fn default() -> Self {
        Self {
            depth: Family::default(),
            adds: Family::default(),
            retries: Family::default(),
            waited: Family::new_with_constructor(seconds),
            worked: Family::new_with_constructor(seconds),
            unfinished: Family::default(),
            longest: Family::default(),
            shares: Arc::default(),
        }
    }
}

impl Queues {
    pub(super) fn of(&self, kind: &str) -> QueueMetrics {
        let queue = Queue::of(kind);
        let shares = {
            let mut all = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(queue.clone()).or_default())
        };
        let own = {
            let mut all = shares.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(Share::default());
            all.len() - 1
        };
        QueueMetrics {
            shares,
            own,
            depth: self.depth.get_or_create(&queue).clone(),
            adds: self.adds.get_or_create(&queue).clone(),
            retries: self.retries.get_or_create(&queue).clone(),
            waited: self.waited.get_or_create(&queue).clone(),
            worked: self.worked.get_or_create(&queue).clone(),
            unfinished: self.unfinished.get_or_create(&queue).clone(),
            longest: self.longest.get_or_create(&queue).clone(),
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("workqueue");
        registry.register("depth", "Objects that wait", self.depth.clone());
        registry.register("adds_total", "Objects that came to wait", self.adds.clone());
        registry.register("retries_total", "Looks that are to be repeated", self.retries.clone());
        registry.register("queue_duration_seconds", "How long objects waited", self.waited.clone());
        registry.register("work_duration_seconds", "How long looks took", self.worked.clone());
        registry.register(
            "unfinished_work_seconds",
            "How long the looks under way have taken, together",
            self.unfinished.clone(),
        );
        registry.register(
            "longest_running_processor_seconds",
            "How long the longest of them has taken",
            self.longest.clone(),
        );
    }
}

impl QueueMetrics {
    /// So many wait now.
    pub(crate) fn depth(&self, depth: usize) {
        self.share(|own| own.depth = depth);
    }

    /// One came to wait.
    pub(crate) fn added(&self) {
        self.adds.inc();
    }

    /// One has waited and is looked at.
    pub(crate) fn waited(&self, time: Duration) {
        self.waited.observe(time.as_secs_f64());
    }

    /// A look has ended.
    pub(crate) fn worked(&self, time: Duration) {
        self.worked.observe(time.as_secs_f64());
    }

    /// One is to be looked at again at a time.
    pub(crate) fn retried(&self) {
        self.retries.inc();
    }

    /// How long the looks under way have taken.
    pub(crate) fn under_way(&self, times: impl Iterator<Item = Duration>) {
        let (sum, longest) = times.fold((0.0, 0.0_f64), |(sum, longest), time| {
            let time = time.as_secs_f64();
            (sum + time, longest.max(time))
        });
        self.share(|own| (own.unfinished, own.longest) = (sum, longest));
    }

    fn share(&self, change: impl FnOnce(&mut Share)) {
        let mut all = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = all.get_mut(self.own) {
            change(own);
        }
        let depth: usize = all.iter().map(|share| share.depth).sum();
        self.depth.set(depth.try_into().unwrap_or(i64::MAX));
        self.unfinished.set(all.iter().map(|share| share.unfinished).sum());
        self.longest.set(all.iter().map(|share| share.longest).fold(0.0, f64::max));
    }
}
