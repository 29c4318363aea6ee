//! What is not a resource: health, version, and the documents that describe the resources.

use http::header::{ACCEPT, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::discovery;
use crate::kinds::Table;
use crate::route::Route;
use crate::service::{self, ResponseBody, header, json, whole};
use crate::status::Failure;

/// The release whose behaviour is followed.
const MINOR: &str = "36";

pub(crate) fn health() -> http::Response<ResponseBody> {
    whole(StatusCode::OK, "text/plain; charset=utf-8", "ok")
}

pub(crate) fn answer(route: &Route, kinds: &Table, head: &Parts) -> http::Response<ResponseBody> {
    match route {
        Route::Health => health(),
        Route::Version => json(StatusCode::OK, &version()),
        Route::Discovery => discovered(kinds, head).unwrap_or_else(|| undiscovered(head)),
        Route::OpenApi => described(kinds, head).unwrap_or_else(undescribed),
        Route::NoResource => service::failed(&Failure::no_such_resource()),
        Route::Resource(_) | Route::Nowhere => nowhere(),
    }
}

/// Which groups, versions and resources there are.
fn discovered(kinds: &Table, head: &Parts) -> Option<http::Response<ResponseBody>> {
    let document = discovery::document(kinds.served(), head.uri.path(), header(&head.headers, &ACCEPT))?;
    let text = document.body.to_string();
    Some(tagged(head, StatusCode::OK, document.content_type, document.etag, text))
}

/// A document that is not there is nothing, not even a text about it.
fn undescribed() -> http::Response<ResponseBody> {
    let mut response = whole(StatusCode::NOT_FOUND, "text/plain", "");
    response.headers_mut().remove(CONTENT_TYPE);
    response
}

/// The core group answers for versions that it does not have.
fn undiscovered(head: &Parts) -> http::Response<ResponseBody> {
    match head.uri.path().starts_with("/api/") {
        true => service::failed(&Failure::no_such_resource()),
        false => nowhere(),
    }
}

/// What the kinds look like.
fn described(kinds: &Table, head: &Parts) -> Option<http::Response<ResponseBody>> {
    let answer = kinds.documents().answer(head.uri.path(), header(&head.headers, &ACCEPT))?;
    Some(tagged(head, answer.status, answer.content_type, answer.etag, answer.body.to_string()))
}

/// The text, or that it is still the one that the client has.
fn tagged(
    head: &Parts,
    code: StatusCode,
    content_type: &'static str,
    etag: Option<String>,
    text: String,
) -> http::Response<ResponseBody> {
    let is_known = etag.as_deref() == Some(header(&head.headers, &IF_NONE_MATCH));
    let mut response = match is_known {
        true => whole(StatusCode::NOT_MODIFIED, content_type, ""),
        false => whole(code, content_type, text),
    };
    if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(&etag).ok()) {
        response.headers_mut().insert(ETAG, etag);
    }
    response
}

fn version() -> serde_json::Value {
    json!({
        "major": "1",
        "minor": MINOR,
        "gitVersion": format!("v1.{MINOR}.0+keymill"),
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    })
}

fn nowhere() -> http::Response<ResponseBody> {
    whole(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "404 page not found\n")
}
