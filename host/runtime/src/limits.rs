//! What bounds one call. `Limits` are numbers; `engine` and `wasm_store` turn each into the thing that enforces it, and there is
//! no way to start a call without one. Defaults are per world: a template may be large, a policy is small.
//! The wasm stack is not here: it belongs to the engine, which has one value for all ([`crate::WASM_STACK_BYTES`]).

use std::time::Duration;

use crate::world::World;

/// The limits of one call. Every field is a hard bound; exceeding it ends the call with the reason in brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wasm instructions, roughly; deterministic: the same input always passes or always fails (fuel).
    pub fuel: u64,
    /// Time in the guest; time in host calls is not counted, they have [`Self::host_call_timeout`] (deadline).
    pub deadline: Duration,
    /// Bytes of linear memory, summed over all memories of the component (memory).
    pub memory: usize,
    /// Table elements, summed over all tables (memory).
    pub table_elements: usize,
    /// Core instances, and as many memories and tables (memory).
    pub instances: usize,
    /// Bytes that may cross from guest to host in any one call of either direction (bad-output).
    pub output: usize,
    /// Live component-model handles (guest-abort; our contract has no resources, so any use is odd).
    pub handles: usize,
    /// Calls through granted capabilities, all labels together; a grant may allow less (host-denied).
    pub host_calls: u32,
    /// What one host call may take; passed to the capability, which must return in time.
    pub host_call_timeout: Duration,
    /// Random bytes that a guest may draw through `entropy` itself (host-denied).
    pub random_bytes: u32,
    /// Millions of fuel that a call may ask for on top of [`Self::fuel`], through `work.heavy`; its deadline grows with them, by
    /// a second for each 4,000 (host-denied).
    pub heavy: u32,
    /// Private keys made in one call, by a recipe or through `entropy` (host-denied).
    pub keys: u32,
    /// Lines written through `log`; more are dropped, the call goes on.
    pub log_lines: u32,
}

/// Fuel in one unit of heavy work, and what time goes with it.
const HEAVY_FUEL: u64 = 1_000_000;
const HEAVY_TIME: Duration = Duration::from_micros(250);

impl Limits {
    /// Moves so many units of heavy work from what may be asked for to what the call has. The fuel that it gains; none, if it may
    /// not ask for so many any more.
    pub(crate) fn take_heavy(&mut self, units: u32) -> Option<u64> {
        self.heavy = self.heavy.checked_sub(units)?;
        let fuel = u64::from(units) * HEAVY_FUEL;
        self.fuel = self.fuel.saturating_add(fuel);
        self.deadline = self.deadline.saturating_add(HEAVY_TIME * units);
        Some(fuel)
    }

    /// The limits used where a call names none.
    #[must_use]
    pub const fn of(world: World) -> Self {
        let base = Self {
            fuel: 500_000_000,
            deadline: Duration::from_secs(1),
            memory: 32 << 20,
            table_elements: 20_000,
            instances: 64,
            output: 1 << 20,
            handles: 64,
            host_calls: 64,
            host_call_timeout: Duration::from_secs(10),
            random_bytes: 1 << 20,
            heavy: 0,
            keys: 8,
            log_lines: 64,
        };
        match world {
            World::Generator | World::Policy => base,
            World::Template => Self {
                fuel: 2_000_000_000,
                deadline: Duration::from_secs(2),
                memory: 128 << 20,
                output: 6 << 20,
                // Eighteen bcrypt hashes of cost 10.
                heavy: 14_000,
                ..base
            },
        }
    }
}

/// What bounds loading: how large a component may be, and what `describe` may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadLimits {
    /// Bytes of the component; larger ones are refused before anything reads them.
    pub component_bytes: usize,
    /// The limits of the one `describe` call.
    pub describe: Limits,
}

impl LoadLimits {
    /// For components whose guest tool embeds a language engine (SpiderMonkey, CPython): 32 MiB instead of 4.
    #[must_use]
    pub fn large() -> Self {
        Self { component_bytes: 32 << 20, ..Self::default() }
    }
}

impl Default for LoadLimits {
    fn default() -> Self {
        Self { component_bytes: 4 << 20, describe: Limits::of(World::Policy) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heavy_work_is_bounded_and_brings_fuel_and_time() {
        let before = Limits { heavy: 5_000, ..Limits::of(World::Template) };
        let mut limits = before;
        assert_eq!(limits.take_heavy(4_000), Some(4_000_000_000));
        assert_eq!(limits.take_heavy(1_001), None);
        let after = Limits {
            fuel: before.fuel + 4_000_000_000,
            deadline: before.deadline + Duration::from_secs(1),
            heavy: 1_000,
            ..before
        };
        assert_eq!(limits, after);
        assert_eq!(Limits::of(World::Generator).take_heavy(1), None);
    }
}
