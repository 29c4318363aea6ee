//! The paths of a resource and what can be done there.

use serde_json::{Map, Value, json};

use super::definition::{Dialect, name};
use crate::resource::ResourceInfo;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// One thing that can be done: a verb of discovery, as a method.
struct Action {
    verb: &'static str,
    method: &'static str,
    /// How kube-apiserver calls it.
    action: &'static str,
    parameters: &'static [Parameter],
}

#[derive(Clone, Copy)]
struct Parameter {
    name: &'static str,
    kind: &'static str,
    description: &'static str,
}

const fn parameter(name: &'static str, kind: &'static str, description: &'static str) -> Parameter {
    Parameter { name, kind, description }
}

const DRY_RUN: Parameter = parameter("dryRun", "string", "All: do everything but the writing.");
const MANAGER: Parameter = parameter("fieldManager", "string", "Who makes the change.");
const VALIDATION: Parameter =
    parameter("fieldValidation", "string", "What to do about unknown fields: Ignore, Warn or Strict.");
const FORCE: Parameter =
    parameter("force", "boolean", "Takes fields over from other managers when applying.");
const LIST: &[Parameter] = &[
    parameter("allowWatchBookmarks", "boolean", "Whether a watch may say where it stands."),
    parameter("continue", "string", "The token of the next page."),
    parameter("fieldSelector", "string", "Selects objects by fields."),
    parameter("labelSelector", "string", "Selects objects by labels."),
    parameter("limit", "integer", "The most objects on a page."),
    parameter("resourceVersion", "string", "The state to start from."),
    parameter("resourceVersionMatch", "string", "How the state must match."),
    parameter("sendInitialEvents", "boolean", "Whether a watch begins with what is there."),
    parameter("timeoutSeconds", "integer", "When a watch ends."),
    parameter("watch", "boolean", "Whether to watch."),
];
const DELETE: &[Parameter] = &[
    DRY_RUN,
    parameter("gracePeriodSeconds", "integer", "Seconds until the object is removed."),
    parameter("propagationPolicy", "string", "Orphan, Background or Foreground."),
];

const COLLECTION: [Action; 3] = [
    Action { verb: "list", method: "get", action: "list", parameters: LIST },
    Action { verb: "create", method: "post", action: "post", parameters: &[DRY_RUN, MANAGER, VALIDATION] },
    Action { verb: "deletecollection", method: "delete", action: "deletecollection", parameters: LIST },
];
const OBJECT: [Action; 4] = [
    Action { verb: "get", method: "get", action: "get", parameters: &[] },
    Action { verb: "update", method: "put", action: "put", parameters: &[DRY_RUN, MANAGER, VALIDATION] },
    Action { verb: "delete", method: "delete", action: "delete", parameters: DELETE },
    Action {
        verb: "patch",
        method: "patch",
        action: "patch",
        parameters: &[DRY_RUN, MANAGER, VALIDATION, FORCE],
    },
];

/// Path items by path.
pub(super) fn of(resource: &ResourceInfo, dialect: Dialect) -> Vec<(String, Value)> {
    let prefix = if resource.group.is_empty() { "/api" } else { "/apis" };
    let root = format!("{prefix}/{}", resource.api_version());
    let plural = &resource.plural;
    let mut paths = Vec::new();
    let base = if resource.namespaced {
        let everywhere: Vec<&Action> = COLLECTION.iter().filter(|action| action.verb == "list").collect();
        paths.push((format!("{root}/{plural}"), item(resource, &everywhere, &[], dialect)));
        format!("{root}/namespaces/{{namespace}}/{plural}")
    } else {
        format!("{root}/{plural}")
    };
    let namespace: &[&str] = if resource.namespaced { &["namespace"] } else { &[] };
    let named = [namespace, &["name"]].concat();
    let offered = |actions: &'static [Action]| {
        actions.iter().filter(|action| resource.verbs.contains(&action.verb)).collect::<Vec<_>>()
    };
    paths.push((base.clone(), item(resource, &offered(&COLLECTION), namespace, dialect)));
    let on_object = offered(&OBJECT);
    if !on_object.is_empty() {
        paths.push((format!("{base}/{{name}}"), item(resource, &on_object, &named, dialect)));
    }
    if resource.has_status {
        let status: Vec<&Action> = OBJECT.iter().filter(|action| action.verb != "delete").collect();
        paths.push((format!("{base}/{{name}}/status"), item(resource, &status, &named, dialect)));
    }
    paths
}

