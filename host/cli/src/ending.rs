//! How a command ends when it does not end well: what is said on standard error, and the exit code that says it to scripts.
//!
//! The first line is `error: failed to ...`, as every command has it; a list of problems follows, one line each. Whoever stops
//! reading our output early (`| head`) has what he wanted: that ends quietly.

use std::io::{self, Write};
use std::process::ExitCode;

/// Something failed that no component is to blame for.
const FAILED: u8 = 1;
/// The command line makes no sense; the same code as for a flag that does not exist.
const USAGE: u8 = 2;
/// A component refused, failed, or was stopped.
const COMPONENT: u8 = 3;
/// A policy is violated.
const VIOLATED: u8 = 4;

/// Why a command ended early.
#[derive(Debug)]
pub(crate) struct Ending {
    code: u8,
    what: Option<String>,
    details: Vec<String>,
}

impl Ending {
    /// Something failed; `what` reads after "failed to", as in all of these.
    pub(crate) fn failed(what: impl Into<String>) -> Self {
        Self::new(FAILED, Some(what.into()))
    }

    /// The command line makes no sense.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(USAGE, Some(what.into()))
    }

    /// A component refused, failed, or was stopped.
    pub(crate) fn component(what: impl Into<String>) -> Self {
        Self::new(COMPONENT, Some(what.into()))
    }

    /// A policy is violated.
    pub(crate) fn violated(what: impl Into<String>) -> Self {
        Self::new(VIOLATED, Some(what.into()))
    }

    /// A policy is violated, and standard output has said so already.
    pub(crate) fn violated_as_printed() -> Self {
        Self::new(VIOLATED, None)
    }

    /// Something failed, and standard output has said so already.
    pub(crate) fn failed_as_printed() -> Self {
        Self::new(FAILED, None)
    }

    /// Nobody reads what we print any more.
    fn unread() -> Self {
        Self::new(0, None)
    }

    /// The same with a line for each detail.
    pub(crate) fn with(self, details: Vec<String>) -> Self {
        Self { details, ..self }
    }

    /// For a command that has other errors, too.
    pub(crate) fn into_error(self) -> anyhow::Error {
        anyhow::anyhow!(self.what.unwrap_or_default())
    }

    fn new(code: u8, what: Option<String>) -> Self {
        Self { code, what, details: Vec::new() }
    }
}

impl From<anyhow::Error> for Ending {
    fn from(error: anyhow::Error) -> Self {
        Self::failed(format!("{error:#}"))
    }
}

/// Of writing to standard output.
impl From<io::Error> for Ending {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::unread(),
            _ => Self::failed(format!("write to standard output: {error}")),
        }
    }
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Says how a command ended.
pub(crate) fn code(result: Result<(), Ending>) -> ExitCode {
    let Err(ending) = result else {
        return ExitCode::SUCCESS;
    };
    let what = ending.what.iter().map(|what| format!("error: failed to {what}\n"));
    let details = ending.details.iter().map(|detail| format!("  {detail}\n"));
    say(&what.chain(details).collect::<String>());
    ExitCode::from(ending.code)
}

/// To standard error. Where even that cannot be written, there is nobody to tell.
pub(crate) fn say(text: &str) {
    drop(io::stderr().lock().write_all(text.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_stand_on_the_same_line() {
        let error = runtime::LoadError::Read(io::Error::other("it is locked"));
        assert_eq!(chain(&error), "read the component's file: it is locked");
    }

    #[test]
    fn a_reader_that_left_is_no_failure() {
        assert_eq!(Ending::from(io::Error::from(io::ErrorKind::BrokenPipe)).code, 0);
        assert_eq!(Ending::from(io::Error::from(io::ErrorKind::StorageFull)).code, FAILED);
    }
}
