//! A server that this machine cannot have: one line on stderr and `None`, or a panic when the servers are required.
//!
//! The line goes to the process's stderr, past libtest's capture, so that a test that could not run never looks like one that
//! did. A server that is there but fails is not missing: that panics always.

use std::io::Write;
use std::sync::OnceLock;

use anyhow::Result;

/// What is missing and how to install it, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Missing(pub(crate) String);

/// The server; `None` when it is missing and nobody requires it.
#[track_caller]
pub(crate) fn available<T>(started: Result<T>) -> Option<T> {
    match said(started) {
        Ok(server) => server,
        Err(message) => fail(&message),
    }
}

/// The same for a server that is started once: who asks again gets the same answer.
#[track_caller]
pub(crate) fn shared<T>(
    cell: &'static OnceLock<Result<Option<T>, String>>,
    start: impl FnOnce() -> Result<T>,
) -> Option<&'static T> {
    match cell.get_or_init(|| said(start())) {
        Ok(server) => server.as_ref(),
        Err(message) => fail(message),
    }
}

/// Ends the test with a message.
#[track_caller]
#[expect(clippy::panic, reason = "this is how a test fails")]
pub(crate) fn fail(message: &str) -> ! {
    panic!("{message}")
}

/// The value, or the failed test.
#[track_caller]
pub(crate) fn must<T>(result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => fail(&format!("{error:#}")),
    }
}

/// Says that something else than a server is missing, as a server would.
///
/// # Panics
/// When the servers are required.
#[track_caller]
pub fn say_missing(line: &str) {
    let _none = available::<()>(Err(Missing(line.to_owned()).into()));
}

fn said<T>(started: Result<T>) -> Result<Option<T>, String> {
    let error = match started {
        Ok(server) => return Ok(Some(server)),
        Err(error) => error,
    };
    if error.downcast_ref::<Missing>().is_none() || required() {
        return Err(format!("{error:#}"));
    }
    // If nobody reads stderr there is nobody to tell.
    drop(writeln!(std::io::stderr(), "{error:#}"));
    Ok(None)
}

#[expect(clippy::disallowed_methods, reason = "the tests are their own command line")]
fn required() -> bool {
    std::env::var_os("KEYMILL_REQUIRE_SERVERS").is_some_and(|value| value == "1")
}

/// A binary that cannot be built is a server that is missing.
pub(crate) fn built<T>(built: Result<T, crate::BuildError>) -> Result<T> {
    built.map_err(|error| Missing(error.to_string()).into())
}
