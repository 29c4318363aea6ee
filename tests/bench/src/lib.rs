//! The runtime's figures: what a start, a load and a call cost with the built-in components. Time is printed, not asserted, since two busy
//! cores tell little about it; fuel is deterministic, and the tests beside this crate gate on it.

mod samples;
pub mod sync;
mod templates;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use runtime::{Call, Component, Engine, EngineConfig, GenerateRequest, LoadLimits, Occasion, Owner};
use serde_json::{Value, json};

pub use samples::Samples;
pub use templates::Templates;

/// The spec of CloudNativePG's published example.
#[must_use]
pub fn password_config() -> Value {
    json!({"length": 42, "digits": 5, "symbols": 5, "symbolCharacters": "-_$@", "noUpper": false, "allowRepeat": true})
}

/// A call that grants nothing.
#[must_use]
pub fn call() -> Call {
    let owner = Owner { namespace: "team-a".to_owned(), name: "db".to_owned() };
    Call::new(owner, Occasion::Scheduled, 1_700_000_000)
}

/// An engine with its cache of compiled code in `folder`, or without one.
///
/// # Errors
/// The engine's.
pub fn engine(folder: Option<&Path>) -> Result<Engine> {
    let config = EngineConfig { cache_dir: folder.map(Path::to_owned), ..EngineConfig::default() };
    Ok(Engine::new(config)?)
}

/// Loads a built-in component.
///
/// # Errors
/// There is none of that name, or it cannot be loaded.
pub fn load(engine: &Engine, world: &str, name: &str) -> Result<Component> {
    let builtin =
        bundle::builtin(world, name).with_context(|| format!("find the built-in {world} {name}"))?;
    Ok(engine.load(builtin.bytes, &LoadLimits::default())?)
}

/// The time of one piece of work.
///
/// # Errors
/// The work's.
pub fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let started = Instant::now();
    let result = work()?;
    Ok((result, started.elapsed()))
}

/// The times of `count` calls of the password generator, each on a fresh instance, everything included.
///
/// # Errors
/// The call's.
pub fn generate(component: &Component, count: usize) -> Result<Samples> {
    let generator = component.generator()?;
    let (call, config) = (call(), password_config());
    Samples::take(count, || Ok(generator.generate(&call, GenerateRequest::new(&config))?))
}

/// The times of `count` validations of a config, on a fresh instance each: about what an instance costs.
///
/// # Errors
/// The call's.
pub fn validate(component: &Component, count: usize) -> Result<Samples> {
    let generator = component.generator()?;
    let config = password_config();
    Samples::take(count, || Ok(generator.validate(&config)?))
}
