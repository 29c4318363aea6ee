//! From a core module to a component, proved: it validates, imports only our package, and exports one of our worlds.

use std::fmt;

use wit_component::{ComponentEncoder, DecodedWasm};
use wit_parser::{Resolve, WorldId, WorldItem, WorldKey};

/// The world of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum World {
    /// Exports `generate`.
    Generator,
    /// Exports `render`.
    Template,
    /// Exports `judge`.
    Policy,
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Generator => "generator",
            Self::Template => "template",
            Self::Policy => "policy",
        })
    }
}

/// `None` for a module that exports nothing.
pub(crate) fn encode(module: &[u8]) -> Result<Option<(World, Vec<u8>)>, String> {
    let component = component(module)?;
    let decoded = wit_component::decode(&component).map_err(|error| shown(&error))?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err("it encodes no component".to_owned());
    };
    check_imports(&resolve, world)?;
    Ok(exported(&resolve, world)?.map(|world| (world, component)))
}

/// A valid component, whatever it imports and exports.
pub(crate) fn component(module: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = ComponentEncoder::default();
    let encoder = encoder.validate(true).module(module).map_err(|error| shown(&error))?;
    encoder.encode().map_err(|error| shown(&error))
}

fn shown(error: &dyn fmt::Display) -> String {
    format!("{error:#}")
}

fn check_imports(resolve: &Resolve, world: WorldId) -> Result<(), String> {
    let Some(world) = resolve.worlds.get(world) else {
        return Err("it has no world".to_owned());
    };
    let foreign = |key: &&WorldKey| ours(resolve, key).is_none();
    let foreign: Vec<String> =
        world.imports.keys().filter(foreign).map(|key| resolve.name_world_key(key)).collect();
    if foreign.is_empty() {
        return Ok(());
    }
    Err(format!("it imports {}, and only keymill:guest may be imported", foreign.join(", ")))
}

fn exported(resolve: &Resolve, world: WorldId) -> Result<Option<World>, String> {
    let exports = resolve.worlds.get(world).map(|world| &world.exports);
    let interfaces =
        exports.into_iter().flatten().filter(|(_, item)| matches!(item, WorldItem::Interface { .. }));
    let mut worlds = interfaces.filter_map(|(key, _)| match ours(resolve, key)? {
        "generate" => Some(World::Generator),
        "render" => Some(World::Template),
        "judge" => Some(World::Policy),
        _ => None,
    });
    match (worlds.next(), worlds.next()) {
        (world, None) => Ok(world),
        _ => Err("it exports more than one world".to_owned()),
    }
}

/// The name of an interface of `keymill:guest`.
fn ours<'a>(resolve: &'a Resolve, key: &WorldKey) -> Option<&'a str> {
    let WorldKey::Interface(id) = key else {
        return None;
    };
    let interface = resolve.interfaces.get(*id)?;
    let package = &resolve.packages.get(interface.package?)?.name;
    let ours = package.namespace == "keymill" && package.name == "guest";
    ours.then_some(interface.name.as_deref()).flatten()
}
