//! The bytes at a component's source.

use api::component::{SourceKind, SourcePlace};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Error, Resource};
use pipeline::ObjectRef;

use super::ServeError;
use crate::cluster::ClusterError;
use crate::context::Context;

/// Reads them. The version that was read wakes nobody.
pub(super) async fn read(
    place: &SourcePlace,
    at: &ObjectRef,
    component: &ObjectRef,
    context: &Context,
) -> Result<Vec<u8>, ServeError> {
    let bytes = match place.kind {
        SourceKind::ConfigMap => {
            let found = context.within::<ConfigMap>(&place.namespace).get_opt(&place.name).await;
            seen(found, at, component, context)?.and_then(|mut found| {
                found.binary_data.as_mut().and_then(|data| data.remove(&place.key)).map(|bytes| bytes.0)
            })
        }
        SourceKind::Secret => {
            let found = context.within::<Secret>(&place.namespace).get_opt(&place.name).await;
            seen(found, at, component, context)?.and_then(|mut found| {
                found.data.as_mut().and_then(|data| data.remove(&place.key)).map(|bytes| bytes.0)
            })
        }
    };
    bytes.ok_or_else(|| ServeError::NoKey { object: at.clone(), key: place.key.clone(), kind: place.kind })
}

fn seen<K: Resource>(
    found: Result<Option<K>, Error>,
    at: &ObjectRef,
    component: &ObjectRef,
    context: &Context,
) -> Result<Option<K>, ServeError> {
    let found = found.map_err(|error| {
        ServeError::Cluster(Box::new(ClusterError::Read { object: at.clone(), answer: error.into() }))
    })?;
    let version = found.as_ref().and_then(|found| found.meta().resource_version.as_deref());
    context.references.saw(component, at, version);
    match found {
        Some(found) => Ok(Some(found)),
        None => Err(ServeError::NoObject { object: at.clone() }),
    }
}
