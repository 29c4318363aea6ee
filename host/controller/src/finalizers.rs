//! One finalizer of an object, there or not there. Whose it is and when it is wanted, the loops say.

mod later;

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use kube::api::{Patch, PatchParams};
use kube::{Api, Resource, ResourceExt};
use pipeline::ObjectRef;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::cluster::ClusterError;
use crate::context::Context;
use crate::failure::SyncError;

pub(crate) use later::Later;

/// Whether the object has the finalizer.
pub(crate) fn has<K: ResourceExt>(object: &K, finalizer: &str) -> bool {
    object.finalizers().iter().any(|one| one == finalizer)
}

/// Adds the finalizer where it is wanted, and takes it away where it is not; writes nothing when it is so already.
pub(crate) async fn set<K>(
    object: &K,
    finalizer: &str,
    wanted: bool,
    context: &Context,
) -> Result<(), SyncError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
{
    let objects = context.within(&object.namespace().unwrap_or_default());
    Ok(set_in(&objects, object, finalizer, wanted).await?)
}

/// The same for an object of any scope.
pub(crate) async fn set_in<K>(
    objects: &Api<K>,
    object: &K,
    finalizer: &str,
    wanted: bool,
) -> Result<(), ClusterError>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    if has(object, finalizer) == wanted {
        return Ok(());
    }
    let others = object.finalizers().iter().map(String::as_str).filter(|one| *one != finalizer);
    let finalizers: Vec<&str> = others.chain(wanted.then_some(finalizer)).collect();
    let reference = crate::reference::<K>(object.meta());
    let version = object.meta().resource_version.as_deref();
    match write(objects, &reference, version, &finalizers).await {
        // It is gone, and its finalizers with it.
        Err(ClusterError::Write { answer, .. }) if answer.code() == Some(404) && !wanted => Ok(()),
        written => written,
    }
}

/// Makes these the finalizers of an object, if it still has that resourceVersion: the list of others that is sent back is the one that is
/// there.
pub(crate) async fn write<K>(
    objects: &Api<K>,
    reference: &ObjectRef,
    version: Option<&str>,
    finalizers: &[&str],
) -> Result<(), ClusterError>
where
    K: Clone + DeserializeOwned + Debug,
{
    let patch = json!({"metadata": {"resourceVersion": version, "finalizers": finalizers}});
    let written =
        objects.patch_metadata(&reference.name, &PatchParams::default(), &Patch::Merge(&patch)).await;
    match written {
        Ok(_) => Ok(()),
        Err(error) => Err(ClusterError::Write { object: reference.clone(), answer: error.into() }),
    }
}
