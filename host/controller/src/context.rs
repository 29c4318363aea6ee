//! What every reconcile has at hand: the client, the ports, the clock, the index, the queue of events.
//!
//! Made once by whoever wires the process (the CLI, a test); holds no secret.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::NamespaceResourceScope;
use kube::{Api, Client, Resource};
use pipeline::{
    CheckedSpec, EntryKey, GeneratorEntry, Generators, Meta, ObjectRef, Policies, ReadSecret, Shapers,
    Sources, StoreView, Stores, TemplateEngine,
};

use crate::Ends;
use crate::activity::Activity;
use crate::backoff::Backoff;
use crate::cache::Caches;
use crate::clock::Clock;
use crate::cluster::ClusterError;
use crate::doubts::Doubts;
use crate::events::Events;
use crate::finalizers::Later;
use crate::leadership::Leadership;
use crate::metrics::Metrics;
use crate::outage::Outage;
use crate::pulse::{LoopState, Loops, Pulse};
use crate::push_secret::Pushed;
use crate::reader::ClusterReader;
use crate::references::References;
use crate::remarks::Remarks;
use crate::selectors::Selectors;
use crate::snapshot::Snapshot;
use crate::watch::Wake;
use crate::wiring::{Engines, GeneratorFinder, GrantFinder, PolicyFinder, StoreOpener, StoreUse, Watched};
use crate::written::Written;

/// How the controllers behave.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Only objects of this namespace; all when absent.
    pub namespace: Option<String>,
    /// How many objects of one kind are worked on at once.
    pub concurrency: u16,
    /// How often a store without a `refreshInterval` of its own is checked.
    pub store_interval: Duration,
    /// Stores and generators whose `controller` names another class are left alone.
    pub class: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespace: None,
            concurrency: 16,
            store_interval: Duration::from_secs(300),
            class: "default".to_owned(),
        }
    }
}

/// The ports of the pipeline, wired to the cluster, the stores and the runtime.
#[derive(Clone)]
pub(crate) struct Ports {
    /// Opens stores to read.
    pub(crate) stores: Arc<dyn Stores>,
    /// Opens stores to push.
    pub(crate) push_stores: Arc<dyn Stores>,
    /// Opens generators.
    pub(crate) generators: Arc<dyn Generators>,
    /// Opens generators as they are now, not as a watch last saw them.
    pub(crate) present_generators: Arc<dyn Generators>,
    /// Renders templates.
    pub(crate) engine: Arc<dyn TemplateEngine>,
    /// Finds policies.
    pub(crate) policies: Arc<dyn Policies>,
    /// Reads what a template refers to.
    pub(crate) reader: Arc<dyn ReadSecret>,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ports")
    }
}

