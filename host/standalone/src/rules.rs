//! What single kinds do by themselves: the fields that the server sets, and the changes that it refuses.
//!
//! The rest of the crate treats all kinds alike and asks here. Whether the content of an object is right is the
//! business of its schema.

mod definition;
mod immutable;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::deletion::{FOREGROUND, ORPHAN};
use crate::names;
use crate::object;
use crate::resource::ResourceInfo;
use crate::schema::Cause;

pub(crate) use definition::CLEANUP_FINALIZER;
pub(crate) use immutable::causes as immutable;

/// The finalizer of every namespace, in its spec.
pub(crate) const NAMESPACE_FINALIZER: &str = "kubernetes";
/// Namespaces that may not be deleted.
pub(crate) const IMMORTAL_NAMESPACES: [&str; 3] = ["default", "kube-system", "kube-public"];
/// Namespaces that are always there.
pub(crate) const KEPT_NAMESPACES: [&str; 2] = ["default", "kube-system"];

/// Whether a replacement may leave out the version that it replaces.
pub(crate) fn may_update_blindly(info: &ResourceInfo) -> bool {
    info.builtin && !matches!(info.plural.as_str(), "customresourcedefinitions" | "leases")
}

/// Whether a replacement of what is not there makes it.
pub(crate) fn may_create_on_update(info: &ResourceInfo) -> bool {
    info.builtin && matches!(info.plural.as_str(), "events" | "leases")
}

/// Whether the kind counts changes of its spec.
pub(crate) fn has_generation(info: &ResourceInfo) -> bool {
    !info.builtin || info.plural == "customresourcedefinitions"
}

/// What is wrong with a name of that kind.
pub(crate) fn check_name(info: &ResourceInfo, name: &str) -> Option<String> {
    match (info.builtin, info.plural.as_str()) {
        (true, "namespaces") => names::label(name),
        _ => names::subdomain(name),
    }
}

/// The object that a first write is compared with: what a typed kind always has.
pub(crate) fn blank(info: &ResourceInfo) -> Value {
    let mut blank = json!({"apiVersion": info.api_version(), "kind": info.kind});
    if info.builtin {
        let fields = object::fields(&mut blank);
        fields.insert("metadata".to_owned(), json!({}));
        if matches!(info.plural.as_str(), "namespaces" | "leases" | "customresourcedefinitions") {
            fields.insert("spec".to_owned(), json!({}));
        }
        if info.has_status {
            fields.insert("status".to_owned(), json!({}));
        }
    }
    blank
}

/// What reading an object of the kind makes of it, before anybody owns a field.
pub(crate) fn on_read(info: &ResourceInfo, value: &mut Value) {
    drop_empty(object::metadata(value));
    if !info.builtin {
        return;
    }
    if matches!(info.plural.as_str(), "secrets" | "configmaps") {
        empty_nulls(value);
    }
    if info.plural != "customresourcedefinitions" {
        drop_nulls(value);
    }
    match info.plural.as_str() {
        "secrets" => read_secret(value),
        "configmaps" => drop_empty_fields(value, &["data", "binaryData"]),
        "namespaces" => read_namespace(value),
        "leases" => {
            object::child(value, "spec");
        }
        "customresourcedefinitions" => definition::read(value),
        _ => {}
    }
}

/// What the server sets on a new object.
pub(crate) fn on_create(info: &ResourceInfo, value: &mut Value, now: &str) {
    if has_generation(info) {
        object::set_metadata(value, "generation", Some(1.into()));
    }
    if info.has_status {
        object::fields(value).shift_remove("status");
    }
    match (info.builtin, info.plural.as_str()) {
        (true, "namespaces") => {
            let spec = object::child(value, "spec");
            let given = object::strings(spec.get("finalizers"));
            if !given.contains(&NAMESPACE_FINALIZER) {
                let all: Vec<&str> = given.into_iter().chain([NAMESPACE_FINALIZER]).collect();
                let all = json!(all);
                spec.insert("finalizers".to_owned(), all);
            }
            object::child(value, "status").insert("phase".to_owned(), "Active".into());
        }
        (true, "customresourcedefinitions") => definition::establish(value, None, now),
        _ => {}
    }
}

/// What the server keeps or sets on a changed object. Ownership has been settled before.
pub(crate) fn on_update(info: &ResourceInfo, old: &Value, new: &mut Value, subresource: &str, now: &str) {
    match subresource {
        "status" => *new = with_fields_of(old, new, &["status"]),
        "finalize" => *new = with_fields_of(old, new, &["spec"]),
        _ => {
            if info.has_status {
                object::carry(object::fields(new), old.as_object(), "status");
            }
            if info.builtin && info.plural == "namespaces" {
                object::carry(object::fields(new), old.as_object(), "spec");
            }
        }
    }
    let generation = object::generation(old);
    if has_generation(info) && subresource.is_empty() {
        let changed = differs(info, old, new);
        object::set_metadata(new, "generation", Some((generation + i64::from(changed)).into()));
    }
    if info.builtin && info.plural == "customresourcedefinitions" && subresource.is_empty() {
        definition::establish(new, Some(old), now);
    }
}

