use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use api::push_secret::SyncedPushSecrets;
use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::decide::PushDecision;
use super::shape::Origin;
use super::*;
use crate::failure::{BoxFailure, Failure as _, Reason};
use crate::field::Value;
use crate::fixture::{
    Angles, Counter, Counters, Floor, MemoryStore, MemoryStores, Texts, at, checked_push, fields, texts,
};
use crate::meta::{Meta, Status};
use crate::ports::{Document, Found, Generators, PushGuard, Remote, Revision};
use crate::rotation::Record;
use crate::shape::Shapers;
use crate::spec::StoreName;

mod delivery;
mod due;
mod entries;

/// A PushSecret with two stores around it.
struct Pushing {
    spec: CheckedPush,
    meta: Meta,
    status: Status,
    synced: SyncedPushSecrets,
    sources: Vec<SourceSecret>,
    record: Found<Record>,
    last_pushed: Option<String>,
    now: i64,
    vault: Arc<MemoryStore>,
    other: Arc<MemoryStore>,
    generators: Arc<dyn Generators>,
    guard: Overtaking,
    failures: Vec<String>,
}

/// A source that changes while it is pushed, if told so; counts how often it is asked.
#[derive(Default)]
struct Overtaking {
    changed: AtomicBool,
    asked: AtomicUsize,
}

#[async_trait]
impl PushGuard for Overtaking {
    async fn may_write(&self) -> Result<bool, BoxFailure> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(!self.changed.load(Ordering::Relaxed))
    }
}

fn source(version: &str, data: &[(&str, &str)]) -> SourceSecret {
    SourceSecret {
        name: "source".to_owned(),
        resource_version: version.to_owned(),
        changed_at: Some(at(-3600)),
        rotation: None,
        data: fields(data),
    }
}

/// One entry: key, remote key, property.
fn entry(key: Option<&str>, remote_key: &str, property: Option<&str>) -> Json {
    let mut remote = json!({"remoteKey": remote_key});
    if let Some(property) = property {
        remote["property"] = json!(property);
    }
    match key {
        Some(key) => json!({"match": {"secretKey": key, "remoteRef": remote}}),
        None => json!({"match": {"remoteRef": remote}}),
    }
}

fn spec(mut more: Json) -> Json {
    let base = json!({"secretStoreRefs": [{"name": "vault"}], "selector": {"secret": {"name": "source"}}, "refreshInterval": "1h"});
    for (key, value) in base.as_object().unwrap() {
        if more.get(key).is_none() {
            more[key] = value.clone();
        }
    }
    more
}

impl Pushing {
    fn new(more: Json) -> Self {
        Self {
            spec: checked_push(spec(more)),
            meta: Meta {
                uid: "uid-2".to_owned(),
                namespace: "shop".to_owned(),
                name: "push".to_owned(),
                generation: 1,
                ..Meta::default()
            },
            status: Status::default(),
            synced: SyncedPushSecrets::new(),
            sources: vec![source("1", &[("user", "ada"), ("pw", "s3cret")])],
            record: Found::Missing,
            last_pushed: None,
            now: 0,
            vault: Arc::default(),
            other: Arc::default(),
            generators: Arc::new(Counters(Arc::<Counter>::default(), std::sync::Mutex::default())),
            guard: Overtaking::default(),
            failures: Vec::new(),
        }
    }

    fn stores(&self) -> MemoryStores {
        let stores = [("vault".to_owned(), self.vault.clone()), ("other".to_owned(), self.other.clone())];
        MemoryStores { stores: stores.into(), ..MemoryStores::default() }
    }

