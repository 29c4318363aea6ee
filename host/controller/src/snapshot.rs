//! Our Secrets as they were when the process began, listed once.
//!
//! After a restart every object is looked at, and for nearly all of them nothing is due. Two lists show that for thousands; asking
//! for each target and each record would be two requests for each object. A Secret is handed out once, a change drops it,
//! and whoever finds something to do reads again and decides on that. Nothing is kept beyond the first minute.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::names::{label, secret_type};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use tokio::sync::watch;
use zeroize::Zeroize;

use crate::cluster::Answer;

/// Secrets in one answer.
const PAGE: u32 = 500;

/// How long a look waits for the lists.
const WAIT: Duration = Duration::from_secs(5);

/// How long what nobody asked for is kept.
const KEPT: Duration = Duration::from_secs(60);

/// The Secrets that are left of the lists.
#[derive(Debug)]
pub(crate) struct Snapshot {
    state: Mutex<State>,
    listed: watch::Sender<bool>,
}

#[derive(Debug)]
enum State {
    /// The lists are not here yet; what has changed meanwhile may be older in them.
    Listing { changed: HashSet<Name> },
    /// What is left.
    Listed(HashMap<Name, Kept>),
}

type Name = (String, String);

/// One Secret; its values are zeroed in the end.
pub(crate) struct Kept(Secret);

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept")
    }
}

impl Kept {
    /// The Secret.
    pub(crate) const fn secret(&self) -> &Secret {
        &self.0
    }

    /// Its data, for whoever zeroes it.
    pub(crate) fn into_data(mut self) -> BTreeMap<String, ByteString> {
        self.0.data.take().unwrap_or_default()
    }
}

impl From<Secret> for Kept {
    fn from(secret: Secret) -> Self {
        Self(secret)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.data.iter_mut().flat_map(|data| data.values_mut()).for_each(|bytes| bytes.0.zeroize());
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            state: Mutex::new(State::Listing { changed: HashSet::new() }),
            listed: watch::Sender::new(false),
        }
    }
}

impl Snapshot {
    /// Whether one was there and has not changed; waits for the lists for a while.
    pub(crate) async fn holds(&self, namespace: &str, name: &str) -> bool {
        let mut listed = self.listed.subscribe();
        if tokio::time::timeout(WAIT, listed.wait_for(|listed| *listed)).await.is_err() {
            // The watch or the lists were refused: nobody waits again.
            self.set(HashMap::new());
        }
        match &*self.lock() {
            State::Listing { .. } => false,
            State::Listed(left) => left.contains_key(&(namespace.to_owned(), name.to_owned())),
        }
    }

    /// Takes one out.
    pub(crate) fn take(&self, namespace: &str, name: &str) -> Option<Kept> {
        match &mut *self.lock() {
            State::Listing { .. } => None,
            State::Listed(left) => left.remove(&(namespace.to_owned(), name.to_owned())),
        }
    }

    /// A watch saw another version of a Secret.
    pub(crate) fn changed(&self, namespace: &str, name: &str, version: &str) {
        let key = (namespace.to_owned(), name.to_owned());
        match &mut *self.lock() {
            State::Listing { changed } => {
                changed.insert(key);
            }
            State::Listed(left) => {
                if left.get(&key).is_some_and(|kept| kept.0.resource_version().as_deref() != Some(version)) {
                    left.remove(&key);
                }
            }
        }
    }

    /// Lists, once the watch has shown every Secret, so that a change is either in the lists or seen later. What cannot be listed is asked
    /// for one by one.
    pub(crate) async fn fill(&self, secrets: &Api<Secret>) {
        let mut found = HashMap::new();
        // Targets first: a record that is read after the target is at least as new.
        let targets = ListParams::default().labels(&format!("{}={}", label::MANAGED, label::MANAGED_VALUE));
        let records = ListParams::default().fields(&format!("type={}", secret_type::ROTATION));
        for parameters in [targets, records] {
            if let Err(error) = list(secrets, parameters, &mut found).await {
                tracing::debug!(cause = %Answer::from(error), "cannot list the Secrets at once");
                found.clear();
                break;
            }
        }
        self.set(found);
        tokio::time::sleep(KEPT).await;
        self.set(HashMap::new());
    }

    fn set(&self, mut found: HashMap<Name, Kept>) {
        let mut state = self.lock();
        if let State::Listing { changed } = &*state {
            found.retain(|name, _| !changed.contains(name));
        }
        *state = State::Listed(found);
        drop(state);
        self.listed.send_replace(true);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn list(
    secrets: &Api<Secret>,
    mut parameters: ListParams,
    found: &mut HashMap<Name, Kept>,
) -> Result<(), kube::Error> {
    parameters.limit = Some(PAGE);
    loop {
        let page = secrets.list(&parameters).await?;
        for secret in page.items {
            let name = (secret.namespace().unwrap_or_default(), secret.name_any());
            found.insert(name, Kept(secret));
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters.continue_token = Some(token),
            None => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, version: &str) -> (Name, Kept) {
        let mut secret = Secret::default();
        secret.metadata.resource_version = Some(version.to_owned());
        (("shop".to_owned(), name.to_owned()), Kept(secret))
    }

    #[tokio::test]
    async fn each_is_handed_out_once_and_not_after_a_change() {
        let snapshot = Snapshot::default();
        snapshot.changed("shop", "early", "8");
        snapshot.set([secret("early", "7"), secret("late", "7"), secret("same", "7")].into());
        snapshot.changed("shop", "late", "8");
        snapshot.changed("shop", "same", "7");
        assert!(!snapshot.holds("shop", "early").await, "it changed while the lists came");
        assert!(!snapshot.holds("shop", "late").await, "it changed later");
        assert!(snapshot.holds("shop", "same").await);
        assert!(snapshot.take("shop", "same").is_some());
        assert!(snapshot.take("shop", "same").is_none(), "it was handed out");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        assert!(!Snapshot::default().holds("shop", "a").await);
    }
}
