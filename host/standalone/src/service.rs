//! The API as a tower service over HTTP requests: who asks, what is asked, and how the answer is written.
//!
//! Everything below it is synchronous; only reading the body and streaming a watch wait.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::StreamExt;
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName, USER_AGENT, WARNING};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Body, Bytes, Frame};
use secrecy::ExposeSecret;
use serde_json::Value;
use subtle::ConstantTimeEq;
use tower::Service;

use crate::accounts;
use crate::api::Inner;
use crate::body;
use crate::call::Call;
use crate::deletion::{self, DeleteOptions, Deleted};
use crate::documents;
use crate::kinds::DEFINITIONS;
use crate::patch::PatchKind;
use crate::query::Options;
use crate::read;
use crate::reviews;
use crate::route::{ResourcePath, Route};
use crate::schema::Cause;
use crate::status::Failure;
use crate::view::{Shown, View};
use crate::watch;
use crate::write::{self, Written};

/// The body of an answer: whole, or a stream of watch events.
pub type ResponseBody = UnsyncBoxBody<Bytes, Infallible>;

/// The API; made by [`crate::Api::service`].
#[derive(Clone)]
pub struct ApiService {
    api: Arc<Inner>,
    /// Whether requests need a token.
    guarded: bool,
}

impl std::fmt::Debug for ApiService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiService").field("guarded", &self.guarded).finish_non_exhaustive()
    }
}

impl ApiService {
    pub(crate) fn trusting(api: Arc<Inner>) -> Self {
        Self { api, guarded: false }
    }

    pub(crate) fn guarded(api: Arc<Inner>) -> Self {
        Self { api, guarded: true }
    }
}

impl<B> Service<Request<B>> for ApiService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self { api, guarded } = self.clone();
        Box::pin(async move { Ok(answer(api, guarded, request).await) })
    }
}

async fn answer<B>(api: Arc<Inner>, guarded: bool, request: Request<B>) -> Response<ResponseBody>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let kinds = api.kinds.now();
    let route = match Route::of(head.uri.path(), &kinds) {
        Route::Resource(path) if !path.serves(&head.method) => Route::Nowhere,
        route => route,
    };
    let user = if guarded { user(&api, &head.headers) } else { Some(reviews::ADMINISTRATOR.to_owned()) };
    let path = match (route, user) {
        (Route::Health, _) => return documents::health(),
        (_, None) => return failed(&Failure::unauthorized()),
        (Route::Resource(path), Some(user)) => (path, user),
        (route, Some(_)) => return documents::answer(&route, &kinds, &head),
    };
    let body = match Limited::new(body, body::MOST_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return failed(&Failure::too_large(body::MOST_BYTES)),
    };
    let (ResourcePath { info, namespace, name, subresource }, user) = path;
    let options = match Options::parse(head.uri.query().unwrap_or_default()) {
        Ok(options) => options,
        Err(failure) => return failed(&failure),
    };
    let agent = header(&head.headers, &USER_AGENT).to_owned();
    let warnings = RefCell::default();
    let call = Call { api: &api, kinds, info, namespace, name, subresource, options, agent, user, warnings };
    let answer = resource(&call, &head.method, &head.headers, &body);
    let mut response = answer.unwrap_or_else(|failure| failed(&failure));
    add_warnings(&call, response.headers_mut());
    response
}

/// Who asks: the administrator, or a ServiceAccount by its token.
fn user(api: &Inner, headers: &HeaderMap) -> Option<String> {
    let (scheme, token) = header(headers, &AUTHORIZATION).split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let token = token.trim();
    if bool::from(token.as_bytes().ct_eq(api.identity.token.expose_secret().as_bytes())) {
        return Some(reviews::ADMINISTRATOR.to_owned());
    }
    accounts::verify(api, token, accounts::API_AUDIENCE).map(|claims| claims.user())
}

