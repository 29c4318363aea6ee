//! The template port over the runtime, and the components that this process has.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client};
use pipeline::{BoxFailure, Entry, ObjectRef, Render, Rendered, Renderings, Scope, TemplateEngine, Value};
use runtime::{
    Call, Catalog, ChildCompiler, ChildError, Component, Digest, LoadError, LoadLimits, Occasion,
    RenderError, StreamKey, TemplateComponent, TemplateFault, World,
};
use secrecy::ExposeSecret;
use serde_json::json;
use sha2::Sha256;
use zeroize::ZeroizeOnDrop;

use super::components::Chosen;
use super::counting::Counting;
use super::runtime::ComponentError;
use super::served::Served;
use crate::cluster::{Answer, ClusterError};
use crate::metrics::{Component as ComponentLabels, Metrics};

/// The template engine of a manifest that names none.
const DEFAULT_ENGINE: &str = "go";

/// The components that ESO's own kinds need.
pub const STANDARD: [(World, &str); 4] = [
    (World::Generator, "fake"),
    (World::Generator, "password"),
    (World::Generator, "uuid"),
    (World::Template, DEFAULT_ENGINE),
];

/// Where a cluster keeps the operator's key.
const KEY_SECRET: &str = "keymill-operator-key";
const KEY_FIELD: &str = "key";

/// The secret that keys the random streams of templates. Who has it can recompute what templates draw.
#[derive(Clone, ZeroizeOnDrop)]
pub struct OperatorKey([u8; 32]);

impl OperatorKey {
    /// A key of 32 secret bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key that a cluster keeps in the Secret `keymill-operator-key` of the client's own namespace, made on first use. Whoever
    /// makes it first has made it for all.
    ///
    /// # Errors
    /// When the Secret can neither be read nor made, or does not hold a key.
    pub async fn of_cluster(client: &Client) -> Result<Self, ClusterError> {
        let namespace = client.default_namespace().to_owned();
        let secrets: Api<Secret> = Api::namespaced(client.clone(), &namespace);
        let object = || ObjectRef::namespaced("Secret", &namespace, KEY_SECRET);
        let read = async || {
            let found = secrets.get_opt(KEY_SECRET).await;
            found.map_err(|error| ClusterError::Read { object: object(), answer: error.into() })
        };
        if let Some(secret) = read().await? {
            return Self::of(&secret).ok_or(ClusterError::Read { object: object(), answer: Answer::Garbled });
        }
        let mut bytes = vec![0; 32];
        getrandom::fill(&mut bytes)
            .map_err(|_| ClusterError::Write { object: object(), answer: Answer::Garbled })?;
        let secret = Secret {
            metadata: ObjectMeta { name: Some(KEY_SECRET.to_owned()), ..ObjectMeta::default() },
            data: Some([(KEY_FIELD.to_owned(), ByteString(bytes))].into()),
            immutable: Some(true),
            ..Secret::default()
        };
        match secrets.create(&PostParams::default(), &secret).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(error) => {
                return Err(ClusterError::Write { object: object(), answer: error.into() });
            }
        }
        let secret = read().await?;
        secret
            .as_ref()
            .and_then(Self::of)
            .ok_or(ClusterError::Read { object: object(), answer: Answer::Garbled })
    }

    fn of(secret: &Secret) -> Option<Self> {
        let bytes = secret.data.as_ref()?.get(KEY_FIELD)?;
        Some(Self(bytes.0.as_slice().try_into().ok()?))
    }

    /// The key of one object's rotation.
    fn stream(&self, name: &str) -> Option<StreamKey> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(name.as_bytes());
        Some(StreamKey::new(mac.finalize().into_bytes().into()))
    }
}

impl fmt::Debug for OperatorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorKey(..)")
    }
}

/// The components of this process, by world and name. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engines {
    catalog: Arc<Catalog>,
    key: OperatorKey,
    loading: Arc<AtomicUsize>,
    metrics: Metrics,
    served: Served,
    compiler: Option<ChildCompiler>,
}

impl Engines {
    /// Components from a catalog; templates draw from streams under `key`.
    #[must_use]
    pub fn new(catalog: Arc<Catalog>, key: OperatorKey) -> Self {
        Self {
            catalog,
            key,
            loading: Arc::default(),
            metrics: Metrics::default(),
            served: Served::default(),
            compiler: None,
        }
    }

    /// The same, with templates that draw from streams under another key.
    #[must_use]
    pub fn keyed(self, key: OperatorKey) -> Self {
        Self { key, ..self }
    }

    /// The same, where components that are not built in are compiled in a process of their own. It shares this one's cache of compiled code;
    /// without one, they are compiled here.
    #[must_use]
    pub fn compiling_in(self, compiler: ChildCompiler) -> Self {
        Self { compiler: Some(compiler), ..self }
    }

    /// What serves for Components and ClusterComponents.
    pub(crate) const fn served(&self) -> &Served {
        &self.served
    }

