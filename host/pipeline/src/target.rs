//! The target as it is now, and what of it is ours.
//!
//! Whose a key, label or annotation is, the API server knows: `managedFields` names the manager that wrote it last. That
//! is how a key that leaves the spec leaves the target while everybody else's stay.

use std::collections::{BTreeMap, BTreeSet};

use api::names::{annotation, label};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, OwnerReference};
use serde_json::Value as Json;

use crate::field::{Fields, Value};
use crate::hash;
use crate::meta::Meta;
use crate::rotation;

/// A Secret as it was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TargetView {
    /// For the write's precondition.
    pub uid: String,
    /// For the write's precondition.
    pub resource_version: String,
    /// Its type; empty is `Opaque`.
    pub secret_type: String,
    /// Everything in it.
    pub data: Fields,
    /// All its labels.
    pub labels: BTreeMap<String, String>,
    /// All its annotations.
    pub annotations: BTreeMap<String, String>,
    /// All its finalizers.
    pub finalizers: Vec<String>,
    /// Whether its data can never change.
    pub immutable: bool,
    /// All its owners.
    pub owners: Vec<OwnerReference>,
    /// What the field manager of our object wrote last.
    pub own: OwnFields,
}

/// The names of what one field manager owns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnFields {
    /// Keys of the data.
    pub data: BTreeSet<String>,
    /// Keys of labels.
    pub labels: BTreeSet<String>,
    /// Keys of annotations.
    pub annotations: BTreeSet<String>,
}

impl TargetView {
    /// The target of the ExternalSecret `owner` as the API server gave it, `managedFields` included.
    #[must_use]
    pub fn of(secret: &Secret, owner: &Meta) -> Self {
        let meta = &secret.metadata;
        let manager = hash::field_manager(&owner.name);
        let data = secret.data.iter().flatten();
        Self {
            uid: meta.uid.clone().unwrap_or_default(),
            resource_version: meta.resource_version.clone().unwrap_or_default(),
            secret_type: secret.type_.clone().unwrap_or_default(),
            data: data.map(|(key, bytes)| (key.clone(), Value::from(bytes.0.as_slice()))).collect(),
            labels: meta.labels.clone().unwrap_or_default(),
            annotations: meta.annotations.clone().unwrap_or_default(),
            finalizers: meta.finalizers.clone().unwrap_or_default(),
            immutable: secret.immutable.unwrap_or(false),
            owners: meta.owner_references.clone().unwrap_or_default(),
            own: OwnFields::of(meta.managed_fields.as_deref().unwrap_or_default(), &manager),
        }
    }

    /// Whether it carries the label of a Secret that an ExternalSecret manages.
    #[must_use]
    pub fn is_managed(&self) -> bool {
        self.labels.get(label::MANAGED).is_some_and(|value| value == label::MANAGED_VALUE)
    }

    /// Whether its data is what was written last.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.annotations.get(annotation::DATA_HASH).is_some_and(|hash| *hash == hash::data_hash(&self.data))
    }

    /// The controller among the owners.
    #[must_use]
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owners.iter().find(|owner| owner.controller == Some(true))
    }

    /// Whether the object controls it.
    pub(crate) fn is_controlled_by(&self, object: &Meta) -> bool {
        self.controller().is_some_and(|owner| owner.uid == object.uid)
    }

    /// Whether anything shows that the object itself has written here before.
    pub(crate) fn bears_traces_of(&self, object: &Meta) -> bool {
        !self.own.data.is_empty()
            || self.is_controlled_by(object)
            || self.rotation_of(object).is_some()
            || self.labels.get(label::CREATED_BY) == Some(&hash::created_by(&object.namespace, &object.name))
    }

    /// The rotation id that the object published here.
    #[must_use]
    pub fn rotation_of(&self, object: &Meta) -> Option<&str> {
        self.annotations.get(annotation::ROTATION).and_then(|text| rotation::published(text, &object.name))
    }
}