/// A request to a collection, an object or a subresource.
fn resource(
    call: &Call<'_>,
    method: &Method,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response<ResponseBody>, Failure> {
    let shown = Shown {
        info: call.info.clone(),
        view: View::of(header(headers, &ACCEPT))?,
        include: call.options.include_object,
        now: call.api.clock.now(),
    };
    let has_subresource = call.subresource.is_empty() || call.subresource == "status" && call.info.has_status;
    if !call.info.builtin && !has_subresource {
        return Err(call.missing());
    }
    let verb = verb(call, method).ok_or_else(|| no_verb(call, method))?;
    if call.subresource.is_empty() && !call.info.verbs.contains(&verb) {
        return Err(Failure::method_not_allowed(&call.info));
    }
    if call.info.deprecated {
        let default = || format!("{} {} is deprecated", call.info.api_version(), call.info.kind);
        call.warn(call.info.deprecation_warning.clone().unwrap_or_else(default));
    }
    let content_type = header(headers, &CONTENT_TYPE);
    check_options(call, verb)?;
    match verb {
        "get" => Ok(json(StatusCode::OK, &shown.one(&*read::get(call)?))),
        "list" => Ok(json(StatusCode::OK, &read::list(call, &shown)?)),
        "watch" => watched(call, shown),
        "create" => create(call, &shown, body::object(content_type, body)?),
        "update" => written(call, &shown, write::update(call, body::object(content_type, body)?)?),
        "patch" => {
            let kind = PatchKind::of(&body::media_type(content_type), &call.info)?;
            written(call, &shown, write::patch(call, kind, body)?)
        }
        "delete" => delete(call, &shown, &delete_body(content_type, body)?),
        _ => {
            let options = DeleteOptions::parse(call, &delete_body(content_type, body)?)?;
            let deleted = deletion::delete_collection(call, &options)?;
            renew_kinds(call);
            let served =
                deleted.iter().map(|object| crate::conversion::served(&call.info, object).into_owned());
            let version = call.api.objects.now().version.to_string();
            Ok(json(
                StatusCode::OK,
                &shown.list(served.collect(), serde_json::json!({"resourceVersion": version})),
            ))
        }
    }
}

/// What is wrong with a write's options. Those of a patch depend on its kind, and are checked with it.
fn check_options(call: &Call<'_>, verb: &str) -> Result<(), Failure> {
    let kind = match verb {
        "create" => "CreateOptions",
        "update" => "UpdateOptions",
        "delete" | "deletecollection" => "DeleteOptions",
        "list" | "watch" => "ListOptions",
        _ => return Ok(()),
    };
    // A list is asked neither who it is for, nor whether it is to be stored.
    let is_asked = |cause: &&Cause| (cause.field == "resourceVersionMatch") == (kind == "ListOptions");
    let causes: Vec<Cause> = call.options.invalid.iter().filter(is_asked).cloned().collect();
    if causes.is_empty() { Ok(()) } else { Err(Failure::invalid_kind("meta.k8s.io", kind, "", &causes)) }
}

/// What is said of a method that the path does not have.
fn no_verb(call: &Call<'_>, method: &Method) -> Failure {
    match method.as_str() {
        "PATCH" | "PUT" if !call.info.builtin && call.name.is_empty() => {
            Failure::bad_request("name must be provided")
        }
        method if !call.info.builtin && !call.subresource.is_empty() => {
            Failure::not_supported(&call.info, &method.to_lowercase())
        }
        _ => Failure::method_not_allowed(&call.info),
    }
}

/// The verb of a request, as discovery names it; `None` where the path has no such method.
fn verb(call: &Call<'_>, method: &Method) -> Option<&'static str> {
    let in_namespace = !call.info.namespaced || !call.namespace.is_empty();
    match (method.as_str(), call.name.is_empty(), call.subresource.as_str()) {
        ("GET", false, "" | "status") => Some("get"),
        ("GET", true, "") if call.options.watch => Some("watch"),
        ("GET", true, "") => Some("list"),
        ("POST", true, "") if in_namespace => Some("create"),
        ("POST", false, "token") => Some("create"),
        ("PUT", false, "" | "status" | "finalize") => Some("update"),
        ("PATCH", false, "" | "status") => Some("patch"),
        ("DELETE", false, "") => Some("delete"),
        ("DELETE", true, "") if in_namespace => Some("deletecollection"),
        _ => None,
    }
}

fn delete_body(content_type: &str, bytes: &[u8]) -> Result<Value, Failure> {
    if bytes.is_empty() { Ok(Value::Null) } else { body::object(content_type, bytes) }
}

fn create(call: &Call<'_>, shown: &Shown, object: Value) -> Result<Response<ResponseBody>, Failure> {
    if call.subresource == "token" {
        return Ok(json(StatusCode::CREATED, &accounts::request_token(call, &object)?));
    }
    if let Some(review) = reviews::answer(call, &object) {
        return Ok(json(StatusCode::CREATED, &review));
    }
    written(call, shown, write::create(call, object)?)
}

fn written(call: &Call<'_>, shown: &Shown, written: Written) -> Result<Response<ResponseBody>, Failure> {
    renew_kinds(call);
    let code = if written.created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(json(code, &shown.one(&written.object)))
}

fn delete(call: &Call<'_>, shown: &Shown, body: &Value) -> Result<Response<ResponseBody>, Failure> {
    let deleted = deletion::delete(call, &DeleteOptions::parse(call, body)?)?;
    renew_kinds(call);
    Ok(match deleted {
        Deleted::Later(object) => json(StatusCode::OK, &shown.one(&object)),
        Deleted::Now(object) => json(StatusCode::OK, &deletion::success(call, &object)),
    })
}

/// A changed definition is served from the answer to its change on.
fn renew_kinds(call: &Call<'_>) {
    if &*call.stored_kind() == DEFINITIONS {
        call.api.kinds.renew(|| call.api.objects.now());
    }
}

fn watched(call: &Call<'_>, shown: Shown) -> Result<Response<ResponseBody>, Failure> {
    let lines = watch::watch(call, call.api.objects.clone(), shown)?;
    let frames = lines.map(|line| Ok::<_, Infallible>(Frame::data(line)));
    Ok(response(StatusCode::OK, "application/json", BodyExt::boxed_unsync(StreamBody::new(frames))))
}

pub(crate) fn failed(failure: &Failure) -> Response<ResponseBody> {
    json(StatusCode::from_u16(failure.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), &failure.to_json())
}

pub(crate) fn json(code: StatusCode, value: &Value) -> Response<ResponseBody> {
    let mut text = value.to_string();
    text.push('\n');
    whole(code, "application/json", text)
}

pub(crate) fn whole(
    code: StatusCode,
    content_type: &'static str,
    text: impl Into<Bytes>,
) -> Response<ResponseBody> {
    response(code, content_type, Full::new(text.into()).boxed_unsync())
}

fn response(code: StatusCode, content_type: &'static str, body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

fn add_warnings(call: &Call<'_>, headers: &mut HeaderMap) {
    for text in call.warnings.borrow().iter() {
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            headers.append(WARNING, value);
        }
    }
}

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
