//! A Generator: its component is there and accepts its config.

use api::Generator;
use api::component::ConfiguredStatus;
use kube::{Api, ResourceExt};
use pipeline::BoxFailure;
use runtime::World;

use super::OwnKind;
use crate::cache::{Cached, Caches};
use crate::context::Context;
use crate::wiring::{Chosen, check_config};

impl OwnKind for Generator {
    fn cached(caches: &Caches) -> &Cached<Self> {
        &caches.generators
    }

    fn objects(&self, context: &Context) -> Api<Self> {
        context.within(&self.namespace().unwrap_or_default())
    }

    fn status(&self) -> ConfiguredStatus {
        self.status.clone().unwrap_or_default()
    }

    async fn check(&self, context: &Context) -> Result<String, BoxFailure> {
        let (chosen, config) = (Chosen::of(&self.spec.component_ref), self.spec.config.clone());
        check_config(&context.engines, World::Generator, chosen, config.into()).await
    }
}