impl OwnFields {
    fn of(entries: &[ManagedFieldsEntry], manager: &str) -> Self {
        let mut own = Self::default();
        let ours = entries.iter().filter(|entry| entry.manager.as_deref() == Some(manager));
        for fields in ours.filter_map(|entry| entry.fields_v1.as_ref()) {
            let metadata = fields.0.get("f:metadata");
            own.data.extend(names(fields.0.get("f:data")));
            own.labels.extend(names(metadata.and_then(|metadata| metadata.get("f:labels"))));
            own.annotations.extend(names(metadata.and_then(|metadata| metadata.get("f:annotations"))));
        }
        own
    }
}

fn names(fields: Option<&Json>) -> impl Iterator<Item = String> {
    let fields = fields.and_then(Json::as_object).into_iter().flatten();
    fields.filter_map(|(name, _)| name.strip_prefix("f:").map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::{fields, meta};

    /// A target of `shop/app` as the API server shows it.
    fn secret() -> Secret {
        let fields = |data: Json, labels: Json| json!({"f:data": data, "f:metadata": {"f:labels": labels, "f:annotations": {".": {}, "f:a": {}}}});
        serde_json::from_value(json!({
            "metadata": {
                "name": "app", "uid": "uid-t", "resourceVersion": "7",
                "labels": {"reconcile.external-secrets.io/managed": "true"},
                "annotations": {"keymill.dev/rotation": "r", "reconcile.external-secrets.io/data-hash": "74a974446e359fb3e6baff9bd0058950e6edd0f040888d9989b0a11b"},
                "managedFields": [
                    {"manager": "externalsecrets.external-secrets.io/app", "operation": "Update", "fieldsV1": fields(json!({"f:k": {}}), json!({"f:l": {}}))},
                    {"manager": "kubectl", "operation": "Update", "fieldsV1": fields(json!({"f:theirs": {}}), json!({}))},
                    {"manager": "externalsecrets.external-secrets.io/app", "operation": "Apply", "fieldsV1": fields(json!({".": {}, "f:j": {}}), json!({}))},
                ],
            },
            "type": "Opaque",
            "data": {"k": "dg=="},
        }))
        .unwrap()
    }

    #[test]
    fn what_is_ours_is_what_our_field_manager_wrote() {
        let view = TargetView::of(&secret(), &meta());
        let set = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>();
        let want = OwnFields { data: set(&["j", "k"]), labels: set(&["l"]), annotations: set(&["a"]) };
        assert_eq!(view.own, want);
        let other = Meta { name: "other".to_owned(), ..meta() };
        assert_eq!(TargetView::of(&secret(), &other).own, OwnFields::default());
    }

    #[test]
    fn a_target_is_managed_and_unchanged_or_not() {
        let mut view = TargetView::of(&secret(), &meta());
        assert_eq!(view.data, fields(&[("k", "v")]));
        assert_eq!((view.is_managed(), view.is_unchanged()), (true, false));
        view.data.clear();
        assert!(view.is_unchanged(), "the hash is that of no data");
        view.labels.clear();
        assert!(!view.is_managed());
        assert_eq!(view.rotation_of(&meta()), Some("r"));
    }

    #[test]
    fn traces_show_that_the_object_wrote_here() {
        let bare = TargetView::default;
        let created_by = (label::CREATED_BY.to_owned(), hash::created_by("shop", "app"));
        let owner = crate::fixture::controller("external-secrets.io/v1", "ExternalSecret", "app", "uid-1");
        for (view, want) in [
            (bare(), false),
            (TargetView { labels: [created_by].into(), ..bare() }, true),
            (TargetView { owners: vec![owner], ..bare() }, true),
            (
                TargetView {
                    annotations: [(annotation::ROTATION.to_owned(), "other:r".to_owned())].into(),
                    ..bare()
                },
                false,
            ),
            (
                TargetView {
                    annotations: [(annotation::ROTATION.to_owned(), "app:r".to_owned())].into(),
                    ..bare()
                },
                true,
            ),
        ] {
            assert_eq!(view.bears_traces_of(&meta()), want, "{view:?}");
        }
    }
}
