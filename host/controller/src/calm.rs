//! When nobody waits to be looked at: what nothing depends on is done then.
//!
//! A process that begins with thousands of objects makes their Secrets first, and says so afterwards. Nothing is put off for ever: who has
//! waited for a while goes on, however much there is to do.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The longest that anything is put off.
const LONGEST: Duration = Duration::from_secs(10);

/// How many objects wait in all queues together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calm(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: AtomicUsize,
    over: Notify,
}

/// One queue's part in that. It ends with it.
#[derive(Debug)]
pub(crate) struct Line {
    calm: Calm,
    length: usize,
}

impl Calm {
    /// Of one more queue, which is empty.
    pub(crate) fn line(&self) -> Line {
        Line { calm: self.clone(), length: 0 }
    }

    /// Whether no object waits now.
    pub(crate) fn is_now(&self) -> bool {
        self.0.waiting.load(Ordering::Acquire) == 0
    }

    /// Waits until no object waits; not much longer for what has waited since then.
    pub(crate) async fn wait(&self, since: Instant) {
        let mut longest = pin!(tokio::time::sleep_until(since + LONGEST));
        loop {
            let mut over = pin!(self.0.over.notified());
            // From here on a notice is not missed.
            over.as_mut().enable();
            if self.is_now() {
                return;
            }
            tokio::select! {
                () = over => {}
                () = longest.as_mut() => return,
            }
        }
    }
}

impl Line {
    /// So many wait in it now.
    pub(crate) fn set(&mut self, length: usize) {
        let waiting = &self.calm.0.waiting;
        let before = std::mem::replace(&mut self.length, length);
        if length >= before {
            waiting.fetch_add(length - before, Ordering::AcqRel);
        } else if waiting.fetch_sub(before - length, Ordering::AcqRel) == before - length {
            self.calm.0.over.notify_waiters();
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_calm_when_no_queue_has_anybody_waiting() {
        let calm = Calm::default();
        let (mut one, mut other) = (calm.line(), calm.line());
        assert!(calm.wait(Instant::now()).now_or_never().is_some());
        one.set(2);
        other.set(1);
        let waits = tokio::spawn({
            let calm = calm.clone();
            async move { calm.wait(Instant::now()).await }
        });
        tokio::task::yield_now().await;
        one.set(0);
        tokio::task::yield_now().await;
        assert!(!waits.is_finished() && !calm.is_now(), "somebody waits in the other");
        drop(other);
        waits.await.unwrap();
        assert!(calm.is_now());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_put_off_for_ever() {
        let calm = Calm::default();
        let mut line = calm.line();
        line.set(1);
        let began = Instant::now();
        calm.wait(began).await;
        assert_eq!(began.elapsed(), LONGEST);
        assert!(calm.wait(began).now_or_never().is_some(), "what has waited that long goes on at once");
    }
}
