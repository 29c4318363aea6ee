//! The fields of the messages that clients send, by their numbers in Kubernetes' published protocol.

use super::{Field, Form};

const fn one(number: u64, name: &'static str, form: Form) -> Field {
    Field { number, name, form, many: false }
}

const fn many(number: u64, name: &'static str, form: Form) -> Field {
    Field { number, name, form, many: true }
}

/// The fields of a kind's message.
pub(super) fn message(api_version: &str, kind: &str) -> Option<&'static [Field]> {
    Some(match (api_version, kind) {
        ("v1", "Secret") => SECRET,
        ("v1", "ConfigMap") => CONFIG_MAP,
        ("v1", "ServiceAccount") => SERVICE_ACCOUNT,
        ("v1", "Namespace") => NAMESPACE,
        ("v1", "Event") => EVENT,
        ("events.k8s.io/v1", "Event") => REGARDING_EVENT,
        ("coordination.k8s.io/v1", "Lease") => LEASE,
        ("authentication.k8s.io/v1", "TokenRequest") => TOKEN_REQUEST,
        ("authentication.k8s.io/v1", "SelfSubjectReview") => METADATA_ONLY,
        ("authorization.k8s.io/v1", "SelfSubjectAccessReview") => ACCESS_REVIEW,
        // Every group has these options under its own name.
        (_, "DeleteOptions") => DELETE_OPTIONS,
        _ => return None,
    })
}

pub(super) const ENVELOPE: &[Field] = &[
    one(1, "typeMeta", Form::Message(&[one(1, "apiVersion", Form::Text), one(2, "kind", Form::Text)])),
    one(2, "raw", Form::Bytes),
];
pub(super) const RAW: &[Field] = &[one(1, "raw", Form::Bytes)];
pub(super) const TIME: &[Field] = &[one(1, "seconds", Form::Int), one(2, "nanos", Form::Int)];
pub(super) const TEXT_ENTRY: &[Field] = &[one(1, "key", Form::Text), one(2, "value", Form::Text)];
pub(super) const BLOB_ENTRY: &[Field] = &[one(1, "key", Form::Text), one(2, "value", Form::Bytes)];

const METADATA: Field = one(
    1,
    "metadata",
    Form::Message(&[
        one(1, "name", Form::Text),
        one(2, "generateName", Form::Text),
        one(3, "namespace", Form::Text),
        one(5, "uid", Form::Text),
        one(6, "resourceVersion", Form::Text),
        one(7, "generation", Form::Int),
        one(8, "creationTimestamp", Form::Time),
        one(9, "deletionTimestamp", Form::Time),
        one(10, "deletionGracePeriodSeconds", Form::Int),
        one(11, "labels", Form::Texts),
        one(12, "annotations", Form::Texts),
        many(13, "ownerReferences", Form::Message(OWNER)),
        many(14, "finalizers", Form::Text),
        many(17, "managedFields", Form::Message(MANAGED_FIELDS)),
    ]),
);

const OWNER: &[Field] = &[
    one(5, "apiVersion", Form::Text),
    one(1, "kind", Form::Text),
    one(3, "name", Form::Text),
    one(4, "uid", Form::Text),
    one(6, "controller", Form::Flag),
    one(7, "blockOwnerDeletion", Form::Flag),
];

const MANAGED_FIELDS: &[Field] = &[
    one(1, "manager", Form::Text),
    one(2, "operation", Form::Text),
    one(3, "apiVersion", Form::Text),
    one(4, "time", Form::Time),
    one(6, "fieldsType", Form::Text),
    one(7, "fieldsV1", Form::Json),
    one(8, "subresource", Form::Text),
];

const METADATA_ONLY: &[Field] = &[METADATA];

const SECRET: &[Field] = &[
    METADATA,
    one(2, "data", Form::Blobs),
    one(3, "type", Form::Text),
    one(4, "stringData", Form::Texts),
    one(5, "immutable", Form::Flag),
];

const CONFIG_MAP: &[Field] = &[
    METADATA,
    one(2, "data", Form::Texts),
    one(3, "binaryData", Form::Blobs),
    one(4, "immutable", Form::Flag),
];

const SERVICE_ACCOUNT: &[Field] = &[
    METADATA,
    many(2, "secrets", Form::Message(REFERENCE)),
    many(3, "imagePullSecrets", Form::Message(&[one(1, "name", Form::Text)])),
    one(4, "automountServiceAccountToken", Form::Flag),
];

