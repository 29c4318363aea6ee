//! The loop of a SecretStore and a ClusterSecretStore: connect, ask whether the credential works, say so.
//!
//! A store is checked when it or what it refers to changes, and once an interval. A server that is down is asked again every few
//! seconds, by the store alone: its ExternalSecrets wait for it and are woken when it is back.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use api::names::reason;
use api::store::{ProviderKind, StoreCapabilities};
use api::{ClusterSecretStore, Problem, SecretStore, SecretStoreSpec, SecretStoreStatus};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Api, Resource, ResourceExt};
use pipeline::{
    Blame, BoxFailure, Capabilities, Event, Failure, Next, ObjectRef, Ready, Reason, Retry, Validity,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};
use stores::StoreId;
use thiserror::Error;

use crate::context::Context;
use crate::failure::SyncError;
use crate::fresh;
use crate::queue::Again;
use crate::references::{Referents, Role};
use crate::report;

mod finalize;

pub(crate) use finalize::hold;

/// A server that is down is asked again this often at most.
const PROBE_MAX: Duration = Duration::from_secs(3);

/// What the two kinds have in common.
pub(crate) trait StoreObject:
    Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize
{
    fn spec(&self) -> &SecretStoreSpec;
    fn status(&self) -> Option<&SecretStoreStatus>;
    fn problems(&self) -> Vec<Problem>;
    fn objects(&self, context: &Context) -> Api<Self>;
}

impl StoreObject for SecretStore {
    fn spec(&self) -> &SecretStoreSpec {
        &self.spec
    }

    fn status(&self) -> Option<&SecretStoreStatus> {
        self.status.as_ref()
    }

    fn problems(&self) -> Vec<Problem> {
        self.validate()
    }

    fn objects(&self, context: &Context) -> Api<Self> {
        context.within(&self.namespace().unwrap_or_default())
    }
}

impl StoreObject for ClusterSecretStore {
    fn spec(&self) -> &SecretStoreSpec {
        &self.spec
    }

    fn status(&self) -> Option<&SecretStoreStatus> {
        self.status.as_ref()
    }

    fn problems(&self) -> Vec<Problem> {
        self.validate()
    }

    fn objects(&self, context: &Context) -> Api<Self> {
        context.cluster()
    }
}

/// When a store was checked; not said more exactly than that it was.
pub(crate) fn checked<K: StoreObject>(store: &K) -> Option<Timestamp> {
    store.status().map(|_| Timestamp::UNIX_EPOCH)
}

/// Checks one store.
pub(crate) async fn reconcile<K: StoreObject>(
    store: Arc<K>,
    context: Arc<Context>,
) -> Result<Again, SyncError> {
    let reference = crate::reference::<K>(store.meta());
    let Some(store) = fresh::present(&context, &reference, store.objects(&context), store).await else {
        return Ok(report::leave(&context, &reference));
    };
    if !context.is_own_class(store.spec().controller.as_deref()) {
        return Ok(report::leave(&context, &reference));
    }
    if store.meta().deletion_timestamp.is_some() {
        return finalize::finalize(store.as_ref(), &reference, &context).await;
    }
    context.references.set(&reference, referents(store.spec(), store.namespace().as_deref()));
    let now = context.clock.now();
    let checked = check(store.as_ref(), &reference, &context).await;
    let (ready, next, capabilities) = match checked {
        Ok((validity, capabilities)) => {
            (ready(validity), Next::At(recheck(store.spec(), &context, now)), Some(capabilities))
        }
        Err(failure) => {
            let message = pipeline::message(failure.as_ref());
            let ready = Ready { status: false, reason: reason::INVALID_PROVIDER_CONFIG, message };
            let next = match failure.retry() {
                // What the server thinks of the credential changes without any change that we could see.
                Retry::WhenChanged => Next::At(recheck(store.spec(), &context, now)),
                retry @ (Retry::Backoff | Retry::After(_)) => retry.into(),
            };
            (ready, next, None)
        }
    };
    context.metrics.synced(&reference, &ready, now);
    if !ready.status {
        context.activity.failed(&reference);
    }
    write(store.as_ref(), &reference, &context, &ready, capabilities, now).await?;
    report::passed(&context, &reference);
    Ok(report::schedule_within(&context, &reference, next, PROBE_MAX))
}

/// Drops what the process keeps for a store that was deleted. An object that is no store has a UID that no store has.
pub(crate) fn forget(meta: &ObjectMeta, context: &Context) {
    context.store_opener.clients.forget(&id(meta));
}

fn id(meta: &ObjectMeta) -> StoreId {
    StoreId {
        namespace: meta.namespace.clone(),
        name: meta.name.clone().unwrap_or_default(),
        uid: meta.uid.clone().unwrap_or_default(),
    }
}

async fn check<K: StoreObject>(
    store: &K,
    reference: &ObjectRef,
    context: &Context,
) -> Result<(Validity, Capabilities), BoxFailure> {
    let problems = store.problems();
    if !problems.is_empty() {
        return Err(StoreError { store: reference.clone(), problems }.into());
    }
    let id = id(store.meta());
    let consumer = store.namespace();
    let connected = context.store_opener.connect(store.spec(), &id, consumer.as_deref()).await?;
    Ok((connected.validate().await?, connected.capabilities()))
}

