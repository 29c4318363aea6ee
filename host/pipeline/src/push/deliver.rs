//! Carries the plans of all stores out, through the store port.
//!
//! Each remote secret is read, compared and written under the revision that was read, if the source is then still what it was;
//! when somebody else was faster it is read again. What fails does not stop the others: the status remembers what is where, and the
//! next push writes only what differs.

use api::push_secret::SyncedPushSecrets;

use super::entries::{PushEntry, StoreView};
use super::error::PushError;
use super::remote::{RemotePlan, plan_remote};
use super::spec::CheckedPush;
use super::withdraw::{Withdrawal, status_name, withdrawals};
use crate::failure::{BoxFailure, Reason};
use crate::meta::Meta;
use crate::ports::{Marks, PushGuard, Remote, SecretStore, Stores, Write};
use crate::spec::StoreName;

/// How often a write that met somebody else's is tried.
const ATTEMPTS: usize = 3;

/// What is to be delivered.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// What is wanted.
    pub spec: &'a CheckedPush,
    /// For which object.
    pub meta: &'a Meta,
    /// What the status says is in the stores.
    pub before: &'a SyncedPushSecrets,
    /// The stores with their entries, in order, each entry with what is kept beside it.
    pub wanted: &'a [(StoreView, Vec<(PushEntry, Marks)>)],
    /// Asked before each write.
    pub guard: &'a dyn PushGuard,
}

impl std::fmt::Debug for Delivery<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery")
            .field("meta", self.meta)
            .field("wanted", &self.wanted)
            .finish_non_exhaustive()
    }
}

/// What the status is to say before anything is written: all that it says and all that is about to be in the stores. Nothing where
/// what is pushed is never taken back, or where the status says it already.
#[must_use]
pub fn announcement(
    spec: &CheckedPush,
    before: &SyncedPushSecrets,
    wanted: &[(StoreView, Vec<(PushEntry, Marks)>)],
) -> Option<SyncedPushSecrets> {
    let mut announced = before.clone();
    let mut news = false;
    for (store, entries) in wanted {
        let said = announced.entry(store.name.to_string()).or_default();
        for (entry, _) in entries {
            news |= said.insert(status_name(&entry.data), entry.data.clone()).is_none();
        }
    }
    (news && spec.deletes()).then_some(announced)
}

/// What was delivered.
#[derive(Debug, Default)]
pub struct Delivered {
    /// What the status is to say is in the stores.
    pub synced: SyncedPushSecrets,
    /// Remote secrets that were written or deleted.
    pub written: usize,
    /// Remote secrets that were so already.
    pub unchanged: usize,
    /// What failed, in order.
    pub failures: Vec<PushError>,
}

/// Delivers.
pub async fn deliver(stores: &dyn Stores, delivery: &Delivery<'_>) -> Delivered {
    let mut delivered = Delivered::default();
    let mut wanted = SyncedPushSecrets::new();
    for (store, entries) in delivery.wanted {
        let names = entries.iter().map(|(entry, _)| (status_name(&entry.data), entry.data.clone()));
        wanted.entry(store.name.to_string()).or_default().extend(names);
        to_store(stores, delivery, &store.name, entries, &mut delivered).await;
    }
    let gone = withdrawals(delivery.before, &wanted);
    if delivery.spec.deletes() {
        withdraw(stores, delivery.meta, delivery.before, &gone, &mut delivered).await;
    }
    delivered
}

/// Deletes everything that was pushed: the object, or its source, is gone.
pub async fn withdraw_all(stores: &dyn Stores, meta: &Meta, before: &SyncedPushSecrets) -> Delivered {
    let mut delivered = Delivered::default();
    let gone = withdrawals(before, &SyncedPushSecrets::new());
    withdraw(stores, meta, before, &gone, &mut delivered).await;
    delivered
}

async fn to_store(
    stores: &dyn Stores,
    delivery: &Delivery<'_>,
    name: &StoreName,
    entries: &[(PushEntry, Marks)],
    delivered: &mut Delivered,
) {
    let store = match open(stores, delivery.meta, name).await {
        Ok(store) => store,
        Err(error) => {
            delivered.remember(delivery.before, name, None);
            delivered.failures.push(error);
            return;
        }
    };
    let mut keys: Vec<&str> = Vec::new();
    for (entry, _) in entries {
        if !keys.contains(&entry.remote_key()) {
            keys.push(entry.remote_key());
        }
    }
    for key in keys {
        let parts: Vec<&(PushEntry, Marks)> =
            entries.iter().filter(|(entry, _)| entry.remote_key() == key).collect();
        match to_key(store.as_ref(), name, key, &parts, delivery).await {
            Ok(wrote) => {
                delivered.count(wrote);
                delivered.add(name, &parts);
            }
            Err(error) => {
                // A write whose fate is not known may have happened.
                if matches!(error, PushError::Write { .. }) {
                    delivered.add(name, &parts);
                }
                delivered.remember(delivery.before, name, Some(key));
                delivered.failures.push(error);
            }
        }
    }
}

async fn open(
    stores: &dyn Stores,
    meta: &Meta,
    name: &StoreName,
) -> Result<std::sync::Arc<dyn SecretStore>, PushError> {
    let opened = stores.open(&meta.namespace, &name.kind, &name.name).await;
    opened.map(|handle| handle.store).map_err(|source| PushError::Open { store: name.clone(), source })
}

