//! Which events wake which objects.
//!
//! One watch per kind that objects refer to. Of Secrets and ConfigMaps only metadata is seen and nothing is kept; stores and
//! generators fill the caches. An event looks up who refers to the object (`references`) and wakes them. A watch that lost its
//! place lists again, which wakes everybody who knows of something else than what is listed: a missed event is never a lost one. What
//! an object has read or written itself does not wake it.

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;

use api::{ClusterSecretStore, ExternalSecret, PushSecret, SecretStore};
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::ObjectRef as Key;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Resource, ResourceExt};
use pipeline::ObjectRef;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::cache::Writers;
use crate::clock;
use crate::context::Context;
use crate::own_kinds;
use crate::pulse::Pulse;
use crate::reconnect;
use crate::references::{Sight, any_secret};

/// Where to say that an object should be looked at again.
#[derive(Debug, Clone)]
pub(crate) struct Wake {
    pub(crate) external_secrets: UnboundedSender<Key<DeserializeGuard<ExternalSecret>>>,
    pub(crate) push_secrets: UnboundedSender<Key<DeserializeGuard<PushSecret>>>,
    pub(crate) secret_stores: UnboundedSender<Key<DeserializeGuard<SecretStore>>>,
    pub(crate) cluster_secret_stores: UnboundedSender<Key<DeserializeGuard<ClusterSecretStore>>>,
    pub(crate) own_kinds: UnboundedSender<ObjectRef>,
}

/// Where that is heard.
#[derive(Debug)]
pub(crate) struct Woken {
    pub(crate) external_secrets: UnboundedReceiver<Key<DeserializeGuard<ExternalSecret>>>,
    pub(crate) push_secrets: UnboundedReceiver<Key<DeserializeGuard<PushSecret>>>,
    pub(crate) secret_stores: UnboundedReceiver<Key<DeserializeGuard<SecretStore>>>,
    pub(crate) cluster_secret_stores: UnboundedReceiver<Key<DeserializeGuard<ClusterSecretStore>>>,
    pub(crate) own_kinds: UnboundedReceiver<ObjectRef>,
}

impl Wake {
    /// With the other end of it.
    pub(crate) fn new() -> (Self, Woken) {
        let (external_secrets, woken_external_secrets) = unbounded();
        let (push_secrets, woken_push_secrets) = unbounded();
        let (secret_stores, woken_secret_stores) = unbounded();
        let (cluster_secret_stores, woken_cluster_secret_stores) = unbounded();
        let (own_kinds, woken_own_kinds) = unbounded();
        let woken = Woken {
            external_secrets: woken_external_secrets,
            push_secrets: woken_push_secrets,
            secret_stores: woken_secret_stores,
            cluster_secret_stores: woken_cluster_secret_stores,
            own_kinds: woken_own_kinds,
        };
        (Self { external_secrets, push_secrets, secret_stores, cluster_secret_stores, own_kinds }, woken)
    }

    /// Wakes one object. The receivers live as long as the controllers; when they are gone there is nobody to wake.
    pub(crate) fn wake(&self, context: &Context, object: &ObjectRef) {
        context.activity.woke();
        let namespace = object.namespace.as_deref().unwrap_or_default();
        let _woken = match object.kind.as_str() {
            "ExternalSecret" => {
                self.external_secrets.unbounded_send(Key::new(&object.name).within(namespace)).is_ok()
            }
            "PushSecret" => {
                self.push_secrets.unbounded_send(Key::new(&object.name).within(namespace)).is_ok()
            }
            "SecretStore" => {
                self.secret_stores.unbounded_send(Key::new(&object.name).within(namespace)).is_ok()
            }
            "ClusterSecretStore" => self.cluster_secret_stores.unbounded_send(Key::new(&object.name)).is_ok(),
            kind if own_kinds::is_own(kind) => self.own_kinds.unbounded_send(object.clone()).is_ok(),
            _ => false,
        };
    }
}

/// What every watch has at hand.
#[derive(Clone)]
struct Watch {
    context: Arc<Context>,
    shutdown: CancellationToken,
}

/// Starts all watches; they end with `shutdown`.
pub(crate) fn start(context: &Arc<Context>, writers: Writers, shutdown: &CancellationToken) {
    let watch = Watch { context: Arc::clone(context), shutdown: shutdown.clone() };
    tokio::spawn(clock::mind(Arc::clone(context), shutdown.clone()));
    watch.metadata::<Secret>(context.namespaced());
    watch.metadata::<ConfigMap>(context.namespaced());
    watch.cached(context.namespaced(), writers.secret_stores);
    watch.cached(context.namespaced(), writers.passwords);
    watch.cached(context.namespaced(), writers.uuids);
    watch.cached(context.namespaced(), writers.fakes);
    own_kinds::watch(context, context.namespaced(), writers.generators, shutdown);
    own_kinds::watch(context, context.namespaced(), writers.policies, shutdown);
    own_kinds::watch(context, context.namespaced(), writers.components, shutdown);
    own_kinds::watch(context, context.namespaced(), writers.grants, shutdown);
    if context.settings.namespace.is_none() {
        own_kinds::watch(context, context.cluster(), writers.cluster_policies, shutdown);
        own_kinds::watch(context, context.cluster(), writers.cluster_components, shutdown);
        watch.cached(context.cluster(), writers.cluster_secret_stores);
        watch.cached(context.cluster(), writers.cluster_generators);
    }
}

