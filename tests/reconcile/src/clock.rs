//! One time for everybody: tokio's, which is paused and goes on when all wait, plus what a test adds.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Where a world begins.
const START: i64 = 1_767_225_600;

/// The time of one world.
#[derive(Debug)]
pub(crate) struct Time {
    began: Instant,
    /// Seconds that the clocks are off tokio's time.
    skew: AtomicI64,
}

impl Time {
    pub(crate) fn begin() -> Self {
        Self { began: Instant::now(), skew: AtomicI64::new(0) }
    }

    /// Sets the clocks, not the timers.
    pub(crate) fn skew(&self, seconds: i64) {
        self.skew.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Seconds since the beginning, by tokio's time.
    pub(crate) fn age(&self) -> u64 {
        self.began.elapsed().as_secs()
    }

    fn read(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap();
        let skew = SignedDuration::from_secs(self.skew.load(Ordering::SeqCst));
        Timestamp::from_second(START).unwrap() + passed + skew
    }
}

impl controller::Clock for Time {
    fn now(&self) -> Timestamp {
        self.read()
    }
}

impl standalone::clock::Clock for Time {
    fn now(&self) -> Timestamp {
        self.read()
    }
}
