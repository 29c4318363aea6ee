//! How a look reads Secrets: as they were listed when the process began if that is enough for it, else as they are now.
//!
//! Whatever is read is told to the index, so that an event which says the same wakes nobody.

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use pipeline::{Found, Meta, ObjectRef, Precondition, Record, record_name};

use crate::cluster::ClusterError;
use crate::context::Context;
use crate::failure::SyncError;
use crate::reader::secret_fields;
use crate::snapshot::Kept;

/// The reads of one look at one object.
pub(crate) struct Reading<'a> {
    context: &'a Context,
    referrer: &'a ObjectRef,
    secrets: Api<Secret>,
    age: Age,
}

/// How old what is read may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    /// As old as the process: good to see that nothing is due.
    Start,
    /// As it is now.
    Now,
}

impl<'a> Reading<'a> {
    /// The reads of a look at `referrer`, which lives in a namespace.
    pub(crate) fn new(context: &'a Context, referrer: &'a ObjectRef, age: Age) -> Self {
        let secrets = context.within(referrer.namespace.as_deref().unwrap_or_default());
        Self { context, referrer, secrets, age }
    }

    /// One Secret of the object's namespace, with its `managedFields`.
    pub(crate) async fn secret(&self, name: &str) -> Result<Option<Kept>, SyncError> {
        let namespace = self.referrer.namespace.as_deref().unwrap_or_default();
        let object = ObjectRef::namespaced("Secret", namespace, name);
        let kept = match self.age {
            Age::Start => self.context.snapshot.take(namespace, name),
            Age::Now => None,
        };
        let found = match kept {
            Some(kept) => Some(kept),
            None => match self.secrets.get_opt(name).await {
                Ok(found) => found.map(Kept::from),
                Err(error) => return Err(ClusterError::Read { object, answer: error.into() }.into()),
            },
        };
        let version = found.as_ref().and_then(|kept| kept.secret().metadata.resource_version.as_deref());
        self.context.references.saw(self.referrer, &object, version);
        Ok(found)
    }

    /// The rotation record of the object, and the version that was read.
    pub(crate) async fn record(
        &self,
        meta: &Meta,
    ) -> Result<(Found<Record>, Option<Precondition>), SyncError> {
        let Some(kept) = self.secret(&record_name(&self.referrer.kind, &meta.name)).await? else {
            return Ok((Found::Missing, None));
        };
        let metadata = &kept.secret().metadata;
        let version = Precondition {
            uid: metadata.uid.clone().unwrap_or_default(),
            resource_version: metadata.resource_version.clone().unwrap_or_default(),
        };
        if !metadata.owner_references.iter().flatten().any(|owner| owner.uid == meta.uid) {
            // An earlier object of the same name left it, or somebody else made it: its values are not this object's.
            return Ok((Found::Missing, Some(version)));
        }
        let record = Record::decode(&secret_fields(kept.into_data()))?;
        Ok((Found::Found(record), Some(version)))
    }
}
