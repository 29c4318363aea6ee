//! A Policy and a ClusterPolicy: the component is there and accepts the config.

use api::component::ConfiguredStatus;
use api::policy::PolicySpec;
use api::{ClusterPolicy, Policy};
use kube::{Api, ResourceExt};
use pipeline::BoxFailure;
use runtime::World;

use super::OwnKind;
use crate::cache::{Cached, Caches};
use crate::context::Context;
use crate::wiring::{Chosen, check_config};

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

    async fn check(&self, context: &Context) -> Result<String, BoxFailure> {
        check(&self.spec, context).await
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

    async fn check(&self, context: &Context) -> Result<String, BoxFailure> {
        check(&self.spec.policy, context).await
    }
}

async fn check(spec: &PolicySpec, context: &Context) -> Result<String, BoxFailure> {
    let (chosen, config) = (Chosen::of(&spec.component_ref), spec.config.clone());
    check_config(&context.engines, World::Policy, chosen, config.into()).await
}
