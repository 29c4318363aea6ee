//! An API server that has too much to do says so in plain text, and how long to stay away in a header that kube's client drops.
//!
//! This layer makes an error of such an answer, which keeps both.

use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::Map;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use thiserror::Error;
use tower::{BoxError, Layer, Service};

/// Too many requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the API server asks for fewer requests")]
pub(crate) struct Overload {
    /// The HTTP code.
    pub(crate) code: u16,
    /// When to come back.
    pub(crate) after: Duration,
}

/// For kube's client: heeds the header Retry-After.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeedingOverload;

impl<S> Layer<S> for HeedingOverload {
    type Service = Heeding<S>;

    fn layer(&self, inner: S) -> Heeding<S> {
        Heeding { inner }
    }
}

/// A client's service that heeds it.
#[derive(Debug, Clone)]
pub struct Heeding<S> {
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Heeding<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = Map<S::Future, fn(Result<Response<R>, S::Error>) -> Result<Response<R>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.inner.call(request).map(|answer| {
            let answer = answer.map_err(Into::into)?;
            overload(&answer).map_or(Ok(answer), |overload| Err(overload.into()))
        })
    }
}

/// A `Status` in JSON says the same in its details, and more.
fn overload<R>(answer: &Response<R>) -> Option<Overload> {
    let code = answer.status();
    if !matches!(code, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let text = |header| answer.headers().get(header).and_then(|value| value.to_str().ok());
    if text(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/json")) {
        return None;
    }
    let after = Duration::from_secs(text(RETRY_AFTER)?.parse().ok()?);
    Some(Overload { code: code.as_u16(), after })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_text_with_a_number_of_seconds_is_an_overload() {
        let plain = "text/plain; charset=utf-8";
        for (code, kind, after, expected) in [
            (429, plain, "7", Some(7)),
            (503, plain, "1", Some(1)),
            (429, plain, "86400", Some(86_400)),
            (429, plain, "Wed, 21 Oct 2026 07:28:00 GMT", None),
            (429, "application/json", "7", None),
            (500, plain, "7", None),
        ] {
            let answer =
                Response::builder().status(code).header(CONTENT_TYPE, kind).header(RETRY_AFTER, after);
            let found = overload(&answer.body(()).unwrap()).map(|overload| overload.after.as_secs());
            assert_eq!(found, expected, "{code} {kind} {after}");
        }
    }

    #[tokio::test]
    async fn a_client_is_told_when_to_come_back() {
        let service = tower::service_fn(async |_: Request<()>| {
            Response::builder().status(429).header(RETRY_AFTER, "7").body(())
        });
        let mut service = HeedingOverload.layer(service);
        let error = service.call(Request::new(())).await.unwrap_err();
        let expected = Overload { code: 429, after: Duration::from_secs(7) };
        assert_eq!(error.downcast_ref::<Overload>(), Some(&expected));
    }
}
