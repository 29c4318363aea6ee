//! What a long test is told by whoever starts it, and how it says what it measured.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Where what was fetched or built once is kept, outside the checkout.
pub(crate) fn cache() -> PathBuf {
    let home = || PathBuf::from(variable("HOME").unwrap_or_else(|| "/root".to_owned()));
    variable("KEYMILL_CACHE").map_or_else(|| home().join(".cache/keymill"), PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "a test is told how long to run by whoever starts it")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Random choices that the same seed makes again: `KEYMILL_SEED`, else one of the operating system's.
pub(crate) struct Choices {
    pub(crate) seed: u64,
    numbers: Box<dyn FnMut() -> u64 + Send>,
}

impl Choices {
    pub(crate) fn new() -> Self {
        let given = variable("KEYMILL_SEED").map(|text| text.parse().expect("KEYMILL_SEED is a number"));
        let fresh = || std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0);
        let seed = given.unwrap_or_else(fresh);
        Self { seed, numbers: Box::new(support::numbers(seed)) }
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        (self.numbers)() % bound.max(1)
    }
}

/// Says a figure past the capture of the test harness, so that a run shows what it measured.
pub(crate) fn say(line: &str) {
    // If nobody reads stderr there is nobody to tell.
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// Durations that were measured.
#[derive(Default)]
pub(crate) struct Durations(Vec<Duration>);

impl Durations {
    pub(crate) fn add(&mut self, one: Duration) {
        self.0.push(one);
    }

    /// The median, the 99th percentile and the longest, in milliseconds.
    pub(crate) fn summary(&mut self) -> String {
        self.0.sort();
        let at = |percent: usize| {
            let place = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
            self.0.get(place).map_or(0, Duration::as_millis)
        };
        format!("p50 {} ms, p99 {} ms, max {} ms", at(50), at(99), at(100))
    }
}