/// A spec that makes no sense.
#[derive(Debug, Error)]
#[error("read the spec of {store}: {}", list(.problems))]
struct StoreError {
    store: ObjectRef,
    problems: Vec<Problem>,
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Failure for StoreError {
    fn reason(&self) -> Reason {
        Reason::InvalidSpec
    }

    fn blame(&self) -> Blame {
        Blame::User
    }

    fn retry(&self) -> Retry {
        Retry::WhenChanged
    }

    fn about(&self) -> Option<ObjectRef> {
        Some(self.store.clone())
    }
}

fn ready(validity: Validity) -> Ready {
    match validity {
        Validity::Valid => Ready {
            status: true,
            reason: reason::VALID,
            message: "the store accepts the credential".to_owned(),
        },
        Validity::Unknown => Ready {
            status: true,
            reason: reason::VALIDATION_UNKNOWN,
            message: "the credential is the consumer's, so it can be checked only when the store is used"
                .to_owned(),
        },
    }
}

fn recheck(spec: &SecretStoreSpec, context: &Context, now: Timestamp) -> Timestamp {
    let interval =
        spec.refresh_interval().map_or(context.settings.store_interval, |interval| interval.to_std());
    now.checked_add(interval).unwrap_or(Timestamp::MAX)
}

async fn write<K: StoreObject>(
    store: &K,
    reference: &ObjectRef,
    context: &Context,
    ready: &Ready,
    capabilities: Option<Capabilities>,
    now: Timestamp,
) -> Result<(), SyncError> {
    let before = store.status().cloned().unwrap_or_default();
    let conditions = report::conditions(&before.conditions, ready, now);
    let capabilities = capabilities.map(capability).or_else(|| before.capabilities.clone());
    if conditions == before.conditions && capabilities == before.capabilities {
        return Ok(());
    }
    let mut patch: Map<String, Json> = Map::new();
    patch.insert("conditions".to_owned(), json!(conditions));
    patch.insert("capabilities".to_owned(), json!(capabilities));
    report::write_status(context, &store.objects(context), reference, patch).await?;
    // Said once a change, not once a check.
    let event = Event { warning: !ready.status, reason: ready.reason, message: ready.message.clone() };
    report::record(context, store.object_ref(&()), &[event]);
    Ok(())
}

const fn capability(capabilities: Capabilities) -> StoreCapabilities {
    match capabilities {
        Capabilities::ReadOnly => StoreCapabilities::ReadOnly,
        Capabilities::WriteOnly => StoreCapabilities::WriteOnly,
        Capabilities::ReadWrite => StoreCapabilities::ReadWrite,
    }
}

/// The Secrets and ConfigMaps that a store's spec names.
fn referents(spec: &SecretStoreSpec, namespace: Option<&str>) -> Referents {
    let mut referents = Referents::new();
    let provider = match spec.provider.kind() {
        Some(ProviderKind::Vault(_) | ProviderKind::Kubernetes(_)) => serde_json::to_value(&spec.provider),
        Some(ProviderKind::Fake(_) | ProviderKind::Unsupported(_)) | None => return referents,
    };
    if let Ok(provider) = provider {
        collect(&provider, namespace, &mut referents);
    }
    referents
}

/// Every object with a name below a field that ends in `Ref` is a Secret; a caProvider says its kind.
fn collect(value: &Json, namespace: Option<&str>, referents: &mut Referents) {
    let Json::Object(map) = value else { return };
    for (field, inner) in map {
        let name = inner.get("name").and_then(Json::as_str);
        let namespace = inner.get("namespace").and_then(Json::as_str).or(namespace);
        let kind = match field.as_str() {
            "caProvider" => inner.get("type").and_then(Json::as_str),
            "serviceAccountRef" | "serviceAccount" => None,
            _ => inner.get("name").and(Some("Secret")),
        };
        match (kind, name, namespace) {
            (Some(kind), Some(name), Some(namespace)) => {
                referents.insert(ObjectRef::namespaced(kind, namespace, name), Role::Credential);
            }
            _ => collect(inner, namespace, referents),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(json: Json) -> SecretStoreSpec {
        serde_json::from_value(json!({"provider": json})).unwrap()
    }

    fn names(spec: &SecretStoreSpec, namespace: Option<&str>) -> Vec<String> {
        referents(spec, namespace).into_keys().map(|object| object.to_string()).collect()
    }

    #[test]
    fn a_store_is_woken_by_what_it_authenticates_with() {
        let spec = provider(json!({"vault": {
            "server": "http://v",
            "caProvider": {"type": "ConfigMap", "name": "ca", "key": "ca.crt"},
            "auth": {"appRole": {"path": "approle", "roleId": "x", "secretRef": {"name": "role", "key": "id"}}},
        }}));
        assert_eq!(names(&spec, Some("shop")), ["ConfigMap shop/ca", "Secret shop/role"]);
        assert!(names(&spec, None).is_empty());
    }

    #[test]
    fn a_cluster_store_names_the_namespace() {
        let spec = provider(json!({"vault": {
            "server": "http://v",
            "auth": {"tokenSecretRef": {"name": "t", "key": "token", "namespace": "vault"}},
        }}));
        assert_eq!(names(&spec, None), ["Secret vault/t"]);
    }
}
