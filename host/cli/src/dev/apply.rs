//! Puts the manifests of a folder into the API, each when its text changed.
//!
//! What was applied last is remembered beside the objects (a ConfigMap of digests), so a restart does not put an old password
//! back, and deleting a file deletes nothing. One manifest that is refused does not keep the others out.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::{ApiCapabilities, ApiResource, Scope, pinned_kind};
use kube::{Client, ResourceExt};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::manifest::Manifest;

const MANAGER: &str = "keymill-dev";
const MEMORY_NAMESPACE: &str = "kube-system";
const MEMORY: &str = "keymill-dev-applied";

/// What became of one manifest.
pub(crate) enum Applied {
    /// It was new or had changed.
    Written,
    /// Its text is what was applied last.
    Unchanged,
    /// The API did not take it.
    Refused(String),
}

/// Applies manifests and remembers them.
pub(crate) struct Applier {
    client: Client,
    memory: BTreeMap<String, String>,
    kinds: BTreeMap<String, (ApiResource, ApiCapabilities)>,
}

impl Applier {
    /// Reads what was applied last.
    pub(crate) async fn open(client: Client) -> Result<Self> {
        let maps: Api<ConfigMap> = Api::namespaced(client.clone(), MEMORY_NAMESPACE);
        let memory = maps.get_opt(MEMORY).await.context("read what was applied last")?;
        let memory = memory.and_then(|map| map.data).unwrap_or_default();
        Ok(Self {
            client,
            memory,
            kinds: BTreeMap::new(),
        })
    }

    /// Applies all of them, in an order in which nobody waits for somebody later.
    pub(crate) async fn apply<'a>(
        &mut self,
        manifests: &'a [Manifest],
    ) -> Result<Vec<(&'a Manifest, Applied)>> {
        let mut ordered: Vec<&Manifest> = manifests.iter().collect();
        ordered.sort_by_key(|manifest| rank(manifest.kind()));
        let mut outcomes = Vec::new();
        for manifest in ordered {
            let outcome = self.apply_one(manifest).await;
            if matches!(outcome, Applied::Written) {
                // At once, not at the end: a kill in between must not make the next start apply it again.
                self.remember().await?;
            }
            outcomes.push((manifest, outcome));
        }
        Ok(outcomes)
    }

    async fn apply_one(&mut self, manifest: &Manifest) -> Applied {
        let key = memory_key(manifest);
        let digest = digest(&manifest.text);
        if self.memory.get(&key) == Some(&digest) {
            return Applied::Unchanged;
        }
        match self.write(manifest).await {
            Ok(()) => {
                self.memory.insert(key, digest);
                Applied::Written
            }
            Err(what) => Applied::Refused(what),
        }
    }

    async fn write(&mut self, manifest: &Manifest) -> Result<(), String> {
        let (resource, capabilities) = self.kind(manifest).await?;
        let mut object = manifest.object.clone();
        decode_string_data(&mut object);
        let objects: Api<DynamicObject> = if capabilities.scope == Scope::Namespaced {
            self.ensure_namespace(manifest.namespace()).await?;
            Api::namespaced_with(self.client.clone(), manifest.namespace(), &resource)
        } else {
            Api::all_with(self.client.clone(), &resource)
        };
        let mut parameters = PatchParams::apply(MANAGER).force();
        parameters.field_validation = Some(kube::api::ValidationDirective::Strict);
        objects
            .patch(manifest.name(), &parameters, &Patch::Apply(&object))
            .await
            .map(|_| ())
            .map_err(said)
    }

    async fn kind(&mut self, manifest: &Manifest) -> Result<(ApiResource, ApiCapabilities), String> {
        let id = format!("{}/{}", manifest.api_version(), manifest.kind());
        if let Some(known) = self.kinds.get(&id) {
            return Ok(known.clone());
        }
        let (group, version) = manifest
            .api_version()
            .split_once('/')
            .unwrap_or(("", manifest.api_version()));
        let kind = GroupVersionKind::gvk(group, version, manifest.kind());
        let found = pinned_kind(&self.client, &kind).await.map_err(|_| {
            format!(
                "the API has no kind {} in {}: check both, or add its CustomResourceDefinition to the folder",
                manifest.kind(),
                manifest.api_version()
            )
        })?;
        self.kinds.insert(id, found.clone());
        Ok(found)
    }

    async fn ensure_namespace(&self, name: &str) -> Result<(), String> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        if namespaces.get_opt(name).await.map_err(said)?.is_some() {
            return Ok(());
        }
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        namespaces
            .patch(name, &PatchParams::apply(MANAGER), &Patch::Apply(&body))
            .await
            .map(|_| ())
            .map_err(said)
    }

    async fn remember(&self) -> Result<()> {
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), MEMORY_NAMESPACE);
        let body = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": MEMORY, "namespace": MEMORY_NAMESPACE},
            "data": self.memory,
        });
        maps.patch(MEMORY, &PatchParams::apply(MANAGER).force(), &Patch::Apply(&body))
            .await
            .map(|map| drop(map.name_any()))
            .context("remember what was applied")
    }
}

/// The API's own words where it has some; nothing that could quote a value otherwise.
fn said(error: kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        _ => "the API did not answer".to_owned(),
    }
}

/// Namespaces and definitions first, then what others refer to.
fn rank(kind: &str) -> u8 {
    match kind {
        "Namespace" => 0,
        "CustomResourceDefinition" => 1,
        "ServiceAccount" | "ConfigMap" | "Secret" => 2,
        "SecretStore" | "ClusterSecretStore" => 3,
        "ExternalSecret" => 5,
        "PushSecret" => 6,
        _ => 4,
    }
}

fn memory_key(manifest: &Manifest) -> String {
    let group = manifest
        .api_version()
        .split_once('/')
        .map_or("core", |(group, _)| group);
    format!(
        "{}.{group}.{}.{}",
        manifest.kind(),
        manifest.namespace(),
        manifest.name()
    )
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// `stringData` is `data` for people. As `data` its keys have an owner that later writers can see.
fn decode_string_data(object: &mut Json) {
    if object.get("kind").and_then(Json::as_str) != Some("Secret") {
        return;
    }
    let Some(map) = object.as_object_mut() else { return };
    let Some(Json::Object(plain)) = map.remove("stringData") else {
        return;
    };
    let data = map.entry("data").or_insert_with(|| json!({}));
    if let Some(data) = data.as_object_mut() {
        for (key, value) in plain {
            let encoded = match value {
                Json::String(text) => Json::String(base64::engine::general_purpose::STANDARD.encode(text)),
                other => other,
            };
            data.insert(key, encoded);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn string_data_becomes_data_and_wins() {
        let mut object =
            json!({"kind": "Secret", "data": {"a": "eA==", "b": "eQ=="}, "stringData": {"a": "new"}});
        decode_string_data(&mut object);
        assert_eq!(
            object,
            json!({"kind": "Secret", "data": {"a": "bmV3", "b": "eQ=="}})
        );
    }

    #[test]
    fn nobody_waits_for_somebody_later() {
        let mut kinds = [
            "PushSecret",
            "Password",
            "ExternalSecret",
            "Secret",
            "SecretStore",
            "Namespace",
        ];
        kinds.sort_by_key(|kind| rank(kind));
        assert_eq!(
            kinds,
            [
                "Namespace",
                "Secret",
                "SecretStore",
                "Password",
                "ExternalSecret",
                "PushSecret"
            ]
        );
    }
}
