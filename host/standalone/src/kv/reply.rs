//! What is answered, and how it is written.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, STRICT_TRANSPORT_SECURITY};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::KvError;
use super::json;

/// An answer to a request that was understood.
#[derive(Debug)]
pub(super) enum Reply {
    /// Done; there is nothing to say.
    Done,
    /// Nothing is there.
    Missing,
    /// Nothing is there, and not even an error is said.
    Nowhere,
    /// Data.
    Data(Shown),
    /// A version that was deleted or destroyed: its metadata, with status 404.
    Gone(Shown),
    /// A document that is not wrapped, such as `sys/health`.
    Plain(Value),
}

/// Data and what surrounds it.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) data: Value,
    pub(super) warnings: Vec<String>,
    /// The value of KV version 1, as its writer wrote it; instead of `data`.
    pub(super) text: Option<Box<RawValue>>,
    /// Its lease, in seconds.
    pub(super) lease: i64,
    /// Whether the data also stands beside itself, as old clients of `sys/` read it.
    pub(super) flat: bool,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown").field("warnings", &self.warnings).finish_non_exhaustive()
    }
}

impl From<Value> for Shown {
    fn from(data: Value) -> Self {
        Self { data, ..Self::default() }
    }
}

impl Reply {
    pub(super) fn data(data: impl Into<Shown>) -> Self {
        Self::Data(data.into())
    }

    /// Names below a path; none is as good as no path.
    pub(super) fn keys(keys: Vec<String>) -> Self {
        if keys.is_empty() { Self::Missing } else { Self::data(json!({"keys": keys})) }
    }

    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        match self {
            Self::Done => response(StatusCode::NO_CONTENT, Vec::new()),
            Self::Missing => errors(StatusCode::NOT_FOUND, &[]),
            Self::Nowhere => response(StatusCode::NOT_FOUND, Vec::new()),
            Self::Data(shown) => wrapped(StatusCode::OK, shown),
            Self::Gone(shown) => wrapped(StatusCode::NOT_FOUND, shown),
            Self::Plain(value) => body(StatusCode::OK, &value),
        }
    }

    /// Adds a warning where there is an answer to add it to.
    pub(super) fn warned(mut self, warning: Option<String>) -> Self {
        if let Self::Data(shown) | Self::Gone(shown) = &mut self {
            shown.warnings.extend(warning);
        }
        self
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data {
    Value(Value),
    Text(Box<RawValue>),
}

/// What surrounds the data.
#[derive(Serialize)]
struct Envelope {
    request_id: String,
    lease_id: &'static str,
    renewable: bool,
    lease_duration: i64,
    data: Data,
    wrap_info: Option<()>,
    warnings: Option<Vec<String>>,
    auth: Option<()>,
    #[serde(flatten)]
    beside: Map<String, Value>,
}

fn wrapped(status: StatusCode, shown: Shown) -> Response<Full<Bytes>> {
    let beside = match (&shown.data, shown.flat) {
        (Value::Object(data), true) => data.clone(),
        _ => Map::new(),
    };
    let envelope = Envelope {
        request_id: Uuid::new_v4().to_string(),
        lease_id: "",
        renewable: false,
        lease_duration: shown.lease,
        data: shown.text.map_or(Data::Value(shown.data), Data::Text),
        wrap_info: None,
        warnings: (!shown.warnings.is_empty()).then_some(shown.warnings),
        auth: None,
        beside,
    };
    body(status, &envelope)
}

/// The answer to a request that could not be done.
pub(super) fn failed(error: &KvError) -> Response<Full<Bytes>> {
    match error {
        KvError::Database(source) => {
            tracing::error!(error = source as &dyn std::error::Error, "answer a request to the key store")
        }
        KvError::Stored { what } => tracing::error!(what, "read the key store"),
        _ => {}
    }
    let text = error.to_string();
    if text.is_empty() { errors(error.status(), &[]) } else { errors(error.status(), &[&text]) }
}

#[derive(Serialize)]
struct Errors<'a> {
    errors: &'a [&'a str],
}

pub(super) fn errors(status: StatusCode, errors: &[&str]) -> Response<Full<Bytes>> {
    body(status, &Errors { errors })
}

fn body(status: StatusCode, value: &impl Serialize) -> Response<Full<Bytes>> {
    match json::text(value) {
        Ok(text) => response(status, text),
        Err(_) => response(StatusCode::INTERNAL_SERVER_ERROR, Vec::new()),
    }
}

fn response(status: StatusCode, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers
        .insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
