//! Puts the manifests of a folder into the API, each when its text changed.
//!
//! What was applied last is remembered beside the objects (ConfigMaps of digests), so a restart does not put an old password
//! back, and deleting a file deletes nothing. One manifest that is refused does not keep the others out.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use kube::discovery::{ApiCapabilities, ApiResource, Scope, pinned_kind};
use kube::{Client, ResourceExt};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::manifest::Manifest;

const MANAGER: &str = "keymill-dev";
const MEMORY_NAMESPACE: &str = "kube-system";
/// The memory is in sixteen ConfigMaps, so that each stays small and a write of one entry is cheap.
const MEMORY: &str = "keymill-dev-applied-";
const MAPS: &str = "0123456789abcdef";

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
    namespaces: BTreeSet<String>,
}

impl Applier {
    /// Reads what was applied last.
    pub(crate) async fn open(client: Client) -> Result<Self> {
        let maps: Api<ConfigMap> = Api::namespaced(client.clone(), MEMORY_NAMESPACE);
        let mut memory = BTreeMap::new();
        for map in maps.list(&ListParams::default()).await.context("read what was applied last")? {
            if map.name_any().starts_with(MEMORY) {
                memory.extend(map.data.unwrap_or_default());
            }
        }
        Ok(Self { client, memory, kinds: BTreeMap::new(), namespaces: BTreeSet::new() })
    }

    /// Applies all of them, in an order in which nobody waits for somebody later. `progress` is told how many are done.
    pub(crate) async fn apply<'a>(
        &mut self,
        manifests: &'a [Manifest],
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Vec<(&'a Manifest, Applied)>> {
        let mut ordered: Vec<&Manifest> = manifests.iter().collect();
        ordered.sort_by_key(|manifest| rank(manifest.kind()));
        let mut outcomes = Vec::new();
        for (done, manifest) in ordered.into_iter().enumerate() {
            progress(done, manifests.len());
            let outcome = self.apply_one(manifest).await;
            if matches!(outcome, Applied::Written) {
                // At once, not at the end: a kill in between must not make the next start apply it again.
                self.remember(&memory_key(manifest)).await?;
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
        objects.patch(manifest.name(), &parameters, &Patch::Apply(&object)).await.map(|_| ()).map_err(said)
    }

    async fn kind(&mut self, manifest: &Manifest) -> Result<(ApiResource, ApiCapabilities), String> {
        let id = format!("{}/{}", manifest.api_version(), manifest.kind());
        if let Some(known) = self.kinds.get(&id) {
            return Ok(known.clone());
        }
        let (group, version) = manifest.api_version().split_once('/').unwrap_or(("", manifest.api_version()));
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

    async fn ensure_namespace(&mut self, name: &str) -> Result<(), String> {
        if self.namespaces.contains(name) {
            return Ok(());
        }
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        if namespaces.get_opt(name).await.map_err(said)?.is_none() {
            let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            namespaces.patch(name, &PatchParams::apply(MANAGER), &Patch::Apply(&body)).await.map_err(said)?;
        }
        self.namespaces.insert(name.to_owned());
        Ok(())
    }

    async fn remember(&self, key: &str) -> Result<()> {
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), MEMORY_NAMESPACE);
        let map = format!("{MEMORY}{}", MAPS.chars().find(|one| key.starts_with(*one)).unwrap_or('0'));
        let digest = self.memory.get(key).cloned().unwrap_or_default();
        let patch = json!({"data": {key: digest}});
        let what = "remember what was applied";
        match maps.patch(&map, &PatchParams::default(), &Patch::Merge(&patch)).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => {
                let map = ConfigMap {
                    metadata: ObjectMeta { name: Some(map), ..ObjectMeta::default() },
                    data: Some([(key.to_owned(), digest)].into()),
                    ..ConfigMap::default()
                };
                maps.create(&PostParams::default(), &map).await.map(|_| ()).context(what)
            }
            Err(error) => Err(error).context(what),
        }
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

/// A digest: names may be longer than keys, and nobody needs to read them here.
fn memory_key(manifest: &Manifest) -> String {
    let group = manifest.api_version().split_once('/').map_or("core", |(group, _)| group);
    digest(&format!("{}.{group}/{}/{}", manifest.kind(), manifest.namespace(), manifest.name()))
}

/// The first 24 hexadecimal digits of SHA-256.
fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
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
        assert_eq!(object, json!({"kind": "Secret", "data": {"a": "bmV3", "b": "eQ=="}}));
    }

    #[test]
    fn nobody_waits_for_somebody_later() {
        let mut kinds = ["PushSecret", "Password", "ExternalSecret", "Secret", "SecretStore", "Namespace"];
        kinds.sort_by_key(|kind| rank(kind));
        assert_eq!(kinds, ["Namespace", "Secret", "SecretStore", "Password", "ExternalSecret", "PushSecret"]);
    }
}
