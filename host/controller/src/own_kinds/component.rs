//! A Component and a ClusterComponent: what is at the source is read, tried and then serves.
//!
//! What serves goes on serving until something else does: a source that is gone, cannot be read, or holds what is refused changes
//! nothing but the status. A call under way is not touched. The source is watched, so a change is seen at once.

mod load;
mod source;

use api::component::{ComponentStatus, RefusedComponent, ServingComponent, SourcePlace};
use api::names::reason;
use api::{ClusterComponent, Component as ComponentObject};
use kube::{Api, Resource, ResourceExt};
use pipeline::{Failure, Next, ObjectRef, Ready};
use runtime::{Component, World};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::{RECHECK_MAX, publish, wake_failing};
use crate::cache::{Cached, Caches};
use crate::context::Context;
use crate::failure::SyncError;
use crate::queue::Again;
use crate::references::{Referents, Role};
use crate::{report, unreadable};

pub(super) use load::ServeError;

/// What the two kinds have in common.
pub(super) trait ComponentKind:
    Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send + Sync + 'static
{
    fn cached(caches: &Caches) -> &Cached<Self>;
    fn objects(&self, context: &Context) -> Api<Self>;
    fn place(&self) -> Option<SourcePlace>;
    fn pinned(&self) -> Option<&str>;
    fn status(&self) -> ComponentStatus;
}

impl ComponentKind for ComponentObject {
    fn cached(caches: &Caches) -> &Cached<Self> {
        &caches.components
    }

    fn objects(&self, context: &Context) -> Api<Self> {
        context.within(&self.namespace().unwrap_or_default())
    }

    fn place(&self) -> Option<SourcePlace> {
        self.spec.source.place(&self.namespace().unwrap_or_default())
    }

    fn pinned(&self) -> Option<&str> {
        self.spec.digest.as_deref()
    }

    fn status(&self) -> ComponentStatus {
        self.status.clone().unwrap_or_default()
    }
}

impl ComponentKind for ClusterComponent {
    fn cached(caches: &Caches) -> &Cached<Self> {
        &caches.cluster_components
    }

    fn objects(&self, context: &Context) -> Api<Self> {
        context.cluster()
    }

    fn place(&self) -> Option<SourcePlace> {
        self.spec.source.place()
    }

    fn pinned(&self) -> Option<&str> {
        self.spec.digest.as_deref()
    }

    fn status(&self) -> ComponentStatus {
        self.status.clone().unwrap_or_default()
    }
}

/// Looks at one.
pub(super) async fn look_at<K: ComponentKind>(
    reference: &ObjectRef,
    context: &Context,
) -> Result<Again, SyncError> {
    let Some(seen) = K::cached(&context.caches).seen(reference) else {
        context.engines.served().remove(reference);
        wake_users(reference, context);
        return Ok(report::leave(context, reference));
    };
    let looked = match &seen.0 {
        Err(invalid) => unreadable::report::<K>(invalid, context).await,
        // It serves until it is gone.
        Ok(object) if object.meta().deletion_timestamp.is_some() => Ok(report::leave(context, reference)),
        Ok(object) => {
            let served = serve(object, reference, context).await;
            say(object, reference, context, served).await
        }
    };
    context.engines.served().decided(reference);
    looked
}

/// Brings what is at the source to serve, if it is to.
async fn serve<K: ComponentKind>(
    object: &K,
    reference: &ObjectRef,
    context: &Context,
) -> Result<Component, ServeError> {
    let place = object.place().ok_or(ServeError::NoSource)?;
    let at = ObjectRef::namespaced(place.kind.as_str(), &place.namespace, &place.name);
    context.references.set(reference, Referents::from([(at.clone(), Role::ComponentSource)]));
    let bytes = source::read(&place, &at, reference, context).await?;
    let serving = context.engines.served().get(reference);
    let users = users(reference, context);
    let loading = load::Loading {
        engines: context.engines.clone(),
        kind: place.kind,
        pinned: object.pinned().map(str::to_owned),
        serving: serving.as_ref().map(Component::digest),
        users,
    };
    match loading.load(bytes).await? {
        load::Loaded::Same => serving.ok_or(ServeError::NoSource),
        load::Loaded::New(component) => {
            tracing::info!(object = %reference, digest = %component.digest(), "a component serves from now on");
            context.engines.served().put(reference, component.clone());
            wake_users(reference, context);
            Ok(component)
        }
    }
}

/// The configs that are in use: of objects that were accepted, whichever component that was.
fn users(component: &ObjectRef, context: &Context) -> Vec<load::User> {
    let referrers = context.references.of(component);
    referrers
        .into_iter()
        .filter_map(|object| {
            let (world, config) = super::config_in_use(&object, context)?;
            Some(load::User { object, world, config })
        })
        .collect()
}

/// Whoever names it is checked again, and whoever failed tries again: the others meet the new one at their next refresh.
fn wake_users(component: &ObjectRef, context: &Context) {
    for user in context.references.of(component) {
        context.wake.wake(context, &user);
    }
    wake_failing(context);
}

async fn say<K: ComponentKind>(
    object: &K,
    reference: &ObjectRef,
    context: &Context,
    served: Result<Component, ServeError>,
) -> Result<Again, SyncError> {
    let before = object.status();
    let (ready, next, refused) = match &served {
        Ok(component) => {
            let message =
                format!("{} {} serves", world_word(component.world()), component.description().name);
            (Ready { status: true, reason: reason::SERVING, message }, Next::WhenChanged, None)
        }
        Err(error) => {
            let message = pipeline::message(error);
            let refused = error.digest().map(|digest| RefusedComponent { digest, message: message.clone() });
            let ready = Ready { status: false, reason: error.reason().as_str(), message };
            (ready, error.retry().into(), refused)
        }
    };
    let serving = context.engines.served().get(reference).map(|component| describe(&component));
    let now = ComponentStatus {
        observed_generation: object.meta().generation,
        conditions: report::conditions(&before.conditions, &ready, context.clock.now()),
        serving,
        refused,
    };
    write(object, context, &before, &now, &ready).await?;
    Ok(report::schedule_within(context, reference, next, RECHECK_MAX))
}

/// Writes the status where it says anything else, and an event when the condition or what serves does.
async fn write<K: ComponentKind>(
    object: &K,
    context: &Context,
    before: &ComponentStatus,
    now: &ComponentStatus,
    ready: &Ready,
) -> Result<(), SyncError> {
    if now == before {
        return Ok(());
    }
    // A status of ours is text, numbers and lists of them. What it does not say any more is taken away.
    let Ok(Json::Object(mut patch)) = serde_json::to_value(now) else { return Ok(()) };
    for field in ["serving", "refused"] {
        patch.entry(field).or_insert(Json::Null);
    }
    let digest = |status: &ComponentStatus| status.serving.as_ref().map(|serving| serving.digest.clone());
    let news = now.conditions != before.conditions || digest(now) != digest(before);
    publish(&object.objects(context), object, context, patch, news.then_some(ready)).await
}

fn describe(component: &Component) -> ServingComponent {
    let said = component.description();
    ServingComponent {
        digest: component.digest().to_string(),
        world: component.world().as_str().to_owned(),
        name: said.name.clone(),
        version: said.version.clone(),
        summary: said.summary.clone(),
        imports: component.imports().to_vec(),
        config_schema: said.config_schema.as_ref().clone(),
    }
}

const fn world_word(world: World) -> &'static str {
    match world {
        World::Generator => "the generator",
        World::Template => "the template engine",
        World::Policy => "the policy",
    }
}
