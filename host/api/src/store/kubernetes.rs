//! The kubernetes provider: Secrets of a cluster as a store.

use k8s_openapi::ByteString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CaProvider, SecretKeySelector, ServiceAccountSelector, schema};

/// The server when a manifest names none: the cluster that keymill runs in.
const SERVER_URL: &str = "kubernetes.default";

/// The Secrets in one namespace of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesProvider {
    /// The API server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<KubernetesServer>,
    /// How to authenticate against it. Exactly one method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<KubernetesAuth>,
    /// A Secret that holds a kubeconfig; in place of server and auth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_ref: Option<SecretKeySelector>,
    /// Namespace whose Secrets are read and written.
    #[serde(default = "remote_namespace")]
    #[schemars(schema_with = "schema::namespace")]
    pub remote_namespace: String,
}

impl Default for KubernetesProvider {
    fn default() -> Self {
        Self { server: None, auth: None, auth_ref: None, remote_namespace: remote_namespace() }
    }
}

fn remote_namespace() -> String {
    "default".to_owned()
}

impl KubernetesProvider {
    /// The address of the API server, `kubernetes.default` when left out.
    #[must_use]
    pub fn server_url(&self) -> &str {
        self.server.as_ref().map_or(SERVER_URL, |server| &server.url)
    }
}

/// An API server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesServer {
    /// Address of the API server.
    #[serde(default = "server_url")]
    pub url: String,
    /// CA certificates of the server, PEM in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::bytes")]
    pub ca_bundle: Option<ByteString>,
    /// A Secret or ConfigMap that holds the CA certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_provider: Option<CaProvider>,
}

impl Default for KubernetesServer {
    fn default() -> Self {
        Self { url: server_url(), ca_bundle: None, ca_provider: None }
    }
}

fn server_url() -> String {
    SERVER_URL.to_owned()
}

/// Exactly one way to authenticate against an API server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct KubernetesAuth {
    /// With a client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert: Option<KubernetesCertAuth>,
    /// With a bearer token from a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<KubernetesTokenAuth>,
    /// With a token that is made for a ServiceAccount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<ServiceAccountSelector>,
}

/// A client certificate and its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesCertAuth {
    /// The certificate, in PEM.
    pub client_cert: SecretKeySelector,
    /// Its private key, in PEM.
    pub client_key: SecretKeySelector,
}

/// A bearer token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesTokenAuth {
    /// The token.
    pub bearer_token: SecretKeySelector,
}
