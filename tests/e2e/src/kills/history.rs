//! The checker that watches from outside: every version that any Secret ever had, in the API server's order, and what must be true
//! of all of them.
//!
//! It trusts nothing of keymill but the format of its rotation record. What it finds wrong is collected, so that one fault does not
//! hide another; no finding repeats a value.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;
use kube::api::{WatchEvent, WatchParams};
use kube::{Api, ResourceExt};
use serde_json::Value as Json;

use super::load::{self, INTERVAL};

const TYPE: &str = "keymill.dev/rotation";
const ANNOTATION: &str = "keymill.dev/rotation";
const RECORD_PREFIX: &str = "keymill-rotation-externalsecret-";

/// Everything that has happened to the load.
#[derive(Default)]
pub(crate) struct History {
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    objects: BTreeMap<String, Object>,
    /// Which object a value was made for: no value twice.
    values: HashMap<String, String>,
    /// The Secrets that exist.
    alive: BTreeSet<String>,
    problems: Vec<String>,
    counts: Counts,
}

/// How much was seen.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) rotations: u64,
    pub(crate) record_versions: u64,
    pub(crate) target_versions: u64,
}

impl Counts {
    /// Of records and targets.
    pub(crate) fn versions(self) -> u64 {
        self.record_versions + self.target_versions
    }
}

#[derive(Default)]
struct Object {
    /// In the order in which they were recorded.
    rotations: Vec<Rotation>,
    /// The place in `rotations` that the target shows.
    published: Option<usize>,
}

struct Rotation {
    id: String,
    previous: Option<String>,
    occasion: String,
    at: Timestamp,
    value: String,
}

