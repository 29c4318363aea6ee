//! Secrets and ConfigMaps from manifests, as a cluster would hand out their data: for templates that refer to them and for grants.
//!
//! All of them are read before anything is asked for, so that asking can only find or miss. Messages name keys, never values.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pipeline::{BoxFailure, Fields, Found, ReadSecret, Value};
use runtime::{Entry, KubeCapability, Refusal, SecretBytes};
use serde_json::Value as Json;

use crate::manifest::Manifest;

/// The data of objects by kind, namespace and name.
#[derive(Default)]
pub(crate) struct Objects {
    data: BTreeMap<(&'static str, String, String), Fields>,
}

impl Objects {
    /// Those among `manifests` that are Secrets or ConfigMaps.
    ///
    /// # Errors
    /// Which object and key cannot be read, and why.
    pub(crate) fn of(manifests: &[Manifest]) -> Result<Self, String> {
        let mut objects = Self::default();
        for manifest in manifests {
            if let Some(kind) = kind(manifest) {
                let key = (kind, manifest.namespace().to_owned(), manifest.name().to_owned());
                objects.data.insert(key, data(manifest)?);
            }
        }
        Ok(objects)
    }

    fn find(&self, kind: &'static str, namespace: &str, name: &str) -> Found<Fields> {
        let found = self.data.get(&(kind, namespace.to_owned(), name.to_owned()));
        found.map_or(Found::Missing, |fields| Found::Found(fields.clone()))
    }
}

#[async_trait]
impl ReadSecret for Objects {
    async fn secret(&self, namespace: &str, name: &str) -> Result<Found<Fields>, BoxFailure> {
        Ok(self.find("Secret", namespace, name))
    }

    async fn config_map(&self, namespace: &str, name: &str) -> Result<Found<Fields>, BoxFailure> {
        Ok(self.find("ConfigMap", namespace, name))
    }
}

/// One object behind a label.
pub(crate) struct Granted {
    entries: Vec<Entry>,
}

impl Granted {
    /// The data of a manifest.
    ///
    /// # Errors
    /// When it is neither a Secret nor a ConfigMap, or a key cannot be read.
    pub(crate) fn of(manifest: &Manifest) -> Result<Self, String> {
        if kind(manifest).is_none() {
            return Err(format!("{} is neither a Secret nor a ConfigMap", manifest.title()));
        }
        let fields = data(manifest)?;
        Ok(Self {
            entries: fields.iter().map(|(key, value)| Entry::new(key.clone(), value.expose())).collect(),
        })
    }
}

impl KubeCapability for Granted {
    fn read(&self, _: Duration) -> Result<Vec<Entry>, Refusal> {
        Ok(self.entries.clone())
    }

    fn token(&self, _: Duration) -> Result<SecretBytes, Refusal> {
        Err(Refusal::Denied)
    }
}

fn kind(manifest: &Manifest) -> Option<&'static str> {
    match (manifest.api_version(), manifest.kind()) {
        ("v1", "Secret") => Some("Secret"),
        ("v1", "ConfigMap") => Some("ConfigMap"),
        _ => None,
    }
}

/// What the object holds: base64 and plain text, each where its kind has it; in a Secret, `stringData` wins.
fn data(manifest: &Manifest) -> Result<Fields, String> {
    let (encoded, plain) = match kind(manifest) {
        Some("ConfigMap") => ("binaryData", "data"),
        _ => ("data", "stringData"),
    };
    let failed =
        |part: &str, key: &str, what: &str| format!("the {part} of {}: {key:?} is {what}", manifest.title());
    let mut fields = Fields::new();
    for (part, decode) in [(encoded, true), (plain, false)] {
        let Some(Json::Object(map)) = manifest.object.get(part) else {
            continue;
        };
        for (key, value) in map {
            let text = value.as_str().ok_or_else(|| failed(part, key, "not a string"))?;
            let value = if decode {
                STANDARD.decode(text).map(Value::new).map_err(|_| failed(part, key, "not base64"))?
            } else {
                Value::from(text)
            };
            fields.insert(key.clone(), value);
        }
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::manifest::{self, Manifests};

    fn manifest(text: &str) -> Manifest {
        let mut manifests = Manifests::default();
        manifest::parse(Path::new("a.yaml"), text, &mut manifests);
        manifests.good.remove(0)
    }

    fn check(text: &str, expected: Result<&[(&str, &str)], &str>) {
        let found = Granted::of(&manifest(text)).map(|granted| {
            let entries = granted.read(Duration::ZERO).unwrap();
            let pair = |entry: &Entry| {
                (entry.key.clone(), String::from_utf8(entry.value.expose_secret().to_vec()).unwrap())
            };
            entries.iter().map(pair).collect::<Vec<_>>()
        });
        let owned =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(found, expected.map(owned).map_err(str::to_owned), "{text}");
    }

    #[test]
    fn each_kind_has_its_encoding() {
        let secret = "{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {x: eA==, y: eQ==}, stringData: {y: new}}";
        check(secret, Ok(&[("x", "x"), ("y", "new")]));
        let map =
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: eA==}, binaryData: {y: eQ==}}";
        check(map, Ok(&[("x", "eA=="), ("y", "y")]));
        let wrong = "{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {x: hunter2}}";
        check(wrong, Err("the data of Secret/a: \"x\" is not base64"));
        let wrong = "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {x: 5}}";
        check(wrong, Err("the stringData of Secret/a: \"x\" is not a string"));
        let other = "{apiVersion: v1, kind: Pod, metadata: {name: a}}";
        check(other, Err("Pod/a is neither a Secret nor a ConfigMap"));
    }

    #[test]
    fn objects_are_found_by_namespace_and_name() {
        let secret =
            manifest("{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: b}, stringData: {x: z}}");
        let objects = Objects::of(&[secret]).unwrap();
        assert!(matches!(objects.find("Secret", "b", "a"), Found::Found(fields) if fields.len() == 1));
        assert!(matches!(objects.find("Secret", "default", "a"), Found::Missing));
        assert!(matches!(objects.find("ConfigMap", "b", "a"), Found::Missing));
    }
}
