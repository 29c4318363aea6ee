//! Which component an object names, and whether it accepts that object's config.

use api::component::{ComponentKind, ComponentRef};
use pipeline::{BoxFailure, ObjectRef};
use runtime::{CallError, Capability, Component, World};
use serde_json::Value as Json;

use super::runtime::ComponentError;
use super::templates::{Engines, run};

/// A component that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// A built-in one, by name.
    BuiltIn(String),
    /// What serves for a Component or ClusterComponent; with how messages call it.
    Object(ObjectRef, String),
}

impl Chosen {
    /// The one that a reference names, from an object of a namespace, or of none.
    pub(crate) fn of(reference: &ComponentRef, namespace: Option<&str>) -> Self {
        let name = &reference.name;
        match reference.kind {
            ComponentKind::BuiltIn => Chosen::BuiltIn(name.clone()),
            ComponentKind::Component => {
                // There is none outside of namespaces, which is what is said of it then.
                Chosen::object(ObjectRef {
                    kind: reference.kind.as_str().to_owned(),
                    namespace: namespace.map(str::to_owned),
                    name: name.clone(),
                })
            }
            ComponentKind::ClusterComponent => {
                Chosen::object(ObjectRef::cluster(reference.kind.as_str(), name))
            }
        }
    }

    /// The one that an annotation names: `Component/NAME`, `ClusterComponent/NAME`, or the name of a built-in one.
    pub(crate) fn named(text: &str, namespace: &str) -> Self {
        match text.split_once('/') {
            Some(("Component", name)) => Chosen::object(ObjectRef::namespaced("Component", namespace, name)),
            Some(("ClusterComponent", name)) => Chosen::object(ObjectRef::cluster("ClusterComponent", name)),
            Some(_) | None => Chosen::BuiltIn(text.to_owned()),
        }
    }

    fn object(object: ObjectRef) -> Self {
        let name = object.to_string();
        Chosen::Object(object, name)
    }

    /// What it is called in messages.
    pub(crate) fn name(&self) -> &str {
        match self {
            Chosen::BuiltIn(name) | Chosen::Object(_, name) => name,
        }
    }

    /// The object that it comes from.
    pub(crate) fn referent(&self) -> Option<&ObjectRef> {
        match self {
            Chosen::BuiltIn(_) => None,
            Chosen::Object(object, _) => Some(object),
        }
    }

    /// Waits, while the process begins, for what it comes from.
    pub(crate) async fn wait(&self, engines: &Engines) {
        if let Chosen::Object(object, _) = self {
            engines.served().wait(object).await;
        }
    }

    /// The component itself, loaded. May block.
    pub(crate) fn load(&self, engines: &Engines, world: World) -> Result<Component, ComponentError> {
        match self {
            Chosen::BuiltIn(name) => engines.find(world, name),
            Chosen::Object(object, name) => {
                engines.served().get(object).ok_or_else(|| ComponentError::NotServing { name: name.clone() })
            }
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
    chosen.wait(engines).await;
    Ok(configured(engines, world, chosen, config).await?)
}

/// The same, of what is there now, and with the error as it is.
pub(crate) async fn configured(
    engines: &Engines,
    world: World,
    chosen: Chosen,
    config: Json,
) -> Result<String, ComponentError> {
    let (engines, name) = (engines.clone(), chosen.name().to_owned());
    let checking = move || {
        let component = chosen.load(&engines, world)?;
        expect(&component, world).map_err(|source| ComponentError::call(chosen.name(), source))?;
        let problems = component.problems(&config);
        let problems = problems.map_err(|source| ComponentError::call(chosen.name(), source))?;
        if problems.is_empty() {
            Ok(component.digest().to_string())
        } else {
            Err(ComponentError::Config { name: chosen.name().to_owned(), problems })
        }
    };
    run(&name, checking).await
}

/// Whether a component wants a label for a capability: its digest if so.
pub(crate) async fn check_want(
    engines: &Engines,
    chosen: Chosen,
    label: String,
    capability: Capability,
) -> Result<String, BoxFailure> {
    chosen.wait(engines).await;
    let (engines, name) = (engines.clone(), chosen.name().to_owned());
    let checking = move || {
        let component = World::ALL.into_iter().map(|world| chosen.load(&engines, world));
        let component = component
            .reduce(|found, next| found.or(next))
            .unwrap_or_else(|| Err(ComponentError::NotServing { name: chosen.name().to_owned() }))?;
        let wanted = component.description().want(&label).map(|want| want.capability);
        if wanted == Some(capability) {
            return Ok(component.digest().to_string());
        }
        let all = component
            .description()
            .wants
            .iter()
            .map(|want| format!("{} ({})", want.label, word(want.capability)));
        let all: Vec<String> = all.collect();
        Err(ComponentError::Unwanted {
            name: chosen.name().to_owned(),
            label,
            granted: word(capability),
            wants: all,
        })
    };
    Ok(run(&name, checking).await?)
}

/// What a capability is called.
const fn word(capability: Capability) -> &'static str {
    match capability {
        Capability::Kube => "kube",
        Capability::Vault => "vault",
        Capability::Http => "http",
        Capability::Previous => "previous",
    }
}

/// Whether a component is of the world that it is named for.
fn expect(component: &Component, wanted: World) -> Result<(), CallError> {
    let found = component.world();
    if found == wanted { Ok(()) } else { Err(CallError::WrongWorld { wanted, found }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_names_a_built_in_one_or_an_object() {
        let here = |kind: &str| Chosen::object(ObjectRef::namespaced(kind, "shop", "x"));
        for (text, expected) in [
            ("go", Chosen::BuiltIn("go".to_owned())),
            ("Component/x", here("Component")),
            ("ClusterComponent/x", Chosen::object(ObjectRef::cluster("ClusterComponent", "x"))),
            ("other/x", Chosen::BuiltIn("other/x".to_owned())),
        ] {
            assert_eq!(Chosen::named(text, "shop"), expected, "{text}");
        }
    }
}
