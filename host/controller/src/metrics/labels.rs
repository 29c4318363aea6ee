//! The label sets. Every text in them is from a closed set, names of objects and the API server's aside.

use pipeline::ObjectRef;
use prometheus_client::encoding::EncodeLabelSet;

use crate::own_kinds;

/// Whose.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Named {
    name: String,
    namespace: String,
}

impl Named {
    pub(super) fn of(object: &ObjectRef) -> Self {
        Self { name: object.name.clone(), namespace: object.namespace.clone().unwrap_or_default() }
    }
}

/// One status of an object's Ready condition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Condition {
    condition: &'static str,
    name: String,
    namespace: String,
    status: &'static str,
}

impl Condition {
    pub(super) fn of(object: &ObjectRef, status: bool) -> Self {
        let Named { name, namespace } = Named::of(object);
        Self { condition: "Ready", name, namespace, status: if status { "True" } else { "False" } }
    }
}

/// Which loop.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Controller {
    controller: &'static str,
}

impl Controller {
    /// As controller-runtime calls it: the kind in lower case.
    pub(super) fn of(kind: &str) -> Self {
        Self { controller: word(kind) }
    }
}

/// Which queue: client-go's name of it, and controller-runtime's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Queue {
    controller: &'static str,
    name: &'static str,
}

impl Queue {
    pub(super) fn of(kind: &str) -> Self {
        Self { controller: word(kind), name: word(kind) }
    }
}

/// How a look ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Result {
    controller: &'static str,
    result: &'static str,
}

impl Result {
    pub(super) fn of(kind: &str, failed: bool) -> Self {
        Self { controller: word(kind), result: if failed { "error" } else { "success" } }
    }
}

fn word(kind: &str) -> &'static str {
    match kind {
        "ExternalSecret" => "externalsecret",
        "PushSecret" => "pushsecret",
        "SecretStore" => "secretstore",
        own_kinds::LOOP => "keymill",
        _ => "clustersecretstore",
    }
}

/// What a store was asked, with ESO's words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Provider {
    pub(super) call: &'static str,
    pub(super) provider: &'static str,
    pub(super) status: &'static str,
}

/// A request to the API server, with client-go's words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Asked {
    pub(super) code: String,
    pub(super) host: String,
    pub(super) method: &'static str,
}

/// An election, by the name of its Lease.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Leader {
    pub(super) name: String,
}

/// What kind of failure.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Failed {
    pub(super) blame: &'static str,
    pub(super) kind: &'static str,
    pub(super) reason: &'static str,
}

/// Why a value was made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Rotated {
    pub(super) cause: &'static str,
    pub(super) kind: &'static str,
}

/// What a policy said.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Verdict {
    kind: &'static str,
    mode: &'static str,
    name: String,
    namespace: String,
    verdict: &'static str,
}

impl Verdict {
    pub(super) fn of(policy: &ObjectRef, enforces: bool, violations: Option<usize>) -> Self {
        let Named { name, namespace } = Named::of(policy);
        Self {
            kind: if policy.namespace.is_some() { "Policy" } else { "ClusterPolicy" },
            mode: if enforces { "Enforce" } else { "Monitor" },
            name,
            namespace,
            verdict: match violations {
                Some(0) => "accepted",
                Some(_) => "violated",
                None => "failed",
            },
        }
    }
}

/// What admission said.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Reviewed {
    pub(super) answer: &'static str,
    pub(super) kind: &'static str,
}

/// Which component, by the name that we gave it: what it calls itself is its own affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Component {
    pub(crate) component: &'static str,
    pub(crate) world: &'static str,
}

/// How a call of a component ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ComponentCall {
    pub(super) component: &'static str,
    pub(super) result: &'static str,
    pub(super) world: &'static str,
}
