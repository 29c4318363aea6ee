//! The AdmissionReview on the wire: of the request what is looked at, and the answer. Who asks is not looked at.
//!
//! The objects in a request may hold values (a Fake's data), so a request cannot be printed.

use api::Problem;
use api::names::annotation;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Status, StatusCause, StatusDetails};
use pipeline::ObjectRef;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::ReviewError;

const API_VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";
/// What nobody reads to its end is not written.
const PROBLEMS_MAX: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review {
    api_version: String,
    kind: String,
    request: Option<Request>,
}

/// What is asked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    uid: String,
    /// As the webhook's rules name it, whatever version the client used.
    pub(super) kind: GroupKind,
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: Option<String>,
    operation: String,
    #[serde(default)]
    pub(super) object: Option<Json>,
    #[serde(default)]
    old_object: Option<Json>,
}

#[derive(Deserialize)]
pub(super) struct GroupKind {
    pub(super) group: String,
    pub(super) kind: String,
}

impl Request {
    pub(super) fn parse(body: &[u8]) -> Result<Self, ReviewError> {
        // The decoder's words could quote a value.
        let review: Review = serde_json::from_slice(body).map_err(|_| ReviewError::Unreadable)?;
        let known = review.api_version == API_VERSION && review.kind == KIND;
        review.request.filter(|_| known).ok_or(ReviewError::Unreadable)
    }

    /// Whether there is anything new to find fault with. Whoever takes a finalizer off a bad object must not be stopped.
    pub(super) fn is_examined(&self) -> bool {
        let Some(object) = &self.object else { return false };
        let is_deleted = object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
        let is_new = match (self.operation.as_str(), &self.old_object) {
            ("UPDATE", Some(old)) => content(object) != content(old),
            ("CREATE" | "UPDATE", _) => true,
            _ => false,
        };
        is_new && !is_deleted
    }

    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref().filter(|namespace| !namespace.is_empty())
    }

    /// The object; its name is not known yet when the API server is to generate one.
    pub(super) fn object_ref(&self) -> ObjectRef {
        let prefix = || self.object.as_ref()?.pointer("/metadata/generateName")?.as_str();
        let name = if self.name.is_empty() { prefix().unwrap_or_default() } else { &self.name };
        ObjectRef {
            kind: self.kind.kind.clone(),
            namespace: self.namespace().map(str::to_owned),
            name: name.to_owned(),
        }
    }
}

/// What the checks are about: the spec, and who is to render its templates.
fn content(object: &Json) -> (Option<&Json>, Option<&Json>) {
    let annotations = object.pointer("/metadata/annotations");
    (object.get("spec"), annotations.and_then(|all| all.get(annotation::TEMPLATE_ENGINE)))
}

/// What is answered: a denial where there are problems.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: Response<'a>,
}

#[derive(Serialize)]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

impl Answer {
    /// An assent that says why it may be none.
    pub(super) fn warning(text: String) -> Self {
        Self { problems: Vec::new(), warnings: vec![text] }
    }

    pub(super) fn is_denial(&self) -> bool {
        !self.problems.is_empty()
    }

