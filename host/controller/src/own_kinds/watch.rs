//! The watch of one of our own kinds: it fills the cache, has changed objects checked, and wakes whom they concern.
//!
//! A change of the status alone is none: it is the answer of the check. A cluster that does not know the kind, which is one whose
//! definitions are older than this process, has no objects of it: that is said once, and everything else goes on.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

use futures::StreamExt;
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Resource, ResourceExt};
use pipeline::ObjectRef;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::wake_failing;
use crate::context::Context;
use crate::reconnect;
use crate::references::Sight;
use crate::watch::{content, place};

/// Starts it; it ends with `shutdown`.
pub(crate) fn watch<K>(
    context: &Arc<Context>,
    objects: Api<DeserializeGuard<K>>,
    writer: Writer<DeserializeGuard<K>>,
    shutdown: &CancellationToken,
) where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    let kind = K::kind(&()).into_owned();
    let pulse = context.pulse(&kind, "watch");
    let events = reconnect::watch(objects)
        .modify(|object| object.meta_mut().managed_fields = None)
        .reflect(writer)
        .take_until(shutdown.clone().cancelled_owned());
    let mut seen = Seen { context: Arc::clone(context), kind, known: HashMap::new(), listed: HashMap::new() };
    tokio::spawn(async move {
        let each = |event: watcher::Result<Event<DeserializeGuard<K>>>| match event {
            Err(error) if is_unknown(&error) => {
                pulse.unknown_kind();
                seen.context.caches.listed.add(&seen.kind);
            }
            event => {
                if let Some(event) = pulse.heed(event) {
                    seen.take(&event);
                }
            }
        };
        pulse.follow(events, each).await;
    });
}

/// Whether the API server has no such kind.
fn is_unknown(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.code == 404,
        _ => false,
    }
}

/// What the watch of one kind has seen.
struct Seen {
    context: Arc<Context>,
    kind: String,
    /// By object, what its spec is.
    known: HashMap<ObjectRef, String>,
    /// The same, of a list that is still coming in.
    listed: HashMap<ObjectRef, String>,
}

impl Seen {
    fn take<K: ResourceExt>(&mut self, event: &Event<K>) {
        match event {
            Event::Init => self.listed.clear(),
            Event::InitApply(object) => {
                self.listed.insert(place(&self.kind, object), content(object));
            }
            Event::InitDone => {
                let before = std::mem::replace(&mut self.known, std::mem::take(&mut self.listed));
                let gone = before.keys().filter(|object| !self.known.contains_key(object));
                let new = self.known.iter().filter(|(object, content)| before.get(object) != Some(content));
                gone.chain(new.map(|(object, _)| object)).for_each(|object| self.changed(object));
                self.context.caches.listed.add(&self.kind);
            }
            Event::Apply(object) => {
                let (object, content) = (place(&self.kind, object), content(object));
                if self.known.insert(object.clone(), content.clone()).as_ref() != Some(&content) {
                    self.changed(&object);
                }
            }
            Event::Delete(object) => {
                let object = place(&self.kind, object);
                self.known.remove(&object);
                self.changed(&object);
            }
        }
    }

    fn changed(&self, object: &ObjectRef) {
        let content = self.known.get(object).map_or("", String::as_str);
        let sight = Sight { version: content, content, first: false };
        self.context.wake.wake(&self.context, object);
        for referrer in self.context.references.changed(object, sight) {
            self.context.wake.wake(&self.context, &referrer);
        }
        if object.kind.ends_with("Policy") || object.kind == "Grant" {
            // Those that it kept from being published. To all others it means something when they publish next.
            wake_failing(&self.context);
        }
    }
}
