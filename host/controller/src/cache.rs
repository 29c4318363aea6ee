//! The stores and generators of the cluster, as the watches last saw them.
//!
//! There are few of them and every refresh asks for one, so they are kept in memory, without `managedFields`. What is not in the
//! cache is asked for: an object that was created a moment ago is found. Secrets are never kept.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use api::{
    ClusterComponent, ClusterGenerator, ClusterPolicy, ClusterSecretStore, Component, ConditionStatus, Fake,
    Generator, Grant, Password, Policy, SecretStore, SecretStoreSpec, Uuid,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::{ClusterResourceScope, NamespaceResourceScope};
use kube::core::DeserializeGuard;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef as Key, Store};
use kube::{Api, Client, Resource};
use pipeline::{Found, ObjectRef, StoreName, StoreView};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::cluster::ClusterError;

/// How long the first list of the stores may take.
const SEEN: Duration = Duration::from_secs(5);

/// One kind's objects.
pub(crate) struct Cached<K: Resource<DynamicType = ()> + Clone + 'static> {
    reader: Store<DeserializeGuard<K>>,
    client: Client,
}

/// The other ends of the caches, for the watches that fill them.
pub(crate) struct Writers {
    pub(crate) secret_stores: Writer<DeserializeGuard<SecretStore>>,
    pub(crate) cluster_secret_stores: Writer<DeserializeGuard<ClusterSecretStore>>,
    pub(crate) passwords: Writer<DeserializeGuard<Password>>,
    pub(crate) uuids: Writer<DeserializeGuard<Uuid>>,
    pub(crate) fakes: Writer<DeserializeGuard<Fake>>,
    pub(crate) cluster_generators: Writer<DeserializeGuard<ClusterGenerator>>,
    pub(crate) generators: Writer<DeserializeGuard<Generator>>,
    pub(crate) policies: Writer<DeserializeGuard<Policy>>,
    pub(crate) cluster_policies: Writer<DeserializeGuard<ClusterPolicy>>,
    pub(crate) components: Writer<DeserializeGuard<Component>>,
    pub(crate) grants: Writer<DeserializeGuard<Grant>>,
    pub(crate) cluster_components: Writer<DeserializeGuard<ClusterComponent>>,
}

/// All cached kinds.
pub(crate) struct Caches {
    pub(crate) secret_stores: Cached<SecretStore>,
    pub(crate) cluster_secret_stores: Cached<ClusterSecretStore>,
    pub(crate) passwords: Cached<Password>,
    pub(crate) uuids: Cached<Uuid>,
    pub(crate) fakes: Cached<Fake>,
    pub(crate) cluster_generators: Cached<ClusterGenerator>,
    pub(crate) generators: Cached<Generator>,
    pub(crate) policies: Cached<Policy>,
    pub(crate) cluster_policies: Cached<ClusterPolicy>,
    pub(crate) components: Cached<Component>,
    pub(crate) grants: Cached<Grant>,
    pub(crate) cluster_components: Cached<ClusterComponent>,
    /// Of our own kinds, those that were listed; or that the API server does not know, so that there is none.
    pub(crate) listed: Listed,
}

impl Caches {
    pub(crate) fn new(client: &Client) -> (Self, Writers) {
        let (secret_stores, stores) = cached(client);
        let (cluster_secret_stores, cluster_stores) = cached(client);
        let (passwords, password_writer) = cached(client);
        let (uuids, uuid_writer) = cached(client);
        let (fakes, fake_writer) = cached(client);
        let (cluster_generators, cluster_generator_writer) = cached(client);
        let (generators, generator_writer) = cached(client);
        let (policies, policy_writer) = cached(client);
        let (cluster_policies, cluster_policy_writer) = cached(client);
        let (components, component_writer) = cached(client);
        let (grants, grant_writer) = cached(client);
        let (cluster_components, cluster_component_writer) = cached(client);
        let caches = Self {
            secret_stores,
            cluster_secret_stores,
            passwords,
            uuids,
            fakes,
            cluster_generators,
            generators,
            policies,
            cluster_policies,
            components,
            grants,
            cluster_components,
            listed: Listed::default(),
        };
        let writers = Writers {
            secret_stores: stores,
            cluster_secret_stores: cluster_stores,
            passwords: password_writer,
            uuids: uuid_writer,
            fakes: fake_writer,
            cluster_generators: cluster_generator_writer,
            generators: generator_writer,
            policies: policy_writer,
            cluster_policies: cluster_policy_writer,
            components: component_writer,
            grants: grant_writer,
            cluster_components: cluster_component_writer,
        };
        (caches, writers)
    }

    /// Waits until all stores were seen once; of ClusterSecretStores only where they are watched. Before, a store that is missing here
    /// may well exist. Not for ever: a watch may be refused.
    pub(crate) async fn stores_seen(&self, cluster: bool) -> bool {
        let seen = async {
            let own = self.secret_stores.reader.wait_until_ready().await.is_ok();
            own && (!cluster || self.cluster_secret_stores.reader.wait_until_ready().await.is_ok())
        };
        tokio::time::timeout(SEEN, seen).await.unwrap_or(false)
    }

    /// Waits until all policies were seen once; of ClusterPolicies only where they are watched. Not for ever: a watch may be refused.
    pub(crate) async fn policies_seen(&self, cluster: bool) -> bool {
        self.listed.all(if cluster { &["Policy", "ClusterPolicy"] } else { &["Policy"] }).await
    }

