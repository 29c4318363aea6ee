//! What one call may do and has done: the data of its wasm store. Every limit that wasmtime does not keep by itself is kept here, and
//! when one stops the guest, this remembers which: the reason never comes from a trap's text.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::{ResourceLimiter, UpdateDeadline};

use crate::call::{Call, LogSink, Meter, StreamKey};
use crate::description::Description;
use crate::grants::Grants;
use crate::limits::Limits;
use crate::random::RandomSource;
use crate::reason::Reason;
use crate::streams::Streams;

/// The data of one call's wasm store.
pub(crate) struct State {
    /// What is left of them, where one is spent bit by bit.
    pub(crate) limits: Limits,
    /// Why the host stopped the call, if it did.
    pub(crate) stopped: Option<Reason>,
    /// The random source failed: no value, and not the guest's fault.
    pub(crate) random_failed: bool,
    pub(crate) usage: Usage,
    pub(crate) log: Log,
    pub(crate) meter: Option<Arc<dyn Meter>>,
    pub(crate) now: u64,
    pub(crate) grants: Grants,
    /// What the component declared; `None` only while it describes itself.
    pub(crate) description: Option<Arc<Description>>,
    pub(crate) randomness: Randomness,
    memory: usize,
    table_elements: usize,
    clock: GuestClock,
}

/// What has been used so far.
#[derive(Default)]
pub(crate) struct Usage {
    pub(crate) host_calls: u32,
    pub(crate) random_bytes: u32,
    pub(crate) keys: u32,
    /// Uses of each label that has a quota of its own.
    pub(crate) by_label: std::collections::BTreeMap<String, u32>,
    /// The guest itself drew random bytes: what it made of them, nobody vouches for.
    pub(crate) drew: bool,
}

/// Diagnostics of this call, held back until it is known that it saw no secret.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) sink: Option<Arc<dyn LogSink>>,
    pub(crate) lines: Vec<(crate::call::LogLevel, String)>,
    /// The call was given a secret, or drew one: nothing that it says may leave.
    pub(crate) tainted: bool,
}

/// Which randomness the call may have.
pub(crate) enum Randomness {
    /// None: while it describes or validates, and in a policy.
    Denied,
    /// The host's source: a generator.
    Source(Arc<dyn RandomSource>),
    /// Streams keyed for one rotation: a template.
    Streams(Streams),
}

impl Randomness {
    pub(crate) fn keyed(key: Option<&StreamKey>) -> Self {
        key.map_or(Self::Denied, |key| Self::Streams(Streams::new(key.clone())))
    }
}

/// Time in the guest: time in host calls does not count, since the guest cannot shorten it.
struct GuestClock {
    started: Instant,
    in_host: Duration,
}

impl State {
    /// For the one `describe` call: nothing is granted, no time, no randomness.
    pub(crate) fn describing(limits: Limits) -> Self {
        Self {
            limits,
            stopped: None,
            random_failed: false,
            usage: Usage::default(),
            log: Log::default(),
            meter: None,
            now: 0,
            grants: Grants::none(),
            description: None,
            randomness: Randomness::Denied,
            memory: 0,
            table_elements: 0,
            clock: GuestClock { started: Instant::now(), in_host: Duration::ZERO },
        }
    }

    /// For `validate`: a config may hold a secret, so nothing is logged; no grant, no randomness, no time, no heavy work.
    pub(crate) fn examining(limits: Limits, loaded: &crate::component::Loaded) -> Self {
        let description = Some(Arc::clone(&loaded.description.description));
        let log = Log { tainted: true, ..Log::default() };
        Self { description, log, ..Self::describing(Limits { heavy: 0, ..limits }) }
    }

    /// For a call. A config may hold a secret, so the call counts as given one unless the caller knows better.
    pub(crate) fn calling(
        call: &Call,
        limits: Limits,
        description: &Arc<Description>,
        randomness: Randomness,
    ) -> Self {
        Self {
            now: call.now,
            grants: call.grants.clone(),
            description: Some(Arc::clone(description)),
            randomness,
            meter: call.meter.clone(),
            log: Log { sink: call.log.clone(), tainted: !call.config_is_public, lines: Vec::new() },
            ..Self::describing(limits)
        }
    }

    /// Bytes of linear memory that the guest has.
    pub(crate) const fn memory(&self) -> usize {
        self.memory
    }

    /// Stops the guest for this reason.
    pub(crate) fn stop(&mut self, reason: Reason) -> wasmtime::Error {
        self.stopped.get_or_insert(reason);
        wasmtime::Error::msg(reason.as_str())
    }

    /// Runs a host call outside the guest's time.
    pub(crate) fn outside<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let left = Instant::now();
        let result = work(self);
        self.clock.in_host += left.elapsed();
        result
    }

    /// At each tick of the epoch: whether the guest's time is over.
    pub(crate) fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        let guest_time = self.clock.started.elapsed().saturating_sub(self.clock.in_host);
        if guest_time < self.limits.deadline {
            Ok(UpdateDeadline::Continue(1))
        } else {
            Err(self.stop(Reason::Deadline))
        }
    }
}

/// `before` of `held` becomes `after`, if the sum stays within `limit`.
fn grown(held: usize, before: usize, after: usize, limit: usize) -> Option<usize> {
    let sum = held.saturating_sub(before).checked_add(after)?;
    (sum <= limit).then_some(sum)
}

impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        match grown(self.memory, current, desired, self.limits.memory) {
            Some(sum) => {
                self.memory = sum;
                Ok(true)
            }
            None => Err(self.stop(Reason::Memory)),
        }
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        match grown(self.table_elements, current, desired, self.limits.table_elements) {
            Some(sum) => {
                self.table_elements = sum;
                Ok(true)
            }
            None => Err(self.stop(Reason::Memory)),
        }
    }

    fn instances(&self) -> usize {
        self.limits.instances
    }

    fn tables(&self) -> usize {
        self.limits.instances
    }

    fn memories(&self) -> usize {
        self.limits.instances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_summed_and_exact() {
        let mut limits = Limits::of(crate::world::World::Policy);
        limits.memory = 3 << 16;
        let mut state = State::describing(limits);
        assert!(state.memory_growing(0, 1 << 16, None).unwrap());
        assert!(state.memory_growing(0, 1 << 16, None).unwrap());
        assert!(state.memory_growing(1 << 16, 2 << 16, None).unwrap());
        assert_eq!(state.stopped, None);
        assert!(state.memory_growing(1 << 16, 2 << 16, None).is_err());
        assert_eq!(state.stopped, Some(Reason::Memory));
    }

    #[test]
    fn tables_are_summed_and_exact() {
        let mut limits = Limits::of(crate::world::World::Policy);
        limits.table_elements = 10;
        let mut state = State::describing(limits);
        assert!(state.table_growing(0, 10, None).unwrap());
        assert!(state.table_growing(0, 1, None).is_err());
        assert_eq!(state.stopped, Some(Reason::Memory));
    }

    #[test]
    fn time_in_the_host_does_not_count() {
        let mut limits = Limits::of(crate::world::World::Policy);
        limits.deadline = Duration::from_millis(20);
        let mut state = State::describing(limits);
        state.outside(|_| std::thread::sleep(Duration::from_millis(40)));
        assert!(matches!(state.tick(), Ok(UpdateDeadline::Continue(1))));
        std::thread::sleep(Duration::from_millis(40));
        assert!(state.tick().is_err());
        assert_eq!(state.stopped, Some(Reason::Deadline));
    }
}
