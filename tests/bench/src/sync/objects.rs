//! The objects of the bench and their paths: one namespace for each turn.

use serde_json::{Value as Json, json};

const GENERATORS: &str = "generators.external-secrets.io/v1alpha1";
const ESO: &str = "external-secrets.io/v1";
const PUSH: &str = "external-secrets.io/v1alpha1";

/// The one Secret that is pushed, and its key.
pub(crate) const PUSHED: (&str, &str) = ("pushed", "value");

/// A namespace, and the paths of the kinds in it.
#[derive(Debug, Clone)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    #[must_use]
    pub fn secrets(&self) -> String {
        format!("/api/v1/namespaces/{}/secrets", self.name)
    }

    #[must_use]
    pub fn external_secrets(&self) -> String {
        self.of(ESO, "externalsecrets")
    }

    #[must_use]
    pub fn push_secrets(&self) -> String {
        self.of(PUSH, "pushsecrets")
    }

    /// What all objects need, in the order in which it is made, each with the path of its kind: the namespace, the generator of
    /// CloudNativePG's published example and a store with one value.
    #[must_use]
    pub fn basis(&self) -> Vec<(String, Json)> {
        let fake = json!({"provider": {"fake": {"data": [{"key": "value", "value": "one"}]}}});
        vec![
            ("/api/v1/namespaces".to_owned(), json!({"metadata": {"name": self.name}})),
            (
                self.of(GENERATORS, "passwords"),
                object(GENERATORS, "Password", "password", &crate::password_config()),
            ),
            (self.of(ESO, "secretstores"), object(ESO, "SecretStore", "fake", &fake)),
        ]
    }

    /// A Secret, and a PushSecret that takes it to a Vault's `secret/` once an hour; the remote key has the namespace's name.
    #[must_use]
    pub fn pushed(&self, vault: &str, token: &str) -> Vec<(String, Json)> {
        let (name, key) = PUSHED;
        let login = json!({"tokenSecretRef": {"name": "vault-token", "key": "token"}});
        let vault = json!({"server": vault, "path": "secret", "version": "v2", "auth": login});
        let push = json!({
            "refreshInterval": "1h",
            "secretStoreRefs": [{"name": "vault", "kind": "SecretStore"}],
            "selector": {"secret": {"name": name}},
            "data": [{"match": {"remoteRef": {"remoteKey": self.name}}}],
        });
        vec![
            (self.secrets(), json!({"metadata": {"name": "vault-token"}, "stringData": {"token": token}})),
            (self.secrets(), json!({"metadata": {"name": name}, "stringData": {key: "0"}})),
            (
                self.of(ESO, "secretstores"),
                object(ESO, "SecretStore", "vault", &json!({"provider": {"vault": vault}})),
            ),
            (self.push_secrets(), object(PUSH, "PushSecret", name, &push)),
        ]
    }

    /// Where Vault keeps what was pushed.
    pub(crate) fn remote(&self) -> String {
        format!("/v1/secret/data/{}", self.name)
    }

    fn of(&self, version: &str, plural: &str) -> String {
        format!("/apis/{version}/namespaces/{}/{plural}", self.name)
    }
}

/// An ExternalSecret with a generated password and a template of three keys; its target has its name.
#[must_use]
pub fn generated(name: &str) -> Json {
    let templates = json!({
        "password": "{{ .password }}",
        "pgpass": "h:5432:app:app:{{ .password }}",
        "uri": "postgresql://app:{{ .password }}@h:5432/app",
    });
    let generator = json!({"apiVersion": GENERATORS, "kind": "Password", "name": "password"});
    let spec = json!({
        "refreshInterval": "1h",
        "target": {"name": name, "template": {"data": templates}},
        "dataFrom": [{"sourceRef": {"generatorRef": generator}}],
    });
    object(ESO, "ExternalSecret", name, &spec)
}

/// An ExternalSecret with one value of the store; its target has its name.
#[must_use]
pub fn stored(name: &str) -> Json {
    let spec = json!({
        // The refreshes of a store's values are spread over the interval: of a short one, some would be due at any time.
        "refreshInterval": "8760h",
        "secretStoreRef": {"name": "fake", "kind": "SecretStore"},
        // With a template, no annotation of the object comes to the target.
        "target": {"name": name, "template": {"data": {"value": "{{ .value }}"}}},
        "data": [{"secretKey": "value", "remoteRef": {"key": "value"}}],
    });
    object(ESO, "ExternalSecret", name, &spec)
}

/// Whether the controller says that it has done what the object asks for.
#[must_use]
pub fn is_ready(object: &Json) -> bool {
    let conditions = object.pointer("/status/conditions").and_then(Json::as_array);
    conditions.into_iter().flatten().any(|condition| {
        condition.get("type").is_some_and(|name| name == "Ready")
            && condition.get("status").is_some_and(|status| status == "True")
    })
}

fn object(version: &str, kind: &str, name: &str, spec: &Json) -> Json {
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec})
}
