//! Which Vault servers the manifests name, and where each is to be found.
//!
//! A name that resolves is left alone. An `http://` name that does not is served by the embedded KV, with the mounts and the
//! tokens that the manifests give it; an `https://` one is refused with the flag that maps it. Decides; opens nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use serde_json::Value as Json;

use crate::manifest::Manifest;

/// A server as `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Server {
    pub(crate) scheme: String,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

impl Server {
    /// Parses a URL's scheme, host and port.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let default = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let authority = rest.split(['/', '?', '#']).next()?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
            _ => (authority, default),
        };
        (!host.is_empty()).then(|| Self { scheme: scheme.to_owned(), host: host.to_owned(), port })
    }
}

/// What the KV has to offer for the manifests.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Demand {
    /// Every Vault server that a store names.
    pub(crate) servers: BTreeSet<Server>,
    /// Mount path to KV version.
    pub(crate) mounts: BTreeMap<String, u8>,
    /// Tokens in Secrets that a store refers to.
    pub(crate) tokens: BTreeSet<String>,
}

/// Reads the demand off the manifests.
pub(crate) fn demand(manifests: &[Manifest]) -> Demand {
    let mut demand = Demand::default();
    let stores =
        manifests.iter().filter(|one| one.kind() == "SecretStore" || one.kind() == "ClusterSecretStore");
    for store in stores {
        let Some(vault) = store.object.pointer("/spec/provider/vault") else {
            continue;
        };
        if let Some(server) = vault.get("server").and_then(Json::as_str).and_then(Server::parse) {
            demand.servers.insert(server);
        }
        let version = if vault.get("version").and_then(Json::as_str) == Some("v1") { 1 } else { 2 };
        match vault.get("path").and_then(Json::as_str) {
            Some(path) => {
                demand.mounts.insert(path.trim_matches('/').to_owned(), version);
            }
            None => demand.mounts.extend(first_segments(store, manifests).map(|mount| (mount, version))),
        }
        demand.tokens.extend(token(store, vault, manifests));
    }
    demand
}

/// Without a path, a key's first segment names the mount.
fn first_segments<'a>(store: &'a Manifest, manifests: &'a [Manifest]) -> impl Iterator<Item = String> + 'a {
    let users = manifests.iter().filter(|one| one.kind() == "ExternalSecret" || one.kind() == "PushSecret");
    users.flat_map(move |user| {
        let mut keys = Vec::new();
        if user.object.to_string().contains(&format!("\"{}\"", store.name())) {
            collect_keys(&user.object, &mut keys);
        }
        keys.into_iter().filter_map(|key| Some(key.trim_start_matches('/').split_once('/')?.0.to_owned()))
    })
}

fn collect_keys(value: &Json, keys: &mut Vec<String>) {
    match value {
        Json::Object(map) => {
            for (name, inner) in map {
                match (name.as_str(), inner) {
                    ("key" | "remoteKey" | "path", Json::String(text)) => keys.push(text.clone()),
                    _ => collect_keys(inner, keys),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| collect_keys(item, keys)),
        _ => {}
    }
}

/// The token in the Secret that a store's token authentication refers to, if a manifest holds it.
fn token(store: &Manifest, vault: &Json, manifests: &[Manifest]) -> Option<String> {
    let reference = vault.pointer("/auth/tokenSecretRef")?;
    let name = reference.get("name")?.as_str()?;
    let key = reference.get("key").and_then(Json::as_str).unwrap_or("token");
    let namespace = reference.get("namespace").and_then(Json::as_str).unwrap_or(store.namespace());
    let secret = manifests
        .iter()
        .find(|one| one.kind() == "Secret" && one.name() == name && one.namespace() == namespace)?;
    let plain = secret.object.get("stringData").and_then(|data| data.get(key)).and_then(Json::as_str);
    let decoded = || {
        use base64::Engine;
        let text = secret.object.get("data")?.get(key)?.as_str()?;
        String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).ok()?).ok()
    };
    plain
        .map(str::to_owned)
        .or_else(decoded)
        .map(|token| token.trim().to_owned())
        .filter(|token| !token.is_empty())
}

