//! A Generator: a component that makes values, with its config.

use api::Generator;
use api::component::ConfiguredStatus;
use kube::{Api, ResourceExt};
use runtime::World;

use super::{Configured, OwnKind, Use};
use crate::cache::{Cached, Caches};
use crate::context::Context;
use crate::wiring::Chosen;

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

    fn configured(&self) -> Configured {
        Configured {
            component: Chosen::of(&self.spec.component_ref, self.metadata.namespace.as_deref()),
            used: Use::Config { world: World::Generator, config: self.spec.config.clone().into() },
        }
    }
}
