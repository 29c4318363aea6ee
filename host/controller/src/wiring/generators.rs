//! The generator port over the caches and the runtime: a generator's object names a component and holds its config.

use std::sync::Arc;

use api::generator::GeneratorConfig;
use api::names::group;
use async_trait::async_trait;
use data_encoding::HEXLOWER;
use pipeline::{
    Blame, BoxFailure, Entropy, Failure, Found, Generate, Generated, GeneratedField, Generator,
    GeneratorHandle, Generators, ObjectRef, Occasion, Reason, Retry, Value, identity,
};
use runtime::{Call, Entry, GenerateRequest, SecretBytes, World};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::components::Chosen;
use super::grants::GrantFinder;
use super::runtime::ComponentError;
use super::templates::{Engines, run};
use crate::cache::Caches;

/// The kinds of generators that there are, for messages.
const SUPPORTED: &str = "Password, UUID, Fake, ClusterGenerator, and Generator of keymill.dev";

/// Finds generators.
#[derive(Clone)]
pub(crate) struct GeneratorFinder {
    caches: Arc<Caches>,
    engines: Engines,
    grants: GrantFinder,
}

impl std::fmt::Debug for GeneratorFinder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GeneratorFinder")
    }
}

/// Why a generator could not be opened.
#[derive(Debug, Error)]
enum FindError {
    #[error("find {generator}: it does not exist")]
    Missing { generator: ObjectRef },
    #[error("use a generator of kind {kind} in {api_version}: keymill has {SUPPORTED}")]
    Unsupported { api_version: String, kind: String },
    #[error("read the config of {generator}: its kind and its config do not belong together")]
    Mismatch { generator: ObjectRef },
    #[error("read the config of {generator}")]
    Unreadable { generator: ObjectRef },
}

impl Failure for FindError {
    fn reason(&self) -> Reason {
        match self {
            FindError::Missing { .. } | FindError::Unsupported { .. } => Reason::GeneratorNotFound,
            FindError::Mismatch { .. } | FindError::Unreadable { .. } => Reason::InvalidConfig,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            FindError::Missing { .. } | FindError::Unsupported { .. } | FindError::Mismatch { .. } => {
                Blame::User
            }
            FindError::Unreadable { .. } => Blame::Host,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            FindError::Missing { .. }
            | FindError::Unsupported { .. }
            | FindError::Mismatch { .. }
            | FindError::Unreadable { .. } => Retry::WhenChanged,
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        match self {
            FindError::Missing { generator }
            | FindError::Mismatch { generator }
            | FindError::Unreadable { generator } => Some(generator.clone()),
            FindError::Unsupported { .. } => None,
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            FindError::Missing { .. } => "create it, or correct generatorRef",
            FindError::Unsupported { .. } => "use one of these",
            FindError::Mismatch { .. } => "give spec.generator the config that belongs to spec.kind",
            FindError::Unreadable { .. } => "",
        }
    }
}

#[async_trait]
impl Generators for GeneratorFinder {
    async fn open(
        &self,
        namespace: &str,
        api_version: &str,
        kind: &str,
        name: &str,
    ) -> Result<GeneratorHandle, BoxFailure> {
        let (component, mut config) = self.config(namespace, api_version, kind, name).await?;
        // The same config in another order is the same.
        config.sort_all_objects();
        let digest = Sha256::digest(config.to_string().as_bytes());
        let config_digest = HEXLOWER.encode(&digest);
        let identity = identity(api_version, kind, name);
        let (engines, grants) = (self.engines.clone(), self.grants.clone());
        let generator = Arc::new(Configured { component, config, engines, grants });
        Ok(GeneratorHandle { identity, config_digest, generator })
    }
}

impl GeneratorFinder {
    pub(crate) const fn new(caches: Arc<Caches>, engines: Engines, grants: GrantFinder) -> Self {
        Self { caches, engines, grants }
    }

    /// The component's name and its config.
    async fn config(
        &self,
        namespace: &str,
        api_version: &str,
        kind: &str,
        name: &str,
    ) -> Result<(Chosen, Json), BoxFailure> {
        let unsupported =
            || FindError::Unsupported { api_version: api_version.to_owned(), kind: kind.to_owned() };
        match (api_version.split_once('/').map_or("", |(group, _)| group), kind) {
            (group::GENERATORS, _) => {}
            (group::KEYMILL, "Generator") => return self.configured(namespace, name).await,
            _ => return Err(unsupported().into()),
        }
        let object = ObjectRef::namespaced(kind, namespace, name);
        let found = match kind {
            "Password" => self
                .caches
                .passwords
                .within(namespace, name)
                .await?
                .ok()
                .map(|found| ("password", json(&found.spec))),
            "UUID" => {
                self.caches.uuids.within(namespace, name).await?.ok().map(|found| ("uuid", json(&found.spec)))
            }
            "Fake" => {
                self.caches.fakes.within(namespace, name).await?.ok().map(|found| ("fake", json(&found.spec)))
            }
            "ClusterGenerator" => return self.cluster(name).await,
            _ => return Err(unsupported().into()),
        };
        match found {
            Some((component, Some(config))) => Ok((built_in(component), config)),
            Some((_, None)) => Err(FindError::Unreadable { generator: object }.into()),
            None => Err(FindError::Missing { generator: object }.into()),
        }
    }