    /// Waits until all Grants were seen once. Not for ever: a watch may be refused.
    pub(crate) async fn grants_seen(&self) -> bool {
        self.listed.all(&["Grant"]).await
    }

    /// The stores that an object in a namespace may name, with their labels. Whether a controller class is ours, `is_ours` says.
    pub(crate) fn store_views(
        &self,
        namespace: &str,
        is_ours: impl Fn(Option<&str>) -> bool,
    ) -> Vec<StoreView> {
        // Of one that cannot be read the class is not known: opening it says what is wrong with it.
        let view = |kind: &str, meta: &ObjectMeta, spec: Option<&SecretStoreSpec>| StoreView {
            name: StoreName { kind: kind.to_owned(), name: meta.name.clone().unwrap_or_default() },
            labels: meta.labels.clone().unwrap_or_default(),
            usable: meta.deletion_timestamp.is_none()
                && spec.is_none_or(|spec| is_ours(spec.controller.as_deref())),
        };
        let own = self.secret_stores.reader.state();
        let own = own.iter().filter(|store| store.meta().namespace.as_deref() == Some(namespace));
        let own = own
            .map(|store| view("SecretStore", store.meta(), store.0.as_ref().ok().map(|store| &store.spec)));
        let mut views: Vec<StoreView> = own.collect();
        let cluster = self.cluster_secret_stores.reader.state();
        views.extend(cluster.iter().map(|store| {
            view("ClusterSecretStore", store.meta(), store.0.as_ref().ok().map(|store| &store.spec))
        }));
        views.sort_by(|a, b| a.name.cmp(&b.name));
        views
    }

    /// What the condition Ready of a store says, as far as the watch has seen it.
    pub(crate) fn store_ready(&self, store: &ObjectRef) -> Option<ConditionStatus> {
        let status = match &store.namespace {
            Some(namespace) => {
                let kept = self.secret_stores.kept(&Key::new(&store.name).within(namespace))?;
                kept.status.clone()
            }
            None => self.cluster_secret_stores.kept(&Key::new(&store.name))?.status.clone(),
        };
        status?.ready().map(|ready| ready.status.clone())
    }
}

/// Kinds of which all objects there are have been seen.
#[derive(Debug)]
pub(crate) struct Listed {
    kinds: watch::Sender<BTreeSet<String>>,
    began: Instant,
}

impl Default for Listed {
    fn default() -> Self {
        Self { kinds: watch::Sender::default(), began: Instant::now() }
    }
}

impl Listed {
    /// One more kind.
    pub(crate) fn add(&self, kind: &str) {
        self.kinds.send_if_modified(|kinds| kinds.insert(kind.to_owned()));
    }

    /// Whether all of these were listed. Only the start of a process is waited for.
    async fn all(&self, wanted: &[&str]) -> bool {
        let mut kinds = self.kinds.subscribe();
        let all = kinds.wait_for(|kinds| wanted.iter().all(|kind| kinds.contains(*kind)));
        tokio::time::timeout_at(self.began + SEEN, all).await.is_ok_and(|seen| seen.is_ok())
    }
}

fn cached<K>(client: &Client) -> (Cached<K>, Writer<DeserializeGuard<K>>)
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let writer = Writer::default();
    (Cached { reader: writer.as_reader(), client: client.clone() }, writer)
}

impl<K> Cached<K>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + 'static,
{
    /// A namespaced object, from the cache or else from the API server.
    pub(crate) async fn within(&self, namespace: &str, name: &str) -> Result<Found<Arc<K>>, ClusterError>
    where
        K: Resource<Scope = NamespaceResourceScope>,
    {
        match self.kept(&Key::new(name).within(namespace)) {
            Some(found) => Ok(Found::Found(found)),
            None => self.ask(Api::namespaced(self.client.clone(), namespace), Some(namespace), name).await,
        }
    }

    /// A cluster-scoped object, from the cache or else from the API server.
    pub(crate) async fn named(&self, name: &str) -> Result<Found<Arc<K>>, ClusterError>
    where
        K: Resource<Scope = ClusterResourceScope>,
    {
        match self.kept(&Key::new(name)) {
            Some(found) => Ok(Found::Found(found)),
            None => self.ask(Api::all(self.client.clone()), None, name).await,
        }
    }

    /// As the watch last saw it, whether or not it can be read.
    pub(crate) fn seen(&self, object: &ObjectRef) -> Option<Arc<DeserializeGuard<K>>> {
        let key = Key::new(&object.name);
        self.reader.get(&match &object.namespace {
            Some(namespace) => key.within(namespace),
            None => key,
        })
    }

    /// All of them, as the watch last saw them.
    pub(crate) fn all(&self) -> Vec<Arc<DeserializeGuard<K>>> {
        self.reader.state()
    }

    fn kept(&self, key: &Key<DeserializeGuard<K>>) -> Option<Arc<K>> {
        let kept = self.reader.get(key)?;
        kept.0.as_ref().ok().map(|object| Arc::new(object.clone()))
    }

    async fn ask(
        &self,
        objects: Api<K>,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Found<Arc<K>>, ClusterError> {
        match objects.get_opt(name).await {
            Ok(found) => Ok(found.map_or(Found::Missing, |found| Found::Found(Arc::new(found)))),
            Err(error) => {
                let kind = K::kind(&()).into_owned();
                let object =
                    ObjectRef { kind, namespace: namespace.map(str::to_owned), name: name.to_owned() };
                Err(ClusterError::Read { object, answer: error.into() })
            }
        }
    }
}
