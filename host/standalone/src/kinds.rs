//! Which kinds are served now: the built-in ones, and those of the stored CustomResourceDefinitions.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::objects::{Scope, State};
use crate::openapi::Documents;
use crate::resource::ResourceInfo;

/// Where CustomResourceDefinitions are stored.
pub(crate) const DEFINITIONS: &str = "apiextensions.k8s.io/customresourcedefinitions";

/// The kinds at one moment. Never changes: a changed definition makes a new table.
#[derive(Debug, Default)]
pub(crate) struct Table {
    served: Vec<Arc<ResourceInfo>>,
    by_path: HashMap<(String, String, String), Arc<ResourceInfo>>,
    /// The version in which each kind of a definition is stored, by its kind in storage.
    stored: HashMap<String, Arc<ResourceInfo>>,
    /// Long and seldom asked for: made on first use.
    documents: OnceLock<Documents>,
}

impl Table {
    pub(crate) fn new(definitions: &State) -> Self {
        let mut table = Self::default();
        let scope = Scope { kind: DEFINITIONS.into(), namespace: None };
        let added = definitions.list(&scope).flat_map(|(_, definition)| {
            let kinds = ResourceInfo::from_crd(definition);
            kinds.unwrap_or_default().into_iter().map(Arc::new)
        });
        for info in ResourceInfo::builtins().iter().cloned().chain(added) {
            table.add(info);
        }
        table
    }

    fn add(&mut self, info: Arc<ResourceInfo>) {
        if info.storage {
            // Of the two groups of Events, the first one is how they are stored.
            self.stored.entry(stored_kind(&info)).or_insert_with(|| info.clone());
        }
        if info.served {
            let path = (info.group.clone(), info.version.clone(), info.plural.clone());
            self.by_path.insert(path, info.clone());
            self.served.push(info);
        }
    }

    /// All served kinds, built-in ones first.
    pub(crate) fn served(&self) -> &[Arc<ResourceInfo>] {
        &self.served
    }

    /// The OpenAPI documents about them.
    pub(crate) fn documents(&self) -> &Documents {
        self.documents.get_or_init(|| Documents::new(&self.served))
    }

    /// Whether the group is one of the server's own.
    pub(crate) fn is_builtin(&self, group: &str) -> bool {
        self.served.iter().any(|info| info.builtin && info.group == group)
    }

    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<ResourceInfo>> {
        self.by_path.get(&(group.to_owned(), version.to_owned(), plural.to_owned()))
    }

    /// Any served version of a kind, as owner references name it.
    pub(crate) fn find_kind(&self, api_version: &str, kind: &str) -> Option<&Arc<ResourceInfo>> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        self.served.iter().find(|info| info.group == group && info.kind == kind)
    }

    /// How the objects of a kind in storage look.
    pub(crate) fn stored(&self, kind: &str) -> Option<&Arc<ResourceInfo>> {
        self.stored.get(kind)
    }
}

/// A kind in storage: both groups of Events are one.
pub(crate) fn stored_kind(info: &ResourceInfo) -> String {
    match (info.builtin, info.group.as_str()) {
        (true, "events.k8s.io") => "/events".to_owned(),
        (_, group) => format!("{group}/{}", info.plural),
    }
}

/// The current [`Table`].
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    table: RwLock<Arc<Table>>,
}

impl Kinds {
    pub(crate) fn now(&self) -> Arc<Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the definitions again. `state` is called under the lock, so that of two changes the later one stays.
    pub(crate) fn renew<'a, S: std::ops::Deref<Target = State> + 'a>(&self, state: impl FnOnce() -> S) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        *table = Arc::new(Table::new(&state()));
    }
}
