//! The right to write, which ends by itself.
//!
//! An election extends it with each renewal of the Lease; past that time nothing is written, whatever the election's own task is
//! doing: each write is let through only while the right holds, so a process that was stopped for a minute and goes on writes nothing
//! on old knowledge. Reads are always let through. A request that is on its way when the right ends is not called back: what it
//! writes, it writes under the uid and resourceVersion that were read.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures::TryFutureExt;
use futures::future::{Either, MapErr, Ready, ready};
use http::{Method, Request};
use pipeline::{Blame, Failure, Reason, Retry};
use thiserror::Error;
use tokio::time::Instant;
use tower::{BoxError, Layer, Service};

/// Until when this process may write. Cheap to clone: clones are the same right.
#[derive(Debug, Clone)]
pub struct Leadership {
    /// None: for ever, without an election.
    until: Option<Arc<Mutex<Option<Instant>>>>,
}

impl Leadership {
    /// For ever: there is no election.
    #[must_use]
    pub const fn always() -> Self {
        Self { until: None }
    }

    /// Not before an election is won.
    #[must_use]
    pub fn elected() -> Self {
        Self { until: Some(Arc::default()) }
    }

    /// Whether to write now.
    #[must_use]
    pub fn may_write(&self) -> bool {
        let Some(until) = &self.until else { return true };
        let until = *until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    pub(crate) fn extend(&self, time: Instant) {
        self.set(Some(time));
    }

    pub(crate) fn end(&self) {
        self.set(None);
    }

    fn set(&self, time: Option<Instant>) {
        if let Some(until) = &self.until {
            *until.lock().unwrap_or_else(PoisonError::into_inner) = time;
        }
    }
}

/// For kube's client: refuses what is no read once the right has ended.
impl<S> Layer<S> for Leadership {
    type Service = WhileLeading<S>;

    fn layer(&self, inner: S) -> WhileLeading<S> {
        WhileLeading { inner, leadership: self.clone() }
    }
}

/// A client's service behind a right to write.
#[derive(Debug, Clone)]
pub struct WhileLeading<S> {
    inner: S,
    leadership: Leadership,
}

impl<S, B> Service<Request<B>> for WhileLeading<S>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Either<Ready<Result<S::Response, BoxError>>, MapErr<S::Future, fn(S::Error) -> BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        if reads || self.leadership.may_write() {
            Either::Right(self.inner.call(request).map_err(Into::into as fn(S::Error) -> BoxError))
        } else {
            Either::Left(ready(Err(NotLeading.into())))
        }
    }
}

/// A write that was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this process is not the leader any more")]
pub struct NotLeading;

impl Failure for NotLeading {
    fn reason(&self) -> Reason {
        Reason::ClusterUnavailable
    }

    fn blame(&self) -> Blame {
        Blame::Host
    }

    fn retry(&self) -> Retry {
        Retry::Backoff
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use super::*;

    async fn sent(leadership: &Leadership, method: Method) -> bool {
        let service = tower::service_fn(|_: Request<()>| ready(Ok::<_, Infallible>(())));
        let request = Request::builder().method(method).uri("/api").body(()).unwrap();
        match leadership.layer(service).call(request).await {
            Ok(()) => true,
            Err(error) => {
                assert!(error.is::<NotLeading>());
                false
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_written_past_the_time() {
        let leadership = Leadership::elected();
        assert!(!sent(&leadership, Method::POST).await, "not won yet");
        leadership.extend(Instant::now() + Duration::from_secs(10));
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(sent(&leadership, method).await);
        }
        tokio::time::advance(Duration::from_secs(10)).await;
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(!sent(&leadership, method).await);
        }
        assert!(sent(&leadership, Method::GET).await, "reads go on");
        leadership.extend(Instant::now() + Duration::from_secs(10));
        leadership.end();
        assert!(!sent(&leadership, Method::PATCH).await, "given back");
        assert!(sent(&Leadership::always(), Method::PATCH).await, "without an election");
    }
}
