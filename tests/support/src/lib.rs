//! What several test crates share: where the binary and the tree are, and processes that end with their test.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Whether the exhaustive tests and the figures of the full form are asked for: `KEYMILL_FULL=1`.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a test is told how long to run by whoever starts it")]
pub fn is_full() -> bool {
    std::env::var_os("KEYMILL_FULL").is_some_and(|value| value == "1")
}

/// Numbers that the same seed makes again (SplitMix64): not for secrets.
pub fn numbers(seed: u64) -> impl FnMut() -> u64 + Send {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// The folder of the build that the running test or program is of: a test is in `deps` of it, a program in the folder itself.
fn build() -> Result<PathBuf> {
    let program = std::env::current_exe().context("find the running program")?;
    let folder = program.parent().context("find the folder of the running program")?;
    let deps = folder.file_name().is_some_and(|name| name == "deps");
    let build = if deps { folder.parent() } else { Some(folder) };
    Ok(build.context("find the folder of the build")?.to_path_buf())
}

/// Where compiled components are kept: all tests of a build share them.
///
/// # Errors
/// When the running test is not in the folder of a build.
pub fn component_cache() -> Result<PathBuf> {
    Ok(build()?.join("component-cache"))
}

/// The `keymill` binary of the same build as the running test.
///
/// # Errors
/// When it was not built: `cargo test --workspace` builds it, a single test crate does not.
pub fn keymill() -> Result<PathBuf> {
    built(build()?.join("keymill"), "cargo build -p keymill")
}

/// The `keymill` binary of the release build in the same target folder.
///
/// # Errors
/// When it was not built, which takes minutes and no test does.
pub fn release_keymill() -> Result<PathBuf> {
    let build = build()?;
    let target = build.parent().context("find the target folder")?;
    built(target.join("release/keymill"), "cargo build --release -p keymill")
}

fn built(binary: PathBuf, command: &str) -> Result<PathBuf> {
    if !binary.is_file() {
        bail!("{} is missing: run `{command}` first", binary.display());
    }
    Ok(binary)
}

/// A running program. Killed when it is dropped, also when the test panics.
#[derive(Debug)]
pub struct Program {
    child: Child,
    output: Arc<Mutex<String>>,
}

impl Program {
    /// Starts it; all that it prints is collected.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command) -> Result<Self> {
        let output = Arc::new(Mutex::new(String::new()));
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {command:?}"))?;
        if let Some(stdout) = child.stdout.take() {
            collect(stdout, Arc::clone(&output));
        }
        if let Some(stderr) = child.stderr.take() {
            collect(stderr, Arc::clone(&output));
        }
        Ok(Self { child, output })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it has printed so far, both streams.
    #[must_use]
    pub fn output(&self) -> String {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until a line that it printed satisfies `wanted`; the line.
    ///
    /// # Errors
    /// When it ends or `timeout` passes before; the message has the output.
    pub fn wait_for_line(&mut self, timeout: Duration, wanted: impl Fn(&str) -> bool) -> Result<String> {
        let deadline = Instant::now() + timeout;
        loop {
            let output = self.output();
            if let Some(line) = output.lines().find(|line| wanted(line)) {
                return Ok(line.to_owned());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the program ended ({status}) before it printed that line:\n{}", self.output());
            }
            if Instant::now() > deadline {
                bail!("the program did not print that line within {timeout:?}:\n{output}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it still runs after `timeout`.
    pub fn wait(&mut self, timeout: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.child.try_wait()? {
                // What it printed last may still be on its way through the collecting threads.
                std::thread::sleep(Duration::from_millis(50));
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("the program still runs after {timeout:?}:\n{}", self.output());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills it as `kill -9` does and waits.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(mut self) -> Result<String> {
        self.child.kill().context("kill the program")?;
        self.child.wait().context("wait for the program's end")?;
        Ok(self.output())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        if matches!(self.child.try_wait(), Ok(None)) && self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

fn collect(stream: impl Read + Send + 'static, output: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            output.push_str(&line);
            output.push('\n');
        }
    });
}

/// Asks `question` every 20 ms until it has an answer.
///
/// # Errors
/// When it has none within `timeout`; `what` names it.
pub async fn until<T, F>(what: &str, timeout: Duration, mut question: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(answer) = question().await? {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            bail!("not within {timeout:?}: {what}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
