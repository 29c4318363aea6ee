//! What the target becomes, part by part.

use std::collections::{BTreeMap, BTreeSet};

use api::external_secret::CreationPolicy;
use api::names::{annotation, group, label, secret_type};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::{Changes, Desired, Patch, PlanError, Precondition};
use crate::failure::ObjectRef;
use crate::field::Fields;
use crate::hash;
use crate::meta::Meta;
use crate::rotation::{self, RotationId};
use crate::shape::Shaped;
use crate::spec::CheckedSpec;
use crate::target::TargetView;

const OPAQUE: &str = "Opaque";
const KIND: &str = "ExternalSecret";

/// One target in the making.
#[derive(Debug, Clone, Copy)]
pub(super) struct Making<'a> {
    pub(super) spec: &'a CheckedSpec,
    pub(super) meta: &'a Meta,
    pub(super) shaped: &'a Shaped,
    pub(super) rotation: Option<&'a RotationId>,
}

/// Refuses what belongs to somebody else, and Secrets that the cluster trusts.
pub(super) fn admit(spec: &CheckedSpec, meta: &Meta, view: &TargetView) -> Result<(), PlanError> {
    let target = || ObjectRef::namespaced("Secret", &meta.namespace, &spec.target.name);
    let refused = [secret_type::SERVICE_ACCOUNT_TOKEN, secret_type::BOOTSTRAP_TOKEN, secret_type::ROTATION];
    if refused.contains(&view.secret_type.as_str()) {
        return Err(PlanError::TypeRefused { target: target(), secret_type: view.secret_type.clone() });
    }
    match view.controller().filter(|owner| owner.uid != meta.uid) {
        // Others may add keys to what, say, a database operator owns; never to what another ExternalSecret owns.
        Some(owner) if spec.target.creation == CreationPolicy::Owner || is_external_secret(owner) => {
            let (owner_kind, owner_name) = (owner.kind.clone(), owner.name.clone());
            Err(PlanError::OwnedByAnother { target: target(), owner_kind, owner_name })
        }
        _ => Ok(()),
    }
}

fn is_external_secret(owner: &OwnerReference) -> bool {
    owner.kind == KIND && owner.api_version.split('/').next() == Some(group::EXTERNAL_SECRETS)
}

