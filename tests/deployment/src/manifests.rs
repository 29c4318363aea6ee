//! YAML streams as objects.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value as Json;

/// Kind, namespace, name.
pub(crate) type Key = (String, String, String);

pub(crate) fn folder() -> PathBuf {
    support::root().join("host/deploy")
}

/// The objects of a file below `host/deploy`.
pub(crate) fn read(file: &str) -> Vec<Json> {
    let path = folder().join(file);
    parse(&std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

pub(crate) fn parse(text: &str) -> Vec<Json> {
    let documents: Vec<Json> = serde_saphyr::from_multiple(text).unwrap();
    documents.into_iter().filter(|document| !document.is_null()).collect()
}

/// By key; none is there twice.
pub(crate) fn by_key(objects: Vec<Json>) -> BTreeMap<Key, Json> {
    let mut all = BTreeMap::new();
    for object in objects {
        let text =
            |pointer: &str| object.pointer(pointer).and_then(Json::as_str).unwrap_or_default().to_owned();
        let key = (text("/kind"), text("/metadata/namespace"), text("/metadata/name"));
        assert!(all.insert(key.clone(), object).is_none(), "{key:?} is there twice");
    }
    all
}

pub(crate) fn of_kind<'a>(objects: &'a [Json], kind: &str) -> Vec<&'a Json> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

/// The operator's container.
pub(crate) fn container(objects: &[Json]) -> &Json {
    &of_kind(objects, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0]
}
