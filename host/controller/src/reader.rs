//! The ports that read the cluster: Secrets, ConfigMaps and ServiceAccount tokens that an object refers to.
//!
//! Each call names one object in one namespace; there is no way to list. Who may refer to what is decided by the callers
//! that know the scope (`stores` for credentials, `pipeline` for templates).

use std::collections::BTreeMap;

use async_trait::async_trait;
use k8s_openapi::ByteString;
use k8s_openapi::api::authentication::v1 as authentication;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use kube::api::{Api, PostParams};
use pipeline::{BoxFailure, Fields, Found, MintToken, ObjectRef, ReadSecret, TokenRequest, Value};
use zeroize::Zeroize;

use crate::cluster::{Answer, ClusterError};

/// Reads through the controller's own client.
#[derive(Clone)]
pub struct ClusterReader {
    client: kube::Client,
}

impl std::fmt::Debug for ClusterReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClusterReader")
    }
}

impl ClusterReader {
    /// A reader over `client`.
    #[must_use]
    pub const fn new(client: kube::Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl ReadSecret for ClusterReader {
    async fn secret(&self, namespace: &str, name: &str) -> Result<Found<Fields>, BoxFailure> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        match secrets.get_opt(name).await {
            Ok(Some(secret)) => Ok(Found::Found(secret_fields(secret.data.unwrap_or_default()))),
            Ok(None) => Ok(Found::Missing),
            Err(error) => Err(read_error("Secret", namespace, name, error).into()),
        }
    }

    async fn config_map(&self, namespace: &str, name: &str) -> Result<Found<Fields>, BoxFailure> {
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
        match maps.get_opt(name).await {
            Ok(Some(map)) => Ok(Found::Found(config_map_fields(map))),
            Ok(None) => Ok(Found::Missing),
            Err(error) => Err(read_error("ConfigMap", namespace, name, error).into()),
        }
    }
}

#[async_trait]
impl MintToken for ClusterReader {
    async fn mint(&self, request: &TokenRequest) -> Result<Value, BoxFailure> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), &request.namespace);
        let seconds = i64::try_from(request.lifetime.as_secs()).unwrap_or(i64::MAX);
        let body = authentication::TokenRequest {
            spec: Some(authentication::TokenRequestSpec {
                audiences: Some(request.audiences.clone()),
                expiration_seconds: Some(seconds),
                bound_object_ref: None,
            }),
            ..Default::default()
        };
        let object = ObjectRef::namespaced("ServiceAccount", &request.namespace, &request.service_account);
        let answer =
            accounts.create_token_request(&request.service_account, &PostParams::default(), &body).await;
        match answer {
            Ok(reply) => match reply.status.and_then(|status| status.token) {
                Some(token) => Ok(Value::from(token)),
                None => Err(ClusterError::Token { object, answer: Answer::Garbled }.into()),
            },
            Err(error) => Err(ClusterError::Token { object, answer: error.into() }.into()),
        }
    }
}

/// The data of a Secret as fields; the copies that the client made are zeroed.
pub(crate) fn secret_fields(data: BTreeMap<String, ByteString>) -> Fields {
    data.into_iter()
        .map(|(key, mut bytes)| {
            let value = Value::from(bytes.0.as_slice());
            bytes.0.zeroize();
            (key, value)
        })
        .collect()
}

fn config_map_fields(map: ConfigMap) -> Fields {
    let text = map.data.unwrap_or_default().into_iter().map(|(key, text)| (key, Value::from(text)));
    let binary =
        map.binary_data.unwrap_or_default().into_iter().map(|(key, bytes)| (key, Value::new(bytes.0)));
    text.chain(binary).collect()
}

fn read_error(kind: &str, namespace: &str, name: &str, error: kube::Error) -> ClusterError {
    ClusterError::Read { object: ObjectRef::namespaced(kind, namespace, name), answer: error.into() }
}
