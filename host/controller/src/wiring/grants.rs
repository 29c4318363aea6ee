//! What a component is granted when it makes values for an object: the Grants of that object's namespace that name the component.
//!
//! Nothing is granted that no Grant says, nothing outside of the Grant's namespace, and nothing after its end. Each use is counted, and
//! told in one line of the log: who used what for whom, and what came of it; never a value.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::grant::{GrantSpec, GrantedToken};
use jiff::Timestamp;
use kube::Resource;
use pipeline::{ObjectRef, Owner, TokenRequest};
use runtime::{Capability, Entry, Grant, Grants, KubeCapability, Refusal, SecretBytes};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::capabilities::{Bridge, ClusterObject};
use super::components::Chosen;
use crate::cache::Caches;
use crate::reader::ClusterReader;

/// The window of a quota.
const HOUR: Duration = Duration::from_secs(3600);

/// Finds grants. Cheap to clone.
#[derive(Clone)]
pub(crate) struct GrantFinder {
    caches: Arc<Caches>,
    reader: Arc<ClusterReader>,
    uses: Uses,
}

impl fmt::Debug for GrantFinder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GrantFinder")
    }
}

impl GrantFinder {
    pub(crate) fn new(caches: Arc<Caches>, reader: Arc<ClusterReader>) -> Self {
        Self { caches, reader, uses: Uses::default() }
    }

    /// What a component has for an object now. While the process begins, it is waited for that Grants are known.
    pub(crate) async fn of(&self, component: &Chosen, owner: &Owner, now: Timestamp) -> Grants {
        // Where they cannot be seen there are none.
        let _known = self.caches.grants_seen().await;
        let mut grants = Grants::none();
        for seen in self.caches.grants.all() {
            if seen.meta().namespace.as_deref() != Some(owner.namespace.as_str()) {
                continue;
            }
            // One that cannot be read grants nothing, and one that is going does not any more.
            let Ok(object) = seen.0.as_ref() else { continue };
            let spec = &object.spec;
            let names_it = Chosen::of(&spec.component_ref, Some(&owner.namespace)) == *component;
            if !names_it || is_over(spec, now) || object.metadata.deletion_timestamp.is_some() {
                continue;
            }
            let reference = crate::reference::<api::Grant>(seen.meta());
            if let Some(grant) = self.bind(spec, &reference, component, owner) {
                grants = match spec.quota.as_ref().and_then(|quota| quota.per_call) {
                    Some(most) => grants.with_quota(spec.label.as_str(), grant, most),
                    None => grants.with(spec.label.as_str(), grant),
                };
            }
        }
        grants
    }

    fn bind(
        &self,
        spec: &GrantSpec,
        reference: &ObjectRef,
        component: &Chosen,
        owner: &Owner,
    ) -> Option<Grant> {
        let namespace = owner.namespace.as_str();
        let told = reference.to_string();
        let bridge = Bridge::new(Handle::current(), move |error| {
            tracing::warn!(grant = told, "failed to {}", words(error));
        });
        let (bound, stands_for) = match (&spec.secret, &spec.config_map, &spec.service_account_token) {
            (Some(at), _, _) => {
                let what = format!("Secret {namespace}/{}", at.name);
                (ClusterObject::secret(self.reader.clone(), namespace, &at.name, bridge), what)
            }
            (_, Some(at), _) => {
                let what = format!("ConfigMap {namespace}/{}", at.name);
                (ClusterObject::config_map(self.reader.clone(), namespace, &at.name, bridge), what)
            }
            (_, _, Some(token)) => {
                let what = format!("ServiceAccount {namespace}/{}", token.name);
                let request = token_request(token, namespace);
                (ClusterObject::service_account(self.reader.clone(), request, bridge), what)
            }
            (None, None, None) => return spec.previous.as_ref().map(|_| Grant::Previous),
        };
        Some(Grant::Kube(Arc::new(Counted {
            bound,
            stands_for,
            grant: reference.clone(),
            component: component.name().to_owned(),
            owner: format!("{namespace}/{}", owner.name),
            most: spec.quota.as_ref().and_then(|quota| quota.per_hour),
            uses: self.uses.clone(),
        })))
    }
}

/// An error and its causes.
fn words(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn is_over(spec: &GrantSpec, now: Timestamp) -> bool {
    spec.expires.as_ref().is_some_and(|expires| expires.0 <= now)
}

fn token_request(token: &GrantedToken, namespace: &str) -> TokenRequest {
    TokenRequest {
        namespace: namespace.to_owned(),
        service_account: token.name.clone(),
        audiences: token.audiences.clone(),
        lifetime: Duration::from_secs(token.expiration_seconds.into()),
    }
}

/// The capability that a Grant is of.
pub(crate) const fn capability(spec: &GrantSpec) -> Capability {
    match spec.previous {
        Some(_) => Capability::Previous,
        None => Capability::Kube,
    }
}

/// How often each Grant was used in its hour. Cheap to clone.
#[derive(Debug, Clone, Default)]
struct Uses(Arc<Mutex<HashMap<ObjectRef, (Instant, u32)>>>);

impl Uses {
    /// Counts one more, if that is not too many.
    fn take(&self, grant: &ObjectRef, most: Option<u32>) -> bool {
        let Some(most) = most else { return true };
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (since, _)| now.duration_since(*since) < HOUR);
        let (_, count) = all.entry(grant.clone()).or_insert((now, 0));
        let may = *count < most;
        *count = count.saturating_add(u32::from(may));
        may
    }
}

/// One granted object, whose uses are counted and told.
struct Counted {
    bound: ClusterObject,
    stands_for: String,
    grant: ObjectRef,
    component: String,
    owner: String,
    most: Option<u32>,
    uses: Uses,
}

impl Counted {
    fn used<T>(&self, work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
        let done = if self.uses.take(&self.grant, self.most) { work() } else { Err(Refusal::Quota) };
        let outcome = match &done {
            Ok(_) => "served".to_owned(),
            Err(refusal) => refusal.to_string(),
        };
        tracing::info!(
            grant = %self.grant,
            component = self.component,
            owner = self.owner,
            object = self.stands_for,
            outcome,
            "a component used what it is granted"
        );
        done
    }
}

impl KubeCapability for Counted {
    fn read(&self, timeout: Duration) -> Result<Vec<Entry>, Refusal> {
        self.used(|| self.bound.read(timeout))
    }

    fn token(&self, timeout: Duration) -> Result<SecretBytes, Refusal> {
        self.used(|| self.bound.token(timeout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_quota_is_an_hours() {
        let (uses, grant) = (Uses::default(), ObjectRef::namespaced("Grant", "shop", "a"));
        assert!(uses.take(&grant, None), "none");
        assert_eq!([(); 3].map(|()| uses.take(&grant, Some(2))), [true, true, false]);
        assert!(uses.take(&ObjectRef::namespaced("Grant", "shop", "b"), Some(1)), "each has its own");
        tokio::time::advance(HOUR).await;
        assert!(uses.take(&grant, Some(2)));
    }
}
