//! Namespaces, ConfigMaps, Events and Leases.

use serde_json::{Map, Value};

use super::super::cause::{Cause, Path};
use super::super::name;
use crate::names;

pub(super) fn validate_namespace(namespace: &Value) -> Vec<Cause> {
    let finalizers = namespace.pointer("/spec/finalizers").and_then(Value::as_array);
    let mut causes = Vec::new();
    let finalizers = finalizers.into_iter().flatten().filter_map(Value::as_str);
    for (index, finalizer) in finalizers.enumerate() {
        let value = Value::from(finalizer);
        let at = format!("spec.finalizers[{index}]");
        causes.extend(names::label_key(finalizer).map(|problem| Cause::invalid(&at, &value, &problem)));
        let standard = matches!(finalizer, "kubernetes" | "orphan" | "foregroundDeletion");
        if !finalizer.contains('/') && !standard {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            causes.push(Cause::invalid(&at, &value, detail));
        }
    }
    causes
}

pub(super) fn validate_config_map(config: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let empty = Map::new();
    let map = |field: &str| config.get(field).and_then(Value::as_object).unwrap_or(&empty);
    let (data, binary) = (map("data"), map("binaryData"));
    for (field, entries) in [("data", data), ("binaryData", binary)] {
        let at = Path::Child(&Path::Root, field);
        for key in entries.keys() {
            let quoted = Value::from(key.as_str());
            causes.extend(
                name::data_key(key).iter().map(|problem| Cause::invalid(at.key(key), &quoted, problem)),
            );
            if field == "data" && binary.contains_key(key) {
                causes.push(Cause::invalid(at.key(key), &quoted, "duplicate of key present in binaryData"));
            }
        }
    }
    causes
}

/// An Event stands in the namespace of what it is about; one about a cluster-wide object stands in `default`.
pub(super) fn validate_event(event: &Value) -> Vec<Cause> {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (involved, namespace) = (text("/involvedObject/namespace"), text("/metadata/namespace"));
    let timed = !text("/eventTime").is_empty();
    let agrees = match (involved.is_empty(), timed) {
        (true, false) => namespace.is_empty() || namespace == "default",
        (true, true) => namespace == "default" || namespace == "kube-system",
        (false, false) => involved == namespace,
        (false, true) => true,
    };
    let mut causes = Vec::new();
    if !agrees {
        causes.push(Cause::invalid(
            "involvedObject.namespace",
            &Value::from(involved),
            "does not match event.namespace",
        ));
    }
    if timed {
        for field in ["reportingComponent", "reportingInstance", "action", "reason"] {
            if event.get(field).and_then(Value::as_str).is_none_or(str::is_empty) {
                causes.push(Cause::required(field, ""));
            }
        }
        for (field, limit) in
            [("reportingInstance", 128), ("action", 128), ("reason", 128), ("message", 1024)]
        {
            if event.get(field).and_then(Value::as_str).is_some_and(|text| text.len() > limit) {
                causes.push(Cause::invalid(
                    field,
                    &Value::from(""),
                    &format!("can have at most {limit} characters"),
                ));
            }
        }
    }
    causes
}

pub(super) fn validate_lease(lease: &Value) -> Vec<Cause> {
    let number = |pointer: &str| lease.pointer(pointer).and_then(Value::as_i64);
    let mut causes = Vec::new();
    if let Some(seconds) = number("/spec/leaseDurationSeconds").filter(|seconds| *seconds <= 0) {
        causes.push(Cause::invalid(
            "spec.leaseDurationSeconds",
            &Value::from(seconds),
            "must be greater than 0",
        ));
    }
    if let Some(count) = number("/spec/leaseTransitions").filter(|count| *count < 0) {
        causes.push(Cause::invalid(
            "spec.leaseTransitions",
            &Value::from(count),
            "must be greater than or equal to 0",
        ));
    }
    let text = |pointer: &str| lease.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    if !text("/spec/preferredHolder").is_empty() && text("/spec/strategy").is_empty() {
        causes
            .push(Cause::forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined"));
    }
    causes
}
