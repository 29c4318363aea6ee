//! What a request fails with: a `Status` object, with the reason, code, details and words of kube-apiserver.
//!
//! A [`Failure`] is always the answer to one request. It never carries a value of a Secret: the words are about names,
//! fields and rules.

use serde_json::{Map, Value, json};

use crate::database::DatabaseError;
use crate::resource::ResourceInfo;
use crate::schema::{self, Cause};

/// A failed request.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The HTTP status.
    pub code: u16,
    /// The machine-readable class; empty where Kubernetes gives none.
    pub reason: &'static str,
    /// One sentence for people.
    pub message: String,
    /// Boxed to keep the type small.
    details: Box<Map<String, Value>>,
    /// Whether they are shown when they are empty, too.
    shows_details: bool,
    /// Where a list can go on that lost its version.
    resume: Option<String>,
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "the database failed");
        Self::internal(&format!("failed to {error}"))
    }
}

impl Failure {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: Box::default(),
            shows_details: false,
            resume: None,
        }
    }

    fn about(mut self, group: &str, kind: &str, name: &str) -> Self {
        for (key, value) in [("name", name), ("group", group), ("kind", kind)] {
            if !value.is_empty() {
                self.details.insert(key.to_owned(), value.into());
            }
        }
        self
    }

    fn on(self, info: &ResourceInfo, name: &str) -> Self {
        self.about(&info.group, &info.plural, name)
    }

    /// Shows details, though they are empty.
    fn with_details(mut self) -> Self {
        self.shows_details = true;
        self
    }

    fn causes(mut self, causes: Vec<Value>) -> Self {
        if !causes.is_empty() {
            self.details.insert("causes".to_owned(), causes.into());
        }
        self
    }

    pub(crate) fn not_found(info: &ResourceInfo, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", info.qualified());
        Self::new(404, "NotFound", message).on(info, name)
    }

    pub(crate) fn namespace_not_found(name: &str) -> Self {
        let message = format!("namespaces \"{name}\" not found");
        Self::new(404, "NotFound", message).about("", "namespaces", name)
    }

    pub(crate) fn already_exists(info: &ResourceInfo, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", info.qualified());
        Self::new(409, "AlreadyExists", message).on(info, name)
    }

    pub(crate) fn conflict(info: &ResourceInfo, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", info.qualified());
        Self::new(409, "Conflict", message).on(info, name)
    }

    /// The object is newer than the one that the change was made from.
    pub(crate) fn modified(info: &ResourceInfo, name: &str) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(info, name, why)
    }

    /// `conflicts` are pairs of a field's path and the manager, already described, that owns it.
    pub(crate) fn apply_conflict(conflicts: &[(String, String)]) -> Self {
        let causes = conflicts.iter().map(|(field, manager)| {
            json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": field})
        });
        Self::new(409, "Conflict", conflict_message(conflicts)).causes(causes.collect())
    }

    /// The object is not the one that is meant to be deleted.
    pub(crate) fn other_object(info: &ResourceInfo, name: &str, why: &str) -> Self {
        let kind =
            if info.group.is_empty() { info.kind.clone() } else { format!("{}.{}", info.kind, info.group) };
        let message = format!("Operation cannot be fulfilled on {kind} \"{name}\": {why}");
        Self::new(409, "Conflict", message).about(&info.group, &info.kind, name)
    }

    pub(crate) fn invalid(info: &ResourceInfo, name: &str, causes: &[Cause]) -> Self {
        Self::invalid_kind(&info.group, &info.kind, name, causes)
    }

    pub(crate) fn invalid_kind(group: &str, kind: &str, name: &str, causes: &[Cause]) -> Self {
        let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let message = format!("{qualified} \"{name}\" is invalid: {}", schema::summary(causes));
        Self::new(422, "Invalid", message)
            .about(group, kind, name)
            .causes(causes.iter().map(Cause::to_json).collect())
    }

    /// A JSON patch that does not fit the object.
    pub(crate) fn patch_rejected() -> Self {
        Self::new(422, "Invalid", "the server rejected our request due to an error in our request")
            .with_details()
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub(crate) fn forbidden(info: &ResourceInfo, name: &str, why: &str) -> Self {
        let message = format!("{} \"{name}\" is forbidden: {why}", info.qualified());
        Self::new(403, "Forbidden", message).on(info, name)
    }

    pub(crate) fn namespace_terminating(info: &ResourceInfo, name: &str, namespace: &str) -> Self {
        let why =
            format!("unable to create new content in namespace {namespace} because it is being terminated");
        let cause = json!({
            "reason": "NamespaceTerminating",
            "message": format!("namespace {namespace} is being terminated"),
            "field": "metadata.namespace",
        });
        Self::forbidden(info, name, &why).causes(vec![cause])
    }

    pub(crate) fn method_not_allowed(info: &ResourceInfo) -> Self {
        let message = "the server does not allow this method on the requested resource";
        let failure = Self::new(405, "MethodNotAllowed", message);
        if info.builtin { failure.with_details() } else { failure.on(info, "") }
    }

    /// A subresource of a custom object that this verb is not for.
    pub(crate) fn not_supported(info: &ResourceInfo, verb: &str) -> Self {
        let message = format!("{verb} is not supported on resources of kind {:?}", info.qualified());
        Self::new(405, "MethodNotAllowed", message).on(info, "")
    }

    /// A path below a group of ours that leads to no resource.
    pub(crate) fn no_such_resource() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource").with_details()
    }

    pub(crate) fn unsupported_media(accepted: &[&str]) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            accepted.join(", ")
        );
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// A patch of a built-in kind in a form that is none.
    pub(crate) fn unsupported_patch() -> Self {
        Self::new(415, "UnsupportedMediaType", "415: Unsupported Media Type").with_details()
    }

    pub(crate) fn not_acceptable(accepted: &[&str]) -> Self {
        let message = format!("only the following media types are accepted: {}", accepted.join(", "));
        Self::new(406, "NotAcceptable", message)
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(413, "RequestEntityTooLarge", format!("Request entity too large: limit is {limit}"))
    }

    /// The history that the request needs is gone.
    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// Gives the client a token to go on with.
    pub(crate) fn resumable(mut self, token: String) -> Self {
        self.resume = Some(token);
        self
    }

    /// A list that should not be older than a version which is not there yet.
    pub(crate) fn version_ahead(asked: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let cause = json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
        let mut failure = Self::new(504, "Timeout", message).causes(vec![cause]);
        failure.details.insert("retryAfterSeconds".to_owned(), 1.into());
        failure
    }

    /// An error without a reason: what kube-apiserver answers where it did not foresee one.
    pub(crate) fn unforeseen(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    pub(crate) fn internal(message: &str) -> Self {
        let cause = json!({"message": message});
        Self::new(500, "InternalError", format!("Internal error occurred: {message}")).causes(vec![cause])
    }

    /// The `Status` object.
    pub fn to_json(&self) -> Value {
        let metadata = self.resume.as_ref().map_or_else(|| json!({}), |token| json!({"continue": token}));
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure", "message": self.message,
        });
        if let Some(fields) = status.as_object_mut() {
            if !self.reason.is_empty() {
                fields.insert("reason".to_owned(), self.reason.into());
            }
            if self.shows_details || !self.details.is_empty() {
                fields.insert("details".to_owned(), Value::Object((*self.details).clone()));
            }
            fields.insert("code".to_owned(), self.code.into());
        }
        status
    }
}

fn conflict_message(conflicts: &[(String, String)]) -> String {
    if let [(field, manager)] = conflicts {
        return format!("Apply failed with 1 conflict: conflict with {manager}: {field}");
    }
    let mut lines = Vec::new();
    let mut managers: Vec<&String> = conflicts.iter().map(|(_, manager)| manager).collect();
    managers.sort();
    managers.dedup();
    for manager in managers {
        lines.push(format!("conflicts with {manager}:"));
        let fields = conflicts.iter().filter(|(_, owner)| owner == manager);
        lines.extend(fields.map(|(field, _)| format!("- {field}")));
    }
    format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
}