/// Where the servers are to be found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Placement {
    /// Servers that the embedded KV stands for.
    pub(crate) embedded: Vec<Server>,
    /// Servers that somebody has mapped.
    pub(crate) mapped: Vec<(Server, SocketAddr)>,
    /// Servers that cannot be reached and cannot be stood for.
    pub(crate) refused: Vec<Server>,
}

/// Decides for each server. `resolves` says whether its name is known.
pub(crate) fn place(
    servers: &BTreeSet<Server>,
    resolve: &BTreeMap<(String, u16), SocketAddr>,
    resolves: &dyn Fn(&Server) -> bool,
) -> Placement {
    let mut placement = Placement::default();
    for server in servers {
        if let Some(address) = resolve.get(&(server.host.clone(), server.port)) {
            placement.mapped.push((server.clone(), *address));
        } else if resolves(server) {
        } else if server.scheme == "http" {
            placement.embedded.push(server.clone());
        } else {
            placement.refused.push(server.clone());
        }
    }
    placement
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::manifest::{Manifests, parse};

    fn demand_of(text: &str) -> Demand {
        let mut manifests = Manifests::default();
        parse(Path::new("a.yaml"), text, &mut manifests);
        assert!(manifests.bad.is_empty(), "{:?}", manifests.bad);
        demand(&manifests.good)
    }

    #[test]
    fn the_published_example() {
        let demand = demand_of(
            "{apiVersion: e/v1, kind: SecretStore, metadata: {name: s}, spec: {provider: {vault: {server: \"http://vault.vault.svc:8200\", \
             path: secrets, version: v2, auth: {tokenSecretRef: {name: t, key: token}}}}}}\n---\n\
             {apiVersion: v1, kind: Secret, metadata: {name: t}, data: {token: aHZzLioqKioqKio=}}\n",
        );
        assert_eq!(
            demand.servers.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["http://vault.vault.svc:8200"]
        );
        assert_eq!(demand.mounts, BTreeMap::from([("secrets".to_owned(), 2)]));
        assert_eq!(demand.tokens, BTreeSet::from(["hvs.*******".to_owned()]));
    }

    #[test]
    fn without_a_path_the_keys_name_the_mounts() {
        let demand = demand_of(
            "{apiVersion: e/v1, kind: SecretStore, metadata: {name: s}, spec: {provider: {vault: {server: \"http://v\", version: v1}}}}\n---\n\
             {apiVersion: e/v1, kind: ExternalSecret, metadata: {name: e}, spec: {secretStoreRef: {name: s}, \
             data: [{secretKey: a, remoteRef: {key: kv/app/db}}]}}\n",
        );
        assert_eq!(demand.mounts, BTreeMap::from([("kv".to_owned(), 1)]));
        assert_eq!(demand.servers.first().map(|server| server.port), Some(80));
    }

    #[test]
    fn each_server_is_placed() {
        let servers: BTreeSet<Server> = ["http://a:8200", "https://b", "http://known", "https://mapped"]
            .iter()
            .filter_map(|url| Server::parse(url))
            .collect();
        let address: SocketAddr = "127.0.0.1:8200".parse().unwrap();
        let resolve = BTreeMap::from([(("mapped".to_owned(), 443), address)]);
        let placement = place(&servers, &resolve, &|server| server.host == "known");
        assert_eq!(placement.embedded, [Server::parse("http://a:8200").unwrap()]);
        assert_eq!(placement.refused, [Server::parse("https://b").unwrap()]);
        assert_eq!(placement.mapped, [(Server::parse("https://mapped").unwrap(), address)]);
    }

    #[test]
    fn urls_are_parsed_or_not() {
        for (url, host, port) in
            [("http://a:1/x", "a", 1), ("https://a/", "a", 443), ("http://[::1]:8200", "[::1]", 8200)]
        {
            let server = Server::parse(url).unwrap();
            assert_eq!((server.host.as_str(), server.port), (host, port), "{url}");
        }
        for url in ["ftp://a", "a:8200", "http://", "http://a:x"] {
            assert!(Server::parse(url).is_none(), "{url}");
        }
    }
}
