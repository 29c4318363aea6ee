//! The load: objects that rotate every second, each pushed to the store.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value as Json, json};

/// Between two rotations of an object.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);

/// The store's mount.
pub(crate) const MOUNT: &str = "load";

const PREFIX: &str = "rotating-";

pub(crate) fn name(number: usize) -> String {
    format!("{PREFIX}{number:03}")
}

pub(crate) fn is_target(secret: &str) -> bool {
    secret.starts_with(PREFIX)
}

/// What a target must hold when its value is this.
pub(crate) fn data(value: &str) -> BTreeMap<String, String> {
    let keys = [
        ("password", value.to_owned()),
        ("pgpass", format!("db:5432:app:app:{value}\n")),
        ("uri", format!("postgresql://app:{value}@db:5432/app")),
    ];
    keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// What they all use: the generator and the store with its token.
pub(crate) fn shared(server: &str, token: &str) -> Vec<Json> {
    vec![
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vault-token"}, "stringData": {"token": token},
        }),
        json!({
            "apiVersion": "generators.external-secrets.io/v1alpha1", "kind": "Password", "metadata": {"name": "password"},
            "spec": {"length": 32, "digits": 5, "symbols": 3, "symbolCharacters": "-._", "allowRepeat": true, "noUpper": false},
        }),
        json!({
            "apiVersion": "external-secrets.io/v1", "kind": "SecretStore", "metadata": {"name": "vault"},
            "spec": {"provider": {"vault": {
                "server": server, "path": MOUNT, "version": "v2",
                "auth": {"tokenSecretRef": {"name": "vault-token", "key": "token"}},
            }}},
        }),
    ]
}

/// One object that rotates, and one that pushes its target.
pub(crate) fn pair(name: &str) -> [Json; 2] {
    let templates = data("{{ .password }}");
    [
        json!({
            "apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": {"name": name},
            "spec": {
                "refreshInterval": format!("{}s", INTERVAL.as_secs()),
                "target": {"name": name, "template": {"data": templates}},
                "dataFrom": [{"sourceRef": {"generatorRef": {
                    "apiVersion": "generators.external-secrets.io/v1alpha1", "kind": "Password", "name": "password",
                }}}],
            },
        }),
        json!({
            "apiVersion": "external-secrets.io/v1alpha1", "kind": "PushSecret", "metadata": {"name": name},
            "spec": {
                "deletionPolicy": "Delete", "refreshInterval": "1h",
                "secretStoreRefs": [{"name": "vault", "kind": "SecretStore"}],
                "selector": {"secret": {"name": name}},
                "data": [{"match": {"remoteRef": {"remoteKey": name}}}],
            },
        }),
    ]
}
