//! References to generators, and the list of their kinds.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::group;
use crate::problem::Problems;
use crate::schema;

/// A generator by group, kind and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GeneratorRef {
    /// Group and version: generators.external-secrets.io/v1alpha1, or keymill.dev/v1alpha1 for the kind Generator.
    #[serde(default = "api_version")]
    pub api_version: String,
    /// Kind of the generator.
    pub kind: GeneratorKind,
    /// Name of the generator.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
}

fn api_version() -> String {
    group::GENERATORS_V1ALPHA1.to_owned()
}

impl GeneratorRef {
    /// The group in the apiVersion; empty when it names none.
    #[must_use]
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// Reports a group that does not have the kind.
    pub(crate) fn check(&self, problems: &mut Problems) {
        let wanted = self.kind.group();
        if self.group() != wanted {
            problems.report_field(
                "apiVersion",
                format!("`{}` has no kind {}: use {wanted}/v1alpha1", self.api_version, self.kind),
            );
        }
    }
}

/// Declares the kinds once: for references, for ClusterGenerator, and as text.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// The kinds of generator that a reference may name. Those that keymill does not run yet are named, too, so that
        /// the controller can say so.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum GeneratorKind {
            $($(#[$doc])* #[serde(rename = $name)] $kind,)*
            /// A generator that is shared by all namespaces.
            ClusterGenerator,
            /// A component with its config: keymill's own kind.
            Generator,
        }

        impl GeneratorKind {
            /// The kind as manifests write it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                    Self::ClusterGenerator => "ClusterGenerator",
                    Self::Generator => "Generator",
                }
            }

            /// The API group that has the kind.
            #[must_use]
            pub fn group(self) -> &'static str {
                match self {
                    $(Self::$kind |)* Self::ClusterGenerator => group::GENERATORS,
                    Self::Generator => group::KEYMILL,
                }
            }
        }

        /// The kinds of generator that a ClusterGenerator may hold.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum ClusterGeneratorKind {
            $($(#[$doc])* #[serde(rename = $name)] $kind,)*
        }

        impl From<ClusterGeneratorKind> for GeneratorKind {
            fn from(kind: ClusterGeneratorKind) -> Self {
                match kind {
                    $(ClusterGeneratorKind::$kind => Self::$kind,)*
                }
            }
        }
    };
}

kinds! {
    /// A token for Azure Container Registry.
    AcrAccessToken = "ACRAccessToken",
    /// Dynamic credentials of BeyondTrust.
    BeyondtrustWorkloadCredentialsDynamicSecret = "BeyondtrustWorkloadCredentialsDynamicSecret",
    /// A token for Cloudsmith.
    CloudsmithAccessToken = "CloudsmithAccessToken",
    /// A token for Amazon's container registry.
    EcrAuthorizationToken = "ECRAuthorizationToken",
    /// Values from its own spec.
    Fake = "Fake",
    /// A token for Google's container registry.
    GcrAccessToken = "GCRAccessToken",
    /// A token of a GitHub app.
    GithubAccessToken = "GithubAccessToken",
    /// A deploy token of GitLab.
    GitlabDeployToken = "GitlabDeployToken",
    /// A token for Quay.
    QuayAccessToken = "QuayAccessToken",
    /// A random password.
    Password = "Password",
    /// A pair of SSH keys.
    SshKey = "SSHKey",
    /// A session token of Amazon STS.
    StsSessionToken = "STSSessionToken",
    /// A random UUID.
    Uuid = "UUID",
    /// Dynamic credentials of Vault.
    VaultDynamicSecret = "VaultDynamicSecret",
    /// The answer of a web service.
    Webhook = "Webhook",
    /// A service account of Grafana.
    Grafana = "Grafana",
    /// A one-time password.
    Mfa = "MFA",
}

impl fmt::Display for GeneratorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
