//! The engine: wasmtime configured for untrusted guests, its ticker, the linked contract, the cache of compiled code and the source of
//! randomness, as one value. Cheap to clone; make one per process. It knows which components are loaded by their digest, so loading the
//! same bytes twice is free while somebody holds them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crate::cache::Cache;
use crate::component::{Component, Loaded};
use crate::digest::Digest;
use crate::error::{EngineError, LoadError};
use crate::limits::LoadLimits;
use crate::linked::Linked;
use crate::load;
use crate::random::{RandomSource, SystemRandom};
use crate::ticker::Ticker;
use crate::wasm_options::wasm_options;

/// How an engine is made.
#[derive(Clone)]
pub struct EngineConfig {
    /// The folder for compiled code, made with mode 0700 if it is missing; `None` compiles at every start.
    pub cache_dir: Option<PathBuf>,
    /// How finely deadlines are kept. Costs nothing while no call runs.
    pub tick: Duration,
    /// Where random bytes come from.
    pub random: Arc<dyn RandomSource>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self { cache_dir: None, tick: Duration::from_millis(1), random: Arc::new(SystemRandom) }
    }
}

impl std::fmt::Debug for EngineConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineConfig")
            .field("cache_dir", &self.cache_dir)
            .field("tick", &self.tick)
            .finish_non_exhaustive()
    }
}

/// Loads and runs components. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    linked: Linked,
    cache: Option<Cache>,
    loaded: Mutex<HashMap<Digest, Weak<Loaded>>>,
}

/// What a call needs of its engine; a component keeps it alive.
pub(crate) struct Shared {
    pub(crate) ticker: Ticker,
    pub(crate) wasmtime: wasmtime::Engine,
    pub(crate) random: Arc<dyn RandomSource>,
}

impl Engine {
    /// Makes an engine and starts its ticker.
    ///
    /// # Errors
    /// [`EngineError`]: wasmtime cannot run here, or the cache's folder cannot be trusted.
    pub fn new(config: EngineConfig) -> Result<Self, EngineError> {
        let wasmtime = wasmtime::Engine::new(&wasm_options())
            .map_err(|error| EngineError::Configure(error.to_string()))?;
        let linked = Linked::new(&wasmtime).map_err(|error| EngineError::Link(error.to_string()))?;
        let cache = match config.cache_dir {
            Some(path) => match Cache::open(&path, &wasmtime, config.random.as_ref()) {
                Ok(cache) => Some(cache),
                Err(source) => return Err(EngineError::Cache { path, source }),
            },
            None => None,
        };
        let ticker = Ticker::start(wasmtime.weak(), config.tick).map_err(EngineError::Ticker)?;
        let shared = Arc::new(Shared { ticker, wasmtime, random: config.random });
        let loaded = Mutex::default();
        let inner = Arc::new(Inner { shared, linked, cache, loaded });
        Ok(Self { inner })
    }

    /// Loads a component: checks its size, form and imports, tells its world, compiles it or takes it from the cache, and asks it once
    /// to describe itself. Free when the same bytes are loaded already.
    ///
    /// # Errors
    /// [`LoadError`], naming what is refused.
    pub fn load(&self, bytes: &[u8], limits: &LoadLimits) -> Result<Component, LoadError> {
        load::check_size(bytes.len() as u64, limits)?;
        let digest = Digest::of(bytes);
        if let Some(loaded) = self.find(&digest) {
            return Ok(loaded);
        }
        let component = load::load(self, bytes, digest, limits)?;
        self.registry().insert(digest, component.downgrade());
        Ok(component)
    }

    /// Compiles a component into the cache and does not run it: its size, form and imports are checked as [`Self::load`] does. Nothing is
    /// kept where there is no cache.
    ///
    /// # Errors
    /// [`LoadError`], naming what is refused.
    pub fn compile(&self, bytes: &[u8], limits: &LoadLimits) -> Result<(), LoadError> {
        load::check_size(bytes.len() as u64, limits)?;
        load::compile_only(self, bytes, limits)
    }

    /// Whether compiled code is kept.
    #[must_use]
    pub fn keeps_compiled(&self) -> bool {
        self.cache().is_some()
    }

    /// Loads a component from a file; otherwise as [`Self::load`].
    ///
    /// # Errors
    /// [`LoadError`], naming what is refused.
    pub fn load_file(&self, path: &Path, limits: &LoadLimits) -> Result<Component, LoadError> {
        let metadata = std::fs::metadata(path).map_err(LoadError::Read)?;
        load::check_size(metadata.len(), limits)?;
        let bytes = std::fs::read(path).map_err(LoadError::Read)?;
        self.load(&bytes, limits)
    }

    /// Whether compiled code of the component is in the cache, as far as that can be told without reading it.
    #[must_use]
    pub fn has_compiled(&self, digest: &Digest) -> bool {
        self.cache().is_some_and(|cache| cache.has(digest))
    }

    /// A component that is loaded already.
    #[must_use]
    pub fn find(&self, digest: &Digest) -> Option<Component> {
        let mut registry = self.registry();
        registry.retain(|_, loaded| loaded.strong_count() > 0);
        registry.get(digest).and_then(Weak::upgrade).map(Component::of)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    pub(crate) fn linked(&self) -> &Linked {
        &self.inner.linked
    }

    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.inner.cache.as_ref()
    }

    /// A thread that panicked while it held the lock left a map that is whole: every change of it is one call.
    fn registry(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Weak<Loaded>>> {
        self.inner.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
