//! A small world for tests: stores, generators, an engine and policies in memory, and an ExternalSecret that lives in it.

use std::collections::BTreeMap;

use api::{ExternalSecret, PushSecret};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde_json::{Value as Json, json};
use thiserror::Error;

use crate::failure::{Blame, Failure, Reason, Retry};
use crate::field::{Fields, Value};
use crate::meta::Meta;
use crate::push::CheckedPush;
use crate::rotation::EntryKey;
use crate::spec::CheckedSpec;

mod memory;
mod world;

pub(crate) use memory::{Angles, Counter, Counters, Floor, MemoryStore, MemoryStores, Texts};
pub(crate) use world::World;

/// Text to fields.
pub(crate) fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect()
}

/// Fields to text.
pub(crate) fn texts(fields: &Fields) -> BTreeMap<String, String> {
    let text = |value: &Value| String::from_utf8(value.expose().to_vec()).unwrap();
    fields.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

/// A time some seconds after the beginning of the test's world.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

/// An ExternalSecret `shop/app` with that spec.
pub(crate) fn external_secret(spec: Json) -> ExternalSecret {
    let metadata = json!({"name": "app", "namespace": "shop", "uid": "uid-1", "generation": 1});
    let object = json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": metadata, "spec": spec});
    serde_json::from_value(object).unwrap()
}

pub(crate) fn checked(spec: Json) -> CheckedSpec {
    CheckedSpec::parse(&external_secret(spec)).unwrap()
}

/// A PushSecret `shop/push` with that spec.
pub(crate) fn push_secret(spec: Json) -> PushSecret {
    let metadata = json!({"name": "push", "namespace": "shop", "uid": "uid-2", "generation": 1});
    let object = json!({"apiVersion": "external-secrets.io/v1alpha1", "kind": "PushSecret", "metadata": metadata, "spec": spec});
    serde_json::from_value(object).unwrap()
}

pub(crate) fn checked_push(spec: Json) -> CheckedPush {
    CheckedPush::parse(&push_secret(spec)).unwrap()
}

pub(crate) fn meta() -> Meta {
    Meta {
        uid: "uid-1".to_owned(),
        namespace: "shop".to_owned(),
        name: "app".to_owned(),
        generation: 1,
        ..Meta::default()
    }
}

/// An entry that names the Password `name`.
pub(crate) fn password(name: &str) -> Json {
    json!({"sourceRef": {"generatorRef": {"apiVersion": "generators.external-secrets.io/v1alpha1", "kind": "Password", "name": name}}})
}

pub(crate) fn key_of(name: &str) -> EntryKey {
    EntryKey::new("generators.external-secrets.io/v1alpha1", "Password", name, 0)
}

#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct Refused(pub(crate) &'static str, pub(crate) Reason);

impl Failure for Refused {
    fn reason(&self) -> Reason {
        self.1
    }

    fn blame(&self) -> Blame {
        Blame::Store
    }

    fn retry(&self) -> Retry {
        Retry::Backoff
    }
}

/// An owner reference with `controller: true`.
pub(crate) fn controller(api_version: &str, kind: &str, name: &str, uid: &str) -> OwnerReference {
    OwnerReference {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        uid: uid.to_owned(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}