const NAMESPACE: &[Field] = &[METADATA, one(2, "spec", Form::Message(&[many(1, "finalizers", Form::Text)]))];

const REFERENCE: &[Field] = &[
    one(1, "kind", Form::Text),
    one(2, "namespace", Form::Text),
    one(3, "name", Form::Text),
    one(4, "uid", Form::Text),
    one(5, "apiVersion", Form::Text),
    one(6, "resourceVersion", Form::Text),
    one(7, "fieldPath", Form::Text),
];

const SOURCE: &[Field] = &[one(1, "component", Form::Text), one(2, "host", Form::Text)];

const SERIES: &[Field] = &[one(1, "count", Form::Int), one(2, "lastObservedTime", Form::MicroTime)];

const EVENT: &[Field] = &[
    METADATA,
    one(2, "involvedObject", Form::Message(REFERENCE)),
    one(3, "reason", Form::Text),
    one(4, "message", Form::Text),
    one(5, "source", Form::Message(SOURCE)),
    one(6, "firstTimestamp", Form::Time),
    one(7, "lastTimestamp", Form::Time),
    one(8, "count", Form::Int),
    one(9, "type", Form::Text),
    one(10, "eventTime", Form::MicroTime),
    one(11, "series", Form::Message(SERIES)),
    one(12, "action", Form::Text),
    one(13, "related", Form::Message(REFERENCE)),
    one(14, "reportingComponent", Form::Text),
    one(15, "reportingInstance", Form::Text),
];

const REGARDING_EVENT: &[Field] = &[
    METADATA,
    one(2, "eventTime", Form::MicroTime),
    one(3, "series", Form::Message(SERIES)),
    one(4, "reportingController", Form::Text),
    one(5, "reportingInstance", Form::Text),
    one(6, "action", Form::Text),
    one(7, "reason", Form::Text),
    one(8, "regarding", Form::Message(REFERENCE)),
    one(9, "related", Form::Message(REFERENCE)),
    one(10, "note", Form::Text),
    one(11, "type", Form::Text),
    one(12, "deprecatedSource", Form::Message(SOURCE)),
    one(13, "deprecatedFirstTimestamp", Form::Time),
    one(14, "deprecatedLastTimestamp", Form::Time),
    one(15, "deprecatedCount", Form::Int),
];

const LEASE: &[Field] = &[
    METADATA,
    one(
        2,
        "spec",
        Form::Message(&[
            one(1, "holderIdentity", Form::Text),
            one(2, "leaseDurationSeconds", Form::Int),
            one(3, "acquireTime", Form::MicroTime),
            one(4, "renewTime", Form::MicroTime),
            one(5, "leaseTransitions", Form::Int),
            one(6, "strategy", Form::Text),
            one(7, "preferredHolder", Form::Text),
        ]),
    ),
];

const TOKEN_REQUEST: &[Field] = &[
    METADATA,
    one(
        2,
        "spec",
        Form::Message(&[
            many(1, "audiences", Form::Text),
            one(4, "expirationSeconds", Form::Int),
            one(
                3,
                "boundObjectRef",
                Form::Message(&[
                    one(1, "kind", Form::Text),
                    one(2, "apiVersion", Form::Text),
                    one(3, "name", Form::Text),
                    one(4, "uid", Form::Text),
                ]),
            ),
        ]),
    ),
];

const ACCESS_REVIEW: &[Field] = &[
    METADATA,
    one(
        2,
        "spec",
        Form::Message(&[
            one(
                1,
                "resourceAttributes",
                Form::Message(&[
                    one(1, "namespace", Form::Text),
                    one(2, "verb", Form::Text),
                    one(3, "group", Form::Text),
                    one(4, "version", Form::Text),
                    one(5, "resource", Form::Text),
                    one(6, "subresource", Form::Text),
                    one(7, "name", Form::Text),
                ]),
            ),
            one(
                2,
                "nonResourceAttributes",
                Form::Message(&[one(1, "path", Form::Text), one(2, "verb", Form::Text)]),
            ),
        ]),
    ),
];

const DELETE_OPTIONS: &[Field] = &[
    one(1, "gracePeriodSeconds", Form::Int),
    one(
        2,
        "preconditions",
        Form::Message(&[one(1, "uid", Form::Text), one(2, "resourceVersion", Form::Text)]),
    ),
    one(3, "orphanDependents", Form::Flag),
    one(4, "propagationPolicy", Form::Text),
    many(5, "dryRun", Form::Text),
];