impl History {
    /// Watches the Secrets of a namespace from a version on, until the task that it runs in ends.
    pub(crate) async fn follow(self: Arc<Self>, secrets: Api<Secret>, mut from: String) {
        let parameters = WatchParams::default().timeout(280);
        loop {
            let Ok(events) = secrets.watch(&parameters, &from).await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let mut events = events.boxed();
            while let Some(event) = events.next().await {
                match event {
                    Ok(WatchEvent::Added(secret) | WatchEvent::Modified(secret)) => {
                        from = secret.resource_version().unwrap_or_default();
                        self.seen().version(&secret);
                    }
                    Ok(WatchEvent::Deleted(secret)) => {
                        from = secret.resource_version().unwrap_or_default();
                        self.seen().alive.remove(&secret.name_any());
                    }
                    Ok(WatchEvent::Bookmark(mark)) => from = mark.metadata.resource_version,
                    Ok(WatchEvent::Error(error)) => {
                        self.seen().problems.push(format!("the history has a gap: {}", error.message));
                        return;
                    }
                    // The next watch goes on where this one ended.
                    Err(_) => break,
                }
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong so far.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.seen().problems.clone()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.seen().counts
    }

    /// The Secrets that exist.
    pub(crate) fn alive(&self) -> BTreeSet<String> {
        self.seen().alive.clone()
    }

    /// Objects whose target shows some rotation.
    pub(crate) fn published(&self) -> usize {
        self.seen().objects.values().filter(|object| object.published.is_some()).count()
    }

    /// Objects whose last rotation is recorded and not on the target.
    pub(crate) fn unpublished(&self) -> usize {
        let behind =
            |object: &&Object| object.published.map(|place| place + 1) != Some(object.rotations.len());
        self.seen().objects.values().filter(behind).count()
    }

    /// Objects that rotated, and how often at least and at most.
    pub(crate) fn rotations(&self) -> (usize, usize, usize) {
        let seen = self.seen();
        let counts = || seen.objects.values().map(|object| object.rotations.len());
        (counts().count(), counts().min().unwrap_or(0), counts().max().unwrap_or(0))
    }

    /// That these values of one object, in the order in which a store had them, were all recorded and only went forward.
    pub(crate) fn went_forward(&self, name: &str, values: &[String]) -> Result<()> {
        let seen = self.seen();
        let object = seen.objects.get(name).with_context(|| format!("{name} was never seen"))?;
        let mut last = 0;
        for value in values {
            let place = object.rotations.iter().position(|rotation| rotation.value == *value);
            let place =
                place.with_context(|| format!("the store had a value of {name} that was never recorded"))?;
            ensure!(place >= last, "the store went back to an older value of {name}");
            last = place;
        }
        Ok(())
    }
}

impl Seen {
    fn version(&mut self, secret: &Secret) {
        let name = secret.name_any();
        self.alive.insert(name.clone());
        let found = if secret.type_.as_deref() == Some(TYPE) {
            self.counts.record_versions += 1;
            self.record(&name, secret)
        } else if load::is_target(&name) {
            self.counts.target_versions += 1;
            self.target(&name, secret)
        } else {
            Ok(())
        };
        if let Err(problem) = found {
            self.problems.push(format!("{name}: {problem:#}"));
        }
    }

    /// A record names the rotation before, is not early, and never has a second value for an id.
    fn record(&mut self, name: &str, secret: &Secret) -> Result<()> {
        let name = name.strip_prefix(RECORD_PREFIX).context("a record of nobody")?;
        let rotation = Rotation::read(secret)?;
        let object = self.objects.entry(name.to_owned()).or_default();
        let last = object.rotations.last();
        if let Some(last) = last.filter(|last| last.id == rotation.id) {
            ensure!(last.value == rotation.value, "two values for the rotation {}", last.id);
            return Ok(());
        }
        let expected = if last.is_some() { "scheduled" } else { "initial" };
        ensure!(rotation.occasion == expected, "the occasion is {}, not {expected}", rotation.occasion);
        ensure!(
            rotation.previous.as_deref() == last.map(|last| last.id.as_str()),
            "a rotation is missing before {}",
            rotation.id
        );
        if let Some(last) = last {
            let since = rotation.at.duration_since(last.at);
            ensure!(
                since.as_millis() >= INTERVAL.as_millis() as i128,
                "a rotation {since:?} after the one before"
            );
        }
        let owner = self.values.insert(rotation.value.clone(), rotation.id.clone());
        ensure!(owner.is_none(), "one value for two rotations");
        self.counts.rotations += 1;
        object.rotations.push(rotation);
        Ok(())
    }

    /// A target shows a rotation that was recorded before, whole, and never an older one than it showed.
    fn target(&mut self, name: &str, secret: &Secret) -> Result<()> {
        let id = secret.annotations().get(ANNOTATION).context("it has no rotation's id")?;
        let object = self.objects.get_mut(name).context("it was published before anything was recorded")?;
        let place = object.rotations.iter().position(|rotation| rotation.id == *id);
        let place = place.with_context(|| format!("the rotation {id} was not recorded before"))?;
        ensure!(object.published.is_none_or(|before| before <= place), "it went back to the rotation {id}");
        object.published = Some(place);
        let rotation = object.rotations.get(place).context("the rotation is gone")?;
        let whole = load::data(&rotation.value);
        let data = text(secret);
        ensure!(data.keys().eq(whole.keys()), "its keys are {:?}", data.keys());
        for (key, value) in &whole {
            ensure!(data.get(key) == Some(value), "its {key} is not of the rotation {id}");
        }
        Ok(())
    }
}

impl Rotation {
    fn read(secret: &Secret) -> Result<Self> {
        let data = secret.data.as_ref().context("the record is empty")?;
        let mut entries = data.iter().filter(|(key, _)| key.starts_with("entry-"));
        let (_, entry) = entries.next().context("the record has no entry")?;
        ensure!(entries.next().is_none(), "the record has two entries");
        let entry: Json = serde_json::from_slice(&entry.0).context("the record is no JSON")?;
        let text = |pointer: &str| entry.pointer(pointer).and_then(Json::as_str).map(str::to_owned);
        let needed = |pointer: &str| text(pointer).with_context(|| format!("the record has no {pointer}"));
        let value =
            STANDARD.decode(needed("/values/fields/password/value")?).context("the value is no base64")?;
        Ok(Self {
            id: needed("/id")?,
            previous: text("/previous"),
            occasion: needed("/occasion")?,
            at: needed("/rotatedAt")?.parse().context("the time is none")?,
            value: String::from_utf8(value).context("the value is no text")?,
        })
    }
}

/// The data of a Secret as text.
pub(crate) fn text(secret: &Secret) -> BTreeMap<String, String> {
    let data = secret.data.clone().unwrap_or_default();
    data.into_iter().map(|(key, bytes)| (key, String::from_utf8_lossy(&bytes.0).into_owned())).collect()
}
