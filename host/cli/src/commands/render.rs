//! `keymill render`: what an ExternalSecret's or PushSecret's template makes of given data, without a cluster.
//!
//! The checks, the order of precedence and the engine are those of the operator. ConfigMaps and Secrets that a template refers to
//! are looked for in the manifest's own file. Functions that draw, draw from a key of this one run: what they give is a sample.

mod template;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use controller::{Engines, OperatorKey};
use pipeline::{Failure, PushError, ShapeError, Shaped, Shapers};

use crate::args::Render;
use crate::catalog::Components;
use crate::data::Source;
use crate::ending::{self, Ending, chain, say};
use crate::manifest::{self, Manifest, Manifests};
use crate::objects::Objects;
use crate::output::{Pair, Values};
use template::{Kind, NoPolicies, RenderFailure, Rendering};

pub(crate) fn run(args: Render) -> Result<ExitCode> {
    Ok(ending::code(render(&args)))
}

fn render(args: &Render) -> Result<(), Ending> {
    let manifests = read(&args.manifest)?;
    let (object, kind) = template_of(&args.manifest, &manifests)?;
    let origin = format!("{}, {}", args.manifest.display(), object.title());
    let rendering = Rendering::of(object, kind, &origin, args.engine.as_deref())?;
    let data = Source::open(&args.data)?.map()?;
    let objects = Objects::of(&manifests.good);
    let objects =
        objects.map_err(|what| Ending::failed(format!("read {}: {what}", args.manifest.display())))?;
    let components = Components::open()?;
    let catalog = match &args.engine {
        Some(engine) => components.into_catalog_with(engine)?,
        None => components.into_catalog(),
    };
    let shapers = Shapers {
        engine: Arc::new(Engines::new(Arc::new(catalog), key()?)),
        templates: Arc::new(objects),
        policies: Arc::new(NoPolicies),
    };
    let shaped = block_on(rendering.shape(&shapers, data))?.map_err(|failure| refused(&origin, &failure))?;
    let pairs: Vec<Pair<'_>> =
        shaped.data.iter().map(|(key, value)| (key.as_str(), value.expose())).collect();
    let mut values = Values::open(args.output);
    values.write(&pairs, &notes(&shaped))?;
    values.finish()?;
    if args.explain {
        say(&explained(&shaped));
    }
    Ok(())
}

/// Where each key comes from, one line each.
fn explained(shaped: &Shaped) -> String {
    let origin = |key: &String| shaped.origins.get(key).map_or("the data", String::as_str);
    shaped.data.keys().map(|key| format!("{key}: {}\n", origin(key))).collect()
}

fn read(path: &Path) -> Result<Manifests, Ending> {
    let name = path.display();
    let manifests = manifest::read(path).map_err(|error| Ending::failed(format!("read {name}: {error}")))?;
    match manifests.bad.first() {
        Some(bad) => Err(Ending::failed(format!("read {bad}"))),
        None => Ok(manifests),
    }
}

/// The one object with a template that is meant.
fn template_of<'a>(path: &Path, manifests: &'a Manifests) -> Result<(&'a Manifest, Kind), Ending> {
    let name = path.display();
    let mut objects = manifests.good.iter().filter_map(|manifest| Some((manifest, Kind::of(manifest)?)));
    match (objects.next(), objects.next()) {
        (Some(object), None) => Ok(object),
        (Some((one, _)), Some((other, _))) => Err(Ending::failed(format!(
            "choose a template: {name} holds {} and {}, and one is wanted",
            one.title(),
            other.title()
        ))),
        (None, _) => Err(Ending::failed(format!(
            "find a template: {name} holds no ExternalSecret (external-secrets.io/v1) and no PushSecret (external-secrets.io/v1alpha1)"
        ))),
    }
}

fn key() -> Result<OperatorKey, Ending> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Ending::failed("get random bytes from the system"))?;
    Ok(OperatorKey::new(bytes))
}

fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Ending> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().context("start the runtime")?;
    Ok(runtime.block_on(work))
}

/// A template that the engine refuses, or an engine that fails, is a component's refusal; the rest is not.
fn refused(origin: &str, failure: &RenderFailure) -> Ending {
    let (shape, error): (Option<&ShapeError>, &dyn Failure) = match failure {
        RenderFailure::External(error) => (Some(error), error),
        RenderFailure::Push(error @ PushError::Shape { source }) => (Some(source), error),
        RenderFailure::Push(error) => (None, error),
    };
    let advice = match error.advice() {
        "" => String::new(),
        advice => format!("; {advice}"),
    };
    let what = format!("render {origin}: {}{advice}", chain(error));
    match shape {
        Some(ShapeError::Render { .. } | ShapeError::RenderedElse) => Ending::component(what),
        _ => Ending::failed(what),
    }
}

/// What a target has beside its data.
fn notes(shaped: &Shaped) -> Vec<String> {
    let kind = shaped.secret_type.iter().map(|kind| format!("type {kind}"));
    let pairs = |what: &'static str, map: &'_ std::collections::BTreeMap<String, String>| {
        map.iter().map(|(key, value)| format!("{what} {key}={value}")).collect::<Vec<_>>()
    };
    kind.chain(pairs("label", &shaped.labels)).chain(pairs("annotation", &shaped.annotations)).collect()
}