impl Watch {
    fn metadata<K>(&self, objects: Api<PartialObjectMeta<K>>)
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
    {
        let kind = K::kind(&()).into_owned();
        let pulse = self.pulse(&kind);
        let events = reconnect::watch(objects);
        self.follow(kind, &pulse, events);
    }

    /// One object that cannot be read does not keep the others out: it is not in the cache.
    fn cached<K>(&self, objects: Api<DeserializeGuard<K>>, writer: Writer<DeserializeGuard<K>>)
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    {
        let kind = K::kind(&()).into_owned();
        let pulse = self.pulse(&kind);
        let events = reconnect::watch(objects)
            .modify(|object| object.meta_mut().managed_fields = None)
            .reflect(writer);
        self.follow(kind, &pulse, events);
    }

    fn pulse(&self, kind: &str) -> Pulse {
        self.context.pulse(kind, "watch")
    }

    fn follow<K>(
        &self,
        kind: String,
        pulse: &Pulse,
        events: impl Stream<Item = Result<Event<K>, watcher::Error>> + Send + 'static,
    ) where
        K: ResourceExt + Send + 'static,
    {
        let (watch, pulse) = (self.clone(), pulse.clone());
        tokio::spawn(async move {
            let events = events.take_until(watch.shutdown.cancelled());
            let mut first = true;
            let mut listed = HashSet::new();
            let each = |event| match pulse.heed(event) {
                Some(Event::InitApply(object)) => {
                    watch.changed(&kind, &object, &content(&object), first);
                    let place = place(&kind, &object);
                    if first || watch.context.references.has(&place) {
                        listed.insert(place);
                    }
                }
                Some(Event::Apply(object)) => watch.changed(&kind, &object, &content(&object), false),
                Some(Event::Delete(object)) => watch.changed(&kind, &object, "", false),
                Some(Event::Init) => listed.clear(),
                Some(Event::InitDone) => {
                    watch.listed(&kind, &std::mem::take(&mut listed), first);
                    first = false;
                }
                None => {}
            };
            pulse.follow(events, each).await;
        });
    }

    /// A list is complete. `first`: it is the one that the watch began with.
    fn listed(&self, kind: &str, listed: &HashSet<ObjectRef>, first: bool) {
        for referrer in self.context.references.unlisted(kind, listed) {
            self.context.wake.wake(&self.context, &referrer);
        }
        if first && kind == "Secret" {
            let context = Arc::clone(&self.context);
            let shutdown = self.shutdown.clone();
            tokio::spawn(async move {
                let secrets = context.namespaced();
                let _done =
                    shutdown.run_until_cancelled(context.snapshot.fill(&context.client, &secrets)).await;
            });
        }
    }

    /// `first`: it was there when the watch began.
    fn changed<K: ResourceExt>(&self, kind: &str, object: &K, content: &str, first: bool) {
        let reference = place(kind, object);
        let version = object.resource_version().unwrap_or_default();
        let sight = Sight { version: &version, content, first };
        if kind == "Secret" && !first {
            let namespace = reference.namespace.as_deref().unwrap_or_default();
            self.context.snapshot.changed(namespace, &reference.name, &version);
        }
        for referrer in self.context.references.changed(&reference, sight) {
            self.context.wake.wake(&self.context, &referrer);
        }
        if kind == "Secret" {
            let any = any_secret(reference.namespace.as_deref().unwrap_or_default());
            let concerned = self.context.references.changed(&any, sight).into_iter();
            for referrer in concerned.filter(|one| self.context.selectors.selects(one, object.labels())) {
                self.context.wake.wake(&self.context, &referrer);
            }
        }
    }
}

pub(crate) fn place<K: ResourceExt>(kind: &str, object: &K) -> ObjectRef {
    ObjectRef { kind: kind.to_owned(), namespace: object.namespace(), name: object.name_any() }
}

/// Where a kind counts the changes of its spec, its status is no content.
pub(crate) fn content<K: ResourceExt>(object: &K) -> String {
    match object.meta().generation {
        Some(generation) => format!("{}/{generation}", object.uid().unwrap_or_default()),
        None => object.resource_version().unwrap_or_default(),
    }
}
