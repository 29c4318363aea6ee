//! Bodies that are passed on, and may break off.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as HttpBody, Frame, Incoming};
use tokio::time::Sleep;

const ON_ITS_WAY: Duration = Duration::from_millis(20);

pub(crate) type Problem = Box<dyn std::error::Error + Send + Sync>;
/// What the proxy answers with.
pub(crate) type Body = BoxBody<Bytes, Problem>;

/// All of it.
pub(crate) fn whole(body: Incoming) -> Body {
    body.map_err(Problem::from).boxed()
}

/// Its first bytes, then an error, at which the connection ends.
pub(crate) fn cut_after(body: Incoming, bytes: usize) -> Body {
    BodyExt::boxed(Cut { body: whole(body), left: bytes, pause: None })
}

/// A text of the proxy's own.
pub(crate) fn text(text: String) -> Body {
    Full::from(text).map_err(|never| match never {}).boxed()
}

struct Cut {
    body: Body,
    left: usize,
    pause: Option<Pin<Box<Sleep>>>,
}

impl HttpBody for Cut {
    type Data = Bytes;
    type Error = Problem;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Problem>>> {
        if self.left == 0 {
            // What was sent must be on its way: with an error at once the client would not even see the head.
            let pause = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(ON_ITS_WAY)));
            ready!(pause.as_mut().poll(context));
            return Poll::Ready(Some(Err("cut by the proxy".into())));
        }
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else {
            return Poll::Ready(None);
        };
        let Ok(mut data) = frame?.into_data() else {
            return Poll::Ready(None);
        };
        data.truncate(self.left);
        self.left -= data.len();
        Poll::Ready(Some(Ok(Frame::data(data))))
    }
}
