//! ExternalSecret: values from stores and generators, brought together in one target.

mod data;
mod rewrite;
mod status;
mod sync_windows;
mod target;
mod validate;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use data::{
    ConversionStrategy, DataEntry, DataFromEntry, DataFromSource, DecodingStrategy, Find, FindName,
    MetadataPolicy, NullBytePolicy, RemoteRef, SourceRef,
};
pub use rewrite::{
    MergeConflictPolicy, MergePriorityPolicy, MergeStrategy, Rewrite, RewriteMerge, RewriteRegexp,
    RewriteRule, RewriteTransform,
};
pub use status::{Binding, ExternalSecretStatus};
pub use sync_windows::{SyncWindow, SyncWindows, SyncWindowsKind};
pub use target::{CreationPolicy, DeletionPolicy, ManifestRef, Target};

use crate::{Duration, StoreRef};

/// The interval between refreshes when a manifest names none.
const REFRESH_INTERVAL: Duration = Duration::from_secs(3600);

/// What is gathered, from where, into which target, and how often.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "external-secrets.io",
    version = "v1",
    kind = "ExternalSecret",
    plural = "externalsecrets",
    singular = "externalsecret",
    namespaced,
    shortname = "es",
    category = "external-secrets",
    status = "ExternalSecretStatus",
    derive = "PartialEq",
    doc = "An ExternalSecret brings values from secret stores and generators into one Secret, and keeps them up to date.",
    selectable = ".spec.secretStoreRef.name",
    selectable = ".spec.secretStoreRef.kind",
    selectable = ".spec.target.name",
    selectable = ".spec.refreshInterval",
    printcolumn = r#"{"name": "StoreType", "type": "string", "jsonPath": ".spec.secretStoreRef.kind"}"#,
    printcolumn = r#"{"name": "Store", "type": "string", "jsonPath": ".spec.secretStoreRef.name"}"#,
    printcolumn = r#"{"name": "Refresh Interval", "type": "string", "jsonPath": ".spec.refreshInterval"}"#,
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Last Sync", "type": "date", "jsonPath": ".status.refreshTime"}"#
)]
pub struct ExternalSecretSpec {
    /// The store that entries are read from when they name none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_store_ref: Option<StoreRef>,
    /// The Secret that is written, and how.
    #[serde(default)]
    pub target: Target,
    /// When values are read again; Periodic when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "RefreshPolicy")]
    pub refresh_policy: Option<RefreshPolicy>,
    /// Time between two refreshes, as 30s, 15m or 1h30m. With 0 the values are read once. Values of a generator are
    /// generated anew at each refresh that is due.
    #[serde(default = "refresh_interval")]
    pub refresh_interval: Duration,
    /// Times, in UTC, at which periodic refreshes may or may not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_windows: Option<SyncWindows>,
    /// Single values, each under a key of its own. They win over dataFrom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<DataEntry>,
    /// Many values at once: all properties of a remote secret, all secrets that match, or what a generator makes. Later
    /// entries win.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_from: Vec<DataFromEntry>,
}

impl Default for ExternalSecretSpec {
    fn default() -> Self {
        Self {
            secret_store_ref: None,
            target: Target::default(),
            refresh_policy: None,
            refresh_interval: REFRESH_INTERVAL,
            sync_windows: None,
            data: Vec::new(),
            data_from: Vec::new(),
        }
    }
}

fn refresh_interval() -> Duration {
    REFRESH_INTERVAL
}

impl ExternalSecretSpec {
    /// When values are read again, [`RefreshPolicy::Periodic`] when left out.
    #[must_use]
    pub fn refresh_policy(&self) -> RefreshPolicy {
        self.refresh_policy.unwrap_or_default()
    }
}

impl ExternalSecret {
    /// The name of the target: the one that the spec names, or this object's own.
    #[must_use]
    pub fn target_name(&self) -> &str {
        let own = self.metadata.name.as_deref().unwrap_or_default();
        self.spec.target.name.as_deref().unwrap_or(own)
    }
}

/// When values are read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum RefreshPolicy {
    /// Once, when the object is created.
    CreatedOnce,
    /// At each interval, and when the object changes.
    #[default]
    Periodic,
    /// Only when the object changes.
    OnChange,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::TemplateTarget;

    fn read(spec: &str) -> ExternalSecret {
        serde_saphyr::from_str(&format!("{{metadata: {{name: own}}, spec: {spec}}}")).unwrap()
    }

    #[test]
    fn an_empty_spec_has_the_defaults_of_the_schema() {
        assert_eq!(read("{}").spec, ExternalSecretSpec::default());
        let written = serde_json::to_value(ExternalSecretSpec::default()).unwrap();
        let expected = serde_json::json!({
            "refreshInterval": "1h0m0s", "target": {"creationPolicy": "Owner", "deletionPolicy": "Retain"}
        });
        assert_eq!(written, expected);
    }

    #[test]
    fn accessors_apply_the_defaults_of_the_controller() {
        let object = read(
            "{secretStoreRef: {name: s}, data: [{secretKey: a, remoteRef: {key: a}}], dataFrom: [{find: {}}], \
             target: {template: {templateFrom: [{literal: x}]}}}",
        );
        let spec = &object.spec;
        assert_eq!(spec.refresh_policy(), RefreshPolicy::Periodic);
        assert_eq!(spec.secret_store_ref.as_ref().unwrap().kind(), crate::StoreKind::SecretStore);
        let remote = &spec.data[0].remote_ref;
        assert_eq!(remote.metadata_policy(), MetadataPolicy::None);
        assert_eq!(remote.conversion_strategy(), ConversionStrategy::Default);
        assert_eq!(remote.decoding_strategy(), DecodingStrategy::None);
        assert_eq!(remote.null_byte_policy(), NullBytePolicy::Ignore);
        let from = &spec.target.template.as_ref().unwrap().template_from[0];
        assert_eq!(
            (from.target(), from.values_decoding_strategy()),
            (TemplateTarget::Data, DecodingStrategy::None)
        );
    }

    #[test]
    fn the_target_has_the_name_of_the_object_unless_it_has_its_own() {
        assert_eq!(read("{}").target_name(), "own");
        assert_eq!(read("{target: {name: other}}").target_name(), "other");
    }

    #[test]
    fn unknown_fields_are_ignored_and_wrong_types_are_not() {
        assert_eq!(read("{target: {colour: red}, colour: red}").spec, ExternalSecretSpec::default());
        for wrong in
            ["{target: {immutable: 'yes'}}", "{data: {}}", "{refreshPolicy: Never}", "{refreshInterval: 5}"]
        {
            assert!(
                serde_json::from_value::<ExternalSecretSpec>(serde_saphyr::from_str(wrong).unwrap()).is_err(),
                "{wrong}"
            );
        }
    }
}
