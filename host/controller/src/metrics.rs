//! What the controllers count: ESO's and controller-runtime's names where they mean the same, and our own under `keymill_`.
//!
//! Labels come from closed sets and from object names, as ESO's do; never from messages, guests or values. What is told of one object
//! goes when the object does. Counters are called as they are here: the exposition is Prometheus' text format, as ESO's is.

mod labels;
mod objects;
mod queue;
mod requests;
mod tally;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pipeline::{ObjectRef, Ready};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

pub(crate) use labels::Component;
use labels::{
    Asked, ComponentCall, Controller, Failed, Leader, Provider, Result, Reviewed, Rotated, Verdict,
};
use objects::Objects;
pub(crate) use queue::QueueMetrics;
use queue::Queues;
pub use requests::{CountedRequests, RequestCounter};
use tally::Tally;

use crate::own_kinds;

/// As controller-runtime has them.
const LOOK_SECONDS: [f64; 40] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25,
    1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0,
    50.0, 60.0,
];

/// All metrics of the controllers. Cheap to clone: clones count together.
#[derive(Debug, Clone)]
pub struct Metrics {
    objects: Objects,
    looks: Family<Result, Tally>,
    look_errors: Family<Controller, Tally>,
    look_seconds: Family<Controller, Histogram>,
    working: Family<Controller, Gauge>,
    concurrency: Family<Controller, Gauge>,
    queues: Queues,
    provider_calls: Family<Provider, Tally>,
    rotations: Family<Rotated, Tally>,
    failures: Family<Failed, Tally>,
    verdicts: Family<Verdict, Tally>,
    reviews: Family<Reviewed, Tally>,
    call_seconds: Family<ComponentCall, Histogram>,
    call_fuel: Family<Component, Histogram>,
    call_memory: Family<Component, Histogram>,
    events_dropped: Tally,
    leaders: Family<Leader, Gauge>,
    requests: Family<Asked, Tally>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            objects: Objects::default(),
            looks: Family::default(),
            look_errors: Family::default(),
            look_seconds: Family::new_with_constructor(|| Histogram::new(LOOK_SECONDS)),
            working: Family::default(),
            concurrency: Family::default(),
            queues: Queues::default(),
            provider_calls: Family::default(),
            rotations: Family::default(),
            failures: Family::default(),
            verdicts: Family::default(),
            reviews: Family::default(),
            call_seconds: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.0005, 2.0, 14))
            }),
            call_fuel: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(10_000.0, 4.0, 10))
            }),
            call_memory: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(65_536.0, 2.0, 11))
            }),
            events_dropped: Tally::default(),
            leaders: Family::default(),
            requests: Family::default(),
        }
    }
}

impl Metrics {
    /// A look at an object begins.
    pub(crate) fn looking(&self, kind: &str) {
        self.working.get_or_create(&Controller::of(kind)).inc();
    }

    /// It has ended: how long it took, and whether what was due was done.
    pub(crate) fn looked(&self, object: &ObjectRef, time: Duration, failed: bool) {
        let controller = Controller::of(&object.kind);
        self.working.get_or_create(&controller).dec();
        self.look_seconds.get_or_create(&controller).observe(time.as_secs_f64());
        self.looks.get_or_create(&Result::of(&object.kind, failed)).inc();
        self.look_errors.get_or_create(&controller).inc_by(failed.into());
        self.objects.looked(object, time);
    }

    /// The same for an object of a kind of our own.
    pub(crate) fn own_looked(&self, time: Duration, failed: bool) {
        let controller = Controller::of(own_kinds::LOOP);
        self.look_seconds.get_or_create(&controller).observe(time.as_secs_f64());
        self.looks.get_or_create(&Result::of(own_kinds::LOOP, failed)).inc();
        self.look_errors.get_or_create(&controller).inc_by(failed.into());
    }

    /// A loop begins, which works on so many objects of a kind at once at most. Its counters begin at 0, so that a rate over them exists
    /// before the first failure.
    pub(crate) fn concurrency(&self, kind: &str, most: u16) {
        let controller = Controller::of(kind);
        self.concurrency.get_or_create(&controller).inc_by(most.into());
        self.look_errors.get_or_create(&controller).inc_by(0);
        for failed in [false, true] {
            self.looks.get_or_create(&Result::of(kind, failed)).inc_by(0);
        }
    }

    /// The queue of a kind's loop.
    pub(crate) fn queue(&self, kind: &str) -> QueueMetrics {
        self.queues.of(kind)
    }

    /// A sync of an object has ended, as its condition says.
    pub(crate) fn synced(&self, object: &ObjectRef, ready: &Ready, now: Timestamp) {
        self.objects.synced(object, ready.status, now);
    }

    /// What an object's Ready condition says.
    pub(crate) fn condition(&self, object: &ObjectRef, ready: bool) {
        self.objects.condition(object, ready);
    }

    /// The object is gone, or none of ours.
    pub(crate) fn forget(&self, object: &ObjectRef) {
        self.objects.forget(object);
    }

