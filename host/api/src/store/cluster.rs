//! ClusterSecretStore: a store for the whole cluster.

use std::borrow::Cow;

use k8s_openapi::ClusterResourceScope;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::ApiResource;
use kube::core::object::{HasSpec, HasStatus};
use kube::{CustomResourceExt, Resource};
use serde::{Deserialize, Serialize, Serializer};

use super::{SecretStore, SecretStoreSpec, SecretStoreStatus};

const KIND: &str = "ClusterSecretStore";
const PLURAL: &str = "clustersecretstores";

/// A ClusterSecretStore says where secrets are kept and how to get in, for all namespaces that its conditions allow.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ClusterSecretStore {
    /// Name, labels and the like.
    pub metadata: ObjectMeta,
    /// The store.
    pub spec: SecretStoreSpec,
    /// What the controller reports about it.
    #[serde(default)]
    pub status: Option<SecretStoreStatus>,
}

impl ClusterSecretStore {
    /// A store that has not been written to a cluster.
    #[must_use]
    pub fn new(name: &str, spec: SecretStoreSpec) -> Self {
        Self {
            metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
            spec,
            status: None,
        }
    }
}

impl Serialize for ClusterSecretStore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Document<'a> {
            api_version: Cow<'a, str>,
            kind: &'a str,
            metadata: &'a ObjectMeta,
            spec: &'a SecretStoreSpec,
            #[serde(skip_serializing_if = "Option::is_none")]
            status: &'a Option<SecretStoreStatus>,
        }
        let Self { metadata, spec, status } = self;
        let api_version = Self::api_version(&());
        Document { api_version, kind: KIND, metadata, spec, status }.serialize(serializer)
    }
}

impl Resource for ClusterSecretStore {
    type DynamicType = ();
    type Scope = ClusterResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        KIND.into()
    }

    fn group((): &()) -> Cow<'_, str> {
        SecretStore::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        SecretStore::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        PLURAL.into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl HasSpec for ClusterSecretStore {
    type Spec = SecretStoreSpec;

    fn spec(&self) -> &SecretStoreSpec {
        &self.spec
    }

    fn spec_mut(&mut self) -> &mut SecretStoreSpec {
        &mut self.spec
    }
}

impl HasStatus for ClusterSecretStore {
    type Status = SecretStoreStatus;

    fn status(&self) -> Option<&SecretStoreStatus> {
        self.status.as_ref()
    }

    fn status_mut(&mut self) -> &mut Option<SecretStoreStatus> {
        &mut self.status
    }
}

impl CustomResourceExt for ClusterSecretStore {
    /// The definition of SecretStore with the names and the scope of this kind.
    fn crd() -> CustomResourceDefinition {
        let mut crd = SecretStore::crd();
        crd.metadata.name = Some(Self::crd_name().to_owned());
        crd.spec.scope = "Cluster".to_owned();
        let names = &mut crd.spec.names;
        names.kind = KIND.to_owned();
        names.plural = PLURAL.to_owned();
        names.singular = Some("clustersecretstore".to_owned());
        names.short_names = Some(Self::shortnames().iter().map(|name| (*name).to_owned()).collect());
        for version in &mut crd.spec.versions {
            if let Some(root) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut())
            {
                root.title = Some(KIND.to_owned());
                root.description = Some(
                    "A ClusterSecretStore says where secrets are kept and how to get in, for all namespaces that its \
                     conditions allow."
                        .to_owned(),
                );
            }
        }
        crd
    }

    fn crd_name() -> &'static str {
        "clustersecretstores.external-secrets.io"
    }

    fn api_resource() -> ApiResource {
        ApiResource::erase::<Self>(&())
    }

    fn shortnames() -> &'static [&'static str] {
        &["css"]
    }
}