/// What a context is made of.
pub struct Parts {
    /// The API server.
    pub client: Client,
    /// How to behave.
    pub settings: Settings,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where events go.
    pub events: Events,
    /// The components.
    pub engines: Engines,
    /// Connections to stores.
    pub clients: Arc<stores::Clients>,
    /// What is counted; shared by all contexts of a process.
    pub metrics: Metrics,
    /// The right to write to stores. The client has its own guard: see [`Leadership`].
    pub leadership: Leadership,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Everything that a reconcile needs.
pub struct Context {
    pub(crate) client: Client,
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ports: Ports,
    pub(crate) engines: Engines,
    pub(crate) store_opener: StoreOpener,
    pub(crate) caches: Arc<Caches>,
    pub(crate) events: Events,
    /// Of ExternalSecrets.
    pub(crate) finalizers: Later,
    pub(crate) metrics: Metrics,
    pub(crate) references: References,
    pub(crate) selectors: Selectors,
    pub(crate) snapshot: Snapshot,
    pub(crate) backoff: Backoff,
    pub(crate) doubts: Doubts,
    pub(crate) outage: Outage,
    pub(crate) remarks: Remarks,
    pub(crate) wake: Wake,
    pub(crate) written: Written,
    pub(crate) schedule: Schedule,
    pub(crate) pushed: Pushed,
    pub(crate) activity: Activity,
    pub(crate) loops: Arc<Loops>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Context {
    /// Puts it together. The other ends go to [`crate::run`].
    #[must_use]
    pub fn new(parts: Parts) -> (Arc<Self>, Ends) {
        let Parts { client, settings, clock, events, engines, clients, metrics, leadership } = parts;
        let engines = engines.counting(metrics.clone());
        let (caches, writers) = Caches::new(&client);
        let caches = Arc::new(caches);
        let (wake, woken) = Wake::new();
        let reader = Arc::new(ClusterReader::new(client.clone()));
        let credentials = stores::Ports { secrets: reader.clone(), tokens: reader.clone() };
        let store_opener = StoreOpener {
            client: client.clone(),
            caches: Arc::clone(&caches),
            ports: credentials,
            clients,
            purpose: StoreUse::Read,
            watched: Watched { metrics: metrics.clone(), leadership },
        };
        let grants = GrantFinder::new(Arc::clone(&caches), Arc::clone(&reader));
        let pushing = StoreOpener { purpose: StoreUse::Push, ..store_opener.clone() };
        let ports = Ports {
            stores: Arc::new(store_opener.clone()),
            push_stores: Arc::new(pushing),
            generators: Arc::new(GeneratorFinder::new(Arc::clone(&caches), engines.clone(), grants.clone())),
            // Caches that nobody fills: what is not in them is asked for.
            present_generators: Arc::new(GeneratorFinder::new(
                Arc::new(Caches::new(&client).0),
                engines.clone(),
                grants,
            )),
            engine: Arc::new(engines.clone()),
            policies: Arc::new(PolicyFinder {
                caches: Arc::clone(&caches),
                engines: engines.clone(),
                metrics: metrics.clone(),
                cluster: settings.namespace.is_none(),
            }),
            reader,
        };
        let context = Self {
            client,
            settings,
            clock,
            ports,
            engines,
            store_opener,
            caches,
            events,
            finalizers: Later::default(),
            metrics,
            references: References::default(),
            selectors: Selectors::default(),
            snapshot: Snapshot::default(),
            backoff: Backoff::default(),
            doubts: Doubts::default(),
            outage: Outage::default(),
            remarks: Remarks::default(),
            wake,
            written: Written::default(),
            schedule: Schedule::default(),
            pushed: Pushed::default(),
            activity: Activity::default(),
            loops: Arc::default(),
        };
        (Arc::new(context), Ends { writers, woken })
    }

    /// When an object will be looked at next, as far as is known.
    #[must_use]
    pub fn next_refresh(&self, object: &ObjectRef) -> Option<Timestamp> {
        self.schedule.get(object)
    }

    /// Whether this process has looked at an object as it is in `generation`, and done what was due.
    #[must_use]
    pub fn has_looked(&self, object: &ObjectRef, generation: i64) -> bool {
        self.activity.has_looked(object, generation)
    }

    /// Whether nothing has been going on for that long: no look under way, nobody woken.
    #[must_use]
    pub fn is_quiet_for(&self, time: Duration) -> bool {
        self.activity.is_quiet_for(time)
    }

    /// The pulse of a loop of these controllers.
    pub(crate) fn pulse(&self, kind: &str, what: &str) -> Pulse {
        self.loops.begin(match &self.settings.namespace {
            Some(namespace) => format!("{kind} {what} of {namespace}"),
            None => format!("{kind} {what}"),
        })
    }

    /// How each loop is.
    #[must_use]
    pub fn loops(&self) -> Vec<LoopState> {
        self.loops.states()
    }

    /// What gathering for an ExternalSecret asks.
    pub(crate) fn sources(&self) -> Sources {
        Sources {
            stores: Arc::clone(&self.ports.stores),
            generators: Arc::clone(&self.ports.generators),
            engine: Arc::clone(&self.ports.engine),
        }
    }

    /// What shaping asks.
    pub(crate) fn shapers(&self) -> Shapers {
        Shapers {
            engine: Arc::clone(&self.ports.engine),
            templates: Arc::clone(&self.ports.reader),
            policies: Arc::clone(&self.ports.policies),
        }
    }

    /// Whether a controller class is ours; an empty one is everybody's.
    pub(crate) fn is_own_class(&self, class: Option<&str>) -> bool {
        class.is_none_or(|class| class.is_empty() || class == self.settings.class)
    }

    /// Whether a store or generator that an object names belongs to another controller class.
    pub(crate) async fn is_foreign(&self, spec: &CheckedSpec, namespace: &str) -> Result<bool, ClusterError> {
        for store in spec.stores() {
            let class = self.store_opener.class(namespace, &store.kind, &store.name).await?;
            if !self.is_own_class(class.as_deref()) {
                return Ok(true);
            }
        }
        for generator in spec.generators().filter(|generator| generator.kind == "Fake") {
            let found = self.caches.fakes.within(namespace, &generator.name).await?;
            if !found.ok().is_none_or(|fake| self.is_own_class(fake.spec.controller.as_deref())) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Digests of the generators' configs, read only where a change of one would rotate at once, and not from a cache: on an old config
    /// two replicas would rotate back and forth. A generator that cannot be opened now is no change.
    pub(crate) async fn config_digests(
        &self,
        meta: &Meta,
        entries: impl Iterator<Item = &GeneratorEntry>,
    ) -> BTreeMap<EntryKey, String> {
        let mut digests = BTreeMap::new();
        if meta.rotates_on_config_change() {
            for entry in entries {
                let generators = &self.ports.present_generators;
                let opened = generators.open(&meta.namespace, &entry.api_version, &entry.kind, &entry.name);
                if let Ok(handle) = opened.await {
                    digests.insert(entry.key.clone(), handle.config_digest);
                }
            }
        }
        digests
    }

    /// Whether the stores are known; waits a little for that.
    pub(crate) async fn stores_seen(&self) -> bool {
        self.caches.stores_seen(self.settings.namespace.is_none()).await
    }

    /// The stores that an object in a namespace may name, with their labels.
    pub(crate) fn store_views(&self, namespace: &str) -> Vec<StoreView> {
        self.caches.store_views(namespace, |class| self.is_own_class(class))
    }

    /// All objects of a namespaced kind that this controller looks after.
    pub(crate) fn namespaced<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        let objects = Api::all(self.client.clone());
        match &self.settings.namespace {
            Some(namespace) => objects.constrain(namespace),
            None => objects,
        }
    }

    /// All objects of a cluster-scoped kind.
    pub(crate) fn cluster<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = ()>,
    {
        Api::all(self.client.clone())
    }

    /// One namespace's objects of a kind.
    pub(crate) fn within<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }
}

/// When each object is due, for whoever shows it.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    next: Mutex<HashMap<ObjectRef, Timestamp>>,
}

impl Schedule {
    pub(crate) fn set(&self, object: &ObjectRef, next: Option<Timestamp>) {
        let mut all = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        match next {
            Some(next) => all.insert(object.clone(), next),
            None => all.remove(object),
        };
    }

    fn get(&self, object: &ObjectRef) -> Option<Timestamp> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).get(object).copied()
    }
}
