//! The vault provider: the KV secrets engine of HashiCorp Vault, or of a server that speaks its language.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::vault_auth::VaultAuth;
use crate::{CaProvider, InlineSecret, SecretKeySelector, schema};

/// A KV secrets engine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultProvider {
    /// Address of the server: http or https, a host and a port.
    pub server: String,
    /// Where the engine is mounted; when left out, every key begins with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Version of the engine.
    #[serde(default)]
    pub version: VaultVersion,
    /// Namespace that the secrets are in; a feature of Vault Enterprise and OpenBao.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// How to log in; not at all when left out, as behind a Vault proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<VaultAuth>,
    /// CA certificates of the server, PEM in base64. They alone are trusted then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::bytes")]
    pub ca_bundle: Option<ByteString>,
    /// A Secret or ConfigMap that holds the CA certificates. They alone are trusted then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_provider: Option<CaProvider>,
    /// The client certificate for the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<VaultClientTls>,
    /// Whether a read must see the writes that this client has made before.
    #[serde(default, skip_serializing_if = "schema::is_false")]
    pub read_your_writes: bool,
    /// Whether the active node answers when a standby is behind; only together with readYourWrites.
    #[serde(default, skip_serializing_if = "schema::is_false")]
    pub forward_inconsistent: bool,
    /// Headers that every request carries.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, InlineSecret>,
    /// Whether writes name the version that they replace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_and_set: Option<VaultCheckAndSet>,
}

/// Versions of the KV engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VaultVersion {
    /// Without versions of secrets.
    V1,
    /// With versions of secrets, and metadata.
    #[default]
    V2,
}

/// The client certificate for a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultClientTls {
    /// The certificate, in PEM; under the key tls.crt when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<SecretKeySelector>,
    /// Its private key, in PEM; under the key tls.key when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_secret_ref: Option<SecretKeySelector>,
}

/// Whether writes name the version that they replace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultCheckAndSet {
    /// Whether the engine demands it. keymill does it with version v2 in any case.
    #[serde(default, skip_serializing_if = "schema::is_false")]
    pub required: bool,
}
