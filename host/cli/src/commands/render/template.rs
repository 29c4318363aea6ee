//! The template of a manifest, checked, and shaped by the functions with which the operator shapes it.

use api::names::{annotation, group};
use api::{ExternalSecret, PushSecret};
use async_trait::async_trait;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use pipeline::{
    BoxFailure, CheckedPush, CheckedSpec, Fields, Gathered, Judge, Meta, Origin, Policies, PushError,
    ShapeError, Shaped, Shapers, SpecError, Subject, shape, shape_push,
};
use serde::de::DeserializeOwned;

use crate::ending::Ending;
use crate::manifest::Manifest;

/// The kinds that have a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    ExternalSecret,
    PushSecret,
}

impl Kind {
    pub(super) fn of(manifest: &Manifest) -> Option<Self> {
        let (group, version) = manifest.api_version().split_once('/')?;
        match (group, version, manifest.kind()) {
            (group::EXTERNAL_SECRETS, "v1", "ExternalSecret") => Some(Self::ExternalSecret),
            (group::EXTERNAL_SECRETS, "v1alpha1", "PushSecret") => Some(Self::PushSecret),
            _ => None,
        }
    }
}

/// A checked spec and whose it is.
pub(super) struct Rendering {
    spec: Spec,
    meta: Meta,
}

enum Spec {
    External(CheckedSpec),
    Push(CheckedPush),
}

/// Why there is no result.
pub(super) enum RenderFailure {
    External(ShapeError),
    Push(PushError),
}

impl Rendering {
    /// Checks all of the object, as the operator would before it renders. `engine` is asked instead of the one that it names.
    pub(super) fn of(
        manifest: &Manifest,
        kind: Kind,
        origin: &str,
        engine: Option<&str>,
    ) -> Result<Self, Ending> {
        let (spec, metadata) = match kind {
            Kind::ExternalSecret => {
                let object: ExternalSecret = typed(manifest, origin)?;
                (CheckedSpec::parse(&object).map(Spec::External), object.metadata)
            }
            Kind::PushSecret => {
                let object: PushSecret = typed(manifest, origin)?;
                (CheckedPush::parse(&object).map(Spec::Push), object.metadata)
            }
        };
        let spec = spec.map_err(|SpecError::Invalid { problems, .. }| {
            let details = problems.iter().map(ToString::to_string).collect();
            Ending::failed(format!("accept the spec of {origin}")).with(details)
        })?;
        let mut metadata = ObjectMeta { namespace: Some(manifest.namespace().to_owned()), ..metadata };
        if let Some(engine) = engine {
            let annotations = metadata.annotations.get_or_insert_default();
            annotations.insert(annotation::TEMPLATE_ENGINE.to_owned(), engine.to_owned());
        }
        Ok(Self { spec, meta: Meta::from(&metadata) })
    }

    /// What becomes of `data`.
    pub(super) async fn shape(&self, shapers: &Shapers, data: Fields) -> Result<Shaped, RenderFailure> {
        let now = Timestamp::now();
        match &self.spec {
            Spec::External(spec) => shape(shapers, spec, &self.meta, &Gathered::given(data, now))
                .await
                .map_err(RenderFailure::External),
            Spec::Push(spec) => {
                let origin =
                    Origin { name: &self.meta.name, version: None, rotation: None, drawn_in: "", time: now };
                let shaped = shape_push(shapers, spec, &self.meta, origin, (&data, &[])).await;
                let shaped = shaped.map_err(RenderFailure::Push)?;
                Ok(Shaped { data: shaped.fields, origins: shaped.origins, ..Shaped::default() })
            }
        }
    }
}

fn typed<K: DeserializeOwned>(manifest: &Manifest, origin: &str) -> Result<K, Ending> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(&manifest.text, options)
        .map_err(|error| Ending::failed(format!("read {origin}: {error}")))
}

/// Nothing judges a sample: `keymill check` does, when it is asked to.
pub(super) struct NoPolicies;

#[async_trait]
impl Policies for NoPolicies {
    async fn judging(&self, _: &Subject<'_>) -> Result<Vec<Judge>, BoxFailure> {
        Ok(Vec::new())
    }
}
