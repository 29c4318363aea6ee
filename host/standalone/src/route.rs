//! What a path leads to.

use std::sync::Arc;

use http::Method;

use crate::kinds::Table;
use crate::query;
use crate::resource::ResourceInfo;

/// A path to a resource: a collection, an object or a subresource.
#[derive(Debug, Clone)]
pub(crate) struct ResourcePath {
    pub(crate) info: Arc<ResourceInfo>,
    /// Empty for cluster scope, and for all namespaces.
    pub(crate) namespace: String,
    /// Empty for the collection.
    pub(crate) name: String,
    pub(crate) subresource: String,
}

impl ResourcePath {
    /// Custom objects of all namespaces are only read: for the rest, the path leads nowhere.
    pub(crate) fn serves(&self, method: &Method) -> bool {
        let of_all = !self.info.builtin && self.info.namespaced && self.namespace.is_empty();
        !of_all || *method == Method::GET
    }
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub(crate) enum Route {
    Health,
    Version,
    /// `/api`, `/apis` and what is below them that names no resource.
    Discovery,
    OpenApi,
    Resource(ResourcePath),
    /// Below a group of ours, but no resource of it.
    NoResource,
    Nowhere,
}

impl Route {
    pub(crate) fn of(path: &str, kinds: &Table) -> Self {
        let parts: Vec<String> =
            path.split('/').filter(|part| !part.is_empty()).map(|part| query::decode(part, false)).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match parts.as_slice() {
            ["healthz" | "livez" | "readyz", ..] => Self::Health,
            ["version"] => Self::Version,
            ["api" | "apis"] | ["api", _] | ["apis", _] | ["apis", _, _] => Self::Discovery,
            ["openapi", ..] => Self::OpenApi,
            ["api", version, rest @ ..] => {
                resource(kinds, "", version, rest).map_or(Self::NoResource, Self::Resource)
            }
            ["apis", group, version, rest @ ..] => {
                // Custom objects are served by another handler, which answers in text.
                let nowhere = if kinds.is_builtin(group) { Self::NoResource } else { Self::Nowhere };
                resource(kinds, group, version, rest).map_or(nowhere, Self::Resource)
            }
            _ => Self::Nowhere,
        }
    }
}

fn resource(kinds: &Table, group: &str, version: &str, rest: &[&str]) -> Option<ResourcePath> {
    let (namespace, rest) = match rest {
        // Namespaces have objects and subresources of their own under the same path.
        ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => ("", rest),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        _ => ("", rest),
    };
    let (plural, name, subresource) = match rest {
        [plural] => (plural, "", ""),
        [plural, name] => (plural, *name, ""),
        [plural, name, subresource] => (plural, *name, *subresource),
        _ => return None,
    };
    let info = kinds.find(group, version, plural)?.clone();
    let fits = match (info.namespaced, namespace.is_empty()) {
        (true, true) => name.is_empty(),
        (true, false) | (false, true) => true,
        (false, false) => false,
    };
    let known = subresource.is_empty()
        || (subresource == "status" && info.has_status)
        || (!info.builtin && matches!(subresource, "status" | "scale"))
        || info.subresources.iter().any(|one| one.name == subresource);
    let path = ResourcePath {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        subresource: subresource.to_owned(),
        info,
    };
    (fits && known).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::State;

    #[test]
    fn paths_lead_somewhere() {
        let kinds = Table::new(&State::default());
        let check = |path: &str, expected: &str| {
            let found = match Route::of(path, &kinds) {
                Route::Resource(ResourcePath { info, namespace, name, subresource }) => {
                    format!("{}|{namespace}|{name}|{subresource}", info.plural)
                }
                other => format!("{other:?}"),
            };
            assert_eq!(found, expected, "{path}");
        };
        check("/api/v1/secrets", "secrets|||");
        check("/api/v1/namespaces/a/secrets", "secrets|a||");
        check("/api/v1/namespaces/a/secrets/b", "secrets|a|b|");
        check("/api/v1/namespaces/a/serviceaccounts/b/token", "serviceaccounts|a|b|token");
        check("/api/v1/namespaces", "namespaces|||");
        check("/api/v1/namespaces/a", "namespaces||a|");
        check("/api/v1/namespaces/a/finalize", "namespaces||a|finalize");
        check("/apis/coordination.k8s.io/v1/namespaces/a/leases/b%2Dc", "leases|a|b-c|");
        check("/api/v1/namespaces/a/events/x%3Ay", "events|a|x:y|");
        check("/openapi/v3/apis/keymill.dev/v1alpha1", "OpenApi");
        for path in ["/api", "/apis", "/api/v1", "/apis/g", "/apis/g/v1/"] {
            check(path, "Discovery");
        }
        check("/", "Nowhere");
        check("/apis/example.com/v1/things", "Nowhere");
        for nowhere in [
            "/api/v2/secrets",
            "/api/v1/pods",
            "/api/v1/secrets/b",
            "/api/v1/namespaces/a/secrets/b/status",
            "/api/v1/namespaces/a/namespaces/b",
            "/api/v1/namespaces/a/secrets/b/c/d",
        ] {
            check(nowhere, "NoResource");
        }
    }
}
