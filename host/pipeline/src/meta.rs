//! What the pipeline knows of an object besides its spec: who it is and what was carried out last.

use std::collections::BTreeMap;

use api::names::{annotation, reason};
use api::{ExternalSecretStatus, PushSecretStatus};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

use crate::hash;
use crate::ports::Owner;

/// The identity and metadata of an ExternalSecret or PushSecret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// Unique in time and space.
    pub uid: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Counts the changes of its spec.
    pub generation: i64,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

impl Meta {
    /// The version of the object as `status.syncedResourceVersion` has it.
    #[must_use]
    pub fn version(&self) -> String {
        hash::synced_version(self.generation, &self.labels, &self.annotations)
    }

    /// Whose values they are.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner { namespace: self.namespace.clone(), name: self.name.clone() }
    }

    pub(crate) fn force_sync(&self) -> Option<&str> {
        self.annotations.get(annotation::FORCE_SYNC).map(String::as_str)
    }

    /// Whether a change of the generator's config rotates at once.
    #[must_use]
    pub fn rotates_on_config_change(&self) -> bool {
        self.annotations.get(annotation::ROTATE_ON_CONFIG_CHANGE).is_some_and(|value| value == "true")
    }

    pub(crate) fn template_engine(&self) -> Option<&str> {
        self.annotations.get(annotation::TEMPLATE_ENGINE).map(String::as_str).filter(|name| !name.is_empty())
    }
}

impl From<&ObjectMeta> for Meta {
    fn from(meta: &ObjectMeta) -> Self {
        Self {
            uid: meta.uid.clone().unwrap_or_default(),
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            generation: meta.generation.unwrap_or_default(),
            labels: meta.labels.clone().unwrap_or_default(),
            annotations: meta.annotations.clone().unwrap_or_default(),
        }
    }
}

/// What was carried out last, as the object's status remembers it. Both are absent on a new object and when the status was lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// When the last refresh was; whole seconds.
    pub refresh_time: Option<Timestamp>,
    /// The `Meta::version` that it carried out.
    pub synced_version: Option<String>,
    /// Whether it ended with no value left and the target deleted, so that its absence is no fault.
    pub target_deleted: bool,
    /// Whether it ended because creationPolicy Merge had no target to merge into.
    pub target_missing: bool,
    /// Whether it ended with the source of a PushSecret gone and everything withdrawn.
    pub source_deleted: bool,
    /// Whether the last look failed.
    pub failed: bool,
}

impl Status {
    /// Of an ExternalSecret.
    #[must_use]
    pub fn of(status: Option<&ExternalSecretStatus>) -> Self {
        let Some(status) = status else {
            return Self::default();
        };
        let ready = status.ready().and_then(|ready| ready.reason.as_deref());
        Self {
            target_deleted: ready == Some(reason::SECRET_DELETED),
            target_missing: ready == Some(reason::SECRET_MISSING),
            failed: ready == Some(reason::SECRET_SYNCED_ERROR),
            ..Self::new(status.refresh_time.as_ref(), status.synced_resource_version.as_deref())
        }
    }

    /// Of a PushSecret.
    #[must_use]
    pub fn of_push(status: Option<&PushSecretStatus>) -> Self {
        let Some(status) = status else {
            return Self::default();
        };
        let ready = status.ready().and_then(|ready| ready.reason.as_deref());
        Self {
            source_deleted: ready == Some(reason::SOURCE_DELETED),
            failed: ready == Some(reason::ERRORED),
            ..Self::new(status.refresh_time.as_ref(), status.synced_resource_version.as_deref())
        }
    }

    fn new(refresh_time: Option<&Time>, synced_version: Option<&str>) -> Self {
        Self {
            refresh_time: refresh_time.map(|time| time.0),
            synced_version: synced_version.filter(|version| !version.is_empty()).map(str::to_owned),
            target_deleted: false,
            target_missing: false,
            source_deleted: false,
            failed: false,
        }
    }

    /// When the last refresh was, if one was carried out to its end.
    pub(crate) fn synced(&self) -> Option<(Timestamp, &str)> {
        self.refresh_time.zip(self.synced_version.as_deref())
    }
}

/// The generation in a synced version.
pub(crate) fn generation_of(version: &str) -> Option<i64> {
    version.split_once('-').and_then(|(generation, _)| generation.parse().ok())
}
