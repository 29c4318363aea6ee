//! A Policy and a ClusterPolicy: a component that judges values, with its config.

use api::component::ConfiguredStatus;
use api::policy::PolicySpec;
use api::{ClusterPolicy, Policy};
use kube::{Api, ResourceExt};
use runtime::World;

use super::{Configured, OwnKind, Use};
use crate::cache::{Cached, Caches};
use crate::context::Context;
use crate::wiring::Chosen;

impl OwnKind for Policy {
    fn cached(caches: &Caches) -> &Cached<Self> {
        &caches.policies
    }

    fn objects(&self, context: &Context) -> Api<Self> {
        context.within(&self.namespace().unwrap_or_default())
    }

    fn status(&self) -> ConfiguredStatus {
        self.status.clone().unwrap_or_default()
    }

    fn configured(&self) -> Configured {
        configured(&self.spec, self.metadata.namespace.as_deref())
    }
}

impl OwnKind for ClusterPolicy {
    fn cached(caches: &Caches) -> &Cached<Self> {
        &caches.cluster_policies
    }

    fn objects(&self, context: &Context) -> Api<Self> {
        context.cluster()
    }

    fn status(&self) -> ConfiguredStatus {
        self.status.clone().unwrap_or_default()
    }

    fn configured(&self) -> Configured {
        configured(&self.spec.policy, None)
    }
}

fn configured(spec: &PolicySpec, namespace: Option<&str>) -> Configured {
    Configured {
        component: Chosen::of(&spec.component_ref, namespace),
        used: Use::Config { world: World::Policy, config: spec.config.clone().into() },
    }
}