    /// In a word.
    pub(super) fn word(&self) -> &'static str {
        match (self.is_denial(), self.warnings.is_empty()) {
            (true, _) => "refused",
            (false, false) => "warned",
            (false, true) => "allowed",
        }
    }

    /// The answer to a request, as JSON.
    pub(super) fn write(&self, request: &Request) -> Vec<u8> {
        let response = Response {
            uid: &request.uid,
            allowed: !self.is_denial(),
            status: self.is_denial().then(|| self.status(request)),
            warnings: &self.warnings,
        };
        // Text, numbers and lists of them: it can be written.
        serde_json::to_vec(&Written { api_version: API_VERSION, kind: KIND, response }).unwrap_or_default()
    }

    /// As the API server itself refuses what a schema does not allow; kubectl prints the causes one a line.
    fn status(&self, request: &Request) -> Status {
        let object = request.object_ref();
        let shown = || self.problems.iter().take(PROBLEMS_MAX);
        let mut list = shown().map(Problem::to_string).collect::<Vec<_>>().join("; ");
        if let more @ 1.. = self.problems.len().saturating_sub(PROBLEMS_MAX) {
            list.push_str(&format!("; and {more} more"));
        }
        let cause = |problem: &Problem| StatusCause {
            field: Some(problem.path.clone()),
            message: Some(problem.message.clone()),
            reason: Some("FieldValueInvalid".to_owned()),
        };
        let details = StatusDetails {
            group: Some(request.kind.group.clone()),
            kind: Some(object.kind.clone()),
            name: Some(object.name.clone()),
            causes: Some(shown().map(cause).collect()),
            ..StatusDetails::default()
        };
        Status {
            status: Some("Failure".to_owned()),
            code: Some(422),
            reason: Some("Invalid".to_owned()),
            message: Some(format!("failed to read the spec of {object}: {list}")),
            details: Some(details),
            ..Status::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(operation: &str, object: &Json, old: &Json) -> Request {
        let body = json!({"apiVersion": API_VERSION, "kind": KIND, "request": {
            "uid": "1-2", "kind": {"group": "external-secrets.io", "version": "v1", "kind": "ExternalSecret"},
            "namespace": "shop", "name": "app", "operation": operation, "userInfo": {"username": "u"},
            "object": object, "oldObject": old,
        }});
        Request::parse(body.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn only_what_is_new_is_examined() {
        let object = |length: u32, engine: &str, finalizer: &str| {
            let annotations = json!({"keymill.dev/template-engine": engine, "note": finalizer});
            json!({"metadata": {"annotations": annotations, "finalizers": [finalizer]}, "spec": {"length": length}})
        };
        let mut deleted = object(2, "go", "a");
        deleted["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        let first = object(1, "go", "a");
        for (operation, new, old, expected) in [
            ("CREATE", &first, &Json::Null, true),
            ("UPDATE", &first, &Json::Null, true),
            ("UPDATE", &object(2, "go", "a"), &first, true),
            ("UPDATE", &object(1, "other", "a"), &first, true),
            ("UPDATE", &object(1, "go", "b"), &first, false),
            ("UPDATE", &deleted, &first, false),
            ("DELETE", &Json::Null, &first, false),
            ("CONNECT", &first, &Json::Null, false),
        ] {
            assert_eq!(request(operation, new, old).is_examined(), expected, "{operation} {new} {old}");
        }
    }

    #[test]
    fn a_denial_is_what_the_api_server_says_of_a_schema() {
        let problem = |path: &str| Problem { path: path.to_owned(), message: "is missing".to_owned() };
        let answer = Answer { problems: vec![problem("spec.a"), problem("spec.b")], warnings: vec![] };
        let written: Json =
            serde_json::from_slice(&answer.write(&request("CREATE", &json!({}), &Json::Null))).unwrap();
        let response = &written["response"];
        assert_eq!((&response["uid"], &response["allowed"]), (&json!("1-2"), &json!(false)));
        let status = &response["status"];
        assert_eq!((&status["code"], &status["reason"]), (&json!(422), &json!("Invalid")));
        assert_eq!(
            status["message"],
            "failed to read the spec of ExternalSecret shop/app: spec.a: is missing; spec.b: is missing"
        );
        assert_eq!(status["details"]["causes"][1]["field"], "spec.b");
        let many = Answer { problems: vec![problem("spec.a"); 53], warnings: vec![] };
        let written = String::from_utf8(many.write(&request("CREATE", &json!({}), &Json::Null))).unwrap();
        assert!(written.contains("; and 3 more"), "{written}");
    }

    #[test]
    fn an_assent_says_nothing_but_warnings() {
        let answer = Answer { problems: vec![], warnings: vec!["careful".to_owned()] };
        let written = answer.write(&request("CREATE", &json!({}), &Json::Null));
        let written: Json = serde_json::from_slice(&written).unwrap();
        assert_eq!(written["response"], json!({"uid": "1-2", "allowed": true, "warnings": ["careful"]}));
    }

    #[test]
    fn other_bodies_are_refused() {
        let request = json!({"uid": "1", "kind": {"group": "", "kind": "X"}, "operation": "CREATE"});
        let review = |version: &str, request: &Json| {
            let body = json!({"apiVersion": version, "kind": KIND, "request": request}).to_string();
            Request::parse(body.as_bytes()).is_ok()
        };
        assert!(review(API_VERSION, &request));
        assert!(!review("admission.k8s.io/v1beta1", &request));
        assert!(!review(API_VERSION, &Json::Null));
        assert!(Request::parse(b"{").is_err());
    }
}
