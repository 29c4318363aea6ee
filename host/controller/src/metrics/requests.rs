//! Requests to the API server, counted as client-go counts them: each answer by its code, and what had none as `<error>`.
//!
//! A watch counts when it begins. What a guard before the client does not let through was no request: this goes behind it.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use prometheus_client::metrics::family::Family;
use tower::{Layer, Service};

use super::labels::Asked;
use super::tally::Tally;

/// For kube's client: counts what goes through it.
#[derive(Debug, Clone)]
pub struct RequestCounter {
    pub(super) requests: Family<Asked, Tally>,
    pub(super) host: Arc<str>,
}

impl<S> Layer<S> for RequestCounter {
    type Service = CountedRequests<S>;

    fn layer(&self, inner: S) -> CountedRequests<S> {
        CountedRequests { inner, counter: self.clone() }
    }
}

/// A client's service whose requests are counted.
#[derive(Debug, Clone)]
pub struct CountedRequests<S> {
    inner: S,
    counter: RequestCounter,
}

impl<S, B, A> Service<Request<B>> for CountedRequests<S>
where
    S: Service<Request<B>, Response = Response<A>>,
    S::Future: Send + 'static,
{
    type Response = Response<A>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<A>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let RequestCounter { requests, host } = self.counter.clone();
        let method = word(request.method());
        let answered = move |answer: &Result<Response<A>, S::Error>| {
            let code = match answer {
                Ok(response) => response.status().as_str().to_owned(),
                Err(_) => "<error>".to_owned(),
            };
            requests.get_or_create(&Asked { code, host: host.to_string(), method }).inc();
        };
        self.inner.call(request).inspect(answered).boxed()
    }
}

fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
