//! What there is to say of an object without asking anybody, and what is to be asked. One row for each kind.

use api::generator::GeneratorConfig;
use api::names::{annotation, group};
use api::policy::PolicySpec;
use api::store::ProviderKind;
use api::{
    ClusterGenerator, ClusterPolicy, ClusterSecretStore, ExternalSecret, Fake, Generator, GeneratorKind,
    Password, Policy, Problem, PushSecret, SecretStore, SecretStoreSpec, StoreRef, Uuid,
};
use kube::Resource;
use pipeline::{CheckedPush, CheckedSpec, SpecError};
use runtime::World;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::Config;
use super::class::{Named, NamedKind};
use super::review::Request;
use super::templates::{self, Placed};
use crate::unreadable;
use crate::wiring::Chosen;

/// An object, looked at.
#[derive(Default)]
pub(super) struct Examined {
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<String>,
    pub(super) templates: Vec<Placed>,
    /// The template engine that the object names.
    pub(super) engine: Option<String>,
    pub(super) config: Option<Config>,
    /// The controller class that the object names.
    pub(super) class: Option<String>,
    /// Whose classes count besides.
    pub(super) named: Named,
}

/// The kind of a request's object as a word of a closed set.
pub(super) fn word(request: &Request) -> &'static str {
    const KINDS: [&str; 11] = [
        "ExternalSecret",
        "PushSecret",
        "SecretStore",
        "ClusterSecretStore",
        "Password",
        "UUID",
        "Fake",
        "ClusterGenerator",
        "Generator",
        "Policy",
        "ClusterPolicy",
    ];
    KINDS.into_iter().find(|kind| *kind == request.kind.kind).unwrap_or("other")
}

/// Looks at the object of a request; none of a kind about which there is nothing to say.
pub(super) fn examine(request: &Request) -> Option<Examined> {
    let examined = match (request.kind.group.as_str(), request.kind.kind.as_str()) {
        (group::EXTERNAL_SECRETS, "ExternalSecret") => read(request, external_secret),
        (group::EXTERNAL_SECRETS, "PushSecret") => read(request, push_secret),
        (group::EXTERNAL_SECRETS, "SecretStore") => {
            read(request, |store: &SecretStore| a_store(&store.spec, store.validate()))
        }
        (group::EXTERNAL_SECRETS, "ClusterSecretStore") => {
            read(request, |store: &ClusterSecretStore| a_store(&store.spec, store.validate()))
        }
        (group::GENERATORS, "Password") => {
            read(request, |it: &Password| built_in("password", "spec", &it.spec))
        }
        (group::GENERATORS, "UUID") => read(request, |it: &Uuid| built_in("uuid", "spec", &it.spec)),
        (group::GENERATORS, "Fake") => read(request, |it: &Fake| built_in("fake", "spec", &it.spec)),
        (group::GENERATORS, "ClusterGenerator") => read(request, cluster_generator),
        (group::KEYMILL, "Generator") => read(request, generator),
        (group::KEYMILL, "Policy") => {
            read(request, |it: &Policy| policy(&it.spec, it.metadata.namespace.as_deref()))
        }
        (group::KEYMILL, "ClusterPolicy") => {
            read(request, |it: &ClusterPolicy| policy(&it.spec.policy, None))
        }
        _ => return None,
    };
    Some(examined)
}

/// The object as its type, in the namespace that the request is for.
fn read<K>(request: &Request, examine: impl FnOnce(&K) -> Examined) -> Examined
where
    K: Resource<DynamicType = ()> + DeserializeOwned,
{
    let Some(json) = &request.object else { return Examined::default() };
    let mut examined = match K::deserialize(json) {
        Ok(mut object) => {
            let meta = object.meta_mut();
            meta.namespace = meta.namespace.take().or_else(|| request.namespace().map(str::to_owned));
            examine(&object)
        }
        Err(error) => {
            let what = unreadable::what(K::kind(&()).as_ref(), &error.to_string());
            let message = format!("{what}; see `kubectl explain`");
            Examined { problems: vec![Problem { path: "spec".to_owned(), message }], ..Examined::default() }
        }
    };
    let text = |pointer: &str| json.pointer(pointer).and_then(Json::as_str).map(str::to_owned);
    let key = annotation::TEMPLATE_ENGINE.replace('/', "~1");
    examined.engine = text(&format!("/metadata/annotations/{key}")).filter(|name| !name.is_empty());
    examined.class = text("/spec/controller");
    examined
}

/// What ESO has and keymill has not yet is no mistake: whoever applies ESO's manifests is warned, and the object's condition says the same.
fn not_yet(examined: Examined, is_missing: impl Fn(&Problem) -> bool) -> Examined {
    let (missing, problems): (Vec<_>, Vec<_>) = examined.problems.into_iter().partition(is_missing);
    let mut warnings = examined.warnings;
    warnings.extend(missing.iter().map(Problem::to_string));
    Examined { problems, warnings, ..examined }
}

