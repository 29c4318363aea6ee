//! The provider of a store: which server it is, and how to get in.
//!
//! keymill has three of ESO's providers. The keys of the others are in the schema, so that their manifests are accepted
//! and the store's status can say what is supported.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::fake::FakeProvider;
use super::kubernetes::KubernetesProvider;
use super::vault::VaultProvider;
use crate::{RawObject, schema};

/// ESO's providers that keymill does not have, by their key in `spec.provider`.
const UNSUPPORTED: [(&str, &str); 40] = [
    ("akeyless", "Akeyless."),
    ("aws", "AWS Secrets Manager or Parameter Store."),
    ("azurekv", "Azure Key Vault."),
    ("barbican", "OpenStack Barbican."),
    ("beyondtrust", "BeyondTrust Password Safe."),
    ("beyondtrustworkloadcredentials", "BeyondTrust Workload Credentials."),
    ("bitwardensecretsmanager", "Bitwarden Secrets Manager."),
    ("chef", "Chef Infra Server."),
    ("cloudrusm", "Cloud.ru Secret Manager."),
    ("conjur", "CyberArk Conjur."),
    ("crd", "Custom resources of a cluster."),
    ("delinea", "Delinea DevOps Secrets Vault."),
    ("doppler", "Doppler."),
    ("dvls", "Devolutions Server."),
    ("fortanix", "Fortanix DSM."),
    ("gcpsm", "Google Secret Manager."),
    ("github", "GitHub Actions secrets."),
    ("gitlab", "GitLab variables."),
    ("ibm", "IBM Cloud Secrets Manager."),
    ("infisical", "Infisical."),
    ("keepersecurity", "Keeper Security."),
    ("nebiusmysterybox", "Nebius MysteryBox."),
    ("ngrok", "ngrok secrets."),
    ("onboardbase", "Onboardbase."),
    ("onepassword", "1Password Connect."),
    ("onepasswordSDK", "1Password through its SDK."),
    ("openBao", "OpenBao. The vault provider speaks to it, too."),
    ("oracle", "Oracle Vault."),
    ("ovh", "OVHcloud Secret Manager."),
    ("passbolt", "Passbolt."),
    ("passworddepot", "Password Depot."),
    ("previder", "Previder Vault."),
    ("pulumi", "Pulumi ESC."),
    ("scaleway", "Scaleway Secret Manager."),
    ("secretserver", "Delinea Secret Server."),
    ("senhasegura", "senhasegura."),
    ("volcengine", "Volcengine."),
    ("webhook", "A web service."),
    ("yandexcertificatemanager", "Yandex Certificate Manager."),
    ("yandexlockbox", "Yandex Lockbox."),
];

/// Exactly one provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1), transform = list_unsupported)]
pub struct StoreProvider {
    /// The KV secrets engine of HashiCorp Vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultProvider>,
    /// Secrets in the store's own spec, for tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fake: Option<FakeProvider>,
    /// The Secrets of a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<KubernetesProvider>,
    /// Providers that keymill does not have, as they were written.
    #[serde(flatten)]
    pub unsupported: BTreeMap<String, RawObject>,
}

fn list_unsupported(schema: &mut Schema) {
    schema::list_raw_objects(schema, &UNSUPPORTED);
}

/// The provider that a store names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ProviderKind<'a> {
    /// The KV secrets engine of HashiCorp Vault.
    Vault(&'a VaultProvider),
    /// Secrets in the store's own spec.
    Fake(&'a FakeProvider),
    /// The Secrets of a cluster.
    Kubernetes(&'a KubernetesProvider),
    /// One that keymill does not have, by its key.
    Unsupported(&'a str),
}

impl ProviderKind<'_> {
    /// The keys of the providers that keymill has, as a message lists them.
    pub const SUPPORTED: &'static str = "vault, fake, kubernetes";

    /// The key in `spec.provider`.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Vault(_) => "vault",
            Self::Fake(_) => "fake",
            Self::Kubernetes(_) => "kubernetes",
            Self::Unsupported(key) => key,
        }
    }
}

impl StoreProvider {
    /// The one provider that is named; `None` when there is none or more than one, which validation reports.
    #[must_use]
    pub fn kind(&self) -> Option<ProviderKind<'_>> {
        let mut all = self.all();
        match (all.next(), all.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// Every provider that is named.
    pub(super) fn all(&self) -> impl Iterator<Item = ProviderKind<'_>> {
        let vault = self.vault.as_ref().map(ProviderKind::Vault);
        let fake = self.fake.as_ref().map(ProviderKind::Fake);
        let kubernetes = self.kubernetes.as_ref().map(ProviderKind::Kubernetes);
        let unsupported = self.unsupported.keys().map(|key| ProviderKind::Unsupported(key));
        vault.into_iter().chain(fake).chain(kubernetes).chain(unsupported)
    }
}