fn item(resource: &ResourceInfo, actions: &[&Action], in_path: &[&str], dialect: Dialect) -> Value {
    let mut item: Map<String, Value> = actions
        .iter()
        .map(|action| (action.method.to_owned(), operation(resource, action, dialect)))
        .collect();
    let mut parameters: Vec<Value> =
        in_path.iter().map(|name| typed(name, "path", "string", "", true, dialect)).collect();
    parameters.push(typed("pretty", "query", "string", "Whether to indent the answer.", false, dialect));
    item.insert("parameters".to_owned(), Value::from(parameters));
    Value::Object(item)
}

fn operation(resource: &ResourceInfo, action: &Action, dialect: Dialect) -> Value {
    let scope = if resource.namespaced { "Namespaced" } else { "" };
    let answered = match action.verb {
        "list" => dialect.reference(&name(resource, "List")),
        "delete" | "deletecollection" => dialect.reference(&format!("{META}.Status")),
        _ => dialect.reference(&name(resource, "")),
    };
    let parameters = action.parameters.iter();
    let mut parameters: Vec<Value> = parameters
        .map(|found| typed(found.name, "query", found.kind, found.description, false, dialect))
        .collect();
    let mut operation = json!({
        "description": format!("{} {}", action.verb, resource.kind),
        "operationId": format!("{}{}{scope}{}", action.verb, group_name(resource), resource.kind),
        "x-kubernetes-action": action.action,
        "x-kubernetes-group-version-kind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
    });
    let (schema, media) = (sent(resource, action, dialect), consumed(resource, action));
    if let (Value::Object(fields), Dialect::V2) = (&mut operation, dialect) {
        if let Some(schema) = schema {
            parameters.push(
                json!({"name": "body", "in": "body", "required": action.verb != "delete", "schema": schema}),
            );
            fields.insert("consumes".to_owned(), json!(media));
        }
        fields.insert("produces".to_owned(), json!(["application/json"]));
        fields.insert("responses".to_owned(), json!({"200": {"description": "OK", "schema": answered}}));
        fields.insert("parameters".to_owned(), Value::from(parameters));
    } else if let Value::Object(fields) = &mut operation {
        if let Some(schema) = schema {
            let content: Map<String, Value> =
                media.iter().map(|media| ((*media).to_owned(), json!({"schema": schema}))).collect();
            fields.insert("requestBody".to_owned(), json!({"content": content}));
        }
        fields.insert(
            "responses".to_owned(),
            json!({"200": {"description": "OK", "content": {"application/json": {"schema": answered}}}}),
        );
        fields.insert("parameters".to_owned(), Value::from(parameters));
    }
    operation
}

fn sent(resource: &ResourceInfo, action: &Action, dialect: Dialect) -> Option<Value> {
    match action.verb {
        "create" | "update" => Some(dialect.reference(&name(resource, ""))),
        "patch" => Some(dialect.reference(&format!("{META}.Patch"))),
        "delete" => Some(dialect.reference(&format!("{META}.DeleteOptions"))),
        _ => None,
    }
}

/// kubectl reads from here whether a kind takes strategic merge patches.
fn consumed(resource: &ResourceInfo, action: &Action) -> Vec<&'static str> {
    match (action.verb, resource.builtin) {
        ("patch", true) => vec![
            "application/apply-patch+yaml",
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/strategic-merge-patch+json",
        ],
        ("patch", false) => vec![
            "application/apply-patch+yaml",
            "application/json-patch+json",
            "application/merge-patch+json",
        ],
        _ => vec!["application/json"],
    }
}

fn typed(name: &str, place: &str, kind: &str, description: &str, required: bool, dialect: Dialect) -> Value {
    let mut parameter = json!({"name": name, "in": place});
    if let Value::Object(fields) = &mut parameter {
        if !description.is_empty() {
            fields.insert("description".to_owned(), json!(description));
        }
        if required {
            fields.insert("required".to_owned(), json!(true));
        }
        match dialect {
            Dialect::V2 => fields.insert("type".to_owned(), json!(kind)),
            Dialect::V3 => fields.insert("schema".to_owned(), json!({"type": kind})),
        };
    }
    parameter
}

/// `ExternalSecretsIoV1` for external-secrets.io/v1, so that operations have different names.
fn group_name(resource: &ResourceInfo) -> String {
    let group = if resource.group.is_empty() { "core" } else { &resource.group };
    let parts = group.split(['.', '-']).chain([resource.version.as_str()]);
    let upper = |part: &str| {
        let mut letters = part.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    parts.map(upper).collect()
}
