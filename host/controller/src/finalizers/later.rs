//! Finalizers that nothing depends on yet, added when there is time.
//!
//! Each is one more write for a new object, and thousands of new objects have their Secrets first. What is lost with the process, or
//! refused because the object has changed meanwhile, the object's next look leaves here again.

use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use kube::{Api, Resource};
use pipeline::ObjectRef;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cluster::ClusterError;
use crate::context::Context;

/// After an answer that promises nothing for the others.
const PAUSE: Duration = Duration::from_secs(1);

/// The objects of one kind that are to have a finalizer.
#[derive(Debug, Default)]
pub(crate) struct Later {
    inner: Mutex<Inner>,
    some: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    line: VecDeque<(Instant, ObjectRef)>,
    left: HashMap<ObjectRef, Left>,
}

/// What was last known of one.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    version: Option<String>,
    finalizers: Vec<String>,
}

impl Later {
    /// An object has that resourceVersion and these finalizers, and is to have one more.
    pub(crate) fn leave(&self, object: &ObjectRef, version: Option<String>, finalizers: &[String]) {
        let left = Left { version, finalizers: finalizers.to_vec() };
        let mut inner = self.lock();
        if inner.left.insert(object.clone(), left).is_none() {
            inner.line.push_back((Instant::now(), object.clone()));
            self.some.notify_one();
        }
    }

    /// The object is gone.
    pub(crate) fn forget(&self, object: &ObjectRef) {
        self.lock().left.remove(object);
    }

    /// Adds this finalizer to all, one after the other, until `shutdown`.
    pub(crate) async fn add<K>(&self, finalizer: &str, context: &Context, shutdown: &CancellationToken)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    {
        while let Some((object, left)) = shutdown.run_until_cancelled(self.next(context)).await {
            let objects: Api<K> = context.within(object.namespace.as_deref().unwrap_or_default());
            let all: Vec<&str> = left.finalizers.iter().map(String::as_str).chain([finalizer]).collect();
            let written = super::write(&objects, &object, left.version.as_deref(), &all).await;
            if let Err(error) = written
                && !is_passing(&error)
            {
                tracing::warn!(%object, "{}; it has no finalizer yet", pipeline::message(&error));
                let _stopped = shutdown.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
            }
        }
    }

    /// The one that has waited longest, when it is its turn.
    async fn next(&self, context: &Context) -> (ObjectRef, Left) {
        loop {
            let Some(since) = self.since() else {
                self.some.notified().await;
                continue;
            };
            context.events.calm().wait(since).await;
            if let Some(next) = self.take() {
                return next;
            }
        }
    }

    fn since(&self) -> Option<Instant> {
        self.lock().line.front().map(|(since, _)| *since)
    }

    fn take(&self) -> Option<(ObjectRef, Left)> {
        let mut inner = self.lock();
        let (_, object) = inner.line.pop_front()?;
        let left = inner.left.remove(&object)?;
        Some((object, left))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// It has changed, which its next look answers, or is gone.
fn is_passing(error: &ClusterError) -> bool {
    error.is_conflict() || error.answer().code() == Some(404)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_waits_once_with_what_was_last_known_of_it() {
        let later = Later::default();
        let object = |name| ObjectRef::namespaced("ExternalSecret", "default", name);
        let left = |version: &str| Left { version: Some(version.to_owned()), finalizers: Vec::new() };
        for (name, version) in [("a", "1"), ("gone", "2"), ("b", "3"), ("a", "4")] {
            later.leave(&object(name), Some(version.to_owned()), &[]);
        }
        later.forget(&object("gone"));
        assert_eq!(later.take(), Some((object("a"), left("4"))));
        assert_eq!(later.take(), None, "it is gone");
        assert_eq!(later.take(), Some((object("b"), left("3"))));
        assert_eq!(later.since(), None);
    }
}