impl Making<'_> {
    fn target(&self) -> ObjectRef {
        ObjectRef::namespaced("Secret", &self.meta.namespace, &self.spec.target.name)
    }

    fn creation(&self) -> CreationPolicy {
        self.spec.target.creation
    }

    /// Whether other people's keys stay.
    fn is_shared(&self) -> bool {
        matches!(self.creation(), CreationPolicy::Merge | CreationPolicy::CreateOrMerge)
    }

    /// A target that does not exist yet.
    pub(super) fn new_target(&self) -> Desired {
        let nothing = TargetView::default();
        let secret_type = self.shaped.secret_type.clone().unwrap_or_else(|| OPAQUE.to_owned());
        self.desired(&nothing, secret_type, self.shaped.data.clone())
    }

    /// What an existing target becomes, and how it differs; none when it is so already.
    pub(super) fn change(&self, view: &TargetView) -> Result<Option<Patch>, PlanError> {
        let existing = if view.secret_type.is_empty() { OPAQUE } else { &view.secret_type };
        if let Some(wanted) = self.shaped.secret_type.as_deref().filter(|wanted| *wanted != existing) {
            let (existing, wanted) = (existing.to_owned(), wanted.to_owned());
            return Err(PlanError::TypeDiffers { target: self.target(), existing, wanted });
        }
        let result = self.desired(view, existing.to_owned(), self.data(view));
        if view.immutable && result.data != view.data {
            return Err(PlanError::Immutable { target: self.target() });
        }
        Ok(differences(view, result))
    }

    fn data(&self, view: &TargetView) -> Fields {
        // Made once and frozen on purpose: new values are not an error.
        if view.immutable && self.spec.target.immutable {
            return view.data.clone();
        }
        let mut data = if self.is_shared() { without(&view.data, &view.own.data) } else { Fields::new() };
        data.extend(self.shaped.data.clone());
        data
    }

    fn desired(&self, view: &TargetView, secret_type: String, data: Fields) -> Desired {
        let frozen = view.immutable && self.spec.target.immutable;
        let mut finalizers = view.finalizers.clone();
        finalizers.extend(
            self.shaped.finalizers.iter().filter(|finalizer| !view.finalizers.contains(finalizer)).cloned(),
        );
        Desired {
            name: self.spec.target.name.clone(),
            secret_type,
            labels: self.labels(view),
            annotations: self.annotations(view, &data, frozen),
            finalizers,
            immutable: view.immutable || self.spec.target.immutable,
            owners: self.owners(view),
            data,
        }
    }

    fn labels(&self, view: &TargetView) -> BTreeMap<String, String> {
        let created_by = hash::created_by(&self.meta.namespace, &self.meta.name);
        let mut labels = without(&view.labels, &view.own.labels);
        labels.retain(|key, value| key != label::CREATED_BY || *value != created_by);
        labels.extend(self.shaped.labels.clone());
        labels.insert(label::MANAGED.to_owned(), label::MANAGED_VALUE.to_owned());
        if self.creation() == CreationPolicy::Owner {
            labels.insert(label::CREATED_BY.to_owned(), created_by);
        }
        labels
    }

    /// A frozen target keeps the rotation that its data is of.
    fn annotations(&self, view: &TargetView, data: &Fields, frozen: bool) -> BTreeMap<String, String> {
        let before = view.annotations.get(annotation::ROTATION).map(String::as_str);
        let rotation = if frozen {
            before.map(str::to_owned)
        } else {
            rotation::publish(before, self.meta, self.rotation, self.is_shared())
        };
        let mut annotations = without(&view.annotations, &view.own.annotations);
        annotations.remove(annotation::ROTATION);
        annotations.extend(self.shaped.annotations.clone());
        annotations.insert(annotation::DATA_HASH.to_owned(), hash::data_hash(data));
        annotations.extend(rotation.map(|rotation| (annotation::ROTATION.to_owned(), rotation)));
        annotations
    }

    fn owners(&self, view: &TargetView) -> Vec<OwnerReference> {
        let own = OwnerReference {
            api_version: format!("{}/v1", group::EXTERNAL_SECRETS),
            kind: KIND.to_owned(),
            name: self.meta.name.clone(),
            uid: self.meta.uid.clone(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        };
        let mut owners = view.owners.clone();
        if self.creation() != CreationPolicy::Owner {
            owners.retain(|owner| owner.uid != own.uid);
        } else if let Some(existing) = owners.iter_mut().find(|owner| owner.uid == own.uid) {
            *existing = own;
        } else {
            owners.push(own);
        }
        owners
    }
}

fn without<V: Clone>(map: &BTreeMap<String, V>, keys: &BTreeSet<String>) -> BTreeMap<String, V> {
    map.iter()
        .filter(|(key, _)| !keys.contains(*key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn differences(view: &TargetView, result: Desired) -> Option<Patch> {
    let patch = Patch {
        expected: Precondition::of(view),
        data: Changes::between(&view.data, &result.data),
        labels: Changes::between(&view.labels, &result.labels),
        annotations: Changes::between(&view.annotations, &result.annotations),
        immutable_changes: view.immutable != result.immutable,
        owners_change: view.owners != result.owners,
        finalizers_change: view.finalizers != result.finalizers,
        result,
    };
    let same = patch.data.is_empty()
        && patch.labels.is_empty()
        && patch.annotations.is_empty()
        && !(patch.immutable_changes || patch.owners_change || patch.finalizers_change);
    (!same).then_some(patch)
}

impl Precondition {
    pub(super) fn of(view: &TargetView) -> Self {
        Self { uid: view.uid.clone(), resource_version: view.resource_version.clone() }
    }
}

impl<V: Clone + PartialEq> Changes<V> {
    fn between(before: &BTreeMap<String, V>, after: &BTreeMap<String, V>) -> Self {
        let set = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
        Self {
            set: set.map(|(key, value)| (key.clone(), value.clone())).collect(),
            remove: before.keys().filter(|key| !after.contains_key(*key)).cloned().collect(),
        }
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }
}
