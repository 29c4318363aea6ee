//! When the next slot is.
//!
//! Values of a store refresh at slots whose phase is a hash of the object's UID, so that a restart does not move a thousand
//! objects to the same second. Slots are whole seconds because a status remembers whole seconds. A clock that jumps is
//! expected: a time in the future is never trusted.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

mod cron;
#[cfg(test)]
mod tests;
mod windows;

pub(crate) use windows::Windows;

/// How far clocks of two replicas may be apart before a time counts as being in the future.
const SKEW: SignedDuration = SignedDuration::from_secs(10);

/// The shortest time between two slots.
const PERIOD_MIN: Duration = Duration::from_secs(1);

/// The shortest life that an expiry is honoured for: what expires at once must not make a loop.
const LIFE_MIN: SignedDuration = SignedDuration::from_secs(10);

/// Whether a time that was written down lies ahead of the clock.
pub(crate) fn is_future(time: Timestamp, now: Timestamp) -> bool {
    time.duration_since(now) > SKEW
}

/// The first slot of the object `uid` after `time`.
pub(crate) fn slot_after(time: Timestamp, period: Duration, uid: &str) -> Timestamp {
    let seconds = period.max(PERIOD_MIN).as_nanos().div_ceil(1_000_000_000);
    let period = i64::try_from(seconds).unwrap_or(i64::MAX);
    let phase = phase(uid, period);
    let passed = time.as_second().saturating_sub(phase).rem_euclid(period);
    let next = time.as_second().saturating_add(period - passed);
    Timestamp::from_second(next).unwrap_or(Timestamp::MAX)
}

/// When a generated value of that age is due again.
pub(crate) fn rotation_after(rotated_at: Timestamp, period: Duration) -> Timestamp {
    later(rotated_at, period.max(PERIOD_MIN))
}

/// When a value that will be worthless is to be replaced: after two thirds of its life.
pub(crate) fn before_expiry(rotated_at: Timestamp, expires_at: Timestamp) -> Timestamp {
    let life = expires_at.duration_since(rotated_at);
    let wait = life.checked_div(3).unwrap_or_default().saturating_mul(2).max(LIFE_MIN);
    rotated_at.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// `time` plus `duration`, or the end of time.
pub(crate) fn later(time: Timestamp, duration: Duration) -> Timestamp {
    let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    time.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

fn phase(uid: &str, period: i64) -> i64 {
    let hash = Sha256::digest(uid);
    let first = hash.iter().take(7).fold(0_i64, |sum, byte| (sum << 8) | i64::from(*byte));
    first.rem_euclid(period)
}
