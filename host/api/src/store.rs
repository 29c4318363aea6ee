//! SecretStore and ClusterSecretStore: where secrets are kept, and how to get in.
//!
//! Both kinds have one spec. The derive makes one kind of one spec, so ClusterSecretStore is written by hand.

mod cluster;
mod fake;
mod kubernetes;
mod provider;
mod validate;
mod vault;
mod vault_auth;

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use cluster::ClusterSecretStore;
pub use fake::{FakeProvider, FakeProviderData};
pub use kubernetes::{
    KubernetesAuth, KubernetesCertAuth, KubernetesProvider, KubernetesServer, KubernetesTokenAuth,
};
pub use provider::{ProviderKind, StoreProvider};
pub use vault::{VaultCheckAndSet, VaultClientTls, VaultProvider, VaultVersion};
pub use vault_auth::{
    VaultAppRoleAuth, VaultAuth, VaultAuthMethod, VaultAwsJwtAuth, VaultAwsSecretRef, VaultCertAuth,
    VaultGcpAuth, VaultGcpSecretRef, VaultGcpWorkloadIdentity, VaultIamAuth, VaultJwtAuth,
    VaultKubernetesAuth, VaultLdapAuth, VaultServiceAccountToken, VaultUserPassAuth,
};

use crate::condition::{self, ConditionType};
use crate::{Condition, Duration, schema};

/// A store: its provider, who may use it, how often it is checked.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "external-secrets.io",
    version = "v1",
    kind = "SecretStore",
    plural = "secretstores",
    singular = "secretstore",
    namespaced,
    shortname = "ss",
    category = "external-secrets",
    status = "SecretStoreStatus",
    derive = "PartialEq",
    doc = "A SecretStore says where secrets are kept and how to get in, for its own namespace.",
    printcolumn = r#"{"name": "AGE", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name": "Capabilities", "type": "string", "jsonPath": ".status.capabilities"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#
)]
pub struct SecretStoreSpec {
    /// Class of the controller that looks after this store; any when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    /// The server and the way in. Exactly one provider.
    pub provider: StoreProvider,
    /// How requests to the server are repeated when they fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_settings: Option<RetrySettings>,
    /// Time between two checks of the store, in seconds or as 5m; the controller's when left out or 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::int_or_string")]
    pub refresh_interval: Option<StoreInterval>,
    /// Namespaces that may use a ClusterSecretStore: those that fit any of these; all when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<StoreCondition>,
}

/// How requests to a server are repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetrySettings {
    /// How often at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<i32>,
    /// Time to wait between two attempts, as 500ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_interval: Option<Duration>,
}

/// Namespaces that may use a ClusterSecretStore; each part allows those that it fits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoreCondition {
    /// Namespaces with these labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::label_selector")]
    pub namespace_selector: Option<LabelSelector>,
    /// Namespaces by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::namespaces")]
    pub namespaces: Vec<String>,
    /// Namespaces whose name these regular expressions match.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespace_regexes: Vec<String>,
}

/// The interval of a store: a number of seconds or a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreInterval {
    /// Seconds.
    Seconds(i64),
    /// A duration.
    Duration(Duration),
}

impl From<StoreInterval> for Duration {
    fn from(interval: StoreInterval) -> Self {
        match interval {
            StoreInterval::Seconds(seconds) => Self::from_secs(seconds),
            StoreInterval::Duration(duration) => duration,
        }
    }
}

impl Serialize for StoreInterval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Seconds(seconds) => serializer.serialize_i64(*seconds),
            Self::Duration(duration) => duration.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for StoreInterval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StoreIntervalVisitor)
    }
}

struct StoreIntervalVisitor;

