//! Every stored object, the one version counter, and the recent history that watches read.
//!
//! A change is computed, written to the database in one transaction with the counter, and only then shown: readers
//! never see what a crash could take back. Changes happen one after the other; reads never wait for the disk.
//! It knows nothing of kinds: an object is JSON at a [`Place`].

mod history;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use serde_json::Value;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::database::{Database, DatabaseError};
use crate::object;
use crate::status::Failure;

pub(crate) use history::{Change, History};

const OBJECTS: &str = "objects";
const COUNTERS: &str = "counters";
const VERSION: &[u8] = b"resource-version";

/// Where an object is stored: its kind in storage (`group/plural`), namespace (empty for cluster scope) and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) kind: Arc<str>,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// By kind, then as Kubernetes orders the keys of its store: `a-b/x` comes before `a/x`.
impl Ord for Place {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.kind.cmp(&other.kind).then_with(|| self.key().cmp(other.key()))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Place {
    fn key(&self) -> impl Iterator<Item = u8> + '_ {
        let slash = (!self.namespace.is_empty()).then_some(b'/');
        self.namespace.bytes().chain(slash).chain(self.name.bytes())
    }

    /// No part of a place contains a space or a control character, so that the bytes keep the order and can be split.
    fn to_bytes(&self) -> Vec<u8> {
        [self.kind.as_bytes(), self.namespace.as_bytes(), self.name.as_bytes()].join(&0)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(bytes).ok()?.splitn(3, '\0');
        Some(Self {
            kind: parts.next()?.into(),
            namespace: parts.next()?.to_owned(),
            name: parts.next()?.to_owned(),
        })
    }
}

/// All objects of a kind, or those of one namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) kind: Arc<str>,
    pub(crate) namespace: Option<String>,
}

impl Scope {
    pub(crate) fn holds(&self, place: &Place) -> bool {
        place.kind == self.kind
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == place.namespace)
    }
}

/// All objects at one moment. Not `Debug`, since it holds Secrets.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) version: u64,
    objects: BTreeMap<Place, Arc<Value>>,
    pub(crate) history: History,
}

impl State {
    pub(crate) fn get(&self, place: &Place) -> Option<&Arc<Value>> {
        self.objects.get(place)
    }

    /// In the order of their places.
    pub(crate) fn list(&self, scope: &Scope) -> impl Iterator<Item = (&Place, &Arc<Value>)> {
        let from = Place {
            kind: scope.kind.clone(),
            namespace: scope.namespace.clone().unwrap_or_default(),
            name: String::new(),
        };
        let range = self.objects.range((Bound::Included(from), Bound::Unbounded));
        range.take_while(move |(place, _)| scope.holds(place))
    }

    /// Every object of every kind.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Place, &Arc<Value>)> {
        self.objects.iter()
    }

    /// The objects as they were at `version`; `None` when that is forgotten.
    pub(crate) fn list_at(&self, scope: &Scope, version: u64) -> Option<BTreeMap<Place, Arc<Value>>> {
        let undone = self.history.after(version)?;
        let mut objects: BTreeMap<Place, Arc<Value>> =
            self.list(scope).map(|(place, object)| (place.clone(), object.clone())).collect();
        for change in undone.rev().filter(|change| scope.holds(&change.place)) {
            match &change.old {
                Some(old) => objects.insert(change.place.clone(), old.clone()),
                None => objects.remove(&change.place),
            };
        }
        Some(objects)
    }
}

/// The store; shared behind an `Arc`.
pub(crate) struct Objects {
    database: Database,
    writer: Mutex<()>,
    state: RwLock<State>,
    latest: watch::Sender<u64>,
}

impl Objects {
    /// Loads all objects. `history` is how many changes a watch can go back; none of them survives a restart.
    pub(crate) fn open(database: Database, history: usize) -> Result<Self, DatabaseError> {
        let (version, objects) = database.read(|read| {
            let version = read.get(COUNTERS, VERSION)?;
            let mut objects = BTreeMap::new();
            for (key, value) in read.scan(OBJECTS, b"")? {
                let (place, object) = parse(&key, &value)?;
                objects.insert(place, Arc::new(object));
            }
            Ok::<_, DatabaseError>((version.map_or(Ok(0), |bytes| counter(&bytes))?, objects))
        })?;
        let state = State { version, objects, history: History::new(history, version) };
        let latest = watch::Sender::new(version);
        Ok(Self { database, writer: Mutex::new(()), state: RwLock::new(state), latest })
    }

