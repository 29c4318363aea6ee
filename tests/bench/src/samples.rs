//! Sorted durations, and the quantiles that are asked of them.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;

/// Durations of one kind of work.
#[derive(Debug)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// Does the work so many times, after a tenth of it unmeasured.
    ///
    /// # Errors
    /// The first of the work's.
    pub fn take<T>(count: usize, mut work: impl FnMut() -> Result<T>) -> Result<Self> {
        for _ in 0..count / 10 {
            work()?;
        }
        let mut samples = Vec::with_capacity(count);
        for _ in 0..count {
            let started = Instant::now();
            let answer = work()?;
            samples.push(started.elapsed());
            drop(answer);
        }
        Ok(Self::of(samples))
    }

    /// Durations that were measured elsewhere.
    #[must_use]
    pub fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        Self(durations)
    }

    /// The duration below which this share of the samples lies, in thousandths.
    #[must_use]
    pub fn per_mille(&self, share: usize) -> Duration {
        let at = (self.0.len() * share / 1000).min(self.0.len().saturating_sub(1));
        self.0.get(at).copied().unwrap_or_default()
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = |share| self.per_mille(share).as_secs_f64() * 1e6;
        write!(f, "min {:8.1}  p50 {:8.1}  p99 {:8.1} us", micros(0), micros(500), micros(990))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_known_samples() {
        let samples = Samples((0..1000).map(Duration::from_micros).collect());
        assert_eq!(samples.per_mille(0), Duration::from_micros(0));
        assert_eq!(samples.per_mille(500), Duration::from_micros(500));
        assert_eq!(samples.per_mille(990), Duration::from_micros(990));
        assert_eq!(samples.per_mille(1000), Duration::from_micros(999));
        assert_eq!(Samples(vec![]).per_mille(500), Duration::ZERO);
    }
}
