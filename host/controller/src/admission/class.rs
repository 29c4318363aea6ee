//! Whether an object that names stores and generators is another controller's: then its faults are nobody's business here. The rule is
//! that of the loops: an ExternalSecret with one of them, a PushSecret all of whose stores are theirs.

use api::{ClusterSecretStore, Fake, SecretStore, StoreKind};
use kube::api::DynamicObject;
use kube::core::ApiResource;
use kube::{Api, Client};
use pipeline::ObjectRef;

use crate::cluster::ClusterError;

/// What an object names that has a controller class.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) objects: Vec<(NamedKind, String)>,
    /// Whether one is enough to make the object another controller's.
    pub(super) one_is_enough: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NamedKind {
    SecretStore,
    ClusterSecretStore,
    Fake,
}

impl From<StoreKind> for NamedKind {
    fn from(kind: StoreKind) -> Self {
        match kind {
            StoreKind::SecretStore => NamedKind::SecretStore,
            StoreKind::ClusterSecretStore => NamedKind::ClusterSecretStore,
        }
    }
}

impl Named {
    /// Whether the object is another controller's, by a test that says which classes are ours.
    pub(super) async fn is_foreign(
        &self,
        client: &Client,
        namespace: Option<&str>,
        is_own: impl Fn(Option<&str>) -> bool,
    ) -> Result<bool, ClusterError> {
        for (kind, name) in &self.objects {
            let class = kind.class(client, namespace.unwrap_or_default(), name).await?;
            if is_own(class.as_deref()) != self.one_is_enough {
                return Ok(self.one_is_enough);
            }
        }
        Ok(!self.one_is_enough && !self.objects.is_empty())
    }
}

impl NamedKind {
    /// The class that an object of this kind names; none for one that does not exist.
    async fn class(
        self,
        client: &Client,
        namespace: &str,
        name: &str,
    ) -> Result<Option<String>, ClusterError> {
        let resource = match self {
            NamedKind::SecretStore => ApiResource::erase::<SecretStore>(&()),
            NamedKind::ClusterSecretStore => ApiResource::erase::<ClusterSecretStore>(&()),
            NamedKind::Fake => ApiResource::erase::<Fake>(&()),
        };
        let (objects, object): (Api<DynamicObject>, _) = match self {
            NamedKind::ClusterSecretStore => {
                (Api::all_with(client.clone(), &resource), ObjectRef::cluster(&resource.kind, name))
            }
            NamedKind::SecretStore | NamedKind::Fake => (
                Api::namespaced_with(client.clone(), namespace, &resource),
                ObjectRef::namespaced(&resource.kind, namespace, name),
            ),
        };
        let found = objects.get_opt(name).await;
        let found = found.map_err(|error| ClusterError::Read { object, answer: error.into() })?;
        let class = found.as_ref().and_then(|found| found.data.pointer("/spec/controller"));
        Ok(class.and_then(serde_json::Value::as_str).map(str::to_owned))
    }
}
