//! Our Secrets as they were when the process began, listed once.
//!
//! After a restart every object is looked at, and for nearly all of them nothing is due. Two lists show that for thousands; asking
//! for each target and each record would be two requests for each object. A Secret is handed out once, a change drops it,
//! and whoever finds something to do reads again and decides on that. Nothing is kept beyond the first minute.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::names::{label, secret_type};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ListMeta;
use kube::api::ListParams;
use kube::core::Request;
use kube::{Api, Client};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::watch as channel;
use zeroize::{Zeroize, Zeroizing};

use crate::cluster::Answer;
use crate::reconnect::PAGE;

/// How long a look waits for the lists.
const WAIT: Duration = Duration::from_secs(5);

/// How long what nobody asked for is kept.
const KEPT: Duration = Duration::from_secs(60);

/// The Secrets that are left of the lists.
#[derive(Debug)]
pub(crate) struct Snapshot {
    state: Mutex<State>,
    listed: channel::Sender<bool>,
}

#[derive(Debug)]
enum State {
    /// The lists are not here yet; what has changed meanwhile may be older in them.
    Listing { changed: HashSet<Name> },
    /// What is left.
    Listed(HashMap<Name, Raw>),
}

type Name = (String, String);

/// One Secret as it came: a tenth of the memory that it takes when it is read.
struct Raw {
    version: String,
    text: Zeroizing<String>,
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw").field("version", &self.version).finish_non_exhaustive()
    }
}

/// What of a Secret tells where it belongs.
#[derive(Deserialize)]
struct Head {
    metadata: ObjectMetaHead,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObjectMetaHead {
    namespace: String,
    name: String,
    resource_version: String,
}

/// An answer of which each item is kept as it came.
#[derive(Debug, Clone, Deserialize)]
struct Page {
    metadata: ListMeta,
    items: Vec<Box<RawValue>>,
}

/// One Secret; its values are zeroed in the end.
pub(crate) struct Kept(Secret);

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
            listed: channel::Sender::new(false),
        }
    }
}

impl Snapshot {
    /// Whether one was there and has not changed; waits for the lists for a while.
    pub(crate) async fn holds(&self, namespace: &str, name: &str) -> bool {
        let mut listed = self.listed.subscribe();
        if tokio::time::timeout(WAIT, listed.wait_for(|listed| *listed)).await.is_err() {
            // The watch or the lists were refused, or take too long: nobody waits again, and what still comes is too old.
            self.set(HashMap::new());
        }
        match &*self.lock() {
            State::Listing { .. } => false,
            State::Listed(left) => left.contains_key(&(namespace.to_owned(), name.to_owned())),
        }
    }

    /// Takes one out.
    pub(crate) fn take(&self, namespace: &str, name: &str) -> Option<Kept> {
        let raw = match &mut *self.lock() {
            State::Listing { .. } => None,
            State::Listed(left) => left.remove(&(namespace.to_owned(), name.to_owned())),
        };
        // One that cannot be read is asked for again, and then it is an error.
        raw.and_then(|raw| serde_json::from_str(&raw.text).ok()).map(Kept)
    }

    /// A watch saw another version of a Secret.
    pub(crate) fn changed(&self, namespace: &str, name: &str, version: &str) {
        let key = (namespace.to_owned(), name.to_owned());
        match &mut *self.lock() {
            State::Listing { changed } => {
                changed.insert(key);
            }
            State::Listed(left) => {
                if left.get(&key).is_some_and(|raw| raw.version != version) {
                    left.remove(&key);
                }
            }
        }
    }

    /// Lists, once the watch has shown every Secret, so that a change is either in the lists or seen later. What cannot be listed is asked
    /// for one by one.
    pub(crate) async fn fill(&self, client: &Client, secrets: &Api<Secret>) {
        let mut found = HashMap::new();
        // Targets first: a record that is read after the target is at least as new.
        let targets = ListParams::default().labels(&format!("{}={}", label::MANAGED, label::MANAGED_VALUE));
        let records = ListParams::default().fields(&format!("type={}", secret_type::ROTATION));
        for parameters in [targets, records] {
            if let Err(error) = list(client, secrets, parameters, &mut found).await {
                tracing::debug!(cause = %Answer::from(error), "cannot list the Secrets at once");
                found.clear();
                break;
            }
        }
        self.set(found);
        tokio::time::sleep(KEPT).await;
        self.set(HashMap::new());
    }

    fn set(&self, mut found: HashMap<Name, Raw>) {
        let mut state = self.lock();
        match &*state {
            State::Listing { changed } => found.retain(|name, _| !changed.contains(name)),
            // Nobody has kept count of what changed since.
            State::Listed(_) => found.clear(),
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
    client: &Client,
    secrets: &Api<Secret>,
    mut parameters: ListParams,
    found: &mut HashMap<Name, Raw>,
) -> Result<(), kube::Error> {
    parameters.limit = Some(PAGE);
    loop {
        let request =
            Request::new(secrets.resource_url()).list(&parameters).map_err(kube::Error::BuildRequest)?;
        let page: Page = client.request(request).await?;
        for item in page.items {
            let head: Head = serde_json::from_str(item.get()).map_err(kube::Error::SerdeError)?;
            let ObjectMetaHead { namespace, name, resource_version } = head.metadata;
            let text = Zeroizing::new(String::from(Box::<str>::from(item)));
            found.insert((namespace, name), Raw { version: resource_version, text });
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

    fn secret(name: &str, version: &str) -> (Name, Raw) {
        let text = format!(r#"{{"metadata": {{"name": "{name}", "resourceVersion": "{version}"}}}}"#);
        let raw = Raw { version: version.to_owned(), text: Zeroizing::new(text) };
        (("shop".to_owned(), name.to_owned()), raw)
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
        let same = snapshot.take("shop", "same").unwrap();
        assert_eq!(same.secret().metadata.resource_version.as_deref(), Some("7"));
        assert!(snapshot.take("shop", "same").is_none(), "it was handed out");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever_and_what_comes_too_late_is_not_used() {
        let snapshot = Snapshot::default();
        assert!(!snapshot.holds("shop", "a").await);
        snapshot.changed("shop", "a", "8");
        snapshot.set([secret("a", "7")].into());
        assert!(!snapshot.holds("shop", "a").await);
    }
}
