//! The body of a request: its media type, and the object in it.
//!
//! Messages say where a body is wrong and never quote it.

mod protobuf;

use serde_json::Value;

use crate::status::Failure;

/// What a request may bring at most; Kubernetes' own limit.
pub(crate) const MOST_BYTES: usize = 3 << 20;

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// A media type without its parameters, in lower case.
pub(crate) fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The object of a create, update or delete.
pub(crate) fn object(content_type: &str, body: &[u8]) -> Result<Value, Failure> {
    match media_type(content_type).as_str() {
        // Go's clients leave the type out where the body is empty.
        "" | JSON => json(body),
        YAML => yaml(body),
        PROTOBUF => protobuf::object(body).ok_or_else(|| Failure::bad_request("error decoding protobuf")),
        _ => Err(Failure::unsupported_media(&[JSON, YAML, PROTOBUF])),
    }
}

pub(crate) fn json(body: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        Failure::bad_request(format!(
            "error decoding JSON at line {}, column {}",
            error.line(),
            error.column()
        ))
    })
}

/// YAML, of which JSON is a part; a key given twice is an error.
pub(crate) fn yaml(body: &[u8]) -> Result<Value, Failure> {
    let wrong = |at: String| Failure::bad_request(format!("error decoding YAML{at}"));
    let text = std::str::from_utf8(body).map_err(|_| wrong(": it is not UTF-8".to_owned()))?;
    serde_saphyr::from_str(text).map_err(|error| {
        let at = error.location().map(|at| format!(" at line {}, column {}", at.line(), at.column()));
        wrong(at.unwrap_or_default())
    })
}