    /// Compiles a component that nobody vouches for, where it does no harm. May block.
    pub(crate) fn compile(&self, digest: &Digest, bytes: &[u8]) -> Result<(), ChildError> {
        let engine = self.catalog.engine();
        match &self.compiler {
            Some(compiler) if engine.keeps_compiled() && !engine.has_compiled(digest) => {
                compiler.compile(bytes)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Loads a component that is not built in. May block.
    pub(crate) fn load(&self, bytes: &[u8], limits: &LoadLimits) -> Result<Component, LoadError> {
        self.catalog.engine().load(bytes, limits)
    }

    /// The same, with their calls counted there.
    pub(crate) fn counting(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    /// Whether a component is being loaded now; one that is not in the cache is compiled, which takes its time.
    #[must_use]
    pub fn is_loading(&self) -> bool {
        self.loading.load(Ordering::Relaxed) > 0
    }

    /// The component of that world and name.
    pub(crate) fn find(&self, world: World, name: &str) -> Result<Component, ComponentError> {
        self.loading.fetch_add(1, Ordering::Relaxed);
        let found = self.catalog.get(world, name);
        self.loading.fetch_sub(1, Ordering::Relaxed);
        match found {
            Ok(Some(component)) => Ok(component),
            Ok(None) => Err(ComponentError::Unknown { world: word(world), name: name.to_owned() }),
            Err(source) => Err(ComponentError::Load { name: name.to_owned(), source: Box::new(source) }),
        }
    }
}

impl Engines {
    /// What is wrong with templates whatever the data, by what serves now as the engine that an object of a namespace names, or as the default
    /// one.
    pub(crate) async fn faults(
        &self,
        engine: Option<&str>,
        namespace: &str,
        templates: Vec<runtime::TemplateText>,
    ) -> Result<Vec<TemplateFault>, ComponentError> {
        let chosen = Chosen::named(engine.unwrap_or(DEFAULT_ENGINE), namespace);
        let (engines, name) = (self.clone(), chosen.name().to_owned());
        let work = move || {
            let found = chosen.load(&engines, World::Template)?.template();
            let faults = found.and_then(|engine| engine.validate(&templates, &json!({})));
            faults.map_err(|source| ComponentError::call(chosen.name(), source))
        };
        run(&name, work).await
    }

    /// Counts one call of a component.
    pub(crate) fn count(&self, world: World, name: &str) -> Counting {
        // The catalog's own word for the name: labels come from a closed set.
        let entry = self.catalog.entries().find(|entry| entry.world == world && entry.name == name);
        let component = entry.map_or("unknown", |entry| entry.name);
        Counting::begin(self.metrics.clone(), ComponentLabels { component, world: world.as_str() })
    }
}

const fn word(world: World) -> &'static str {
    match world {
        World::Generator => "generator",
        World::Template => "template engine",
        World::Policy => "policy",
    }
}

#[async_trait]
impl TemplateEngine for Engines {
    async fn render(&self, request: Render<'_>) -> Result<Renderings, BoxFailure> {
        let chosen = Chosen::named(request.engine.unwrap_or(DEFAULT_ENGINE), &request.owner.namespace);
        chosen.wait(self).await;
        let name = chosen.name().to_owned();
        let templates: Vec<runtime::TemplateText> = request.templates.iter().map(template).collect();
        let data: Vec<runtime::Entry> = request
            .data
            .iter()
            .map(|(key, value)| runtime::Entry::new(key.clone(), value.expose()))
            .collect();
        let owner =
            runtime::Owner { namespace: request.owner.namespace.clone(), name: request.owner.name.clone() };
        let seconds = u64::try_from(request.now.as_second()).unwrap_or_default();
        let mut call = Call::new(owner, Occasion::Scheduled, seconds);
        if let Some(key) = self.key.stream(request.stream) {
            call = call.with_stream_key(key);
        }
        let engines = self.clone();
        let work = move || {
            let engine = chosen.load(&engines, World::Template)?;
            let engine = engine.template().map_err(|source| ComponentError::call(&name, source))?;
            let counting = engines.count(World::Template, &name);
            let rendered = engine
                .render(&counting.call(call), &templates, &data, &json!({}))
                .map_err(|source| failed(&name, &engine, &templates, source));
            counting.done(rendered.as_ref().err());
            rendered
        };
        let all = run(DEFAULT_ENGINE, work).await?;
        Ok(Renderings { rendered: all.rendered.into_iter().map(own).collect(), drew: all.drew })
    }
}

/// Tells a template that could never be rendered from one that does not fit its data, which may change.
fn failed(
    name: &str,
    engine: &TemplateComponent,
    templates: &[runtime::TemplateText],
    source: RenderError,
) -> ComponentError {
    let name = name.to_owned();
    let faults = match &source {
        RenderError::Fault(_) => engine.validate(templates, &json!({})).unwrap_or_default(),
        RenderError::Call(_) => Vec::new(),
    };
    match faults.into_iter().next() {
        Some(fault) => ComponentError::Template { name, fault: Box::new(fault) },
        None => ComponentError::Render { name, source: Box::new(source) },
    }
}

/// Runs a component where it may take its time: its limits end it, not our scheduler.
pub(crate) async fn run<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T, ComponentError> + Send + 'static,
) -> Result<T, ComponentError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(ComponentError::Lost { name: name.to_owned() }))
}

fn template(template: &pipeline::TemplateText) -> runtime::TemplateText {
    runtime::TemplateText {
        key: template.key.clone(),
        // What is not UTF-8 is no template; the engine says so at the replacement character.
        text: String::from_utf8_lossy(template.text.expose()).into_owned(),
        scope: match template.scope {
            Scope::Values => runtime::Scope::Values,
            Scope::KeysAndValues => runtime::Scope::KeysAndValues,
        },
    }
}

fn own(rendered: runtime::Rendered) -> Rendered {
    let entries = rendered
        .entries
        .into_iter()
        .map(|entry| Entry { key: entry.key, value: Value::from(entry.value.expose_secret()) });
    Rendered { index: rendered.index, entries: entries.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_not_printed() {
        assert_eq!(format!("{:?}", OperatorKey::new([7; 32])), "OperatorKey(..)");
    }
}
