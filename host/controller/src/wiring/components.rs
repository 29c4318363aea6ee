//! Which component an object names, and whether it accepts that object's config.

use api::component::{ComponentKind, ComponentRef};
use pipeline::BoxFailure;
use runtime::{Component, World};
use serde_json::Value as Json;

use super::runtime::ComponentError;
use super::templates::{Engines, run};

/// A component that was chosen.
#[derive(Debug, Clone)]
pub(crate) enum Chosen {
    /// A built-in one, by name.
    BuiltIn(String),
}

impl Chosen {
    /// The one that a reference names.
    pub(crate) fn of(reference: &ComponentRef) -> Self {
        match reference.kind {
            ComponentKind::BuiltIn => Chosen::BuiltIn(reference.name.clone()),
        }
    }

    /// What it is called in messages.
    pub(crate) fn name(&self) -> &str {
        match self {
            Chosen::BuiltIn(name) => name,
        }
    }

    /// The component itself, loaded. May block.
    pub(crate) fn load(&self, engines: &Engines, world: World) -> Result<Component, ComponentError> {
        match self {
            Chosen::BuiltIn(name) => engines.find(world, name),
        }
    }
}

/// Whether a component accepts a config: its digest if so, else all that is wrong.
pub(crate) async fn check_config(
    engines: &Engines,
    world: World,
    chosen: Chosen,
    config: Json,
) -> Result<String, BoxFailure> {
    let (engines, name) = (engines.clone(), chosen.name().to_owned());
    let checking = move || {
        let component = chosen.load(&engines, world)?;
        let problems = match world {
            World::Generator => component.generator().and_then(|generator| generator.validate(&config)),
            World::Policy => component.policy().and_then(|policy| policy.validate(&config)),
            // A template engine is checked with its templates, not with a config alone.
            World::Template => component.template().map(|_| Vec::new()),
        };
        let problems = problems.map_err(|source| ComponentError::call(chosen.name(), source))?;
        if problems.is_empty() {
            Ok(component.digest().to_string())
        } else {
            Err(ComponentError::Config { name: chosen.name().to_owned(), problems })
        }
    };
    Ok(run(&name, checking).await?)
}
