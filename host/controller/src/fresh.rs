//! Whether an object still is what a watch said: when values are about to rotate for it, and after we have written it.
//!
//! A watch may lag. Whoever decides on an old annotation or an old spec, after another replica has answered the new one, would rotate
//! back and forth. So the object is asked for once more, after the record was read: what was recorded was recorded for what it says
//! then, or for something older. Costs one request for each rotation, and none for a first sync, whose record does not exist.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use kube::{Api, Resource, ResourceExt};
use pipeline::{Found, Meta, ObjectRef, Record, Refresh};
use serde::de::DeserializeOwned;

use crate::cluster::ClusterError;
use crate::context::Context;

/// The watch brings the news and wakes the object; if it does not, it is looked at again this much later.
pub(crate) const LATE: Duration = Duration::from_secs(10);

/// The object as it is now, when what was seen of it is older than what we wrote, or may be; none when it is gone. One that cannot be had is
/// taken as it was seen.
pub(crate) async fn present<K>(
    context: &Context,
    reference: &ObjectRef,
    objects: Api<K>,
    seen: Arc<K>,
) -> Option<Arc<K>>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    if !context.written.is_behind(reference, seen.meta().resource_version.as_deref()) {
        return Some(seen);
    }
    match objects.get_opt(&reference.name).await {
        Ok(found) => {
            context.written.forget(reference);
            found.map(Arc::new)
        }
        Err(_) => Some(seen),
    }
}

/// Whether the refresh may go on with the object as it was seen.
pub(crate) async fn may_rotate<K>(
    context: &Context,
    seen: &K,
    record: &Found<Record>,
    refresh: &Refresh,
) -> Result<bool, ClusterError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    if refresh.rotations().next().is_none() || matches!(record, Found::Missing) {
        return Ok(true);
    }
    let objects: Api<K> = context.within(&seen.namespace().unwrap_or_default());
    match objects.get_metadata_opt(&seen.name_any()).await {
        Ok(now) => Ok(now.is_some_and(|now| Meta::from(&now.metadata) == Meta::from(seen.meta()))),
        Err(error) => {
            Err(ClusterError::Read { object: crate::reference::<K>(seen.meta()), answer: error.into() })
        }
    }
}
