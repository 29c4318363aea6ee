//! Compiling in a process of its own, so that a component which is made to make the compiler run on takes nothing else with it.
//!
//! The child is this same program with other arguments. It reads the component from its standard input, compiles it into the cache of
//! compiled code (`Engine::compile`) and ends; what it limits itself to is its own affair (`keymill compile`). It gets no environment. This side bounds its time.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long compiling may take.
const TIME: Duration = Duration::from_secs(60);
/// How often it is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(5);
/// What of its complaint is kept.
const COMPLAINT: u64 = 2000;

/// How to start a compiler.
#[derive(Debug, Clone)]
pub struct ChildCompiler {
    program: PathBuf,
    arguments: Vec<OsString>,
}

/// Why a component was not compiled.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// The compiler could not be started, or not be talked to.
    #[error("start the compiler")]
    Start(#[source] std::io::Error),
    /// It took too long, and was ended.
    #[error("compile the component: it takes more than {} s", TIME.as_secs())]
    Time,
    /// It gave up, and said why.
    #[error("{0}")]
    Refused(String),
    /// It was ended by its limits of memory or time, or by its own fault.
    #[error("compile the component: the compiler was ended ({0}); it has limits of memory and time")]
    Ended(ExitStatus),
}

impl ChildCompiler {
    /// Such a program with such arguments.
    #[must_use]
    pub const fn new(program: PathBuf, arguments: Vec<OsString>) -> Self {
        Self { program, arguments }
    }

    /// Compiles a component. Blocks.
    ///
    /// # Errors
    /// [`ChildError`].
    pub fn compile(&self, bytes: &[u8]) -> Result<(), ChildError> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = Ending(command.spawn().map_err(ChildError::Start)?);
        let (input, errors) = (child.0.stdin.take(), child.0.stderr.take());
        std::thread::scope(|threads| {
            // One that does not read ends, and with it its end of the pipe.
            threads.spawn(move || input.map(|mut input| input.write_all(bytes)));
            let complaint = threads.spawn(move || {
                let mut text = Vec::new();
                let _read = errors.map(|errors| errors.take(COMPLAINT).read_to_end(&mut text));
                String::from_utf8_lossy(&text).trim().escape_debug().collect::<String>()
            });
            let status = child.wait()?;
            let complaint = complaint.join().unwrap_or_default();
            match status.code() {
                Some(0) => Ok(()),
                Some(_) if !complaint.is_empty() => Err(ChildError::Refused(complaint)),
                Some(_) | None => Err(ChildError::Ended(status)),
            }
        })
    }
}

/// A child that does not outlive whoever waits for it.
struct Ending(Child);

impl Ending {
    fn wait(&mut self) -> Result<ExitStatus, ChildError> {
        let until = Instant::now() + TIME;
        loop {
            match self.0.try_wait().map_err(ChildError::Start)? {
                Some(status) => return Ok(status),
                None if Instant::now() >= until => {
                    let _ended = self.0.kill();
                    let _reaped = self.0.wait();
                    return Err(ChildError::Time);
                }
                None => std::thread::sleep(PAUSE),
            }
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // One that has ended cannot be killed.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<(), ChildError> {
        let arguments = ["-c", script].map(OsString::from).to_vec();
        ChildCompiler::new("/bin/sh".into(), arguments).compile(&[0; 300_000])
    }

    #[test]
    fn it_is_believed_only_when_it_ends_well() {
        shell("cat > /dev/null").unwrap();
        shell("exit 0").unwrap();
        assert!(
            matches!(shell("echo no such thing >&2; exit 1"), Err(ChildError::Refused(text)) if text == "no such thing")
        );
        assert!(matches!(shell("exit 1"), Err(ChildError::Ended(_))));
        assert!(matches!(shell("kill -9 $$"), Err(ChildError::Ended(_))));
        let missing = ChildCompiler::new("/nowhere".into(), Vec::new()).compile(b"");
        assert!(matches!(missing, Err(ChildError::Start(_))));
    }

    #[test]
    fn it_sees_no_environment() {
        shell("test -z \"$HOME\" && test -z \"$CARGO_MANIFEST_DIR\"").unwrap();
    }
}
