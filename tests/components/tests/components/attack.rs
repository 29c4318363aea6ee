//! What the cases share: one engine, a call, an attack that must end in time and silence, and a log that keeps what got out.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use runtime::{
    Call, CallError, Component, Engine, EngineConfig, LoadLimits, LogLevel, LogSink, Occasion, Owner, Reason,
};

/// What no test may find outside a field.
pub(crate) const CANARY: &str = "canary-2f7c1e";

pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(EngineConfig::default()).unwrap());

pub(crate) fn load(bytes: &[u8]) -> Component {
    ENGINE.load(bytes, &LoadLimits::default()).unwrap()
}

pub(crate) fn call() -> Call {
    let owner = Owner { namespace: "team".to_owned(), name: "app".to_owned() };
    Call::new(owner, Occasion::Initial, 1_700_000_000)
}

/// The call's reason, after it was seen to say nothing that it should not and to end in time.
pub(crate) fn reason<T: std::fmt::Debug, E: Into<CallError>>(
    within: Duration,
    call: impl FnOnce() -> Result<T, E>,
) -> Reason {
    let started = Instant::now();
    let error = call().map_err(Into::into).expect_err("an attack must not succeed");
    let took = started.elapsed();
    assert!(took < within, "{error:?} took {took:?}");
    assert_silent(&error);
    error.reason().unwrap_or_else(|| panic!("{error:?} has no reason"))
}

/// Neither its text nor its `Debug`, nor those of its sources, hold the canary.
pub(crate) fn assert_silent(error: &(dyn std::error::Error + 'static)) {
    let mut next = Some(error);
    while let Some(error) = next {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(CANARY), "{shown}");
        next = error.source();
    }
}

/// Keeps every line that a guest got out.
#[derive(Default)]
pub(crate) struct Captured(Mutex<Vec<String>>);

impl LogSink for Captured {
    fn line(&self, _: LogLevel, message: &str) {
        self.0.lock().unwrap().push(message.to_owned());
    }
}

impl Captured {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}
