//! OpenAPI: what the served kinds look like, for `kubectl explain`, `kubectl apply` and validation.
//!
//! [`Documents`] is made once for a set of kinds and answers `/openapi/v2`, the index `/openapi/v3`, and a
//! document for each group and version. Descriptions of custom kinds come from their
//! CustomResourceDefinitions.
//!
//! # Differences
//!
//! From kube-apiserver: JSON only; a client that takes nothing but protobuf gets 406, upon which kubectl uses
//! version 3. Descriptions of built-in kinds are in our words. Operations list the media types and parameters
//! that clients look for, not all answers.

mod definition;
mod paths;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::resource::ResourceInfo;
use definition::Dialect;

const JSON: &str = "application/json";

/// The documents about a set of kinds.
#[derive(Debug)]
pub struct Documents {
    v2: Text,
    index: Text,
    /// By group and version, as `api/v1` or `apis/example.com/v1`.
    v3: BTreeMap<String, Text>,
}

/// A document as it is sent.
#[derive(Debug, Clone)]
struct Text {
    body: Arc<str>,
    /// The digest of the body, in hex.
    digest: String,
}

/// An answer to a request below `/openapi`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: StatusCode,
    pub content_type: &'static str,
    pub etag: Option<String>,
    pub body: Arc<str>,
}

impl Documents {
    /// Writes the documents about the served ones of these kinds.
    pub fn new(resources: &[Arc<ResourceInfo>]) -> Self {
        let served: Vec<&ResourceInfo> =
            resources.iter().map(|resource| &**resource).filter(|resource| resource.served).collect();
        let mut groups: BTreeMap<String, Vec<&ResourceInfo>> = BTreeMap::new();
        for resource in &served {
            let prefix = if resource.group.is_empty() { "api" } else { "apis" };
            groups.entry(format!("{prefix}/{}", resource.api_version())).or_default().push(resource);
        }
        let v3: BTreeMap<String, Text> =
            groups.into_iter().map(|(name, group)| (name, Text::new(&v3(&group)))).collect();
        let paths = v3.iter().map(|(name, text)| {
            let url = format!("/openapi/v3/{name}?hash={}", text.digest);
            (name.clone(), json!({"serverRelativeURL": url}))
        });
        let index = Text::new(&json!({"paths": paths.collect::<Map<_, _>>()}));
        Self { v2: Text::new(&v2(&served)), index, v3 }
    }

    /// The answer for a path, or none if it is not one of ours. `accept` is the request's Accept header.
    pub fn answer(&self, path: &str, accept: &str) -> Option<Answer> {
        let text = match path.trim_end_matches('/') {
            "/openapi/v2" => &self.v2,
            "/openapi/v3" => &self.index,
            path => self.v3.get(path.strip_prefix("/openapi/v3/")?)?,
        };
        let is_index = std::ptr::eq(text, &self.index);
        Some(if takes_json(accept) {
            let etag = Some(format!("\"{}\"", text.digest));
            // kube-apiserver does not say what its index is.
            let content_type = if is_index { "text/plain; charset=utf-8" } else { JSON };
            Answer { status: StatusCode::OK, content_type, etag, body: text.body.clone() }
        } else {
            let body = "only application/json is served\n".into();
            Answer {
                status: StatusCode::NOT_ACCEPTABLE,
                content_type: "text/plain; charset=utf-8",
                etag: None,
                body,
            }
        })
    }
}

impl Text {
    fn new(document: &Value) -> Self {
        let body = document.to_string();
        let digest = data_encoding::HEXUPPER.encode(&Sha256::digest(body.as_bytes()));
        Self { body: body.into(), digest }
    }
}

fn takes_json(accept: &str) -> bool {
    let mut media = accept.split(',').map(|media| media.split(';').next().unwrap_or_default().trim());
    accept.trim().is_empty() || media.any(|media| matches!(media, "*/*" | "application/*" | JSON))
}

fn v2(resources: &[&ResourceInfo]) -> Value {
    let paths: Map<String, Value> =
        resources.iter().flat_map(|resource| paths::of(resource, Dialect::V2)).collect();
    let definitions = definition::needed(resources, &Value::Object(paths.clone()), Dialect::V2);
    json!({
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "v1.36.0"},
        "paths": paths,
        "definitions": definitions,
    })
}

fn v3(resources: &[&ResourceInfo]) -> Value {
    let paths: Map<String, Value> =
        resources.iter().flat_map(|resource| paths::of(resource, Dialect::V3)).collect();
    let schemas = definition::needed(resources, &Value::Object(paths.clone()), Dialect::V3);
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.36.0"},
        "paths": paths,
        "components": {"schemas": schemas},
    })
}
