//! Opens stores for consumers: finds the object, asks whether the consumer may use it, connects.
//!
//! A ClusterSecretStore's conditions are checked here, each time, against the consumer's namespace as it is now. An
//! ExternalSecret is also kept from a store that is known not to be ready, so that a thousand of them do not all ask a server
//! that is down; a PushSecret, as in ESO, is not.

use std::sync::Arc;

use api::store::StoreCondition;
use api::{ConditionStatus, SecretStoreSpec, SecretStoreStatus};
use async_trait::async_trait;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{Selector, SelectorExt};
use kube::{Api, Client, ResourceExt};
use pipeline::{
    Blame, BoxFailure, Failure, Found, ObjectRef, Reason, Retry, SecretStore, StoreHandle, Stores,
};
use regex::Regex;
use stores::{Clients, Ports, StoreId, connect};
use thiserror::Error;

use crate::cache::Caches;
use crate::cluster::ClusterError;
use crate::wiring::Watched;

/// Who opens a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreUse {
    /// An ExternalSecret: not while the store is known not to be ready.
    Read,
    /// A PushSecret.
    Push,
}

/// Opens stores.
#[derive(Clone)]
pub(crate) struct StoreOpener {
    pub(crate) client: Client,
    pub(crate) caches: Arc<Caches>,
    pub(crate) ports: Ports,
    pub(crate) clients: Arc<Clients>,
    pub(crate) purpose: StoreUse,
    pub(crate) watched: Watched,
}

impl std::fmt::Debug for StoreOpener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoreOpener({:?})", self.purpose)
    }
}

/// Why a store could not be opened for a consumer.
#[derive(Debug, Error)]
pub(crate) enum OpenError {
    #[error("find {store}: it does not exist")]
    Missing { store: ObjectRef },
    #[error("use {store} from namespace {namespace}: none of the store's conditions allow it")]
    NotAllowed { store: ObjectRef, namespace: String },
    #[error("use {store}: it is not ready ({message})")]
    NotReady { store: ObjectRef, message: String },
    #[error("read the conditions of {store}: {what}")]
    Condition { store: ObjectRef, what: String },
    #[error("use a store of kind {kind}: only SecretStore and ClusterSecretStore exist")]
    Kind { kind: String },
}

/// A store object, whatever its kind.
struct StoreObject {
    reference: ObjectRef,
    id: StoreId,
    spec: SecretStoreSpec,
    status: Option<SecretStoreStatus>,
}

#[async_trait]
impl Stores for StoreOpener {
    async fn open(&self, namespace: &str, kind: &str, name: &str) -> Result<StoreHandle, BoxFailure> {
        let found = self.find(namespace, kind, name).await?;
        if kind == "ClusterSecretStore" {
            self.check_conditions(&found, namespace).await?;
        }
        if self.purpose == StoreUse::Read {
            check_ready(&found)?;
        }
        let store = self.connect(&found.spec, &found.id, Some(namespace)).await?;
        Ok(StoreHandle { kind: kind.to_owned(), name: name.to_owned(), store })
    }
}

impl StoreOpener {
    /// A connection to a store, whatever became of it before.
    pub(crate) async fn connect(
        &self,
        spec: &SecretStoreSpec,
        id: &StoreId,
        consumer: Option<&str>,
    ) -> Result<Arc<dyn SecretStore>, BoxFailure> {
        let store = connect(&spec.provider, id, consumer, &self.ports, &self.clients).await?;
        Ok(self.watched.over(store, &spec.provider))
    }

    async fn find(&self, namespace: &str, kind: &str, name: &str) -> Result<StoreObject, BoxFailure> {
        let missing = |store: ObjectRef| BoxFailure::from(OpenError::Missing { store });
        match kind {
            "SecretStore" => {
                let reference = ObjectRef::namespaced(kind, namespace, name);
                match self.caches.secret_stores.within(namespace, name).await? {
                    Found::Missing => Err(missing(reference)),
                    Found::Found(store) => Ok(StoreObject {
                        reference,
                        id: StoreId {
                            namespace: Some(namespace.to_owned()),
                            name: name.to_owned(),
                            uid: store.uid().unwrap_or_default(),
                        },
                        spec: store.spec.clone(),
                        status: store.status.clone(),
                    }),
                }
            }
            "ClusterSecretStore" => {
                let reference = ObjectRef::cluster(kind, name);
                match self.caches.cluster_secret_stores.named(name).await? {
                    Found::Missing => Err(missing(reference)),
                    Found::Found(store) => Ok(StoreObject {
                        reference,
                        id: StoreId {
                            namespace: None,
                            name: name.to_owned(),
                            uid: store.uid().unwrap_or_default(),
                        },
                        spec: store.spec.clone(),
                        status: store.status.clone(),
                    }),
                }
            }
            other => Err(OpenError::Kind { kind: other.to_owned() }.into()),
        }
    }

    /// The controller class that a store names; none for a store that does not exist.
    pub(crate) async fn class(
        &self,
        namespace: &str,
        kind: &str,
        name: &str,
    ) -> Result<Option<String>, ClusterError> {
        Ok(match kind {
            "SecretStore" => {
                let found = self.caches.secret_stores.within(namespace, name).await?;
                found.ok().and_then(|store| store.spec.controller.clone())
            }
            "ClusterSecretStore" => {
                let found = self.caches.cluster_secret_stores.named(name).await?;
                found.ok().and_then(|store| store.spec.controller.clone())
            }
            _ => None,
        })
    }

