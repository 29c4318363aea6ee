//! Writes that are answered with the metadata alone, of which the resourceVersion is read.
//!
//! The whole object would be work for both sides, and would send the values of a Secret back once more.

use http::header::{ACCEPT, HeaderValue};
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::Request;
use kube::{Api, Client, Error, Resource};
use serde::{Deserialize, Serialize};

const METADATA: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");

/// Creates an object; its resourceVersion.
pub(crate) async fn create<K: Resource + Serialize>(
    client: &Client,
    objects: &Api<K>,
    parameters: &PostParams,
    object: &K,
) -> Result<Option<String>, Error> {
    let body = serde_json::to_vec(object).map_err(Error::SerdeError)?;
    send(client, Request::new(objects.resource_url()).create(parameters, body)).await
}

/// Replaces an object; its resourceVersion.
pub(crate) async fn replace<K: Resource + Serialize>(
    client: &Client,
    objects: &Api<K>,
    name: &str,
    parameters: &PostParams,
    object: &K,
) -> Result<Option<String>, Error> {
    let body = serde_json::to_vec(object).map_err(Error::SerdeError)?;
    send(client, Request::new(objects.resource_url()).replace(name, parameters, body)).await
}

/// Changes an object's status; its resourceVersion.
pub(crate) async fn patch_status<K: Resource>(
    client: &Client,
    objects: &Api<K>,
    name: &str,
    patch: &Patch<impl Serialize>,
) -> Result<Option<String>, Error> {
    let parameters = PatchParams::default();
    send(client, Request::new(objects.resource_url()).patch_subresource("status", name, &parameters, patch))
        .await
}

#[derive(Deserialize)]
struct Written {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    resource_version: Option<String>,
}

async fn send(
    client: &Client,
    request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
) -> Result<Option<String>, Error> {
    let mut request = request.map_err(Error::BuildRequest)?;
    request.headers_mut().insert(ACCEPT, METADATA);
    let written: Written = client.request(request).await?;
    Ok(written.metadata.resource_version)
}