    fn inputs(&self) -> PushInputs<'_> {
        static NONE: BTreeMap<crate::rotation::EntryKey, String> = BTreeMap::new();
        PushInputs {
            spec: &self.spec,
            meta: &self.meta,
            status: &self.status,
            synced: &self.synced,
            sources: &self.sources,
            record: &self.record,
            config_digests: &NONE,
            last_pushed: self.last_pushed.as_deref(),
            nudge: None,
            now: at(self.now),
        }
    }

    /// What is decided: the cause and what rotates.
    fn decided(&self) -> String {
        match decide_push(&self.inputs()) {
            Ok(PushDecision::Wait { .. }) => "wait".to_owned(),
            Ok(PushDecision::Adopt(_)) => "adopt".to_owned(),
            Ok(PushDecision::Withdraw) => "withdraw".to_owned(),
            Ok(PushDecision::Push(refresh)) => {
                let rotates: Vec<&str> = refresh.rotations().map(|(_, occasion)| occasion.as_str()).collect();
                format!("{} {}", refresh.cause.as_str(), rotates.join(" ")).trim().to_owned()
            }
            Err(error) => error.to_string(),
        }
    }

    async fn shaped(&self, data: &crate::field::Fields) -> Result<PushShaped, PushError> {
        let shapers = Shapers {
            engine: Arc::new(Angles::default()),
            templates: Arc::new(Texts::default()),
            policies: Arc::new(Floor::default()),
        };
        let origin = Origin {
            name: "source",
            version: Some("1"),
            rotation: Some("rot"),
            drawn_in: "rot",
            time: at(self.now),
        };
        shape_push(&shapers, &self.spec, &self.meta, origin, (data, &[])).await
    }

    /// Decides and carries out, as the controller does; how many writes it took.
    async fn sync(&mut self) -> usize {
        let decision = decide_push(&self.inputs()).unwrap();
        let before = self.vault.writes.load(Ordering::Relaxed) + self.other.writes.load(Ordering::Relaxed);
        match decision {
            PushDecision::Wait { .. } => return 0,
            PushDecision::Adopt(record) => self.record = Found::Found(record),
            PushDecision::Withdraw => {
                let delivered = withdraw_all(&self.stores(), &self.meta, &self.synced).await;
                self.synced = delivered.synced;
                self.status.source_deleted = true;
            }
            PushDecision::Push(refresh) => {
                let gathered = gather_push(
                    &self.generators,
                    &self.spec,
                    &self.meta,
                    &self.record,
                    &refresh,
                    at(self.now),
                )
                .await
                .unwrap();
                if gathered.record_changed {
                    self.record = Found::Found(gathered.record.clone());
                }
                let data = self.sources.first().map_or(&gathered.fields, |source| &source.data);
                let shaped = self.shaped(data).await.unwrap();
                let selected = selected_stores(&self.spec, &[]).unwrap();
                let wanted: Vec<_> = selected
                    .iter()
                    .map(|store| {
                        let found = entries(&self.spec, &shaped, store, &selected).unwrap();
                        (
                            store.clone(),
                            found.into_iter().map(|entry| (entry, shaped.marks.clone())).collect(),
                        )
                    })
                    .collect();
                let delivery = Delivery {
                    spec: &self.spec,
                    meta: &self.meta,
                    before: &self.synced,
                    wanted: &wanted,
                    guard: &self.guard,
                };
                let delivered = deliver(&self.stores(), &delivery).await;
                self.synced = delivered.synced;
                self.failures =
                    delivered.failures.iter().map(|error| crate::outcome::message(error)).collect();
            }
        }
        if self.failures.is_empty() {
            self.status.refresh_time = Some(at(self.now));
            self.status.synced_version = Some(self.meta.version());
            self.last_pushed = Some(self.inputs().source_version());
        }
        self.vault.writes.load(Ordering::Relaxed) + self.other.writes.load(Ordering::Relaxed) - before
    }

    fn at(&self, key: &str) -> Option<String> {
        self.vault.document(key).map(|document| match document {
            Document::Map(fields) => serde_json::to_string(&texts(&fields)).unwrap(),
            Document::Json(text) | Document::Bytes(text) => {
                String::from_utf8(text.expose().to_vec()).unwrap()
            }
        })
    }

    fn names(&self) -> Vec<String> {
        let names = |(store, entries): (&String, &BTreeMap<String, _>)| {
            entries.keys().map(|name| format!("{store}: {name}")).collect::<Vec<_>>()
        };
        self.synced.iter().flat_map(names).collect()
    }
}

fn json_document(text: &str) -> Document {
    Document::Json(Value::from(text))
}
