//! Which component serves for each Component and ClusterComponent.
//!
//! A call takes what serves when it begins and keeps it until its end, whatever is put in its place meanwhile. Decides nothing: the loop
//! of components says what serves.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pipeline::ObjectRef;
use runtime::Component;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long the start of a process is waited for: the components are read and compiled then.
const START: Duration = Duration::from_secs(15);

/// All of them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Served {
    all: watch::Sender<HashMap<ObjectRef, Option<Component>>>,
    began: Arc<Mutex<Instant>>,
}

impl Default for Served {
    fn default() -> Self {
        Self { all: watch::Sender::default(), began: Arc::new(Mutex::new(Instant::now())) }
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Served")
    }
}

impl Served {
    /// What serves for an object.
    pub(crate) fn get(&self, object: &ObjectRef) -> Option<Component> {
        self.all.borrow().get(object).cloned().flatten()
    }

    /// From now on this one.
    pub(crate) fn put(&self, object: &ObjectRef, component: Component) {
        self.all.send_modify(|all| drop(all.insert(object.clone(), Some(component))));
    }

    /// It was looked at, whatever came of it: nobody waits for it any more.
    pub(crate) fn decided(&self, object: &ObjectRef) {
        self.all.send_if_modified(|all| {
            let new = !all.contains_key(object);
            all.entry(object.clone()).or_insert(None);
            new
        });
    }

    /// The object is gone.
    pub(crate) fn remove(&self, object: &ObjectRef) {
        self.all.send_if_modified(|all| all.remove(object).is_some());
    }

    /// The components are looked at from now on.
    pub(crate) fn begin(&self) {
        *self.began.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn began(&self) -> Instant {
        *self.began.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until an object was looked at for the first time, while the process begins.
    pub(crate) async fn wait(&self, object: &ObjectRef) {
        let mut all = self.all.subscribe();
        let decided = all.wait_for(|all| all.contains_key(object));
        // Whoever finds nothing then says so.
        let _in_time = tokio::time::timeout_at(self.began() + START, decided).await;
    }
}
