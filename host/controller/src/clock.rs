//! Where the controllers take the time from. Nothing that decides reads another clock; events are stamped with the machine's.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::context::Context;

/// How often the clock is compared with the timers.
const LOOK: Duration = Duration::from_secs(1);
/// What the clock is off then is a jump: it was set, or the machine slept.
const JUMP: SignedDuration = SignedDuration::from_secs(3);

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

/// Wakes everybody when the clock jumps, until `shutdown`: what is due at a time waits by a timer, which knows nothing of the clock.
pub(crate) async fn mind(context: Arc<Context>, shutdown: CancellationToken) {
    let mut last = (context.clock.now(), Instant::now());
    while shutdown.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
        let now = (context.clock.now(), Instant::now());
        let passed = SignedDuration::try_from(now.1.duration_since(last.1)).unwrap_or(SignedDuration::MAX);
        let off = now.0.duration_since(last.0).saturating_sub(passed);
        last = now;
        if off.abs() < JUMP {
            continue;
        }
        tracing::warn!(seconds = off.as_secs(), "the clock has jumped: everything is looked at");
        for object in context.references.referrers() {
            context.wake.wake(&context, &object);
        }
    }
}
