//! The ways to log in to Vault.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{SecretKeySelector, ServiceAccountSelector};

/// How to log in to Vault. When several methods are given, the first one in the order of this list is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultAuth {
    /// Namespace to log in to, when it differs from that of the secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// With a token from a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_secret_ref: Option<SecretKeySelector>,
    /// With an AppRole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_role: Option<VaultAppRoleAuth>,
    /// With the token of a ServiceAccount, which Vault checks against the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<VaultKubernetesAuth>,
    /// With a user name and password of LDAP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ldap: Option<VaultLdapAuth>,
    /// With a user name and password of Vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_pass: Option<VaultUserPassAuth>,
    /// With a JSON web token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt: Option<VaultJwtAuth>,
    /// With a client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert: Option<VaultCertAuth>,
    /// With an identity of AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iam: Option<VaultIamAuth>,
    /// With an identity of Google Cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gcp: Option<VaultGcpAuth>,
}

/// The way to log in that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VaultAuthMethod<'a> {
    /// With a token from a Secret.
    Token(&'a SecretKeySelector),
    /// With an AppRole.
    AppRole(&'a VaultAppRoleAuth),
    /// With the token of a ServiceAccount.
    Kubernetes(&'a VaultKubernetesAuth),
    /// With a user name and password of LDAP.
    Ldap(&'a VaultLdapAuth),
    /// With a user name and password of Vault.
    UserPass(&'a VaultUserPassAuth),
    /// With a JSON web token.
    Jwt(&'a VaultJwtAuth),
    /// With a client certificate.
    Cert(&'a VaultCertAuth),
    /// With an identity of AWS.
    Iam(&'a VaultIamAuth),
    /// With an identity of Google Cloud.
    Gcp(&'a VaultGcpAuth),
}

impl VaultAuth {
    /// The method that is used: the first that is given, in upstream's order.
    #[must_use]
    pub fn method(&self) -> Option<VaultAuthMethod<'_>> {
        let token = self.token_secret_ref.as_ref().map(VaultAuthMethod::Token);
        token
            .or_else(|| self.app_role.as_ref().map(VaultAuthMethod::AppRole))
            .or_else(|| self.kubernetes.as_ref().map(VaultAuthMethod::Kubernetes))
            .or_else(|| self.ldap.as_ref().map(VaultAuthMethod::Ldap))
            .or_else(|| self.user_pass.as_ref().map(VaultAuthMethod::UserPass))
            .or_else(|| self.jwt.as_ref().map(VaultAuthMethod::Jwt))
            .or_else(|| self.cert.as_ref().map(VaultAuthMethod::Cert))
            .or_else(|| self.iam.as_ref().map(VaultAuthMethod::Iam))
            .or_else(|| self.gcp.as_ref().map(VaultAuthMethod::Gcp))
    }
}

/// Logs in with an AppRole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["path", "secretRef"]))]
pub struct VaultAppRoleAuth {
    /// Where the method is mounted.
    #[serde(default = "app_role_path")]
    pub path: String,
    /// Id of the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_id: Option<String>,
    /// A Secret that holds the id of the role, in place of roleId.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_ref: Option<SecretKeySelector>,
    /// The secret id.
    pub secret_ref: SecretKeySelector,
}

fn app_role_path() -> String {
    "approle".to_owned()
}

/// Logs in with the token of a ServiceAccount; with keymill's own when neither reference is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["mountPath", "role"]))]
pub struct VaultKubernetesAuth {
    /// Where the method is mounted.
    #[serde(default = "kubernetes_path")]
    pub mount_path: String,
    /// The ServiceAccount that a token is made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_ref: Option<ServiceAccountSelector>,
    /// A Secret that holds a token, under the key token when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKeySelector>,
    /// The role to log in to.
    pub role: String,
}

fn kubernetes_path() -> String {
    "kubernetes".to_owned()
}

/// Logs in with a user name and password of LDAP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["path", "username"]))]
pub struct VaultLdapAuth {
    /// Where the method is mounted.
    #[serde(default = "ldap_path")]
    pub path: String,
    /// The user.
    pub username: String,
    /// The password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKeySelector>,
}

fn ldap_path() -> String {
    "ldap".to_owned()
}

/// Logs in with a user name and password of Vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["path", "username"]))]
pub struct VaultUserPassAuth {
    /// Where the method is mounted.
    #[serde(default = "user_pass_path")]
    pub path: String,
    /// The user.
    pub username: String,
    /// The password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKeySelector>,
}

fn user_pass_path() -> String {
    "userpass".to_owned()
}

/// Logs in with a JSON web token, from a Secret or made for a ServiceAccount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["path"]))]
pub struct VaultJwtAuth {
    /// Where the method is mounted.
    #[serde(default = "jwt_path")]
    pub path: String,
    /// The role to log in to; the method's own default when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// A Secret that holds the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKeySelector>,
    /// The ServiceAccount that a token is made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes_service_account_token: Option<VaultServiceAccountToken>,
}

fn jwt_path() -> String {
    "jwt".to_owned()
}

/// A token that is made for a ServiceAccount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultServiceAccountToken {
    /// The ServiceAccount.
    pub service_account_ref: ServiceAccountSelector,
    /// Audiences of the token; deprecated, use those of serviceAccountRef. vault when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audiences: Option<Vec<String>>,
    /// Seconds that the token lives; deprecated. 600 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration_seconds: Option<i64>,
}

impl VaultServiceAccountToken {
    /// Audiences of the token, `vault` when left out.
    #[must_use]
    pub fn audiences(&self) -> Vec<String> {
        self.audiences.clone().unwrap_or_else(|| vec!["vault".to_owned()])
    }

    /// Seconds that the token lives, 600 when left out.
    #[must_use]
    pub fn expiration_seconds(&self) -> i64 {
        self.expiration_seconds.unwrap_or(600)
    }
}

/// Logs in with a client certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultCertAuth {
    /// Where the method is mounted.
    #[serde(default = "cert_path")]
    pub path: String,
    /// The role to log in to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault_role: Option<String>,
    /// The certificate, in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_cert: Option<SecretKeySelector>,
    /// Its private key, in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKeySelector>,
}

impl Default for VaultCertAuth {
    fn default() -> Self {
        Self { path: cert_path(), vault_role: None, client_cert: None, secret_ref: None }
    }
}

fn cert_path() -> String {
    "cert".to_owned()
}

/// Logs in with an identity of AWS: keys from Secrets, a ServiceAccount, or the identity that keymill runs with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultIamAuth {
    /// Where the method is mounted; aws when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Region of AWS; us-east-1 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// A role of AWS to assume first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The role to log in to.
    pub vault_role: String,
    /// The external id that the role of AWS demands.
    #[serde(rename = "externalID", default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The server id that Vault demands in the signed request.
    #[serde(rename = "vaultAwsIamServerID", default, skip_serializing_if = "Option::is_none")]
    pub vault_aws_iam_server_id: Option<String>,
    /// Access keys from Secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<VaultAwsSecretRef>,
    /// The identity of a ServiceAccount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt: Option<VaultAwsJwtAuth>,
}

impl VaultIamAuth {
    /// Where the method is mounted, `aws` when left out.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path.as_deref().unwrap_or("aws")
    }

    /// Region of AWS, `us-east-1` when left out.
    #[must_use]
    pub fn region(&self) -> &str {
        self.region.as_deref().unwrap_or("us-east-1")
    }
}

/// Access keys of AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultAwsSecretRef {
    /// The access key's id.
    #[serde(rename = "accessKeyIDSecretRef", default, skip_serializing_if = "Option::is_none")]
    pub access_key_id_secret_ref: Option<SecretKeySelector>,
    /// The secret access key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_access_key_secret_ref: Option<SecretKeySelector>,
    /// The session token, with temporary keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_token_secret_ref: Option<SecretKeySelector>,
}

/// The identity of a ServiceAccount that AWS knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultAwsJwtAuth {
    /// The ServiceAccount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_ref: Option<ServiceAccountSelector>,
}

/// Logs in with an identity of Google Cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultGcpAuth {
    /// Where the method is mounted.
    #[serde(default = "gcp_path")]
    pub path: String,
    /// The role to log in to.
    pub role: String,
    /// Project of Google Cloud.
    #[serde(rename = "projectID", default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Location in Google Cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The key of a service account, from a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<VaultGcpSecretRef>,
    /// The identity of a ServiceAccount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload_identity: Option<VaultGcpWorkloadIdentity>,
    /// The ServiceAccount whose identity is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_ref: Option<ServiceAccountSelector>,
}

fn gcp_path() -> String {
    "gcp".to_owned()
}

/// The key of a service account of Google Cloud.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultGcpSecretRef {
    /// The key, in JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_access_key_secret_ref: Option<SecretKeySelector>,
}

/// The identity of a ServiceAccount that Google Cloud knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultGcpWorkloadIdentity {
    /// The ServiceAccount.
    pub service_account_ref: ServiceAccountSelector,
    /// Location of the cluster; asked of the metadata server when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_location: Option<String>,
    /// Name of the cluster; asked of the metadata server when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_name: Option<String>,
    /// Project of the cluster; the store's when left out.
    #[serde(rename = "clusterProjectID", default, skip_serializing_if = "Option::is_none")]
    pub cluster_project_id: Option<String>,
}
