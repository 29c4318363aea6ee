//! Where the controllers take the time from. Nothing that decides reads another clock; events are stamped with the machine's.

use jiff::Timestamp;

/// A source of the current time. Tests and the simulation set theirs.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
