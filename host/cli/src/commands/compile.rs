//! `keymill compile`: what an operator starts for each component that users bring (`runtime::ChildCompiler`). Not for people.
//!
//! It limits itself before it reads anything: a component that is made to make the compiler run on ends this process and nothing else.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use controller::Engines;
use runtime::{ChildCompiler, Engine, EngineConfig, LoadLimits};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::args::Compile;
use crate::ending;

/// Bytes of memory: the largest component that is built in needs a third of it.
const MEMORY: u64 = 256 << 20;
/// Seconds of processor time, all threads together.
const SECONDS: u64 = 60;

/// Compiles the component on standard input into the cache.
pub(crate) fn run(args: &Compile) -> Result<ExitCode> {
    for (resource, most) in [(Resource::Data, MEMORY), (Resource::Cpu, SECONDS), (Resource::Core, 0)] {
        // Whoever started it may have asked for less.
        let most = Some(getrlimit(resource).maximum.map_or(most, |before| before.min(most)));
        setrlimit(resource, Rlimit { current: most, maximum: most }).context("limit the compiler")?;
    }
    let limits = LoadLimits::large();
    let most = u64::try_from(limits.component_bytes).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    std::io::stdin().take(most).read_to_end(&mut bytes).context("read the component")?;
    let config = EngineConfig { cache_dir: Some(args.cache_dir.clone()), ..EngineConfig::default() };
    let engine = Engine::new(config).context("start the compiler")?;
    // The words of whoever started it are said around these.
    match engine.compile(&bytes, &limits) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            ending::say(&ending::chain(&error));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The same, where what users bring is compiled by this program, started once more. It shares the cache; where there is none,
/// this process compiles.
pub(crate) fn apart(engines: Engines, cache: Option<&Path>) -> Result<Engines> {
    let Some(cache) = cache else { return Ok(engines) };
    let program = std::env::current_exe().context("find this program")?;
    let arguments = [OsString::from("compile"), OsString::from("--cache-dir"), cache.into()];
    Ok(engines.compiling_in(ChildCompiler::new(program, arguments.to_vec())))
}
