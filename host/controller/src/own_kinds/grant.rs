//! A Grant: its component is there and wants what is granted.

use api::Grant;
use api::component::ConfiguredStatus;
use kube::{Api, ResourceExt};

use super::{Configured, OwnKind, Use};
use crate::cache::{Cached, Caches};
use crate::context::Context;
use crate::wiring::{Chosen, capability};

impl OwnKind for Grant {
    fn cached(caches: &Caches) -> &Cached<Self> {
        &caches.grants
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
            used: Use::Label { label: self.spec.label.clone(), capability: capability(&self.spec) },
        }
    }
}
