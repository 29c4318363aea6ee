//! Discovery: which groups, versions and resources the API serves, in the plain form and in the aggregated
//! one.
//!
//! Pure: from the list of kinds to documents. The plain form is what curl and old clients read (`/api`,
//! `/apis`, `/apis/G`, `/apis/G/V`), the aggregated one says everything in two requests, and is what kubectl
//! and kube ask for first.
//!
//! # Differences
//!
//! From kube-apiserver: the aggregated form is `apidiscovery.k8s.io/v2` only (clients that ask for `v2beta1`
//! too get v2); protobuf is not offered.

mod aggregated;
#[cfg(test)]
mod tests;
mod version;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::resource::ResourceInfo;

/// What the aggregated form calls itself.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const STATUS_VERBS: [&str; 3] = ["get", "patch", "update"];

/// A discovery document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub content_type: &'static str,
    pub body: Value,
    /// Changes when the body does; only the aggregated form has one.
    pub etag: Option<String>,
}

/// The document for a path, or none if nothing is served there. `accept` is the request's Accept header.
pub fn document(resources: &[Arc<ResourceInfo>], path: &str, accept: &str) -> Option<Document> {
    let groups = Group::all(resources);
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let aggregated = wants_aggregated(accept);
    let find = |name: &str| groups.iter().find(|group| group.name == name);
    let body = match parts.as_slice() {
        ["api"] if aggregated => {
            return Some(with_etag(aggregated::list(groups.iter().filter(|group| group.name.is_empty()))));
        }
        ["apis"] if aggregated => {
            return Some(with_etag(aggregated::list(groups.iter().filter(|group| !group.name.is_empty()))));
        }
        ["api"] => core_versions(&groups),
        ["apis"] => {
            let named: Value =
                groups.iter().filter(|group| !group.name.is_empty()).map(Group::to_json).collect();
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": named})
        }
        ["api", version] => resource_list(find("")?.versions.iter().find(|found| found.name == *version)?),
        ["apis", group] if !group.is_empty() => {
            let mut body = json!({"kind": "APIGroup", "apiVersion": "v1"});
            merge(&mut body, find(group)?.to_json());
            body
        }
        ["apis", group, version] if !group.is_empty() => {
            resource_list(find(group)?.versions.iter().find(|found| found.name == *version)?)
        }
        _ => return None,
    };
    Some(Document { content_type: "application/json", body, etag: None })
}

/// Whether one of the media types is the aggregated form; its parameters come in any order.
fn wants_aggregated(accept: &str) -> bool {
    accept.split(',').any(|media| {
        let mut parts = media.split(';').map(str::trim);
        let json = matches!(parts.next(), Some("application/json" | "*/*"));
        let parameters: Vec<&str> = parts.collect();
        json && ["g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"]
            .iter()
            .all(|wanted| parameters.contains(wanted))
    })
}

fn with_etag(body: Value) -> Document {
    let digest = Sha256::digest(body.to_string().as_bytes());
    let etag = format!("\"{}\"", data_encoding::HEXUPPER.encode(&digest));
    Document { content_type: AGGREGATED, body, etag: Some(etag) }
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

/// A group with its versions, the preferred one first.
struct Group<'a> {
    name: &'a str,
    versions: Vec<Version<'a>>,
}

struct Version<'a> {
    group: &'a str,
    name: &'a str,
    resources: Vec<&'a ResourceInfo>,
}

impl<'a> Group<'a> {
    /// The served kinds by group, in the order in which groups first appear, built-in ones before others.
    fn all(resources: &'a [Arc<ResourceInfo>]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        let (builtin, mut custom): (Vec<&ResourceInfo>, Vec<_>) = resources
            .iter()
            .map(|resource| &**resource)
            .filter(|resource| resource.served)
            .partition(|resource| resource.builtin);
        custom.sort_by(|left, right| (&left.group, &left.plural).cmp(&(&right.group, &right.plural)));
        for resource in builtin.into_iter().chain(custom) {
            match groups.iter_mut().find(|group| group.name == resource.group) {
                Some(group) => group.add(resource),
                None => {
                    let mut group = Self { name: &resource.group, versions: Vec::new() };
                    group.add(resource);
                    groups.push(group);
                }
            }
        }
        for group in &mut groups {
            group.versions.sort_by(|left, right| version::compare(right.name, left.name));
        }
        groups
    }

