//! The rows of the table, as the API tells them.

use std::fmt::Debug;

use api::{
    ClusterSecretStore, Condition, ConditionStatus, ConditionType, ExternalSecret, PushSecret, SecretStore,
};
use futures::StreamExt;
use jiff::Timestamp;
use kube::core::DeserializeGuard;
use kube::runtime::watcher::{Config, Event};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::table::{Row, Status};

/// How many kinds have rows.
pub(crate) const KINDS: usize = 4;

/// A row that appeared or changed, or the key of one that went.
pub(crate) enum Change {
    /// All rows of a kind are told anew.
    Begun(&'static str),
    Set(Row),
    Gone(&'static str, String, String),
    /// They were told; a row of the kind that was not among them is gone.
    Told(&'static str),
}

/// What of an object the table shows.
trait Shown: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static {
    const KIND: &'static str;
    fn conditions(&self) -> &[Condition];
    fn last(&self) -> Option<Timestamp>;
}

impl Shown for ExternalSecret {
    const KIND: &'static str = "ExternalSecret";

    fn conditions(&self) -> &[Condition] {
        self.status.as_ref().map_or(&[], |status| &status.conditions)
    }

    fn last(&self) -> Option<Timestamp> {
        Some(self.status.as_ref()?.refresh_time.as_ref()?.0)
    }
}

impl Shown for PushSecret {
    const KIND: &'static str = "PushSecret";

    fn conditions(&self) -> &[Condition] {
        self.status.as_ref().map_or(&[], |status| &status.conditions)
    }

    fn last(&self) -> Option<Timestamp> {
        Some(self.status.as_ref()?.refresh_time.as_ref()?.0)
    }
}

impl Shown for SecretStore {
    const KIND: &'static str = "SecretStore";

    fn conditions(&self) -> &[Condition] {
        self.status.as_ref().map_or(&[], |status| &status.conditions)
    }

    fn last(&self) -> Option<Timestamp> {
        None
    }
}

impl Shown for ClusterSecretStore {
    const KIND: &'static str = "ClusterSecretStore";

    fn conditions(&self) -> &[Condition] {
        self.status.as_ref().map_or(&[], |status| &status.conditions)
    }

    fn last(&self) -> Option<Timestamp> {
        None
    }
}

/// Watches all kinds that have a row; ends when nobody listens any more.
pub(crate) fn watch(client: &Client) -> mpsc::Receiver<Change> {
    let (sender, changes) = mpsc::channel(256);
    tokio::spawn(follow::<ExternalSecret>(Api::all(client.clone()), sender.clone()));
    tokio::spawn(follow::<PushSecret>(Api::all(client.clone()), sender.clone()));
    tokio::spawn(follow::<SecretStore>(Api::all(client.clone()), sender.clone()));
    tokio::spawn(follow::<ClusterSecretStore>(Api::all(client.clone()), sender));
    changes
}

async fn follow<K: Shown>(objects: Api<DeserializeGuard<K>>, changes: mpsc::Sender<Change>) {
    let mut events = watcher(objects, Config::default()).default_backoff().boxed();
    while let Some(event) = events.next().await {
        let change = match event {
            Ok(Event::Apply(object) | Event::InitApply(object)) => Change::Set(row(&object)),
            Ok(Event::Delete(object)) => {
                Change::Gone(K::KIND, object.namespace().unwrap_or_default(), object.name_any())
            }
            Ok(Event::Init) => Change::Begun(K::KIND),
            Ok(Event::InitDone) => Change::Told(K::KIND),
            // A watch begins again by itself.
            Err(_) => continue,
        };
        if changes.send(change).await.is_err() {
            return;
        }
    }
}

fn row<K: Shown>(object: &DeserializeGuard<K>) -> Row {
    let readable = object.0.as_ref().ok();
    let conditions = readable.map_or(&[][..], Shown::conditions);
    let ready = conditions.iter().find(|one| one.type_ == ConditionType::Ready);
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let status = match (ready.map(|one| &one.status), readable) {
        (_, None) => Status::NotReady,
        (Some(ConditionStatus::True), _) => Status::Ready,
        (Some(_), _) => Status::NotReady,
        (None, _) => Status::Waiting,
    };
    // A store's spec may hold values, and a decoder quotes what it could not decode.
    let unreadable = || match (&object.0, K::KIND) {
        (Err(invalid), "ExternalSecret" | "PushSecret") => invalid.error.clone(),
        _ => "a field has a value that is none; see `kubectl explain`".to_owned(),
    };
    Row {
        kind: K::KIND,
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        status,
        reason: text(ready.and_then(|one| one.reason.as_ref())),
        message: if readable.is_some() {
            text(ready.and_then(|one| one.message.as_ref()))
        } else {
            unreadable()
        },
        last: readable.and_then(Shown::last),
        next: None,
        generation: object.meta().generation.unwrap_or_default(),
    }
}
