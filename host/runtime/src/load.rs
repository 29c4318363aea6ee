//! From bytes to a component that can be called: size, form, imports and world, compiled code, description. In this order, so that each
//! step sees only what the one before has accepted.

use wasmtime::component::Component as Compiled;

use crate::component::{Component, Loaded};
use crate::describe;
use crate::digest::Digest;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::inspect::{Inspected, inspect, validate};
use crate::limits::LoadLimits;

pub(crate) fn check_size(bytes: u64, limits: &LoadLimits) -> Result<(), LoadError> {
    let limit = limits.component_bytes;
    if bytes > limit as u64 {
        return Err(LoadError::TooLarge { bytes, limit });
    }
    Ok(())
}

pub(crate) fn load(
    engine: &Engine,
    bytes: &[u8],
    digest: Digest,
    limits: &LoadLimits,
) -> Result<Component, LoadError> {
    let inspected = accept(bytes, limits)?;
    let compiled = compile(engine, bytes, &digest)?;
    let prepared = engine.linked().prepare(inspected.world, &compiled).map_err(compile_error)?;
    let description = describe::describe(engine.shared(), &prepared, limits)?;
    Ok(Component::new(Loaded {
        engine: std::sync::Arc::clone(engine.shared()),
        digest,
        world: inspected.world,
        imports: inspected.imports,
        bytes: bytes.len(),
        prepared,
        description,
    }))
}

/// Compiles, and links, so that what does not fit the contract is refused here.
pub(crate) fn compile_only(engine: &Engine, bytes: &[u8], limits: &LoadLimits) -> Result<(), LoadError> {
    let inspected = accept(bytes, limits)?;
    let compiled = compile(engine, bytes, &Digest::of(bytes))?;
    engine.linked().prepare(inspected.world, &compiled).map(drop).map_err(compile_error)
}

/// What can be refused before anything is compiled.
fn accept(bytes: &[u8], limits: &LoadLimits) -> Result<Inspected, LoadError> {
    let inspected = inspect(bytes)?;
    let limit = 3 * limits.describe.instances;
    if inspected.parts > limit {
        return Err(LoadError::TooManyParts { count: inspected.parts, limit });
    }
    Ok(inspected)
}

fn compile(engine: &Engine, bytes: &[u8], digest: &Digest) -> Result<Compiled, LoadError> {
    let wasmtime = &engine.shared().wasmtime;
    let cache = engine.cache();
    if let Some(compiled) = cache.and_then(|cache| cache.get(wasmtime, digest)) {
        return Ok(compiled);
    }
    validate(bytes)?;
    tracing::info!(%digest, bytes = bytes.len(), "compiling a component");
    let compiled = Compiled::from_binary(wasmtime, bytes).map_err(compile_error)?;
    if let Some(cache) = cache
        && let Err(error) = cache.put(digest, &compiled)
    {
        tracing::warn!(%digest, %error, "cannot keep compiled code: the next start compiles again");
    }
    Ok(compiled)
}

/// wasmtime's words on a component that nobody has run yet: it may quote names of the contract, not values.
fn compile_error(error: wasmtime::Error) -> LoadError {
    let text = format!("{error:#}");
    LoadError::Compile(text.escape_debug().take(500).collect())
}
