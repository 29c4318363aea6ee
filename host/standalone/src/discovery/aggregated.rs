//! The aggregated form: groups, versions and resources in one list.

use serde_json::{Value, json};

use super::{Group, STATUS_VERBS, Version, merge};
use crate::resource::ResourceInfo;

pub(super) fn list<'a>(groups: impl Iterator<Item = &'a Group<'a>>) -> Value {
    let items: Value = groups.map(group).collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

fn group(group: &Group<'_>) -> Value {
    let mut metadata = json!({"creationTimestamp": null});
    if !group.name.is_empty() {
        metadata = json!({"name": group.name, "creationTimestamp": null});
    }
    let versions: Value = group.versions.iter().map(version).collect();
    json!({"metadata": metadata, "versions": versions})
}

fn version(version: &Version<'_>) -> Value {
    let resources: Value = version.resources.iter().map(|found| resource(found)).collect();
    json!({"version": version.name, "resources": resources, "freshness": "Current"})
}

fn resource(resource: &ResourceInfo) -> Value {
    let own = json!({"group": resource.group, "version": resource.version, "kind": resource.kind});
    let mut entry = json!({
        "resource": resource.plural,
        "responseKind": own,
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular,
        "verbs": resource.verbs,
    });
    if !resource.short_names.is_empty() {
        merge(&mut entry, json!({"shortNames": resource.short_names}));
    }
    if !resource.categories.is_empty() {
        merge(&mut entry, json!({"categories": resource.categories}));
    }
    let mut subresources: Vec<Value> = resource
        .subresources
        .iter()
        .map(|found| {
            let kind = json!({"group": found.group, "version": found.version, "kind": found.kind});
            json!({"subresource": found.name, "responseKind": kind, "verbs": found.verbs})
        })
        .collect();
    if resource.has_status {
        subresources.push(json!({"subresource": "status", "responseKind": own, "verbs": STATUS_VERBS}));
    }
    if !subresources.is_empty() {
        merge(&mut entry, json!({"subresources": subresources}));
    }
    entry
}
