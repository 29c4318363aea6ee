//! ClusterGenerator: a generator that every namespace may use.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{ClusterGeneratorKind, FakeSpec, GeneratorKind, PasswordSpec, UuidSpec};
use crate::problem::{Problem, Problems};
use crate::{RawObject, schema};

/// ESO's generators that keymill does not have yet, by their key in `spec.generator`.
const UNSUPPORTED: [(&str, &str); 14] = [
    ("acrAccessTokenSpec", "Config of an ACRAccessToken."),
    (
        "beyondtrustWorkloadCredentialsDynamicSecretSpec",
        "Config of a BeyondtrustWorkloadCredentialsDynamicSecret.",
    ),
    ("cloudsmithAccessTokenSpec", "Config of a CloudsmithAccessToken."),
    ("ecrAuthorizationTokenSpec", "Config of an ECRAuthorizationToken."),
    ("gcrAccessTokenSpec", "Config of a GCRAccessToken."),
    ("githubAccessTokenSpec", "Config of a GithubAccessToken."),
    ("gitlabDeployTokenSpec", "Config of a GitlabDeployToken."),
    ("grafanaSpec", "Config of a Grafana service account."),
    ("mfaSpec", "Config of an MFA."),
    ("quayAccessTokenSpec", "Config of a QuayAccessToken."),
    ("sshKeySpec", "Config of an SSHKey."),
    ("stsSessionTokenSpec", "Config of an STSSessionToken."),
    ("vaultDynamicSecretSpec", "Config of a VaultDynamicSecret."),
    ("webhookSpec", "Config of a Webhook."),
];

/// The kind of generator and its config.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "generators.external-secrets.io",
    version = "v1alpha1",
    kind = "ClusterGenerator",
    plural = "clustergenerators",
    singular = "clustergenerator",
    category = "external-secrets",
    category = "external-secrets-generators",
    derive = "PartialEq",
    doc = "A ClusterGenerator is a generator that every namespace may use."
)]
pub struct ClusterGeneratorSpec {
    /// Kind of the generator.
    pub kind: ClusterGeneratorKind,
    /// Its config, under the key that belongs to the kind.
    pub generator: GeneratorSpec,
}

/// The config of exactly one generator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1), transform = list_unsupported)]
pub struct GeneratorSpec {
    /// Config of a Fake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fake_spec: Option<FakeSpec>,
    /// Config of a Password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_spec: Option<PasswordSpec>,
    /// Config of a UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid_spec: Option<UuidSpec>,
    /// Configs of kinds that keymill does not have yet, as they were written.
    #[serde(flatten)]
    pub unsupported: BTreeMap<String, RawObject>,
}

fn list_unsupported(schema: &mut Schema) {
    schema::list_raw_objects(schema, &UNSUPPORTED);
}

/// The config in a ClusterGenerator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GeneratorConfig<'a> {
    /// Config of a Fake.
    Fake(&'a FakeSpec),
    /// Config of a Password.
    Password(&'a PasswordSpec),
    /// Config of a UUID.
    Uuid(&'a UuidSpec),
    /// A kind that keymill does not have yet.
    Unsupported(GeneratorKind),
}

impl ClusterGeneratorSpec {
    /// The config that belongs to the kind; `None` when it is missing, which validation reports.
    #[must_use]
    pub fn config(&self) -> Option<GeneratorConfig<'_>> {
        let generator = &self.generator;
        match self.kind {
            ClusterGeneratorKind::Fake => generator.fake_spec.as_ref().map(GeneratorConfig::Fake),
            ClusterGeneratorKind::Password => generator.password_spec.as_ref().map(GeneratorConfig::Password),
            ClusterGeneratorKind::Uuid => generator.uuid_spec.as_ref().map(GeneratorConfig::Uuid),
            kind => Some(GeneratorConfig::Unsupported(kind.into())),
        }
    }

    /// The key in `spec.generator` that belongs to the kind.
    fn config_key(&self) -> &'static str {
        match self.kind {
            ClusterGeneratorKind::AcrAccessToken => "acrAccessTokenSpec",
            ClusterGeneratorKind::BeyondtrustWorkloadCredentialsDynamicSecret => {
                "beyondtrustWorkloadCredentialsDynamicSecretSpec"
            }
            ClusterGeneratorKind::CloudsmithAccessToken => "cloudsmithAccessTokenSpec",
            ClusterGeneratorKind::EcrAuthorizationToken => "ecrAuthorizationTokenSpec",
            ClusterGeneratorKind::Fake => "fakeSpec",
            ClusterGeneratorKind::GcrAccessToken => "gcrAccessTokenSpec",
            ClusterGeneratorKind::GithubAccessToken => "githubAccessTokenSpec",
            ClusterGeneratorKind::GitlabDeployToken => "gitlabDeployTokenSpec",
            ClusterGeneratorKind::QuayAccessToken => "quayAccessTokenSpec",
            ClusterGeneratorKind::Password => "passwordSpec",
            ClusterGeneratorKind::SshKey => "sshKeySpec",
            ClusterGeneratorKind::StsSessionToken => "stsSessionTokenSpec",
            ClusterGeneratorKind::Uuid => "uuidSpec",
            ClusterGeneratorKind::VaultDynamicSecret => "vaultDynamicSecretSpec",
            ClusterGeneratorKind::Webhook => "webhookSpec",
            ClusterGeneratorKind::Grafana => "grafanaSpec",
            ClusterGeneratorKind::Mfa => "mfaSpec",
        }
    }
}

