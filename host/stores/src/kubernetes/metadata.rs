//! A PushSecret's `metadata` for the kubernetes provider: labels and annotations of the remote Secret.
//!
//! The source Secret's own labels and annotations are not copied: a write carries values only. So `sourceMergePolicy` is
//! accepted and has nothing to merge. `remoteNamespace` is refused: the store's own is the one that is read and checked.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

const API_VERSION: &str = "kubernetes.external-secrets.io/v1alpha1";
const KIND: &str = "PushSecretMetadata";

/// What the remote Secret's metadata is to be.
#[derive(Debug, Default)]
pub(super) struct PushMetadata(Spec);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Envelope {
    api_version: String,
    kind: String,
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    target_merge_policy: TargetMergePolicy,
    #[serde(default, rename = "sourceMergePolicy")]
    _source_merge_policy: SourceMergePolicy,
    #[serde(default)]
    remote_namespace: String,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
enum TargetMergePolicy {
    #[default]
    #[serde(alias = "")]
    Merge,
    Replace,
    Ignore,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
enum SourceMergePolicy {
    #[default]
    #[serde(alias = "")]
    Merge,
    Replace,
}

impl PushMetadata {
    pub(super) fn parse(metadata: Option<&serde_json::Value>) -> Result<Self, MetadataError> {
        let Some(metadata) = metadata.filter(|metadata| !metadata.is_null()) else {
            return Ok(Self::default());
        };
        let envelope = Envelope::deserialize(metadata).map_err(MetadataError::Form)?;
        if envelope.api_version != API_VERSION || envelope.kind != KIND {
            return Err(MetadataError::Kind { api_version: envelope.api_version, kind: envelope.kind });
        }
        if !envelope.spec.remote_namespace.is_empty() {
            return Err(MetadataError::RemoteNamespace);
        }
        Ok(Self(envelope.spec))
    }

    /// Sets labels and annotations as the policy says; a new Secret gets them in any case.
    pub(super) fn apply(&self, metadata: &mut ObjectMeta, exists: bool) {
        let Spec { labels, annotations, target_merge_policy, .. } = &self.0;
        let keep = match (target_merge_policy, exists) {
            (TargetMergePolicy::Ignore, true) => return,
            (TargetMergePolicy::Replace, _) => false,
            (TargetMergePolicy::Merge | TargetMergePolicy::Ignore, _) => true,
        };
        for (held, wanted) in [(&mut metadata.labels, labels), (&mut metadata.annotations, annotations)] {
            let mut next = held.take().filter(|_| keep).unwrap_or_default();
            next.extend(wanted.iter().map(|(name, value)| (name.clone(), value.clone())));
            *held = (!next.is_empty()).then_some(next);
        }
    }
}

/// Metadata that says nothing to this provider.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// It is not of the expected form.
    #[error("the PushSecret's metadata is not of the form that the kubernetes provider has")]
    Form(#[source] serde_json::Error),
    /// It is for another provider.
    #[error("the PushSecret's metadata is {api_version} {kind}, not {API_VERSION} {KIND}")]
    Kind {
        /// Its apiVersion.
        api_version: String,
        /// Its kind.
        kind: String,
    },
    /// Another namespace than the store's.
    #[error("the PushSecret's metadata has a remoteNamespace, which keymill takes from the store only")]
    RemoteNamespace,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(spec: serde_json::Value) -> serde_json::Value {
        json!({"apiVersion": API_VERSION, "kind": KIND, "spec": spec})
    }

    #[test]
    fn labels_and_annotations_follow_the_policy() {
        for (spec, exists, labels) in [
            (json!({"labels": {"a": "new"}}), true, r#"{"a": "new", "old": "1"}"#),
            (json!({"labels": {"a": "new"}, "targetMergePolicy": ""}), true, r#"{"a": "new", "old": "1"}"#),
            (json!({"labels": {"a": "new"}, "targetMergePolicy": "Replace"}), true, r#"{"a": "new"}"#),
            (json!({"labels": {"a": "new"}, "targetMergePolicy": "Ignore"}), true, r#"{"old": "1"}"#),
            (
                json!({"labels": {"a": "new"}, "targetMergePolicy": "Ignore"}),
                false,
                r#"{"a": "new", "old": "1"}"#,
            ),
            (json!({"targetMergePolicy": "Replace"}), true, "{}"),
        ] {
            let mut held = ObjectMeta {
                labels: Some(BTreeMap::from([("old".to_owned(), "1".to_owned())])),
                ..ObjectMeta::default()
            };
            PushMetadata::parse(Some(&metadata(spec.clone()))).expect("metadata").apply(&mut held, exists);
            assert_eq!(format!("{:?}", held.labels.unwrap_or_default()), labels, "{spec} {exists}");
            assert_eq!(held.annotations, None);
        }
    }

    #[test]
    fn other_metadata_is_refused() {
        assert!(PushMetadata::parse(None).is_ok());
        for refused in [
            json!({"apiVersion": API_VERSION, "kind": "Other"}),
            json!({"apiVersion": "other/v1", "kind": KIND}),
            json!("text"),
            metadata(json!({"label": {}})),
            metadata(json!({"targetMergePolicy": "Sometimes"})),
            metadata(json!({"remoteNamespace": "elsewhere"})),
        ] {
            assert!(PushMetadata::parse(Some(&refused)).is_err(), "{refused}");
        }
    }
}
