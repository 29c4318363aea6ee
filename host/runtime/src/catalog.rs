//! The components that are built into the binary, by name. They are loaded when they are first asked for, so that a process pays only
//! for what is used; a component that was loaded stays loaded.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::component::Component;
use crate::digest::Digest;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::limits::LoadLimits;
use crate::world::World;

/// A component's bytes with the name that users give it.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Its name: the folder that it was built from.
    pub name: &'static str,
    /// Its world; told from the bytes when it is loaded, told here so that a listing need not load.
    pub world: World,
    /// Its bytes.
    pub bytes: &'static [u8],
    /// The digest of its bytes; told here so that a start need not read them.
    pub digest: Digest,
}

/// Built-in components by world and name.
#[derive(Debug)]
pub struct Catalog {
    engine: Engine,
    entries: BTreeMap<(World, &'static str), BuiltIn>,
    loaded: Mutex<BTreeMap<(World, &'static str), Component>>,
}

impl Catalog {
    /// A catalog of these components. One that repeats a world and name replaces the one before.
    #[must_use]
    pub fn new(engine: Engine, entries: impl IntoIterator<Item = BuiltIn>) -> Self {
        let entries = entries.into_iter().map(|entry| ((entry.world, entry.name), entry));
        Self { engine, entries: entries.collect(), loaded: Mutex::default() }
    }

    /// What there is, by world and then name.
    pub fn entries(&self) -> impl Iterator<Item = &BuiltIn> {
        self.entries.values()
    }

    /// The component of that world and name, loaded; `None` if there is none.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn get(&self, world: World, name: &str) -> Result<Option<Component>, LoadError> {
        let Some(entry) = self.entries.values().find(|entry| entry.world == world && entry.name == name)
        else {
            return Ok(None);
        };
        let key = (entry.world, entry.name);
        let mut loaded = self.lock();
        if let Some(component) = loaded.get(&key) {
            return Ok(Some(component.clone()));
        }
        let component = self.engine.load(entry.bytes, &LoadLimits::large())?;
        loaded.insert(key, component.clone());
        Ok(Some(component))
    }

    /// Sees to it that the first call of each of these need not wait for a compiler: what is not in the engine's cache is compiled. Where
    /// there is no cache, what was compiled stays loaded.
    ///
    /// # Errors
    /// [`LoadError`], with the name of the component that it is about.
    pub fn compile(&self, wanted: &[(World, &str)]) -> Result<(), (&'static str, LoadError)> {
        let wanted = self.entries.values().filter(|entry| wanted.contains(&(entry.world, entry.name)));
        for entry in wanted.filter(|entry| !self.engine.has_compiled(&entry.digest)) {
            let failed = |error| (entry.name, error);
            let component = self.engine.load(entry.bytes, &LoadLimits::large()).map_err(failed)?;
            if !self.engine.has_compiled(&entry.digest) {
                self.lock().insert((entry.world, entry.name), component);
            }
        }
        Ok(())
    }

    /// The engine that loads them.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(World, &'static str), Component>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