impl GeneratorSpec {
    fn keys(&self) -> Vec<&str> {
        let typed = [
            self.fake_spec.is_some().then_some("fakeSpec"),
            self.password_spec.is_some().then_some("passwordSpec"),
            self.uuid_spec.is_some().then_some("uuidSpec"),
        ];
        typed.into_iter().flatten().chain(self.unsupported.keys().map(String::as_str)).collect()
    }
}

impl ClusterGenerator {
    /// All problems that the schema does not show.
    #[must_use]
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::new();
        let wanted = self.spec.config_key();
        let found = self.spec.generator.keys();
        if found != [wanted] {
            let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
            problems.report_field(
                "spec.generator",
                format!(
                    "must hold exactly {wanted}, which belongs to kind {}; it holds {found}",
                    GeneratorKind::from(self.spec.kind)
                ),
            );
        }
        problems.into_found()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(spec: &str, expected: &[&str]) -> Option<String> {
        let text = format!("{{metadata: {{name: example}}, spec: {spec}}}");
        let object: ClusterGenerator = serde_saphyr::from_str(&text).unwrap();
        let found: Vec<String> = object.validate().iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{spec}");
        object.spec.config().map(|config| format!("{config:?}"))
    }

    #[test]
    fn the_config_belongs_to_the_kind() {
        assert_eq!(check("{kind: UUID, generator: {uuidSpec: {}}}", &[]).as_deref(), Some("Uuid(UuidSpec)"));
        let password = check("{kind: Password, generator: {passwordSpec: {length: 7}}}", &[]).unwrap();
        assert!(password.starts_with("Password(PasswordSpec { length: 7"), "{password}");
        let config = check("{kind: SSHKey, generator: {sshKeySpec: {keyType: rsa}}}", &[]);
        assert_eq!(config.as_deref(), Some("Unsupported(SshKey)"));
        let wanted = "spec.generator: must hold exactly uuidSpec, which belongs to kind UUID; it holds";
        assert_eq!(check("{kind: UUID, generator: {}}", &[&format!("{wanted} nothing")]), None);
        check("{kind: UUID, generator: {fakeSpec: {}}}", &[&format!("{wanted} fakeSpec")]);
        check(
            "{kind: UUID, generator: {uuidSpec: {}, mfaSpec: {}}}",
            &[&format!("{wanted} uuidSpec, mfaSpec")],
        );
    }

    /// Each kind has its config in the schema, whether keymill runs it or not.
    #[test]
    fn each_kind_has_a_key() {
        let kinds: Vec<ClusterGeneratorKind> = schemars::schema_for!(ClusterGeneratorKind)
            .get("oneOf")
            .and_then(serde_json::Value::as_array)
            .unwrap()
            .iter()
            .map(|kind| serde_json::from_value(kind["const"].clone()).unwrap())
            .collect();
        assert_eq!(kinds.len(), 17);
        let schema = schemars::schema_for!(GeneratorSpec);
        for kind in kinds {
            let key = ClusterGeneratorSpec { kind, generator: GeneratorSpec::default() }.config_key();
            assert!(schema.pointer(&format!("/properties/{key}")).is_some(), "{key}");
            let name = GeneratorKind::from(kind).as_str();
            assert_eq!(key.to_lowercase(), format!("{name}Spec").to_lowercase());
        }
    }
}