fn external_secret(object: &ExternalSecret) -> Examined {
    let spec = &object.spec;
    let default = spec.secret_store_ref.as_ref();
    let of_data = spec.data.iter().map(|entry| entry.store_ref().or(default));
    let of_data_from = spec.data_from.iter().map(|entry| entry.store_ref().or(default));
    let mut objects: Vec<_> = of_data.chain(of_data_from).flatten().filter_map(store).collect();
    let generators =
        spec.data_from.iter().filter_map(|entry| entry.source_ref.as_ref()?.generator_ref.as_ref());
    let fakes = generators.filter(|generator| generator.kind == GeneratorKind::Fake);
    objects.extend(fakes.map(|generator| (NamedKind::Fake, generator.name.clone())));
    objects.dedup();
    let examined = Examined {
        problems: problems(CheckedSpec::parse(object).err()),
        templates: templates::of_external_secret(object),
        named: Named { objects, one_is_enough: true },
        ..Examined::default()
    };
    not_yet(examined, |problem| problem.path == "spec.target.manifest")
}

fn store(refers: &StoreRef) -> Option<(NamedKind, String)> {
    let name = refers.name.clone().filter(|name| !name.is_empty())?;
    Some((refers.kind().into(), name))
}

fn push_secret(object: &PushSecret) -> Examined {
    let refs = object.spec.secret_store_refs.iter();
    // Which ones labels select is not asked: then it is not said to be another's.
    let named: Option<Vec<_>> = refs.map(|refers| Some((refers.kind.into(), refers.name.clone()?))).collect();
    Examined {
        problems: problems(CheckedPush::parse(object).err()),
        templates: templates::of_push_secret(object),
        named: Named { objects: named.unwrap_or_default(), one_is_enough: false },
        ..Examined::default()
    }
}

fn problems(error: Option<SpecError>) -> Vec<Problem> {
    match error {
        Some(SpecError::Invalid { problems, .. }) => problems,
        None => Vec::new(),
    }
}

fn a_store(spec: &SecretStoreSpec, problems: Vec<Problem>) -> Examined {
    let mut warnings = Vec::new();
    if let Some(ProviderKind::Kubernetes(kubernetes)) = spec.provider.kind() {
        let server = kubernetes.server.as_ref();
        let has_ca = server.is_some_and(|server| server.ca_bundle.is_some() || server.ca_provider.is_some());
        if kubernetes.auth_ref.is_none() && !has_ca {
            warnings.push(
                "spec.provider.kubernetes.server has neither caBundle nor caProvider: the certificate authorities of the system are trusted"
                    .to_owned(),
            );
        }
    }
    let examined = Examined { problems, warnings, ..Examined::default() };
    let is_missing = matches!(spec.provider.kind(), Some(ProviderKind::Unsupported(_)));
    not_yet(examined, |problem| is_missing && problem.path.starts_with("spec.provider."))
}

/// One of ESO's generators: its spec is the config of the component.
fn built_in<C: Serialize>(component: &str, path: &'static str, config: &C) -> Examined {
    let config = serde_json::to_value(config).ok();
    let component = Chosen::BuiltIn(component.to_owned());
    let config = config.map(|config| Config { world: World::Generator, component, config, path });
    Examined { config, ..Examined::default() }
}

fn cluster_generator(object: &ClusterGenerator) -> Examined {
    let examined = match object.spec.config() {
        Some(GeneratorConfig::Password(spec)) => built_in("password", "spec.generator.passwordSpec", spec),
        Some(GeneratorConfig::Uuid(spec)) => built_in("uuid", "spec.generator.uuidSpec", spec),
        Some(GeneratorConfig::Fake(spec)) => built_in("fake", "spec.generator.fakeSpec", spec),
        Some(GeneratorConfig::Unsupported(_)) | None => Examined::default(),
    };
    Examined { problems: object.validate(), ..examined }
}

fn generator(object: &Generator) -> Examined {
    let (spec, namespace) = (&object.spec, object.metadata.namespace.as_deref());
    configured(World::Generator, Chosen::of(&spec.component_ref, namespace), spec.config.clone().into())
}

fn policy(spec: &PolicySpec, namespace: Option<&str>) -> Examined {
    configured(World::Policy, Chosen::of(&spec.component_ref, namespace), spec.config.clone().into())
}

fn configured(world: World, component: Chosen, config: Json) -> Examined {
    let config = Config { world, component, config, path: "spec.config" };
    Examined { config: Some(config), ..Examined::default() }
}
