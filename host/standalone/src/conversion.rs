//! Between the version of a request and the version that is stored.
//!
//! Versions of one CustomResourceDefinition differ in their `apiVersion` alone (conversion strategy None). Events have
//! two groups with other names for the same fields; they are stored as `v1`.

use std::borrow::Cow;

use serde_json::Value;

use crate::object;
use crate::resource::ResourceInfo;

/// What a field of a `v1` Event is called in `events.k8s.io/v1`.
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// The stored object in the version of `info`.
pub(crate) fn served<'a>(info: &ResourceInfo, stored: &'a Value) -> Cow<'a, Value> {
    if object::text(stored, "/apiVersion") == info.api_version() {
        return Cow::Borrowed(stored);
    }
    let mut served = stored.clone();
    if is_other_event(info) {
        rename(&mut served, |(stored, served)| (stored, served));
    }
    set_version(&mut served, info.api_version());
    Cow::Owned(served)
}

/// An object of the version of `info` as it is stored.
pub(crate) fn stored(info: &ResourceInfo, storage: &ResourceInfo, served: &mut Value) {
    if is_other_event(info) {
        rename(served, |(stored, served)| (served, stored));
    }
    set_version(served, storage.api_version());
}

fn is_other_event(info: &ResourceInfo) -> bool {
    info.builtin && info.group == "events.k8s.io"
}

fn rename(
    event: &mut Value,
    direction: impl Fn((&'static str, &'static str)) -> (&'static str, &'static str),
) {
    let fields = object::fields(event);
    for (from, to) in EVENT_FIELDS.map(direction) {
        if let Some(value) = fields.shift_remove(from) {
            fields.insert(to.to_owned(), value);
        }
    }
}

fn set_version(value: &mut Value, version: String) {
    object::fields(value).insert("apiVersion".to_owned(), version.into());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_have_two_forms() {
        let find = |group: &str| {
            ResourceInfo::builtins()
                .iter()
                .find(|info| info.plural == "events" && info.group == group)
                .unwrap()
        };
        let given = json!({
            "kind": "Event", "apiVersion": "events.k8s.io/v1", "metadata": {"name": "e"},
            "regarding": {"name": "db"}, "note": "text", "reportingController": "keymill", "type": "Normal",
        });
        let mut event = given.clone();
        stored(find("events.k8s.io"), find(""), &mut event);
        let expected = json!({
            "kind": "Event", "apiVersion": "v1", "metadata": {"name": "e"},
            "involvedObject": {"name": "db"}, "message": "text", "reportingComponent": "keymill", "type": "Normal",
        });
        assert_eq!(event, expected);
        assert_eq!(*served(find("events.k8s.io"), &event), given);
        assert!(matches!(served(find(""), &event), Cow::Borrowed(_)));
    }
}