/// Brings one remote secret to what it is to be; whether that took a write.
async fn to_key(
    store: &dyn SecretStore,
    name: &StoreName,
    key: &str,
    parts: &[&(PushEntry, Marks)],
    delivery: &Delivery<'_>,
) -> Result<bool, PushError> {
    let entries: Vec<&PushEntry> = parts.iter().map(|(entry, _)| entry).collect();
    let marks: Marks = parts.iter().flat_map(|(_, marks)| marks.clone()).collect();
    let metadata = entries.iter().rev().find_map(|entry| entry.data.metadata.as_ref());
    let plan = |remote: &Remote| plan_remote(name, key, remote, &entries, delivery.spec.update);
    let writing = Writing { marks: &marks, metadata, guard: Some(delivery.guard) };
    settle(store, name, key, plan, writing).await
}

#[derive(Clone, Copy)]
struct Writing<'a> {
    marks: &'a Marks,
    metadata: Option<&'a serde_json::Value>,
    /// None when something is taken away.
    guard: Option<&'a dyn PushGuard>,
}

/// Reads, plans and writes, again when somebody else wrote in between; whether it wrote.
async fn settle(
    store: &dyn SecretStore,
    name: &StoreName,
    key: &str,
    plan: impl Fn(&Remote) -> Result<RemotePlan, PushError>,
    writing: Writing<'_>,
) -> Result<bool, PushError> {
    let mut attempt = 1;
    loop {
        let remote = store.inspect(key).await;
        let remote = remote.map_err(|source| PushError::Inspect {
            store: name.clone(),
            key: key.to_owned(),
            source,
        })?;
        let plan = plan(&remote)?;
        if let (RemotePlan::Write { .. }, Some(guard)) = (&plan, writing.guard) {
            check(guard, name, key).await?;
        }
        match carry_out(store, key, &remote, &plan, writing).await {
            Ok(wrote) => return Ok(wrote),
            Err(source) if source.reason() == Reason::StoreConflict && attempt < ATTEMPTS => attempt += 1,
            Err(source) => return Err(failed(&plan, name.clone(), key.to_owned(), source)),
        }
    }
}

/// Refuses to write what the source does not say any more.
async fn check(guard: &dyn PushGuard, store: &StoreName, key: &str) -> Result<(), PushError> {
    let (store, key) = (store.clone(), key.to_owned());
    match guard.may_write().await {
        Ok(true) => Ok(()),
        Ok(false) => Err(PushError::SourceChanged { store, key }),
        Err(source) => Err(PushError::Guard { store, key, source }),
    }
}

async fn carry_out(
    store: &dyn SecretStore,
    key: &str,
    remote: &Remote,
    plan: &RemotePlan,
    writing: Writing<'_>,
) -> Result<bool, BoxFailure> {
    match plan {
        RemotePlan::Keep => Ok(false),
        RemotePlan::Write { document } => {
            let (marks, metadata) = (writing.marks, writing.metadata);
            let write = Write { key, document, marks, expected: &remote.revision, metadata };
            store.write(write).await.map(|_| true)
        }
        RemotePlan::Delete => store.delete(key, &remote.revision).await.map(|()| true),
    }
}

fn failed(plan: &RemotePlan, store: StoreName, key: String, source: BoxFailure) -> PushError {
    match plan {
        RemotePlan::Delete => PushError::Delete { store, key, source },
        RemotePlan::Keep | RemotePlan::Write { .. } => PushError::Write { store, key, source },
    }
}

async fn withdraw(
    stores: &dyn Stores,
    meta: &Meta,
    before: &SyncedPushSecrets,
    gone: &[Withdrawal],
    delivered: &mut Delivered,
) {
    for withdrawal in gone {
        let result = match open(stores, meta, &withdrawal.store).await {
            Ok(store) => {
                let plan = |remote: &Remote| Ok(withdrawal.plan(remote));
                let marks = Marks::new();
                let writing = Writing { marks: &marks, metadata: None, guard: None };
                settle(store.as_ref(), &withdrawal.store, &withdrawal.key, plan, writing).await
            }
            Err(error) => Err(error),
        };
        match result {
            Ok(wrote) => delivered.written += usize::from(wrote),
            Err(error) => {
                delivered.remember_names(before, &withdrawal.store, &withdrawal.names);
                delivered.failures.push(error);
            }
        }
    }
}

impl Delivered {
    fn count(&mut self, wrote: bool) {
        if wrote { self.written += 1 } else { self.unchanged += 1 }
    }

    fn add(&mut self, store: &StoreName, parts: &[&(PushEntry, Marks)]) {
        let names = parts.iter().map(|(entry, _)| (status_name(&entry.data), entry.data.clone()));
        self.synced.entry(store.to_string()).or_default().extend(names);
    }

    /// Keeps what the status said of a store, or of one remote key in it.
    fn remember(&mut self, before: &SyncedPushSecrets, store: &StoreName, key: Option<&str>) {
        let entries = before.get(&store.to_string()).into_iter().flatten();
        let kept = entries.filter(|(_, data)| key.is_none_or(|key| data.match_.remote_ref.remote_key == key));
        let kept: Vec<_> = kept.map(|(name, data)| (name.clone(), data.clone())).collect();
        if !kept.is_empty() {
            self.synced.entry(store.to_string()).or_default().extend(kept);
        }
    }

    fn remember_names(&mut self, before: &SyncedPushSecrets, store: &StoreName, names: &[String]) {
        let entries = before.get(&store.to_string()).into_iter().flatten();
        let kept =
            entries.filter(|(name, _)| names.contains(name)).map(|(name, data)| (name.clone(), data.clone()));
        self.synced.entry(store.to_string()).or_default().extend(kept);
    }
}