    fn add(&mut self, resource: &'a ResourceInfo) {
        match self.versions.iter_mut().find(|version| version.name == resource.version) {
            Some(version) => version.resources.push(resource),
            None => self.versions.push(Version {
                group: &resource.group,
                name: &resource.version,
                resources: vec![resource],
            }),
        }
    }

    fn to_json(&self) -> Value {
        let versions: Vec<Value> = self.versions.iter().map(Version::to_json).collect();
        let preferred = versions.first().cloned().unwrap_or_default();
        json!({"name": self.name, "versions": versions, "preferredVersion": preferred})
    }
}

impl Version<'_> {
    fn group_version(&self) -> String {
        if self.group.is_empty() { self.name.to_owned() } else { format!("{}/{}", self.group, self.name) }
    }

    fn to_json(&self) -> Value {
        json!({"groupVersion": self.group_version(), "version": self.name})
    }
}

fn core_versions(groups: &[Group<'_>]) -> Value {
    let core = groups.iter().filter(|group| group.name.is_empty());
    let versions: Vec<&str> = core.flat_map(|group| &group.versions).map(|version| version.name).collect();
    json!({"kind": "APIVersions", "versions": versions, "serverAddressByClientCIDRs": []})
}

fn resource_list(version: &Version<'_>) -> Value {
    let resources: Vec<Value> = version.resources.iter().flat_map(|resource| entries(resource)).collect();
    let mut list = json!({"kind": "APIResourceList"});
    // The core group's list has never had an apiVersion.
    if !version.group.is_empty() {
        merge(&mut list, json!({"apiVersion": "v1"}));
    }
    merge(&mut list, json!({"groupVersion": version.group_version(), "resources": resources}));
    list
}

/// A resource, and its subresources after it.
fn entries(resource: &ResourceInfo) -> Vec<Value> {
    let mut entry = json!({
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": resource.verbs,
    });
    if !resource.short_names.is_empty() {
        merge(&mut entry, json!({"shortNames": resource.short_names}));
    }
    if !resource.categories.is_empty() {
        merge(&mut entry, json!({"categories": resource.categories}));
    }
    if resource.verbs.contains(&"get") {
        merge(&mut entry, json!({"storageVersionHash": storage_hash(resource)}));
    }
    let mut entries = vec![entry];
    for subresource in &resource.subresources {
        let mut entry = json!({
            "name": format!("{}/{}", resource.plural, subresource.name),
            "singularName": "",
            "namespaced": resource.namespaced,
        });
        if subresource.group != resource.group {
            merge(&mut entry, json!({"group": subresource.group, "version": subresource.version}));
        }
        merge(&mut entry, json!({"kind": subresource.kind, "verbs": subresource.verbs}));
        entries.push(entry);
    }
    if resource.has_status {
        entries.push(json!({
            "name": format!("{}/status", resource.plural),
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": STATUS_VERBS,
        }));
    }
    entries
}

/// Tells clients that objects are stored in another form now.
fn storage_hash(resource: &ResourceInfo) -> String {
    let version = match resource.plural.as_str() {
        // Kubernetes still stores definitions as it did at first.
        "customresourcedefinitions" if resource.builtin => "v1beta1",
        _ => &resource.version,
    };
    let digest = Sha256::digest(format!("{}/{version}/{}", resource.group, resource.kind).as_bytes());
    STANDARD.encode(digest.get(..8).unwrap_or_default())
}
