//! Finds components by what a user types: a built-in's name, or a file. Loads them on one engine, with compiled code kept in the
//! user's cache.
//!
//! A text is a file if it holds a `/` or ends in `.wasm`, and a name otherwise, so a file in the way changes no meaning.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use runtime::{
    BuiltIn, Catalog, Component, Digest, Engine, EngineConfig, EngineError, LoadError, LoadLimits,
    RandomSource, SystemRandom, World,
};

use crate::ending::{Ending, chain, say};
use crate::environment;
use crate::progress;

/// A component and what the user called it.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) component: Component,
}

/// Everything that can be found.
#[derive(Debug)]
pub(crate) struct Components {
    catalog: Catalog,
}

/// The built-in components on an engine.
pub(crate) fn built_in(engine: Engine) -> Catalog {
    Catalog::new(engine, bundle::BUILTINS.iter().filter_map(entry))
}

fn entry(built_in: &bundle::Builtin) -> Option<BuiltIn> {
    let world = World::ALL.into_iter().find(|world| world.as_str() == built_in.world)?;
    Some(BuiltIn { name: built_in.name, world, bytes: built_in.bytes, digest: Digest::new(built_in.digest) })
}

impl Components {
    /// With the user's cache; without one, and a line that says so, where it cannot be used.
    pub(crate) fn open() -> Result<Self, Ending> {
        Self::drawing_from(Arc::new(SystemRandom))
    }

    /// The same, with another source of randomness: for an author's cases, and for nothing that makes secrets.
    pub(crate) fn drawing_from(random: Arc<dyn RandomSource>) -> Result<Self, Ending> {
        let engine = match engine(environment::component_cache(), Arc::clone(&random)) {
            Err(error @ EngineError::Cache { .. }) => {
                say(&format!("warning: components are compiled each time: failed to {}\n", chain(&error)));
                engine(None, random)
            }
            other => other,
        };
        let engine = engine.map_err(|error| Ending::failed(chain(&error)))?;
        Ok(Self { catalog: built_in(engine) })
    }

    /// The component of that world.
    pub(crate) fn find(&self, text: &str, world: World) -> Result<Found, Ending> {
        let component = if is_file(text) {
            self.file(Path::new(text))?
        } else {
            match self.built_in(world, text)? {
                Some(component) => component,
                None => self.named(text, &[world])?,
            }
        };
        let found = component.world();
        if found != world {
            return Err(Ending::usage(format!("use {text} as a {}: it is a {}", word(world), word(found))));
        }
        Ok(Found { name: text.to_owned(), component })
    }

    /// The component, whatever its world.
    pub(crate) fn find_any(&self, text: &str) -> Result<Found, Ending> {
        let component =
            if is_file(text) { self.file(Path::new(text))? } else { self.named(text, &World::ALL)? };
        Ok(Found { name: text.to_owned(), component })
    }

    /// A component that was just made, accepted as one from a file is.
    pub(crate) fn accept(&self, name: &str, bytes: &[u8]) -> Result<Found, Ending> {
        let component = self.catalog.engine().load(bytes, &LoadLimits::large());
        let component = component.map_err(|error| refused(name, &error))?;
        Ok(Found { name: name.to_owned(), component })
    }

    /// Whether a built-in of any world is called so.
    pub(crate) fn is_built_in(&self, name: &str) -> bool {
        self.catalog.entries().any(|entry| entry.name == name)
    }

    /// All built-in components, by world and name.
    pub(crate) fn all(&self) -> Result<Vec<Found>, Ending> {
        let entries: Vec<(World, &str)> =
            self.catalog.entries().map(|entry| (entry.world, entry.name)).collect();
        let mut all = Vec::new();
        for (world, name) in entries {
            if let Some(component) = self.built_in(world, name)? {
                all.push(Found { name: name.to_owned(), component });
            }
        }
        Ok(all)
    }

    /// For whoever renders: the catalog itself.
    pub(crate) fn into_catalog(self) -> Catalog {
        self.catalog
    }

    /// The same with the template engine that `text` names, under that name.
    pub(crate) fn into_catalog_with(self, text: &str) -> Result<Catalog, Ending> {
        let engine = self.find(text, World::Template)?;
        if !is_file(text) {
            return Ok(self.catalog);
        }
        let bytes = std::fs::read(text).map_err(|error| Ending::failed(format!("read {text}: {error}")))?;
        let digest = Digest::of(&bytes);
        if digest != engine.component.digest() {
            return Err(Ending::failed(format!("read {text}: it has just changed")));
        }
        // A command renders once and ends: what a catalog holds, it holds as long as the process lives.
        let (name, bytes) = (String::leak(text.to_owned()), Vec::leak(bytes));
        let added = BuiltIn { name, world: World::Template, bytes, digest };
        let entries: Vec<BuiltIn> = self.catalog.entries().copied().chain([added]).collect();
        Ok(Catalog::new(self.catalog.engine().clone(), entries))
    }

    /// A built-in of any world; the message lists those of the worlds that are wanted.
    fn named(&self, name: &str, wanted: &[World]) -> Result<Component, Ending> {
        for world in World::ALL {
            if let Some(component) = self.built_in(world, name)? {
                return Ok(component);
            }
        }
        let names =
            self.catalog.entries().filter(|entry| wanted.contains(&entry.world)).map(|entry| entry.name);
        let names: Vec<&str> = names.collect();
        let what = match wanted {
            [world] => word(*world),
            _ => "component",
        };
        Err(Ending::usage(format!(
            "find the {what} {name:?}: built in are {}; the name of a file holds a / or ends in .wasm",
            names.join(", ")
        )))
    }

    fn built_in(&self, world: World, name: &str) -> Result<Option<Component>, Ending> {
        let what = format!("compiling the {} {name}, once for this user", word(world));
        progress::watch(&what, || self.catalog.get(world, name)).map_err(|error| refused(name, &error))
    }

    fn file(&self, path: &Path) -> Result<Component, Ending> {
        let name = path.display().to_string();
        let what = format!("compiling {name}, once for this user");
        let engine = self.catalog.engine();
        progress::watch(&what, || engine.load_file(path, &LoadLimits::large()))
            .map_err(|error| refused(&name, &error))
    }
}

/// What a world's components are called.
pub(crate) const fn word(world: World) -> &'static str {
    match world {
        World::Generator => "generator",
        World::Template => "template engine",
        World::Policy => "policy",
    }
}

fn engine(cache_dir: Option<PathBuf>, random: Arc<dyn RandomSource>) -> Result<Engine, EngineError> {
    Engine::new(EngineConfig { cache_dir, random, ..EngineConfig::default() })
}

fn is_file(text: &str) -> bool {
    text.contains('/') || Path::new(text).extension().is_some_and(|end| end == "wasm")
}

/// A file that cannot be read is nothing that a component is to blame for.
fn refused(name: &str, error: &LoadError) -> Ending {
    match error {
        LoadError::Read(cause) => Ending::failed(format!("read {name}: {cause}")),
        error => Ending::component(format!("use {name}: {}", chain(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_file() {
        for (text, expected) in
            [("password", false), ("./password", true), ("mine.wasm", true), ("a/b", true), ("wasm", false)]
        {
            assert_eq!(is_file(text), expected, "{text}");
        }
    }

    #[test]
    fn every_built_in_has_a_world_that_the_runtime_serves_and_its_own_digest() {
        for built_in in bundle::BUILTINS {
            let entry = entry(built_in).unwrap_or_else(|| panic!("{}", built_in.name));
            assert_eq!(entry.digest, Digest::of(entry.bytes), "{}", built_in.name);
        }
    }
}