    /// The objects now. Not to be held across an await or a change.
    pub(crate) fn now(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the version after each change.
    pub(crate) fn latest(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }

    /// Runs `f` while nothing else changes; what it put into the draft is stored when it returns `Ok`, unless
    /// `dry_run`.
    pub(crate) fn change<T>(
        &self,
        dry_run: bool,
        f: impl FnOnce(&mut Draft<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let _turn: MutexGuard<'_, ()> = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.now();
        let mut draft = Draft { version: state.version, state: &state, changes: Vec::new() };
        let value = f(&mut draft)?;
        let Draft { version, changes, .. } = draft;
        drop(state);
        if !dry_run && !changes.is_empty() {
            self.store(version, &changes)?;
            self.show(version, changes);
        }
        Ok(value)
    }

    fn store(&self, version: u64, changes: &[Change]) -> Result<(), DatabaseError> {
        self.database.write(|write| {
            write.put(COUNTERS, VERSION, &version.to_be_bytes())?;
            for Change { place, new, .. } in changes {
                match new {
                    Some(object) => write.put(
                        OBJECTS,
                        &place.to_bytes(),
                        Zeroizing::new(object.to_string()).as_bytes(),
                    )?,
                    None => drop(write.delete(OBJECTS, &place.to_bytes())?),
                }
            }
            Ok(())
        })
    }

    fn show(&self, version: u64, changes: Vec<Change>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.version = version;
        for change in changes {
            match &change.new {
                Some(object) => state.objects.insert(change.place.clone(), object.clone()),
                None => state.objects.remove(&change.place),
            };
            state.history.push(change);
        }
        drop(state);
        self.latest.send_replace(version);
    }
}

/// A change in the making: the objects now, and what is to become of them.
pub(crate) struct Draft<'a> {
    state: &'a State,
    version: u64,
    changes: Vec<Change>,
}

impl<'a> Draft<'a> {
    pub(crate) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Whether an object of this kind in storage was put or removed.
    pub(crate) fn touches(&self, kind: &str) -> bool {
        self.changes.iter().any(|change| &*change.place.kind == kind)
    }

    /// The object as it will be after what was put so far.
    pub(crate) fn get(&self, place: &Place) -> Option<Arc<Value>> {
        match self.changes.iter().rev().find(|change| change.place == *place) {
            Some(change) => change.new.clone(),
            None => self.state.get(place).cloned(),
        }
    }

    /// The objects before the change.
    pub(crate) fn before(&self) -> &'a State {
        self.state
    }

    /// Stores `object` under the next version, which it gets written into.
    pub(crate) fn put(&mut self, place: &Place, mut object: Value) -> Arc<Value> {
        let version = self.next_version();
        object::set_metadata(&mut object, "resourceVersion", Some(version.to_string().into()));
        let object = Arc::new(object);
        self.push(version, place, Some(object.clone()));
        object
    }

    /// Removes the object; returns it with the version of its removal, as watches show it.
    pub(crate) fn remove(&mut self, place: &Place) -> Option<Arc<Value>> {
        let old = self.get(place)?;
        let version = self.next_version();
        self.push(version, place, None);
        let mut last = (*old).clone();
        object::set_metadata(&mut last, "resourceVersion", Some(version.to_string().into()));
        Some(Arc::new(last))
    }

    fn next_version(&mut self) -> u64 {
        self.version = self.version.saturating_add(1);
        self.version
    }

    fn push(&mut self, version: u64, place: &Place, new: Option<Arc<Value>>) {
        let old = self.get(place);
        self.changes.push(Change { version, place: place.clone(), old, new });
    }
}

fn parse(key: &[u8], value: &[u8]) -> Result<(Place, Value), DatabaseError> {
    let altered = || DatabaseError::Altered { table: OBJECTS.to_owned() };
    let place = Place::from_bytes(key).ok_or_else(altered)?;
    let object = serde_json::from_slice(value).map_err(|_| altered())?;
    Ok((place, object))
}

fn counter(bytes: &[u8]) -> Result<u64, DatabaseError> {
    let bytes = bytes.try_into().map_err(|_| DatabaseError::Altered { table: COUNTERS.to_owned() })?;
    Ok(u64::from_be_bytes(bytes))
}