    /// Of our own kind, which names its component.
    async fn configured(&self, namespace: &str, name: &str) -> Result<(Chosen, Json), BoxFailure> {
        match self.caches.generators.within(namespace, name).await? {
            Found::Found(found) => {
                Ok((Chosen::of(&found.spec.component_ref, Some(namespace)), found.spec.config.clone().into()))
            }
            Found::Missing => {
                let generator = ObjectRef::namespaced("Generator", namespace, name);
                Err(FindError::Missing { generator }.into())
            }
        }
    }

    async fn cluster(&self, name: &str) -> Result<(Chosen, Json), BoxFailure> {
        let generator = ObjectRef::cluster("ClusterGenerator", name);
        let Found::Found(found) = self.caches.cluster_generators.named(name).await? else {
            return Err(FindError::Missing { generator }.into());
        };
        let (component, config) = match found.spec.config() {
            Some(GeneratorConfig::Password(spec)) => ("password", json(spec)),
            Some(GeneratorConfig::Uuid(spec)) => ("uuid", json(spec)),
            Some(GeneratorConfig::Fake(spec)) => ("fake", json(spec)),
            Some(GeneratorConfig::Unsupported(kind)) => {
                let api_version = group::GENERATORS_V1ALPHA1.to_owned();
                return Err(FindError::Unsupported { api_version, kind: kind.to_string() }.into());
            }
            None => return Err(FindError::Mismatch { generator }.into()),
        };
        match config {
            Some(config) => Ok((built_in(component), config)),
            None => Err(FindError::Unreadable { generator }.into()),
        }
    }
}

fn built_in(name: &str) -> Chosen {
    Chosen::BuiltIn(name.to_owned())
}

fn json<T: Serialize>(spec: &T) -> Option<Json> {
    serde_json::to_value(spec).ok()
}

/// A component with its config. The config may hold secrets (Fake's data).
struct Configured {
    component: Chosen,
    config: Json,
    engines: Engines,
    grants: GrantFinder,
}

#[async_trait]
impl Generator for Configured {
    async fn generate(&self, request: Generate<'_>) -> Result<Generated, BoxFailure> {
        let owner =
            runtime::Owner { namespace: request.owner.namespace.clone(), name: request.owner.name.clone() };
        let seconds = u64::try_from(request.now.as_second()).unwrap_or_default();
        let call = Call::new(owner, occasion(request.occasion), seconds);
        let (engines, chosen, config) = (self.engines.clone(), self.component.clone(), self.config.clone());
        chosen.wait(&engines).await;
        let call = call.with_grants(self.grants.of(&chosen, request.owner, request.now).await);
        // The runtime passes them on only under a grant.
        let (previous, state) = request.previous.map(theirs).unwrap_or_default();
        let work = move || {
            let (component, name) = (chosen.load(&engines, World::Generator)?, chosen.name());
            let generator = component.generator().map_err(|source| ComponentError::call(name, source))?;
            let counting = engines.count(World::Generator, name);
            let request = GenerateRequest { config: &config, previous: &previous, state: state.as_ref() };
            let generated = generator
                .generate(&counting.call(call), request)
                .map_err(|source| ComponentError::call(name, source));
            counting.done(generated.as_ref().err());
            generated
        };
        Ok(own(run(self.component.name(), work).await?))
    }
}

/// The values and the state of an earlier call.
fn theirs(generated: &Generated) -> (Vec<Entry>, Option<SecretBytes>) {
    let fields = generated.fields.iter().map(|(key, field)| Entry::new(key.clone(), field.value.expose()));
    let state = generated.state.as_ref().map(|state| SecretBytes::from(state.expose().to_vec()));
    (fields.collect(), state)
}

fn own(generated: runtime::Generated) -> Generated {
    let fields = generated.fields.into_iter().map(|field| {
        let entropy = field.entropy.map(|entropy| Entropy { bits: entropy.bits, exact: entropy.exact });
        (field.key, GeneratedField { value: Value::from(field.value.expose_secret()), entropy })
    });
    Generated {
        fields: fields.collect(),
        state: generated.state.map(|state| Value::from(state.expose_secret())),
        expires_in: generated.expires_in.map(std::time::Duration::from_secs),
    }
}

const fn occasion(occasion: Occasion) -> runtime::Occasion {
    match occasion {
        Occasion::Initial => runtime::Occasion::Initial,
        Occasion::Scheduled => runtime::Occasion::Scheduled,
        Occasion::Forced => runtime::Occasion::Forced,
        Occasion::ConfigChanged => runtime::Occasion::ConfigChanged,
        Occasion::Expired => runtime::Occasion::Expired,
        Occasion::ValueLost => runtime::Occasion::ValueLost,
    }
}
