//! One finalizer of an object, there or not there. Whose it is and when it is wanted, the loops say.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use kube::api::{Patch, PatchParams};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::cluster::ClusterError;
use crate::context::Context;
use crate::failure::SyncError;

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
    if has(object, finalizer) == wanted {
        return Ok(());
    }
    let others = object.finalizers().iter().map(String::as_str).filter(|one| *one != finalizer);
    let finalizers: Vec<&str> = others.chain(wanted.then_some(finalizer)).collect();
    // The resourceVersion makes the list of others that we send back the one that is there.
    let patch = json!({"metadata": {"resourceVersion": object.resource_version(), "finalizers": finalizers}});
    let objects: Api<K> = context.within(&object.namespace().unwrap_or_default());
    let written =
        objects.patch_metadata(&object.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await;
    match written {
        Ok(_) => Ok(()),
        // It is gone, and its finalizers with it.
        Err(kube::Error::Api(status)) if status.code == 404 && !wanted => Ok(()),
        Err(error) => {
            let object = crate::reference::<K>(object.meta());
            Err(ClusterError::Write { object, answer: error.into() }.into())
        }
    }
}
