//! Politeness towards one server: few requests at a time, and none while it is known to be down.
//!
//! A gate opens for a request, or says at once how long to wait. After a server was found sealed, or unreachable several
//! times in a row, one request at a time probes it and all others fail fast; the first good answer opens the gate again.
//! The gate never waits for a server to recover and retries nothing: that is the business of the object's own queue.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::verdict::Verdict;

/// Requests in flight per server.
const IN_FLIGHT: usize = 16;
/// Failures to answer in a row after which the server counts as down.
const PATIENCE: u32 = 3;
/// Between two probes. Short, so that an outage is over for us within seconds of its end.
const PROBE_INTERVAL: Duration = Duration::from_secs(2);
/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How a request ended, as far as the server's health goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// It answered, whatever it said.
    Up,
    /// It did not answer.
    Silent,
    /// It says itself that it serves nobody now, and perhaps for how long.
    Down(Option<Duration>),
}

/// The gate before one server.
#[derive(Debug)]
pub(crate) struct Gate {
    permits: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Open { silent: u32 },
    Shut { until: Instant, probing: bool, why: Why },
}

/// The right to send one request. Dropped without a verdict (a cancelled request), it proves nothing.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Arc<Gate>,
    told: bool,
    _permit: OwnedSemaphorePermit,
}

/// The server is known to be down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shut {
    /// How long until the next attempt makes sense.
    pub(crate) pause: Duration,
    /// What the last one led to.
    pub(crate) why: Why,
}

/// Why a server counts as down: whoever is not let through says the same as the one who asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Why {
    text: Arc<str>,
    /// What to do about it.
    pub(crate) advice: &'static str,
}

impl Why {
    fn of(error: &dyn Error, advice: &'static str) -> Self {
        let causes = std::iter::successors(Some(error), |error| (*error).source());
        let text = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        Self { text: text.into(), advice }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Gate {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            permits: Arc::new(Semaphore::new(IN_FLIGHT)),
            state: Mutex::new(State::Open { silent: 0 }),
        })
    }

    /// Waits for a free place in the queue, but not for the server.
    pub(crate) async fn enter(self: &Arc<Self>) -> Result<Pass, Shut> {
        self.check()?;
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
            return Err(Shut { pause: PROBE_INTERVAL, why: Why::default() }); // the semaphore is never closed
        };
        self.admit()?;
        Ok(Pass { gate: Arc::clone(self), told: false, _permit: permit })
    }

    /// Whoever would not be let in must not queue up first.
    fn check(&self) -> Result<(), Shut> {
        match &*self.state() {
            State::Open { .. } => Ok(()),
            State::Shut { until, probing, why } => {
                let wait = until.saturating_duration_since(Instant::now());
                if !*probing && wait.is_zero() {
                    return Ok(());
                }
                Err(Shut { pause: wait.max(PROBE_INTERVAL), why: why.clone() })
            }
        }
    }

    fn admit(&self) -> Result<(), Shut> {
        self.check()?;
        if let State::Shut { probing, .. } = &mut *self.state() {
            *probing = true;
        }
        Ok(())
    }

    fn record(&self, health: Health, why: Why) {
        let mut state = self.state();
        *state = match (health, &*state) {
            (Health::Up, _) => State::Open { silent: 0 },
            (Health::Silent, State::Open { silent }) if silent + 1 < PATIENCE => {
                State::Open { silent: silent + 1 }
            }
            (Health::Silent, _) => shut(PROBE_INTERVAL, why),
            (Health::Down(pause), _) => shut(pause.unwrap_or(PROBE_INTERVAL), why),
        };
    }

    /// A probe that nobody waits for any more makes room for the next one.
    fn abandon(&self) {
        let mut state = self.state();
        if let State::Shut { probing: true, why, .. } = &*state {
            *state = shut(PROBE_INTERVAL, why.clone());
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shut(pause: Duration, why: Why) -> State {
    State::Shut { until: Instant::now() + pause.min(LONGEST_PAUSE), probing: false, why }
}

impl Pass {
    /// The server answered.
    pub(crate) fn served(self) {
        self.tell(Health::Up, Why::default());
    }

    /// The request ended with an error.
    pub(crate) fn failed(self, verdict: &Verdict, error: &dyn Error) {
        match verdict.health {
            Health::Up => self.served(),
            health => self.tell(health, Why::of(error, verdict.advice)),
        }
    }

    fn tell(mut self, health: Health, why: Why) {
        self.told = true;
        self.gate.record(health, why);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if !self.told {
            self.gate.abandon();
        }
    }
}

#[cfg(test)]
mod tests;