impl de::Visitor<'_> for StoreIntervalVisitor {
    type Value = StoreInterval;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds or a duration such as 5m")
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Self::Value, E> {
        Ok(StoreInterval::Seconds(seconds))
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Self::Value, E> {
        i64::try_from(seconds)
            .map(StoreInterval::Seconds)
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(seconds), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        // As upstream: no text means no interval of its own.
        if text.is_empty() {
            return Ok(StoreInterval::Seconds(0));
        }
        text.parse()
            .map(StoreInterval::Duration)
            .map_err(|error| E::custom(format_args!("failed to {error}")))
    }
}

impl SecretStoreSpec {
    /// The interval between checks when the spec names a positive one.
    #[must_use]
    pub fn refresh_interval(&self) -> Option<Duration> {
        self.refresh_interval.map(Duration::from).filter(|interval| interval.is_positive())
    }
}

/// Whether the store answers, and what it can do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretStoreStatus {
    /// Whether the store answers, and why not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// What the store can do: ReadOnly, WriteOnly or ReadWrite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::string")]
    pub capabilities: Option<StoreCapabilities>,
}

impl SecretStoreStatus {
    /// The Ready condition, when it has been reported.
    #[must_use]
    pub fn ready(&self) -> Option<&Condition> {
        condition::find(&self.conditions, &ConditionType::Ready)
    }
}

/// What a store can do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StoreCapabilities {
    /// Read.
    ReadOnly,
    /// Write.
    WriteOnly,
    /// Read and write.
    ReadWrite,
    /// Not one of ESO's, kept as it is.
    #[serde(untagged)]
    Other(String),
}

#[cfg(test)]
mod tests {
    use kube::core::Resource;

    use super::*;

    fn check_interval(text: &str, expected: Result<Option<Duration>, &str>) {
        let spec = format!("{{provider: {{fake: {{data: []}}}}, refreshInterval: {text}}}");
        let found = serde_saphyr::from_str::<SecretStoreSpec>(&spec).map(|spec| spec.refresh_interval());
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{text}"),
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{text}: {error}"),
            (found, expected) => panic!("{text}: {found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn an_interval_is_seconds_or_a_duration() {
        check_interval("90", Ok(Some(Duration::from_secs(90))));
        check_interval("1m30s", Ok(Some(Duration::from_secs(90))));
        check_interval("0", Ok(None));
        check_interval("-5", Ok(None));
        check_interval("''", Ok(None));
        check_interval("'0'", Ok(None));
        check_interval("soon", Err("`soon`"));
        check_interval("[]", Err("a number of seconds or a duration"));
        check_interval("18446744073709551615", Err("a number of seconds or a duration"));
    }

    #[test]
    fn an_interval_is_written_as_it_was_read() {
        for text in ["90", r#""1m30s""#] {
            let interval: StoreInterval = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&interval).unwrap(), text);
        }
    }

    #[test]
    fn the_provider_is_the_one_that_is_named() {
        let check = |provider: &str, expected: Option<&str>| {
            let provider: StoreProvider = serde_saphyr::from_str(provider).unwrap();
            assert_eq!(provider.kind().as_ref().map(ProviderKind::key), expected);
        };
        check("{vault: {server: s}}", Some("vault"));
        check("{fake: {data: []}}", Some("fake"));
        check("{kubernetes: {}}", Some("kubernetes"));
        check("{gcpsm: {projectID: p}}", Some("gcpsm"));
        check("{}", None);
        check("{kubernetes: {}, fake: {data: []}}", None);
    }

    #[test]
    fn both_kinds_are_written_with_their_names() {
        let spec: SecretStoreSpec = serde_saphyr::from_str("{provider: {fake: {data: []}}}").unwrap();
        let cluster = serde_json::to_value(ClusterSecretStore::new("s", spec.clone())).unwrap();
        let mut expected = serde_json::to_value(SecretStore::new("s", spec)).unwrap();
        expected["kind"] = "ClusterSecretStore".into();
        assert_eq!(cluster, expected);
        assert_eq!(
            ClusterSecretStore::url_path(&(), None),
            "/apis/external-secrets.io/v1/clustersecretstores"
        );
    }
}
