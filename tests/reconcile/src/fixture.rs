//! The objects of the cases.

use serde_json::{Value as Json, json};

pub(crate) const NAMESPACE: &str = "default";
/// A key and a label of the target that are not keymill's.
pub(crate) const FOREIGN: (&str, &str) = ("username", "app");
pub(crate) const LABEL: (&str, &str) = ("team", "shop");
/// The password in a target before it is keymill's.
pub(crate) const SOMEBODY_S: &str = "FirstPasswordOfSomebodyE";
/// The interval of everything that rotates.
pub(crate) const INTERVAL: u64 = 60;

pub(crate) fn password(name: &str) -> Json {
    json!({
        "metadata": {"name": name},
        "spec": {"length": 24, "digits": 4, "symbols": 4, "symbolCharacters": "-_", "noUpper": false, "allowRepeat": true},
    })
}

pub(crate) fn external_secret(name: &str, creation: &str) -> Json {
    json!({
        "metadata": {"name": name},
        "spec": {
            "refreshInterval": format!("{INTERVAL}s"),
            "target": {
                "name": name, "creationPolicy": creation,
                "template": {"data": {
                    "password": "{{ .password }}",
                    "uri": "postgresql://app:{{ .password }}@db:5432/app",
                    "pgpass": "db:5432:app:app:{{ .password }}\n",
                }},
            },
            "dataFrom": [{"sourceRef": {"generatorRef": {
                "apiVersion": "generators.external-secrets.io/v1alpha1", "kind": "Password", "name": "pw",
            }}}],
        },
    })
}

/// A Secret that somebody else made, for `Merge`.
pub(crate) fn foreign_target(name: &str) -> Json {
    json!({
        "metadata": {"name": name, "labels": {LABEL.0: LABEL.1}},
        "type": "kubernetes.io/basic-auth",
        "stringData": {FOREIGN.0: FOREIGN.1, "password": SOMEBODY_S},
    })
}

/// A store in the key store of the world; `server` as in its address table.
pub(crate) fn vault_store(name: &str, server: &str) -> Json {
    json!({
        "metadata": {"name": name, "labels": {"tier": "push"}},
        "spec": {"provider": {"vault": {
            "server": format!("http://{server}"), "path": "secret", "version": "v2",
            "auth": {"tokenSecretRef": {"name": "kv-token", "key": "token"}},
        }}},
    })
}

pub(crate) fn push_secret(name: &str, source: &str, stores: &[&str], deletion: &str) -> Json {
    let stores: Vec<Json> = stores.iter().map(|name| json!({"name": name, "kind": "SecretStore"})).collect();
    json!({
        "metadata": {"name": name},
        "spec": {
            "deletionPolicy": deletion, "refreshInterval": "24h",
            "secretStoreRefs": stores,
            "selector": {"secret": {"name": source}},
            "data": [{"match": {"remoteRef": {"remoteKey": "pushed"}}}],
        },
    })
}
