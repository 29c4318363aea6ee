//! The columns of the built-in kinds.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{CREATED_DESCRIPTION, NAME_DESCRIPTION, age, definition};

/// The columns of built-in kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltinColumns {
    /// What a CustomResourceDefinition without columns has.
    NameAndAge,
    Namespace,
    Secret,
    ConfigMap,
    ServiceAccount,
    Event,
    /// An Event of events.k8s.io, whose fields have other names.
    RegardingEvent,
    Lease,
    CustomResourceDefinition,
}

impl BuiltinColumns {
    pub(super) fn definitions(self) -> Value {
        let column = |name: &str, description: &str| definition(name, "string", "", description, 0);
        let name = || definition("Name", "string", "name", NAME_DESCRIPTION, 0);
        let age = || column("Age", CREATED_DESCRIPTION);
        let wide = |name: &str, description: &str| definition(name, "string", "", description, 1);
        Value::from(match self {
            Self::NameAndAge => vec![name(), definition("Age", "date", "", CREATED_DESCRIPTION, 0)],
            Self::Namespace => vec![name(), column("Status", "The phase of the namespace."), age()],
            Self::Secret => {
                vec![
                    name(),
                    column("Type", "What the data is for."),
                    column("Data", "How many keys there are."),
                    age(),
                ]
            }
            Self::ConfigMap => vec![name(), column("Data", "How many keys there are."), age()],
            Self::ServiceAccount => vec![name(), age()],
            Self::Lease => vec![name(), column("Holder", "Who holds the lease."), age()],
            Self::CustomResourceDefinition => {
                vec![name(), definition("Created At", "date", "", CREATED_DESCRIPTION, 0)]
            }
            Self::Event | Self::RegardingEvent => vec![
                column("Last Seen", "When it was last recorded."),
                column("Type", "Normal or Warning."),
                column("Reason", "Why, in CamelCase."),
                column("Object", "What it is about."),
                wide("Subobject", "The part of the object that is meant."),
                wide("Source", "Who reported it."),
                column("Message", "What happened, for people."),
                wide("First Seen", "When it was first recorded."),
                wide("Count", "How often this has happened."),
                definition("Name", "string", "name", NAME_DESCRIPTION, 1),
            ],
        })
    }

    pub(super) fn cells(self, object: &Value, now: Timestamp) -> Vec<Value> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let keys = |field: &str| object.get(field).and_then(Value::as_object).map_or(0, serde_json::Map::len);
        let name = json!(text("/metadata/name"));
        let age = json!(age::of_text(text("/metadata/creationTimestamp"), now));
        match self {
            Self::NameAndAge | Self::ServiceAccount => vec![name, age],
            Self::Namespace => vec![name, json!(text("/status/phase")), age],
            Self::Secret => vec![name, json!(text("/type")), json!(keys("data")), age],
            Self::ConfigMap => vec![name, json!(keys("data") + keys("binaryData")), age],
            Self::Lease => vec![name, json!(text("/spec/holderIdentity")), age],
            Self::CustomResourceDefinition => vec![name, json!(text("/metadata/creationTimestamp"))],
            Self::Event => event(object, &CORE, now),
            Self::RegardingEvent => event(object, &REGARDING, now),
        }
    }
}

/// Where the parts of an Event stand.
struct EventFields {
    about: &'static str,
    first: &'static str,
    last: &'static str,
    count: &'static str,
    message: &'static str,
    source: &'static str,
    controller: &'static str,
}

const CORE: EventFields = EventFields {
    about: "involvedObject",
    first: "firstTimestamp",
    last: "lastTimestamp",
    count: "count",
    message: "message",
    source: "source",
    controller: "reportingComponent",
};
const REGARDING: EventFields = EventFields {
    about: "regarding",
    first: "deprecatedFirstTimestamp",
    last: "deprecatedLastTimestamp",
    count: "deprecatedCount",
    message: "note",
    source: "deprecatedSource",
    controller: "reportingController",
};

fn event(object: &Value, fields: &EventFields, now: Timestamp) -> Vec<Value> {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let inner = |field: &str, name: &str| {
        object.get(field).and_then(|part| part.get(name)).and_then(Value::as_str).unwrap_or_default()
    };
    let or = |given: &str, other: &str| {
        if given.is_empty() { other.to_owned() } else { given.to_owned() }
    };

    let first = age::of_text(&or(text(fields.first), text("eventTime")), now);
    let series = object.get("series").filter(|series| series.is_object());
    let last = match (series, text(fields.last)) {
        (Some(_), _) => age::of_text(inner("series", "lastObservedTime"), now),
        (None, "") => first.clone(),
        (None, moment) => age::of_text(moment, now),
    };
    let count = series
        .and_then(|series| series.get("count"))
        .or_else(|| object.get(fields.count))
        .and_then(Value::as_i64);

    let kind = inner(fields.about, "kind").to_lowercase();
    let about = match inner(fields.about, "name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let component = or(inner(fields.source, "component"), text(fields.controller));
    let source = match or(inner(fields.source, "host"), text("reportingInstance")).as_str() {
        "" => component,
        instance => format!("{component}, {instance}"),
    };
    vec![
        json!(last),
        json!(text("type")),
        json!(text("reason")),
        json!(about),
        json!(inner(fields.about, "fieldPath")),
        json!(source),
        json!(text(fields.message).trim()),
        json!(first),
        json!(count.filter(|count| *count != 0).unwrap_or(1)),
        object.pointer("/metadata/name").cloned().unwrap_or_default(),
    ]
}