/// Whether something changed that counts as a new generation.
fn differs(info: &ResourceInfo, old: &Value, new: &Value) -> bool {
    let counts = |name: &str| name != "metadata" && !(name == "status" && info.has_status);
    let fields = |value: &Value| {
        let fields = value.as_object().cloned().unwrap_or_default();
        fields.into_iter().filter(|(name, _)| counts(name)).collect::<serde_json::Map<_, _>>()
    };
    fields(old) != fields(new)
}

/// `old`, but with these fields, and the managedFields and version, of `new`.
fn with_fields_of(old: &Value, new: &Value, names: &[&str]) -> Value {
    let mut out = old.clone();
    for name in names {
        object::carry(object::fields(&mut out), new.as_object(), name);
    }
    let metadata = new.get("metadata").and_then(Value::as_object);
    for name in ["managedFields", "resourceVersion"] {
        object::carry(object::metadata(&mut out), metadata, name);
    }
    out
}

/// Plain texts become data, and the type gets its default.
fn read_secret(secret: &mut Value) {
    let fields = object::fields(secret);
    if let Some(Value::Object(plain)) = fields.shift_remove("stringData") {
        let data = object::child(secret, "data");
        for (key, value) in plain {
            // What is no text is left for validation to refuse.
            let encoded = value.as_str().map(|text| STANDARD.encode(text).into());
            data.insert(key, encoded.unwrap_or(value));
        }
    }
    let fields = object::fields(secret);
    if fields.get("type").is_none_or(|kind| kind == "") {
        fields.insert("type".to_owned(), "Opaque".into());
    }
    drop_empty_fields(secret, &["data"]);
}

fn read_namespace(namespace: &mut Value) {
    let name = object::name(namespace).to_owned();
    if !name.is_empty() {
        let labels = object::metadata(namespace).entry("labels").or_insert_with(|| json!({}));
        object::fields(labels).insert("kubernetes.io/metadata.name".to_owned(), name.into());
    }
}

/// Removes what a typed object does not show: empty metadata.
fn drop_empty(metadata: &mut serde_json::Map<String, Value>) {
    metadata.shift_remove("selfLink");
    metadata.retain(|name, value| match value {
        Value::Null => false,
        // An empty list of managed fields asks to forget them.
        Value::Array(items) => !items.is_empty() || name == "managedFields",
        Value::Object(fields) => !fields.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    });
}

fn drop_empty_fields(value: &mut Value, names: &[&str]) {
    let fields = object::fields(value);
    for name in names {
        if fields.get(*name).and_then(Value::as_object).is_some_and(serde_json::Map::is_empty) {
            fields.shift_remove(*name);
        }
    }
}