    /// A sync failed; words of `pipeline::Reason` and `pipeline::Blame`.
    pub(crate) fn failed(&self, kind: &'static str, reason: &'static str, blame: &'static str) {
        self.failures.get_or_create(&Failed { kind, reason, blame }).inc();
    }

    /// Values were generated and recorded; a word of `pipeline::Cause`.
    pub(crate) fn rotated(&self, kind: &'static str, cause: &'static str, count: usize) {
        self.rotations.get_or_create(&Rotated { kind, cause }).inc_by(count.try_into().unwrap_or(u64::MAX));
    }

    /// A policy has judged the values of an object: with so many violations, or with none since it failed.
    pub(crate) fn judged(&self, policy: &ObjectRef, enforces: bool, violations: Option<usize>) {
        self.verdicts.get_or_create(&Verdict::of(policy, enforces, violations)).inc();
    }

    /// The policy is gone.
    pub(crate) fn forget_judge(&self, policy: &ObjectRef) {
        for enforces in [false, true] {
            for violations in [None, Some(0), Some(1)] {
                self.verdicts.remove(&Verdict::of(policy, enforces, violations));
            }
        }
    }

    /// A store was asked something.
    pub(crate) fn asked(&self, provider: &'static str, call: &'static str, failed: bool) {
        let status = if failed { "error" } else { "success" };
        self.provider_calls.get_or_create(&Provider { provider, call, status }).inc();
    }

    /// A component was called. `component` is a name that we gave it, `result` a word of a closed set.
    pub(crate) fn called(&self, component: Component, time: Duration, result: &'static str) {
        let labels = ComponentCall { world: component.world, component: component.component, result };
        self.call_seconds.get_or_create(&labels).observe(time.as_secs_f64());
    }

    /// What a call of a component used: fuel, and bytes of memory.
    #[expect(clippy::cast_precision_loss, reason = "a histogram does not tell that much")]
    pub(crate) fn used(&self, component: Component, fuel: u64, memory: usize) {
        self.call_fuel.get_or_create(&component).observe(fuel as f64);
        self.call_memory.get_or_create(&component).observe(memory as f64);
    }

    /// An event was dropped, since there were too many.
    pub(crate) fn event_dropped(&self) {
        self.events_dropped.inc();
    }

    /// Whether this process is the one that works, of those that stand for a Lease. Without an election nobody says so.
    pub fn leads(&self, lease: &str, leads: bool) {
        self.leaders.get_or_create(&Leader { name: lease.to_owned() }).set(leads.into());
    }

    /// Counts the requests of a client of the API server at `host`.
    #[must_use]
    pub fn requests(&self, host: &str) -> RequestCounter {
        RequestCounter { requests: self.requests.clone(), host: Arc::from(host) }
    }

    /// Admission has answered for an object of one of our kinds.
    pub(crate) fn reviewed(&self, kind: &'static str, answer: &'static str) {
        self.reviews.get_or_create(&Reviewed { answer, kind }).inc();
    }

    /// Registers everything under its name.
    pub fn register(&self, registry: &mut Registry) {
        self.objects.register(registry);
        self.register_controllers(registry);
        self.queues.register(registry);
        self.register_process(registry);
        self.register_components(registry);
        registry.register(
            "externalsecret_provider_api_calls_count",
            "Calls of stores",
            self.provider_calls.clone(),
        );
        registry.register(
            "keymill_rotations_total",
            "Values that were generated and recorded",
            self.rotations.clone(),
        );
        registry.register("keymill_failures_total", "Failed syncs", self.failures.clone());
        registry.register(
            "keymill_policy_verdicts_total",
            "Verdicts of policies on the values of an object",
            self.verdicts.clone(),
        );
        registry.register("keymill_admission_reviews_total", "Reviews of objects", self.reviews.clone());
    }

    /// As controller-runtime calls them.
    fn register_controllers(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("controller_runtime");
        registry.register("reconcile_total", "Looks at objects", self.looks.clone());
        registry.register("reconcile_errors_total", "Looks at objects that failed", self.look_errors.clone());
        registry.register(
            "reconcile_time_seconds",
            "Time of one look at an object",
            self.look_seconds.clone(),
        );
        registry.register("active_workers", "Looks under way", self.working.clone());
        registry.register(
            "max_concurrent_reconciles",
            "Looks that may be under way",
            self.concurrency.clone(),
        );
    }

    /// As client-go calls them, but for our own.
    fn register_process(&self, registry: &mut Registry) {
        registry.register(
            "leader_election_master_status",
            "Whether this process is the one that works, by the name of the Lease",
            self.leaders.clone(),
        );
        registry.register("rest_client_requests_total", "Requests to the API server", self.requests.clone());
        registry.register(
            "keymill_events_dropped_total",
            "Events that were not published",
            self.events_dropped.clone(),
        );
    }

    fn register_components(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("keymill_component");
        registry.register("call_seconds", "Time of one call of a component", self.call_seconds.clone());
        registry.register("call_fuel", "Fuel of one call of a component", self.call_fuel.clone());
        registry.register("call_memory_bytes", "Memory of one call of a component", self.call_memory.clone());
    }
}

#[cfg(test)]
mod tests;
