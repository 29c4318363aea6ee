//! The certificate authority of a store's server, as several providers name it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

/// Where the CA certificate of a server is kept in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaProvider {
    /// Kind of the object that holds the certificate.
    #[serde(rename = "type")]
    pub kind: CaProviderKind,
    /// Name of that object.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
    /// Key in that object. A ConfigMap or Secret with one certificate under this key, in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::data_key")]
    pub key: Option<String>,
    /// Namespace of that object. Required in a ClusterSecretStore, and not wanted in a SecretStore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::namespace")]
    pub namespace: Option<String>,
}

/// Kinds of object that can hold a CA certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CaProviderKind {
    /// A Secret.
    Secret,
    /// A ConfigMap.
    ConfigMap,
}