/// A null in a map of texts is the empty text.
fn empty_nulls(value: &mut Value) {
    for name in ["data", "binaryData", "stringData"] {
        let fields = value.get_mut(name).and_then(Value::as_object_mut);
        for value in fields.into_iter().flat_map(|fields| fields.values_mut()).filter(|value| value.is_null())
        {
            *value = "".into();
        }
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Leaves out owner references that repeat an earlier one; their UIDs.
pub(crate) fn drop_repeated_owners(value: &mut Value) -> Vec<String> {
    let owners: Vec<Value> = object::owners(value).cloned().collect();
    let uid = |owner: &Value| object::text(owner, "/uid").to_owned();
    let mut kept: Vec<Value> = Vec::with_capacity(owners.len());
    let mut repeated = Vec::new();
    for owner in &owners {
        if kept.iter().any(|other| uid(other) == uid(owner)) {
            repeated.push(uid(owner));
        } else {
            kept.push(owner.clone());
        }
    }
    if !repeated.is_empty() {
        object::set_metadata(value, "ownerReferences", Some(kept.into()));
    }
    repeated
}

/// What is wrong with the metadata of an object that is about to be stored.
pub(crate) fn check_metadata(info: &ResourceInfo, value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = object::name(value);
    let prefix = object::text(value, "/metadata/generateName");
    // A prefix may end with what a name may not.
    if let Some(why) = Some(prefix.trim_end_matches('-'))
        .filter(|prefix| !prefix.is_empty())
        .and_then(|prefix| check_name(info, prefix))
    {
        causes.push(Cause::invalid("metadata.generateName", &prefix.into(), &why));
    }
    if let Some(why) = check_name(info, name) {
        causes.push(Cause::invalid("metadata.name", &name.into(), &why));
    }
    causes.extend(check_labels(value));
    causes.extend(check_annotations(value));
    causes.extend(check_owners(value));
    causes.extend(check_finalizers(info, value));
    causes
}

fn check_labels(value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (key, label) in value.pointer("/metadata/labels").and_then(Value::as_object).into_iter().flatten() {
        if let Some(why) = names::label_key(key) {
            causes.push(Cause::invalid("metadata.labels", &key.as_str().into(), &why));
        }
        if let Some(why) = label.as_str().and_then(names::label_value) {
            causes.push(Cause::invalid("metadata.labels", label, &why));
        }
    }
    causes
}

fn check_annotations(value: &Value) -> Vec<Cause> {
    const MOST_BYTES: usize = 256 << 10;
    let mut causes = Vec::new();
    let mut bytes = 0;
    for (key, text) in value.pointer("/metadata/annotations").and_then(Value::as_object).into_iter().flatten()
    {
        bytes += key.len() + text.as_str().map_or(0, str::len);
        if let Some(why) = names::label_key(&key.to_lowercase()) {
            causes.push(Cause::invalid("metadata.annotations", &key.as_str().into(), &why));
        }
    }
    if bytes > MOST_BYTES {
        causes.push(Cause::too_long("metadata.annotations", MOST_BYTES as u64));
    }
    causes
}

fn check_finalizers(info: &ResourceInfo, value: &Value) -> Vec<Cause> {
    let finalizers = object::finalizers(value);
    let mut causes = Vec::new();
    for (index, finalizer) in finalizers.iter().enumerate() {
        if let Some(why) = names::label_key(finalizer) {
            causes.push(Cause::invalid("metadata.finalizers", &(*finalizer).into(), &why));
        }
        if info.builtin && !finalizer.contains('/') && !is_standard(finalizer) {
            let why = "name is neither a standard finalizer name nor is it fully qualified";
            causes.push(Cause::invalid(format!("metadata.finalizers[{index}]"), &(*finalizer).into(), why));
        }
    }
    if finalizers.contains(&FOREGROUND) && finalizers.contains(&ORPHAN) {
        let why = "finalizer orphan and foregroundDeletion cannot be both set";
        causes.push(Cause::invalid("metadata.finalizers", &json!(finalizers), why));
    }
    causes
}

fn is_standard(finalizer: &str) -> bool {
    matches!(finalizer, FOREGROUND | ORPHAN | NAMESPACE_FINALIZER)
}

/// What to say of finalizers of a custom object that could be anybody's.
pub(crate) fn finalizer_warnings(info: &ResourceInfo, value: &Value) -> Vec<String> {
    let unqualified = |finalizer: &&str| {
        !info.builtin && !finalizer.contains('/') && !matches!(*finalizer, FOREGROUND | ORPHAN)
    };
    let finalizers = object::finalizers(value).into_iter().filter(unqualified);
    finalizers
        .map(|finalizer| {
            format!(
                "metadata.finalizers: {finalizer:?}: prefer a domain-qualified finalizer name to avoid accidental \
                 conflicts with other finalizer writers"
            )
        })
        .collect()
}

fn check_owners(value: &Value) -> Vec<Cause> {
    let at = |field: &str| format!("metadata.ownerReferences.{field}");
    let mut causes = Vec::new();
    let mut controllers = Vec::new();
    for owner in object::owners(value) {
        let version = object::text(owner, "/apiVersion");
        if version.matches('/').count() > 1 {
            causes.push(Cause::invalid(at("apiVersion"), &version.into(), "version must not be empty"));
        }
        if version == "v1" && object::text(owner, "/kind") == "Event" {
            let why = "/v1, Kind=Event is disallowed from being an owner";
            causes.push(Cause::invalid("metadata.ownerReferences", owner, why));
        }
        for field in ["apiVersion", "kind", "name", "uid"] {
            if object::text(owner, &format!("/{field}")).is_empty() {
                let why =
                    if field == "apiVersion" { "version must not be empty" } else { "must not be empty" };
                causes.push(Cause::invalid(at(field), &"".into(), why));
            }
        }
        if owner.get("controller") == Some(&Value::Bool(true)) {
            controllers.push(format!("{}/{}", object::text(owner, "/kind"), object::text(owner, "/name")));
        }
    }
    if let [first, others @ ..] = controllers.as_slice() {
        for other in others {
            let why = format!(
                "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {other}"
            );
            let references = value.pointer("/metadata/ownerReferences").unwrap_or(&Value::Null);
            causes.push(Cause::invalid("metadata.ownerReferences", references, &why));
        }
    }
    causes
}