    async fn check_conditions(&self, found: &StoreObject, namespace: &str) -> Result<(), BoxFailure> {
        if found.spec.conditions.is_empty() {
            return Ok(());
        }
        let labels = self.labels(namespace, &found.spec.conditions).await?;
        for condition in &found.spec.conditions {
            let allowed = allows(condition, namespace, &labels)
                .map_err(|what| OpenError::Condition { store: found.reference.clone(), what })?;
            if allowed {
                return Ok(());
            }
        }
        Err(OpenError::NotAllowed { store: found.reference.clone(), namespace: namespace.to_owned() }.into())
    }

    /// The namespace's labels; asked for only when a condition looks at them.
    async fn labels(
        &self,
        namespace: &str,
        conditions: &[StoreCondition],
    ) -> Result<std::collections::BTreeMap<String, String>, BoxFailure> {
        if conditions.iter().all(|condition| condition.namespace_selector.is_none()) {
            return Ok(std::collections::BTreeMap::new());
        }
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        match namespaces.get_opt(namespace).await {
            Ok(found) => Ok(found.and_then(|namespace| namespace.metadata.labels).unwrap_or_default()),
            Err(error) => {
                let object = ObjectRef::cluster("Namespace", namespace);
                Err(ClusterError::Read { object, answer: error.into() }.into())
            }
        }
    }
}

/// Any part of a condition that fits allows.
fn allows(
    condition: &StoreCondition,
    namespace: &str,
    labels: &std::collections::BTreeMap<String, String>,
) -> Result<bool, String> {
    if condition.namespaces.iter().any(|name| name == namespace) {
        return Ok(true);
    }
    if let Some(selector) = &condition.namespace_selector
        && selects(selector, labels)?
    {
        return Ok(true);
    }
    for pattern in &condition.namespace_regexes {
        // As upstream: the expression may match anywhere in the name.
        let regex = Regex::new(pattern).map_err(|_| format!("`{pattern}` is not a regular expression"))?;
        if regex.is_match(namespace) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a label selector selects these labels.
pub(crate) fn selects(
    selector: &LabelSelector,
    labels: &std::collections::BTreeMap<String, String>,
) -> Result<bool, String> {
    let selector: Selector = selector
        .clone()
        .try_into()
        .map_err(|_| "a label selector has an operator that does not exist".to_owned())?;
    Ok(selector.matches(labels))
}

fn check_ready(found: &StoreObject) -> Result<(), OpenError> {
    let ready = found.status.as_ref().and_then(SecretStoreStatus::ready);
    match ready {
        Some(condition) if condition.status == ConditionStatus::False => Err(OpenError::NotReady {
            store: found.reference.clone(),
            message: condition.message.clone().unwrap_or_default(),
        }),
        // A store that was not checked yet is tried.
        Some(_) | None => Ok(()),
    }
}

impl Failure for OpenError {
    fn reason(&self) -> Reason {
        match self {
            OpenError::Missing { .. } => Reason::StoreNotFound,
            OpenError::NotAllowed { .. } => Reason::StoreNotAllowed,
            OpenError::NotReady { .. } => Reason::StoreNotReady,
            OpenError::Condition { .. } | OpenError::Kind { .. } => Reason::InvalidSpec,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            OpenError::NotReady { .. } => Blame::Store,
            OpenError::Missing { .. }
            | OpenError::NotAllowed { .. }
            | OpenError::Condition { .. }
            | OpenError::Kind { .. } => Blame::User,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            // The labels of a namespace are not watched.
            OpenError::NotAllowed { .. } | OpenError::NotReady { .. } => Retry::Backoff,
            OpenError::Missing { .. } | OpenError::Condition { .. } | OpenError::Kind { .. } => {
                Retry::WhenChanged
            }
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        match self {
            OpenError::Missing { store }
            | OpenError::NotAllowed { store, .. }
            | OpenError::NotReady { store, .. }
            | OpenError::Condition { store, .. } => Some(store.clone()),
            OpenError::Kind { .. } => None,
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            OpenError::Missing { .. } => "create it, or correct secretStoreRef",
            OpenError::NotAllowed { .. } => {
                "add the namespace to the store's conditions, or use another store"
            }
            OpenError::NotReady { .. } => "see the store's status",
            OpenError::Condition { .. } => "correct the store's conditions",
            OpenError::Kind { .. } => "correct secretStoreRef.kind",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn condition(yaml: serde_json::Value) -> StoreCondition {
        serde_json::from_value(yaml).unwrap()
    }

    #[test]
    fn any_part_of_a_condition_allows() {
        let labels = BTreeMap::from([("team".to_owned(), "shop".to_owned())]);
        for (yaml, allowed) in [
            (serde_json::json!({"namespaces": ["a", "shop"]}), true),
            (serde_json::json!({"namespaces": ["a"]}), false),
            (serde_json::json!({"namespaceRegexes": ["^sh.p$"]}), true),
            (serde_json::json!({"namespaceRegexes": ["^other"]}), false),
            (serde_json::json!({"namespaceSelector": {"matchLabels": {"team": "shop"}}}), true),
            (
                serde_json::json!({"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["shop"]}]}}),
                false,
            ),
        ] {
            assert_eq!(allows(&condition(yaml.clone()), "shop", &labels), Ok(allowed), "{yaml}");
        }
    }

    #[test]
    fn a_bad_expression_is_said() {
        let bad = condition(serde_json::json!({"namespaceRegexes": ["("]}));
        assert!(allows(&bad, "shop", &BTreeMap::new()).unwrap_err().contains("`(`"));
    }
}
